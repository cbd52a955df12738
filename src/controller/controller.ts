import type { Logger } from 'pino';
import type { Client } from '../kube/client.ts';
import { createDiscovery } from '../kube/discovery.ts';
import { fenced, NotLeadingError } from '../kube/fence.ts';
import { isReadable } from '../kube/sink.ts';
import type { Outcome, WorkReport, Workers } from '../kube/workers.ts';
import { type Caches, createCaches } from './caches.ts';
import { Crew } from './crew.ts';
import { Journal, shown } from './journal.ts';
import { Memory } from './memory.ts';
import { createRecorder } from './recorder.ts';
import { reconcile } from './reconcile.ts';
import { type CacheWatch, startReflectors } from './reflectors.ts';
import { createShareWithWarner } from './share-with.ts';
import { connectWakes } from './wake.ts';

export interface ControllerOptions {
  readonly client: Client;
  readonly logger: Logger;
  /** Undefined: all namespaces. */
  readonly namespaces?: readonly string[] | undefined;
  /** A model gets only what a ModelTrust grants as well. */
  readonly requireApproval?: boolean;
  /** Asked right before each write: whether this process (still) leads. Default: always. */
  readonly mayWrite?: () => boolean;
  readonly observe?: (report: WorkReport) => void;
}

export interface Controller {
  readonly caches: Caches;
  readonly watches: readonly CacheWatch[];
  /** Resolves when every cache is synced, or known to be unreadable. */
  readonly synced: Promise<void>;
  readonly stats: Workers['stats'];
  /** Brings every model to where it should be, and keeps it there, once the caches are synced. */
  lead(): Promise<void>;
  /** Finishes the work in hand and begins no more; the caches stay up to date. */
  follow(): Promise<void>;
  /** Finishes the work in hand, and ends the watches. */
  stop(): Promise<void>;
}

/** Only for models that somebody changed: he does not wait for one of the many to end, which takes long when all calls do. */
const RESERVED = 8;

/**
 * Models that are worked on at the same time: the 32 whose calls the API server works on at its best, those that wait to go
 * on together (src/kube/turnstile.ts), and the reserved. With half of it API server and etcd have a tenth more to do for each
 * write (measured).
 */
export const CONCURRENCY = 40 + RESERVED;

/**
 * Starts to watch; work begins with {@link Controller.lead}.
 *
 * @throws ApiError, TransportError when the API server can't be asked what it serves
 */
export async function startController(options: ControllerOptions): Promise<Controller> {
  const { logger, namespaces, requireApproval = false } = options;
  const abort = new AbortController();
  const { mayWrite = () => true } = options;
  const client = fenced(options.client, { mayWrite, onWrite: () => {} });
  const caches = await createCaches(createDiscovery(client), { requireApproval });
  const memory = new Memory();
  const recorder = createRecorder(client, (error) => logger.warn({ err: shown(error) }, 'event not written'));

  const crew = new Crew({
    concurrency: CONCURRENCY,
    reserved: RESERVED,
    work: async (key): Promise<Outcome> => {
      const journal = new Journal(key, caches, logger, mayWrite);
      try {
        const outcome = await reconcile(key, {
          caches,
          client: fenced(options.client, journal),
          memory,
          recorder,
        });
        journal.finished(outcome);
        return outcome;
      } catch (error) {
        // whoever leads now looks at every model
        if (error instanceof NotLeadingError) return { kind: 'done' };
        journal.failed(error);
        throw error;
      }
    },
    // the journal has told it
    onError: () => {},
    ...(options.observe ? { observe: options.observe } : {}),
  });
  const warner = createShareWithWarner(caches, recorder);
  connectWakes(caches, memory, (keys, priority) => {
    for (const key of keys) crew.add(key, priority ? { priority } : {});
  });

  const watches: CacheWatch[] = [];
  const onWatch = (watch: CacheWatch): void => void watches.push(watch);
  const synced = startReflectors(caches, { client, namespaces, signal: abort.signal, onWatch }).then(() => {
    if (abort.signal.aborted) return;
    wakeOnRecovery(caches, crew, namespaces);
    logger.info({ models: caches.models.size }, 'caches are synced');
  });

  return {
    caches,
    watches,
    synced,
    get stats() {
      return crew.stats;
    },
    async lead() {
      // before the caches are complete nothing is decided: what is not known yet must not look like gone
      await synced;
      if (abort.signal.aborted) return;
      await Promise.all([crew.start(() => initialKeys(caches)), warner.start()]);
    },
    async follow() {
      await Promise.all([crew.stop(), warner.stop()]);
    },
    async stop() {
      await Promise.all([crew.stop(), warner.stop()]);
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
function wakeOnRecovery(caches: Caches, crew: Crew, namespaces: readonly string[] | undefined): void {
  const { models, sources, trusts } = caches;
  for (const store of [models, sources, ...(trusts ? [trusts] : [])]) {
    const known = new Map(
      (namespaces ?? [undefined]).map((namespace) => [namespace, isReadable(store.freshness(namespace))]),
    );
    store.onFreshness((freshness, namespace) => {
      const now = isReadable(freshness);
      if (known.get(namespace) === now) return;
      known.set(namespace, now);
      for (const key of initialKeys(caches)) crew.add(key, { priority: 'low' });
    });
  }
}
