import { MANAGER } from '../api/names.ts';
import type {
  ApplyOptions,
  CallOptions,
  Client,
  DeleteOptions,
  ListOptions,
  Page,
  PageOptions,
  RequestReport,
  StoredSecret,
  WriteOptions,
} from './client.ts';
import type { Connection } from './connection.ts';
import { isApiError, TransportError } from './errors.ts';
import { type ListBody, parseList } from './list-body.ts';
import { parseObject, type RawObject } from './object.ts';
import { type Call, parseJson, Requester } from './requester.ts';
import {
  allOf,
  anyPath,
  APPLY_TYPE,
  encode,
  JSON_TYPE,
  MERGE_TYPE,
  type Message,
  oneOf,
  PARTIAL,
  PARTIAL_LIST,
  queryString,
  type Target,
} from './message.ts';
import { type ObjectKey, type Resource, secrets } from './resource.ts';
import { encodeReplacement, isAsSent, type ReplacingContents } from './secret-body.ts';
import { versionIn } from './version-in.ts';
import { WatchDecoder, type WatchHandler, type WatchOptions, type WatchStream } from './watch-stream.ts';

export interface ClientOptions {
  /** Calls at a time; default 32: more give latency, not rate (measured). Watches do not count. */
  readonly connections?: number;
  readonly userAgent?: string;
  readonly observe?: (report: RequestReport) => void;
}

const DEFAULT_CONNECTIONS = 32;
const DEFAULT_TIMEOUT_MS = 30_000;
const DEFAULT_PAGE = 500;

/** A client for the API server of the connection; {@link Client} says what it does. */
export const createClient = (connection: Connection, options: ClientOptions = {}): Client =>
  new HttpClient(connection, options);

class HttpClient implements Client {
  readonly #requester: Requester;
  readonly #userAgent: string;

  constructor(connection: Connection, options: ClientOptions) {
    const { connections = DEFAULT_CONNECTIONS, userAgent = MANAGER, observe = () => {} } = options;
    this.#requester = new Requester(connection, connections, observe);
    this.#userAgent = userAgent;
  }

  async get(of: Resource, key: ObjectKey, options: CallOptions = {}): Promise<RawObject | undefined> {
    try {
      return await this.#object(oneOf('get', of, key), { method: 'GET' }, options);
    } catch (error) {
      if (isApiError(error, 404)) return undefined;
      throw error;
    }
  }

