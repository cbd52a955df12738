/**
 * An object as it came from the API server. Only what the server guarantees for every object is typed: name,
 * uid and resourceVersion were checked when it was parsed, and the server's own schema stands for the rest of
 * `metadata`. Everything else is `unknown`, to be parsed by the projection that reads it.
 */
export interface RawObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: RawMetadata;
  readonly [field: string]: unknown;
}

export interface RawMetadata {
  readonly name: string;
  /** Absent on cluster-scoped objects. */
  readonly namespace?: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation?: number;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly finalizers?: readonly string[];
  readonly ownerReferences?: readonly OwnerReference[];
  readonly managedFields?: readonly ManagedFields[];
}

export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
}

export interface ManagedFields {
  readonly manager?: string;
  readonly operation?: string;
  readonly apiVersion?: string;
  readonly time?: string;
  readonly fieldsV1?: unknown;
  readonly subresource?: string;
}

/** A JSON object, not an array and not null. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function hasMetadata(value: unknown): value is RawObject {
  if (!isRecord(value) || !isRecord(value['metadata'])) return false;
  const { name, uid, resourceVersion } = value['metadata'];
  return typeof name === 'string' && typeof uid === 'string' && typeof resourceVersion === 'string';
}

/** Checks what {@link RawObject} promises; undefined when it is none. Copies nothing. */
export function parseObject(value: unknown): RawObject | undefined {
  return hasMetadata(value) ? value : undefined;
}

/**
 * `namespace/name` of an object as stores and queues use it. Joined, because V8 keeps what a template or `+` puts
 * together as a tree of its parts: 30 bytes more for each key of a store.
 */
export const keyOfObject = ({ metadata }: RawObject): string =>
  [metadata.namespace ?? '', metadata.name].join('/');

/**
 * resourceVersions are opaque strings by contract, yet numbers in every kube-apiserver, and since Kubernetes
 * 1.35 comparable by contract (KEP-5504). NaN when it is no number, so that every comparison is false.
 */
export const versionNumber = (resourceVersion: string): number =>
  /^[0-9]+$/.test(resourceVersion) ? Number(resourceVersion) : Number.NaN;
