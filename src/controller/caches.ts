import { WORKLOAD_KINDS, type WorkloadKind } from '../api/model-deployment.ts';
import { MODEL_ANNOTATION } from '../api/names.ts';
import type { Discovery } from '../kube/discovery.ts';
import { apiVersion, daemonSets, deployments, type Resource, statefulSets } from '../kube/resource.ts';
import { isKnownOrForbidden } from '../kube/sink.ts';
import { Store } from '../kube/store.ts';
import { declarationOf } from '../plan/declaration.ts';
import { isObject } from '../plan/flatten.ts';
import type { Declaration, LiveWorkload, SourceSecret } from '../plan/snapshot.ts';
import { readTrussConfig } from '../truss/config.ts';
import { type CachedModel, projectModel } from './model.ts';
import { type CachedDelivered, projectDelivered, projectSource } from './secret.ts';
import { sameSource } from './source-change.ts';
import { type CachedTrust, projectTrust, sameTrust } from './trust.ts';
import { projectWorkload, sameWorkload } from './workload.ts';

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
  /** Undefined: the operator does not ask for approval. */
  readonly trusts: Store<CachedTrust> | undefined;
  readonly sources: Store<SourceSecret, 'store'>;
  readonly delivered: Store<CachedDelivered>;
  readonly configs: Store<CachedConfig>;
  readonly workloads: ReadonlyMap<WorkloadKind, WorkloadCache>;
}

export interface WorkloadCache {
  readonly resource: Resource;
  readonly store: Store<LiveWorkload, 'model'>;
}

/** A key of an index. Joined, as V8 keeps what a template puts together as its parts, and there is one for each model. */
export const workloadKey = (kind: string, namespace: string, name: string): string =>
  [kind, namespace, name].join('/');

/** What stands for a ConfigMap, there or not, beside {@link workloadKey}. */
export const configId = (key: string): string => `ConfigMap/${key}`;

/** `<namespace>/<model>` of the marker on a workload; undefined without one that we could have written. */
export function markedModel({ namespace, marker }: LiveWorkload): string | undefined {
  const slash = marker?.lastIndexOf('/') ?? -1;
  return marker === undefined || slash <= 0 ? undefined : [namespace, marker.slice(0, slash)].join('/');
}

/** Sets up the caches, still empty. Workload kinds that the API server does not have are left out. */
export async function createCaches(
  discovery: Discovery,
  { requireApproval = false }: { readonly requireApproval?: boolean } = {},
): Promise<Caches> {
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
    trusts: requireApproval ? new Store<CachedTrust>({ project: projectTrust, same: sameTrust }) : undefined,
    sources: new Store<SourceSecret, 'store'>({
      project: projectSource,
      indexes: { store: ({ namespace, store }) => `${namespace}/${store}` },
      same: sameSource,
    }),
    delivered: new Store<CachedDelivered>({
      project: (raw) => projectDelivered(raw, (namespace, name) => models.get(namespace, name)),
    }),
    configs,
    workloads,
  };
}

const isAsked = (models: Caches['models'], kind: string, namespace: string, name: string): boolean =>
  models.keysBy('workload', workloadKey(kind, namespace, name)).length > 0;

/** Once it is known what models ask for: of workloads, all were kept until then. */
export function forgetUnasked({ models, workloads }: Caches): void {
  for (const [kind, { store }] of workloads) {
    store.retain(
      ({ namespace, name, marker }) => marker !== undefined || isAsked(models, kind, namespace, name),
    );
  }
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
  const version = apiVersion(resource);
  return new Store<LiveWorkload, 'model'>({
    project: (raw) => {
      const { namespace = '', name, annotations } = raw.metadata;
      const isKept =
        annotations?.[MODEL_ANNOTATION] !== undefined ||
        !isKnownOrForbidden(models.freshness(namespace)) ||
        isAsked(models, kind, namespace, name);
      return isKept ? projectWorkload(raw, version, kind, models.get(namespace, name)) : undefined;
    },
    indexes: { model: markedModel },
    same: sameWorkload,
  });
}
