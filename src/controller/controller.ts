import type { Logger } from 'pino';
import type { Client } from '../kube/client.ts';
import { createDiscovery } from '../kube/discovery.ts';
import type { Freshness } from '../kube/sink.ts';
import { startWorkers, type Workers } from '../kube/workers.ts';
import { type Caches, createCaches, startReflectors } from './caches.ts';
import { Memory } from './memory.ts';
import { createRecorder } from './recorder.ts';
import { reconcile } from './reconcile.ts';
import { connectWakes } from './wake.ts';

export interface ControllerOptions {
  readonly client: Client;
  readonly logger: Logger;
  /** Undefined: all namespaces. */
  readonly namespaces?: readonly string[];
  /** Models that are worked on at the same time; default 16. */
  readonly concurrency?: number;
}

export interface Controller {
  readonly caches: Caches;
  /** Resolves when every cache is synced, and work begins. */
  readonly synced: Promise<void>;
  /** Finishes the work in hand. */
  stop(): Promise<void>;
}

const DEFAULT_CONCURRENCY = 16;

/** Starts to watch, and to bring every model to where it should be. */
export async function startController(options: ControllerOptions): Promise<Controller> {
  const { client, logger, namespaces, concurrency = DEFAULT_CONCURRENCY } = options;
  const abort = new AbortController();
  const caches = await createCaches(createDiscovery(client));
  const memory = new Memory();
  const recorder = createRecorder(client, (error) => logger.warn({ err: shown(error) }, 'event not written'));
  const reconciler = { caches, client, memory, recorder };

  let workers: Workers | undefined;
  connectWakes(caches, memory, (keys) => {
    // before the caches are complete nothing is decided: what is not known yet must not look like gone
    for (const key of keys) workers?.add(key);
  });

  const synced = startReflectors(caches, { client, namespaces, signal: abort.signal }).then(() => {
    if (abort.signal.aborted) return;
    workers = startWorkers({
      concurrency,
      work: (key) => reconcile(key, reconciler),
      onError: (key, error) =>
        logger.warn({ model: key, err: shown(error) }, 'reconcile failed, it is tried again'),
    });
    for (const key of initialKeys(caches)) workers.add(key, { priority: 'low' });
    wakeOnRecovery(caches, workers, namespaces);
    logger.info({ models: caches.models.size }, 'caches are synced');
  });

  return {
    caches,
    synced,
    async stop() {
      await workers?.stop();
      abort.abort();
    },
  };
}

/** All models, and those that are gone but left something behind. */
function initialKeys({ models, workloads }: Caches): ReadonlySet<string> {
  const keys = new Set(models.keys());
  for (const { store } of workloads.values()) {
    for (const { namespace, marker } of store.values()) {
      if (marker !== undefined) keys.add(`${namespace}/${marker.slice(0, marker.lastIndexOf('/'))}`);
    }
  }
  return keys;
}

/** What could not be read at a first look, and can be now (or the other way round), may change any plan. */
function wakeOnRecovery(
  { models, sources }: Caches,
  workers: Workers,
  namespaces: readonly string[] | undefined,
): void {
  const isKnown = ({ kind }: Freshness): boolean => kind === 'synced' || kind === 'stale';
  const known = new Map(
    (namespaces ?? [undefined]).map((namespace) => [namespace, isKnown(sources.freshness(namespace))]),
  );
  sources.onFreshness((freshness, namespace) => {
    const now = isKnown(freshness);
    if (known.get(namespace) === now) return;
    known.set(namespace, now);
    for (const key of models.keys()) workers.add(key, { priority: 'low' });
  });
}

/** Errors are logged by their message: what hangs on them besides may be large. */
const shown = (error: unknown): string => (error instanceof Error ? error.message : String(error));
