import { GROUP, VERSION } from '../api/names.ts';

/** One kind of object as the API server serves it: what a path is made of. */
export interface Resource {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

/** A name in a namespace; the namespace is empty for cluster-scoped objects. */
export interface ObjectKey {
  readonly namespace: string;
  readonly name: string;
}

const resource = (group: string, version: string, plural: string, kind: string): Resource => ({
  group,
  version,
  plural,
  kind,
  namespaced: true,
});

export const secrets = resource('', 'v1', 'secrets', 'Secret');
export const configMaps = resource('', 'v1', 'configmaps', 'ConfigMap');
/**
 * Core v1, not events.k8s.io: both are the same stored objects, and this one has `count` and
 * `lastTimestamp`, which every kubectl from 1.20 on shows as "x5 over 3m".
 */
export const events = resource('', 'v1', 'events', 'Event');
export const namespaces: Resource = {
  group: '',
  version: 'v1',
  plural: 'namespaces',
  kind: 'Namespace',
  namespaced: false,
};
export const deployments = resource('apps', 'v1', 'deployments', 'Deployment');
export const statefulSets = resource('apps', 'v1', 'statefulsets', 'StatefulSet');
export const daemonSets = resource('apps', 'v1', 'daemonsets', 'DaemonSet');
export const leases = resource('coordination.k8s.io', 'v1', 'leases', 'Lease');
export const modelDeployments = resource(GROUP, VERSION, 'modeldeployments', 'ModelDeployment');
export const modelTrusts = resource(GROUP, VERSION, 'modeltrusts', 'ModelTrust');

/** `apps/v1`, or `v1` for the core group. */
export const apiVersion = (of: Resource): string =>
  of.group === '' ? of.version : `${of.group}/${of.version}`;

const root = (of: Resource): string =>
  of.group === '' ? `/api/${of.version}` : `/apis/${of.group}/${of.version}`;

/**
 * One segment of a path. `encodeURIComponent` leaves `.` and `..` alone, which a server or a proxy on the
 * way may resolve, so those (never legal names of objects) are refused.
 */
function segment(text: string): string {
  if (text === '' || text === '.' || text === '..') {
    throw new RangeError(`not a name of a Kubernetes object: ${JSON.stringify(text)}`);
  }
  return encodeURIComponent(text);
}

/** Path of all objects of a resource, in one namespace or (without one) in all of them. */
export function collectionPath(of: Resource, namespace?: string): string {
  return namespace === undefined || !of.namespaced
    ? `${root(of)}/${of.plural}`
    : `${root(of)}/namespaces/${segment(namespace)}/${of.plural}`;
}

/** Path of one object, or of a subresource such as `status`. */
export function objectPath(of: Resource, key: ObjectKey, subresource?: string): string {
  const path = `${collectionPath(of, key.namespace)}/${segment(key.name)}`;
  return subresource === undefined ? path : `${path}/${segment(subresource)}`;
}

/** {@link collectionPath} with a placeholder, for messages and metrics. */
export const collectionTemplate = (of: Resource, namespace: string | undefined): string =>
  namespace === undefined || !of.namespaced
    ? `${root(of)}/${of.plural}`
    : `${root(of)}/namespaces/{namespace}/${of.plural}`;

/** {@link objectPath} with placeholders. */
export const objectTemplate = (of: Resource, subresource: string | undefined): string =>
  `${collectionTemplate(of, '')}/{name}${subresource === undefined ? '' : `/${subresource}`}`;

/** The key of stores and queues: `namespace/name`. Neither part can hold a slash. */
export const keyOf = (key: ObjectKey): string => `${key.namespace}/${key.name}`;

/** The inverse of {@link keyOf}. */
export function parseKey(key: string): ObjectKey {
  const slash = key.indexOf('/');
  return { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}