  async listPage(of: Resource, options: PageOptions = {}): Promise<Page> {
    const {
      namespace,
      labelSelector,
      fieldSelector,
      limit = DEFAULT_PAGE,
      continueToken,
      retry = true,
    } = options;
    const target = allOf('list', of, namespace);
    const query = { limit, labelSelector, fieldSelector, continue: continueToken };
    const accept = options.as === 'metadata' ? PARTIAL_LIST : JSON_TYPE;
    const call = this.#call(target, { method: 'GET', query, accept, retry }, options);
    return parsePage((await this.#requester.send(call)).body, target);
  }

  async *list(of: Resource, options: ListOptions = {}): AsyncGenerator<readonly RawObject[], void, void> {
    let limit = options.limit ?? DEFAULT_PAGE;
    let continueToken: string | undefined;
    for (let more = true; more; more = continueToken !== undefined) {
      const page = await this.#pageThatFits(of, { ...options, limit, continueToken });
      yield [...page.items];
      ({ limit, continueToken } = page);
    }
  }

  watch(of: Resource, options: WatchOptions, handler: WatchHandler): WatchStream {
    const target = allOf('watch', of, options.namespace);
    const { resourceVersion, timeoutSeconds, labelSelector, fieldSelector } = options;
    const query = {
      watch: 1,
      allowWatchBookmarks: 'true',
      resourceVersion,
      timeoutSeconds,
      labelSelector,
      fieldSelector,
    };
    const accept = options.as === 'metadata' ? PARTIAL : JSON_TYPE;
    const controller = new AbortController();
    const sink = new WatchDecoder(target, target.confidential, handler, () => controller.abort());
    const call = this.#call(
      target,
      { method: 'GET', query, accept, retry: false },
      { signal: controller.signal },
    );
    this.#requester.send(call, sink).catch((error: unknown) => sink.refused(error));
    return {
      abort: () => {
        sink.silence();
        controller.abort();
      },
    };
  }

  async create(of: Resource, namespace: string, body: object, options: CallOptions = {}): Promise<RawObject> {
    const message = { method: 'POST', body: encode(of, body), contentType: JSON_TYPE } as const;
    return this.#object(allOf('create', of, namespace), message, options);
  }

  async replaceSecret(contents: ReplacingContents): Promise<StoredSecret> {
    const target = oneOf('update', secrets, contents.metadata);
    const sent = encodeReplacement(contents);
    const message = { method: 'PUT', body: sent.body, contentType: JSON_TYPE } as const;
    const answer = (await this.#requester.send(this.#call(target, message, {}))).body;
    const resourceVersion = isAsSent(answer, sent) ? versionIn(answer) : undefined;
    return resourceVersion === undefined
      ? { kind: 'object', object: objectOf(answer, target) }
      : { kind: 'as-sent', resourceVersion };
  }

  async replaceStatus(of: Resource, key: ObjectKey, body: object): Promise<string> {
    const target = oneOf('update', of, key, 'status');
    const message = {
      method: 'PUT',
      body: encode(of, body),
      contentType: JSON_TYPE,
      accept: PARTIAL,
    } as const;
    const answer = (await this.#requester.send(this.#call(target, message, {}))).body;
    return versionIn(answer) ?? objectOf(answer, target).metadata.resourceVersion;
  }

  async mergePatch(
    of: Resource,
    key: ObjectKey,
    body: object,
    options: WriteOptions = {},
  ): Promise<RawObject> {
    const message = { method: 'PATCH', body: encode(of, body), contentType: MERGE_TYPE } as const;
    return this.#object(oneOf('patch', of, key, options.subresource), message, options);
  }

  async apply(of: Resource, key: ObjectKey, body: object, options: ApplyOptions = {}): Promise<RawObject> {
    const query = { fieldManager: MANAGER, force: options.force === true ? 'true' : undefined };
    const message = { method: 'PATCH', query, body: encode(of, body), contentType: APPLY_TYPE } as const;
    return this.#object(oneOf('apply', of, key, options.subresource), message, options);
  }

  async delete(of: Resource, key: ObjectKey, options: DeleteOptions): Promise<'deleted' | 'gone'> {
    const { uid, resourceVersion } = options;
    const body = JSON.stringify({
      kind: 'DeleteOptions',
      apiVersion: 'v1',
      preconditions: { uid, resourceVersion },
    });
    try {
      await this.#json(oneOf('delete', of, key), { method: 'DELETE', body, contentType: JSON_TYPE }, options);
      return 'deleted';
    } catch (error) {
      if (isApiError(error, 404)) return 'gone';
      throw error;
    }
  }

  async getJson(path: string, options: CallOptions = {}): Promise<unknown> {
    return this.#json(anyPath(path), { method: 'GET' }, options);
  }

  async getText(path: string, options: CallOptions = {}): Promise<string> {
    const call = this.#call(anyPath(path), { method: 'GET', accept: '*/*' }, options);
    return (await this.#requester.send(call)).body.toString();
  }

  async close(): Promise<void> {
    await this.#requester.close();
  }

  /** A page of at most `limit` objects, of fewer where these are too large. */
  async #pageThatFits(
    of: Resource,
    options: PageOptions & { limit: number },
  ): Promise<Page & { limit: number }> {
    for (let { limit } = options; ; limit = Math.ceil(limit / 2)) {
      try {
        return { ...(await this.listPage(of, { ...options, limit })), limit };
      } catch (error) {
        const tooLarge = error instanceof TransportError && error.step === 'too-large';
        if (!tooLarge || limit === 1) throw error;
      }
    }
  }

  async #object(target: Target, message: Message, options: CallOptions): Promise<RawObject> {
    const accept = options.as === 'metadata' ? PARTIAL : JSON_TYPE;
    const { body } = await this.#requester.send(this.#call(target, { ...message, accept }, options));
    return objectOf(body, target);
  }

  async #json(target: Target, message: Message, options: CallOptions): Promise<unknown> {
    const { body } = await this.#requester.send(this.#call(target, message, options));
    return jsonOf(body, target);
  }

  #call(target: Target, message: Message, options: CallOptions): Call {
    const { verb, template, confidential } = target;
    const headers: Record<string, string> = {
      Accept: message.accept ?? JSON_TYPE,
      'User-Agent': this.#userAgent,
      ...(message.contentType === undefined ? {} : { 'Content-Type': message.contentType }),
    };
    return {
      request: {
        method: message.method,
        path: target.path + queryString(message.query),
        headers,
        body: message.body,
        info: { verb, template },
      },
      timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
      signal: options.signal,
      retry: message.retry ?? true,
      confidential,
    };
  }
}

function jsonOf(body: Buffer, target: Target): unknown {
  const value = parseJson(body);
  if (value === undefined) throw new TransportError(target, 'protocol', 'the answer is no JSON');
  return value;
}

function objectOf(body: Buffer, target: Target): RawObject {
  const object = parseObject(jsonOf(body, target));
  if (object === undefined)
    throw new TransportError(target, 'protocol', 'the answer is no Kubernetes object');
  return object;
}

function parsePage(body: Buffer, target: Target): Page {
  const list = parseList(body);
  const version = list?.metadata['resourceVersion'];
  if (list === undefined || typeof version !== 'string') {
    throw new TransportError(target, 'protocol', 'the answer is no list of Kubernetes objects');
  }
  const token = list.metadata['continue'];
  return {
    items: { [Symbol.iterator]: () => objectsOf(list, target) },
    resourceVersion: version,
    continueToken: typeof token === 'string' && token !== '' ? token : undefined,
  };
}

function* objectsOf({ items }: ListBody, target: Target): Generator<RawObject, void, void> {
  for (const item of items) {
    const object = parseObject(item);
    if (object === undefined)
      throw new TransportError(target, 'protocol', 'an item of the list is no Kubernetes object');
    yield object;
  }
}
