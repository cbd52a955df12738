import type { Verb } from './errors.ts';
import {
  collectionPath,
  collectionTemplate,
  type ObjectKey,
  objectPath,
  objectTemplate,
  type Resource,
  secrets,
} from './resource.ts';
import { encodeSecret } from './secret-body.ts';
import type { HttpRequest } from './transport.ts';

export const JSON_TYPE = 'application/json';
export const PARTIAL = `${JSON_TYPE};g=meta.k8s.io;v=v1;as=PartialObjectMetadata`;
export const PARTIAL_LIST = `${JSON_TYPE};g=meta.k8s.io;v=v1;as=PartialObjectMetadataList`;
/** JSON is YAML. */
export const APPLY_TYPE = 'application/apply-patch+yaml';
export const MERGE_TYPE = 'application/merge-patch+json';

/** Whom a request is for. */
export interface Target {
  readonly verb: Verb;
  readonly path: string;
  readonly template: string;
  /** Its errors may hold what was sent. */
  readonly confidential: boolean;
}

/** What is asked of it. */
export interface Message {
  readonly method: HttpRequest['method'];
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly accept?: string;
  readonly contentType?: string;
  readonly body?: string;
  readonly retry?: boolean;
}

const isSecret = (of: Resource): boolean => of.group === secrets.group && of.plural === secrets.plural;

/** JSON; the values of a Secret are written out. */
export const encode = (of: Resource, body: object): string =>
  isSecret(of) ? encodeSecret(body) : JSON.stringify(body);

export const oneOf = (verb: Verb, of: Resource, key: ObjectKey, subresource?: string): Target => ({
  verb,
  path: objectPath(of, key, subresource),
  template: objectTemplate(of, subresource),
  confidential: isSecret(of),
});

export const allOf = (verb: Verb, of: Resource, namespace: string | undefined): Target => ({
  verb,
  path: collectionPath(of, namespace),
  template: collectionTemplate(of, namespace),
  confidential: isSecret(of),
});

/** Confidential, as nobody knows what lies there. */
export const anyPath = (path: string): Target => ({
  verb: 'get',
  path,
  template: path.replace(/\?.*/, ''),
  confidential: true,
});

export function queryString(query: Message['query']): string {
  const parts = Object.entries(query ?? {}).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`],
  );
  return parts.length === 0 ? '' : `?${parts.join('&')}`;
}
