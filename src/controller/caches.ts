import { WORKLOAD_KINDS, type WorkloadKind } from '../api/model-deployment.ts';
import { MANAGED_BY_LABEL, MANAGER, MODEL_ANNOTATION, STORE_LABEL } from '../api/names.ts';
import type { Client } from '../kube/client.ts';
import type { Discovery } from '../kube/discovery.ts';
import { fetchingSink } from '../kube/fetching.ts';
import { startReflector } from '../kube/reflector.ts';
import {
  apiVersion,
  configMaps,
  daemonSets,
  deployments,
  modelDeployments,
  type Resource,
  secrets,
  statefulSets,
} from '../kube/resource.ts';
import { Store } from '../kube/store.ts';
import { declarationOf } from '../plan/declaration.ts';
import { canonical, isObject } from '../plan/flatten.ts';
import type { Declaration, LiveWorkload, SourceSecret } from '../plan/snapshot.ts';
import { readTrussConfig } from '../truss/config.ts';
import { type CachedModel, projectModel } from './model.ts';
import { type CachedDelivered, projectDelivered, projectSource } from './secret.ts';
import { projectWorkload } from './workload.ts';

/** A ConfigMap that a model refers to, reduced to what each key declares. */
export interface CachedConfig {
  readonly namespace: string;
  readonly name: string;
  /** The keys that models asked for when it was read: another key needs another look. */
  readonly keys: ReadonlySet<string>;
  readonly declarations: ReadonlyMap<string, Declaration>;
}

/** What the controller knows of the cluster. */
export interface Caches {
  readonly models: Store<CachedModel, 'store' | 'config' | 'workload'>;
  readonly sources: Store<SourceSecret, 'store'>;
  readonly delivered: Store<CachedDelivered>;
  readonly configs: Store<CachedConfig>;
  readonly workloads: ReadonlyMap<WorkloadKind, WorkloadCache>;
}

export interface WorkloadCache {
  readonly resource: Resource;
  readonly store: Store<LiveWorkload, 'model'>;
}

export const workloadKey = (kind: string, namespace: string, name: string): string =>
  `${kind}/${namespace}/${name}`;

/** `<namespace>/<model>` of the marker on a workload; undefined without one that we could have written. */
export function markedModel({ namespace, marker }: LiveWorkload): string | undefined {
  const slash = marker?.lastIndexOf('/') ?? -1;
  return marker === undefined || slash <= 0 ? undefined : `${namespace}/${marker.slice(0, slash)}`;
}

/** Sets up the caches, still empty. Workload kinds that the API server does not have are left out. */
export async function createCaches(discovery: Discovery): Promise<Caches> {
  const models: Caches['models'] = new Store<CachedModel, 'store' | 'config' | 'workload'>({
    project: (raw) => projectModel(raw, models.get(raw.metadata.namespace ?? '', raw.metadata.name)),
    indexes: { store: storesOf, config: configOf, workload: workloadsOf },
    same: (old, now) =>
      old.uid === now.uid &&
      old.generation === now.generation &&
      old.deleting === now.deleting &&
      old.statusDigest === now.statusDigest,
  });
  const configs = new Store<CachedConfig>({
    project: (raw) => {
      const namespace = raw.metadata.namespace ?? '';
      const keys = configKeys(models, namespace, raw.metadata.name);
      return keys.size === 0 ? undefined : projectConfig(namespace, raw.metadata.name, raw['data'], keys);
    },
  });
  const workloads = new Map<WorkloadKind, WorkloadCache>();
  for (const kind of WORKLOAD_KINDS) {
    const resource = await resourceOf(kind, discovery);
    if (resource) workloads.set(kind, { resource, store: workloadStore(kind, resource, models) });
  }
  return {
    models,
    sources: new Store<SourceSecret, 'store'>({
      project: projectSource,
      indexes: { store: ({ namespace, store }) => `${namespace}/${store}` },
    }),
    delivered: new Store<CachedDelivered>({ project: projectDelivered }),
    configs,
    workloads,
  };
}

const storesOf = ({ namespace, spec }: CachedModel): readonly string[] =>
  spec.kind === 'invalid'
    ? []
    : spec.spec.stores.map((store) => `${store.namespace ?? namespace}/${store.name}`);

const configOf = ({ namespace, spec }: CachedModel): string | undefined =>
  spec.kind === 'valid' && spec.spec.config.configMapRef
    ? `${namespace}/${spec.spec.config.configMapRef.name}`
    : undefined;

const workloadsOf = ({ namespace, spec }: CachedModel): readonly string[] =>
  spec.kind === 'invalid'
    ? []
    : spec.spec.workloads.map(({ kind, name }) => workloadKey(kind, namespace, name));

