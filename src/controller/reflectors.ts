import { MANAGED_BY_LABEL, MANAGER, STORE_LABEL } from '../api/names.ts';
import type { Client } from '../kube/client.ts';
import { fetchingSink } from '../kube/fetching.ts';
import { type Reflector, startReflector } from '../kube/reflector.ts';
import { configMaps, modelDeployments, modelTrusts, type Resource, secrets } from '../kube/resource.ts';
import { type Freshness, isKnownOrForbidden } from '../kube/sink.ts';
import type { Store } from '../kube/store.ts';
import { type Caches, forgetUnasked } from './caches.ts';

export interface ReflectOptions {
  readonly client: Client;
  /** Undefined: all namespaces. */
  readonly namespaces: readonly string[] | undefined;
  readonly signal: AbortSignal;
  /** Told of each watch as it begins, for health and metrics. */
  readonly onWatch: (watch: CacheWatch) => void;
}

/** One of the watches behind the caches. */
export interface CacheWatch {
  /** `secrets`; where one kind of object has two caches, `secrets (delivered)`. */
  readonly name: string;
  /** Undefined: all namespaces. */
  readonly namespace: string | undefined;
  readonly freshness: () => Freshness;
  /** When it last did or heard anything, by the steady clock: a watch that works never rests for long. */
  readonly lastStepAt: () => number;
}

/**
 * Fills the caches and keeps them up to date; resolves as soon as every cache is either synced or known to be
 * unreadable. The list of ConfigMaps, which can be large, waits for that of models: what these refer to decides what is kept.
 * Those of workloads wait for that of delivered Secrets: a third large list at the same time delays that of models, which
 * takes longest; and until models are known all workloads are kept.
 */
export async function startReflectors(caches: Caches, options: ReflectOptions): Promise<void> {
  const { models, trusts } = caches;
  const modelsKnown = reflect(models, modelDeployments, options).then(() => forgetUnasked(caches));
  const deliveredKnown = reflect(caches.delivered, secrets, options, {
    name: 'secrets (delivered)',
    labelSelector: `${MANAGED_BY_LABEL}=${MANAGER}`,
  });
  await Promise.all([
    modelsKnown,
    ...(trusts ? [reflect(trusts, modelTrusts, options)] : []),
    reflect(caches.sources, secrets, options, { labelSelector: STORE_LABEL }),
    deliveredKnown,
    modelsKnown.then(() => reflectConfigs(caches, options)),
    ...[...caches.workloads.values()].map(({ resource, store }) =>
      deliveredKnown.then(() => reflect(store, resource, options)),
    ),
  ]);
}

interface Selection {
  /** Default: the plural of the resource. */
  readonly name?: string;
  readonly labelSelector?: string;
}

async function reflect<T, I extends string>(
  store: Store<T, I>,
  resource: Resource,
  { client, namespaces, signal, onWatch }: ReflectOptions,
  { name = resource.plural, labelSelector }: Selection = {},
): Promise<void> {
  const scopes = namespaces ?? [undefined];
  for (const namespace of scopes) {
    const reflector = startReflector({ client, resource, store, signal, namespace, labelSelector });
    onWatch(watchOf(name, namespace, store, reflector));
  }
  await Promise.all(scopes.map((namespace) => settled(store, namespace, signal)));
}

/** ConfigMaps can be large and are many: after the list only the metadata of changes comes in. */
async function reflectConfigs(
  { configs, models }: Caches,
  { client, namespaces, signal, onWatch }: ReflectOptions,
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
    const common = { client, resource: configMaps, namespace, signal };
    const sink = fetchingSink({ ...common, store: configs, interesting });
    const reflector = startReflector({ ...common, sink, listAs: 'full', watchAs: 'metadata' });
    onWatch(watchOf(configMaps.plural, namespace, configs, reflector));
  }
  await Promise.all(scopes.map((namespace) => settled(configs, namespace, signal)));
}

function watchOf<T, I extends string>(
  name: string,
  namespace: string | undefined,
  store: Store<T, I>,
  reflector: Reflector,
): CacheWatch {
  return {
    name,
    namespace,
    freshness: () => store.freshness(namespace),
    lastStepAt: () => reflector.lastStepAt,
  };
}

/** Resolves when the store is known to be readable there or not, or when the signal ends it all. */
async function settled<T, I extends string>(
  store: Store<T, I>,
  namespace: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  const isSettled = (): boolean => isKnownOrForbidden(store.freshness(namespace));
  if (isSettled() || signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  signal.addEventListener('abort', () => resolve(), { once: true });
  store.onFreshness(() => {
    if (isSettled()) resolve();
  });
  await promise;
}
