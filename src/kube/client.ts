import type { Verb } from './errors.ts';
import type { RawObject } from './object.ts';
import type { ObjectKey, Resource } from './resource.ts';
import type { ReplacingContents } from './secret-body.ts';
import type { WatchHandler, WatchOptions, WatchStream } from './watch-stream.ts';

/** `metadata`: the server sends `PartialObjectMetadata`, a ninth of the memory for a Secret. */
export type Detail = 'full' | 'metadata';

export interface CallOptions {
  /** Ends the call with a TransportError `aborted`. */
  readonly signal?: AbortSignal | undefined;
  /** Of the whole call with its retries, in milliseconds; default 30,000. */
  readonly timeoutMs?: number;
  /** How much of the object comes back; default `full`. */
  readonly as?: Detail | undefined;
}

export interface ListOptions extends CallOptions {
  /** Without one: all namespaces. */
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  /** Objects in a page; default 500. */
  readonly limit?: number;
}

export interface PageOptions extends ListOptions {
  /** `metadata.continue` of the page before. */
  readonly continueToken?: string | undefined;
  /** False: an error comes at once, for callers that have a backoff of their own. Default true. */
  readonly retry?: boolean;
}

export interface Page {
  /** Each is parsed when it is asked for; throws a TransportError at one that is no object. */
  readonly items: Iterable<RawObject>;
  /** Where a watch that follows this list starts. */
  readonly resourceVersion: string;
  /** Undefined on the last page. */
  readonly continueToken: string | undefined;
}

export interface WriteOptions extends CallOptions {
  readonly subresource?: 'status' | 'scale';
}

export interface ApplyOptions extends WriteOptions {
  /** Takes fields from other managers. Default false: a conflict is an ApiError 409 with `conflicts`. */
  readonly force?: boolean;
}

export interface DeleteOptions extends CallOptions {
  /** 409 when the object is another one by now. */
  readonly uid: string;
  readonly resourceVersion?: string | undefined;
}

/** What a request was and how it ended, for metrics in the manner of `rest_client_requests_total`. */
export interface RequestReport {
  readonly verb: Verb;
  /** `/apis/apps/v1/namespaces/{namespace}/deployments/{name}` */
  readonly template: string;
  /** The HTTP status code; 0 when there was no answer. */
  readonly code: number;
  /** To the end of the answer; of a watch, to its headers. */
  readonly durationMs: number;
}

/** What the API server made of a Secret that was sent to it. */
export type StoredSecret =
  /** It holds that, and nothing that anybody else has added: the answer need not be parsed. */
  | { readonly kind: 'as-sent'; readonly resourceVersion: string }
  | { readonly kind: 'object'; readonly object: RawObject };

/**
 * Requests to one API server over kept-alive connections. Every method throws ApiError (what the server
 * answered) or TransportError (no answer). Inside the client only what certainly did not happen is tried
 * again: 429 with Retry-After, a connection that was refused, a 401 after the credentials were renewed; and
 * for reads also 503 with Retry-After and one broken connection. All else is for the caller's queue.
 *
 * Bodies are plain objects. In bodies of Secrets, `SecretValue`s are written out (see secret-body.ts).
 */
export interface Client {
  /** Undefined: 404. */
  get(resource: Resource, key: ObjectKey, options?: CallOptions): Promise<RawObject | undefined>;
  /** One page of a list, as new as the server can give. */
  listPage(resource: Resource, options?: PageOptions): Promise<Page>;
  /** Page after page; a page is not kept. */
  list(resource: Resource, options?: ListOptions): AsyncGenerator<readonly RawObject[], void, void>;
  /** A watch is opened; events and the end come through the handler, synchronously as they are read. */
  watch(resource: Resource, options: WatchOptions, handler: WatchHandler): WatchStream;
  /** The namespace is ignored for cluster-scoped resources. */
  create(resource: Resource, namespace: string, body: object, options?: CallOptions): Promise<RawObject>;
  /** PUT: the metadata carry the resourceVersion that it replaces. */
  replaceSecret(contents: ReplacingContents): Promise<StoredSecret>;
  /** The same for a status. It resolves to the new resourceVersion: the API server is asked for no more. */
  replaceStatus(resource: Resource, key: ObjectKey, body: object): Promise<string>;
  /** RFC 7386. */
  mergePatch(resource: Resource, key: ObjectKey, body: object, options?: WriteOptions): Promise<RawObject>;
  /** Server-side apply as field manager `truss-secrets`; a `metadata.uid` in the body keeps it from creating. */
  apply(resource: Resource, key: ObjectKey, body: object, options?: ApplyOptions): Promise<RawObject>;
  delete(resource: Resource, key: ObjectKey, options: DeleteOptions): Promise<'deleted' | 'gone'>;
  /** GET of any path, as parsed JSON: discovery, `/version`. */
  getJson(path: string, options?: CallOptions): Promise<unknown>;
  /** GET of any path, as text: `/metrics`, `/readyz`. */
  getText(path: string, options?: CallOptions): Promise<string>;
  /** Ends all connections and watches. */
  close(): Promise<void>;
}