function configKeys(models: Caches['models'], namespace: string, name: string): ReadonlySet<string> {
  const keys = models.byIndex('config', `${namespace}/${name}`).flatMap(({ spec }) => {
    const key = spec.kind === 'valid' ? spec.spec.config.configMapRef?.key : undefined;
    return key === undefined ? [] : [key];
  });
  return new Set(keys);
}

function projectConfig(
  namespace: string,
  name: string,
  data: unknown,
  keys: ReadonlySet<string>,
): CachedConfig {
  const declarations = new Map<string, Declaration>();
  for (const key of keys) {
    const text = isObject(data) ? data[key] : undefined;
    if (typeof text === 'string') declarations.set(key, declarationOf(readTrussConfig(text)));
  }
  return { namespace, name, keys, declarations };
}

async function resourceOf(kind: WorkloadKind, discovery: Discovery): Promise<Resource | undefined> {
  switch (kind) {
    case 'Deployment':
      return deployments;
    case 'StatefulSet':
      return statefulSets;
    case 'DaemonSet':
      return daemonSets;
    case 'CronJob':
      return await discovery.find('batch', 'CronJob');
  }
}

function workloadStore(
  kind: WorkloadKind,
  resource: Resource,
  models: Caches['models'],
): WorkloadCache['store'] {
  return new Store<LiveWorkload, 'model'>({
    project: (raw) => {
      const { namespace = '', name, annotations } = raw.metadata;
      const asked = models.keysBy('workload', workloadKey(kind, namespace, name)).length > 0;
      return asked || annotations?.[MODEL_ANNOTATION] !== undefined
        ? projectWorkload(raw, apiVersion(resource), kind)
        : undefined;
    },
    indexes: { model: markedModel },
    // pods that come and go change the status many times: nothing of that matters here
    same: sameWorkload,
  });
}

const sameWorkload = (old: LiveWorkload, now: LiveWorkload): boolean =>
  canonical({ ...old, resourceVersion: '' }) === canonical({ ...now, resourceVersion: '' });

export interface ReflectOptions {
  readonly client: Client;
  /** Undefined: all namespaces. */
  readonly namespaces: readonly string[] | undefined;
  readonly signal: AbortSignal;
}

/**
 * Fills the caches and keeps them up to date. Models come first, because what they refer to decides what is kept
 * of ConfigMaps and workloads; it resolves as soon as every cache is either synced or known to be unreadable.
 */
export async function startReflectors(caches: Caches, options: ReflectOptions): Promise<void> {
  await reflect(caches.models, modelDeployments, options);
  await Promise.all([
    reflect(caches.sources, secrets, options, { labelSelector: STORE_LABEL }),
    reflect(caches.delivered, secrets, options, { labelSelector: `${MANAGED_BY_LABEL}=${MANAGER}` }),
    reflectConfigs(caches, options),
    ...[...caches.workloads.values()].map(({ resource, store }) => reflect(store, resource, options)),
  ]);
}

interface Selection {
  readonly labelSelector?: string;
}

async function reflect<T, I extends string>(
  store: Store<T, I>,
  resource: Resource,
  { client, namespaces, signal }: ReflectOptions,
  selection: Selection = {},
): Promise<void> {
  const scopes = namespaces ?? [undefined];
  for (const namespace of scopes) {
    startReflector({
      client,
      resource,
      store,
      signal,
      ...selection,
      ...(namespace === undefined ? {} : { namespace }),
    });
  }
  await Promise.all(scopes.map((namespace) => settled(store, namespace, signal)));
}

/** ConfigMaps can be large and are many: after the list only the metadata of changes comes in. */
async function reflectConfigs(
  { configs, models }: Caches,
  { client, namespaces, signal }: ReflectOptions,
): Promise<void> {
  const interesting = ({
    namespace = '',
    name,
  }: {
    readonly namespace?: string;
    readonly name: string;
  }): boolean => models.keysBy('config', `${namespace}/${name}`).length > 0;
  const scopes = namespaces ?? [undefined];
  for (const namespace of scopes) {
    const scope = namespace === undefined ? {} : { namespace };
    const sink = fetchingSink({
      client,
      resource: configMaps,
      store: configs,
      interesting,
      signal,
      ...scope,
    });
    startReflector({
      client,
      resource: configMaps,
      sink,
      listAs: 'full',
      watchAs: 'metadata',
      signal,
      ...scope,
    });
  }
  await Promise.all(scopes.map((namespace) => settled(configs, namespace, signal)));
}

/** Resolves when the store is known to be readable there or not, or when the signal ends it all. */
async function settled<T, I extends string>(
  store: Store<T, I>,
  namespace: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  const isSettled = (): boolean => store.freshness(namespace).kind !== 'unsynced';
  if (isSettled() || signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  signal.addEventListener('abort', () => resolve(), { once: true });
  store.onFreshness(() => {
    if (isSettled()) resolve();
  });
  await promise;
}
