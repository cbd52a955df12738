import type { Client } from './client.ts';
import { type Failure, failureOf } from './failure.ts';
import { keyOfObject, type RawMetadata, type RawObject } from './object.ts';
import { parseKey, type Resource } from './resource.ts';
import type { Freshness, Sink } from './sink.ts';
import { steadyNow } from './clock.ts';
import { type Outcome, startWorkers } from './workers.ts';

/** The parts of a store that are used here. */
export interface FetchedStore {
  sink(namespace?: string): Sink;
  set(object: RawObject): void;
  remove(key: string, resourceVersion?: string): void;
  isCurrent(object: RawObject): boolean;
}

export interface FetchingOptions {
  readonly client: Client;
  readonly resource: Resource;
  readonly store: FetchedStore;
  /** Without one: all namespaces. */
  readonly namespace?: string | undefined;
  /** Whether the object behind this metadata belongs in the store. */
  readonly interesting: (metadata: RawMetadata) => boolean;
  readonly signal?: AbortSignal | undefined;
}

/** GETs at a time. */
const CONCURRENCY = 8;

/**
 * Between a reflector that lists in full and watches metadata, and a store of full objects: a change of an object
 * of interest costs one GET, which is spared when the store has that version already, as after our own write.
 */
export function fetchingSink(options: FetchingOptions): Sink {
  const { client, resource, store, namespace, interesting, signal } = options;
  const inner = store.sink(namespace);
  const failures = new Map<string, Failure>();
  let reflected: Freshness = { kind: 'unsynced', failure: undefined };
  let failingSince = 0;

  const tellFreshness = (): void => {
    const [failure] = failures.values();
    if (failure === undefined || reflected.kind !== 'synced') inner.freshness(reflected);
    else
      inner.freshness({
        kind: failure.kind === 'forbidden' ? 'forbidden' : 'stale',
        since: failingSince,
        failure,
      });
  };

  const fetch = async (key: string): Promise<Outcome> => {
    try {
      const object = await client.get(resource, parseKey(key), { signal });
      if (object !== undefined && interesting(object.metadata)) store.set(object);
      else store.remove(key, object?.metadata.resourceVersion);
    } catch (error) {
      if (signal?.aborted === true) return { kind: 'done' };
      const failure = failureOf(error);
      if (failures.size === 0) failingSince = steadyNow();
      failures.set(key, failure);
      tellFreshness();
      return { kind: 'retry', afterMs: failure.retryAfterMs ?? 0 };
    }
    if (failures.delete(key) && failures.size === 0) tellFreshness();
    return { kind: 'done' };
  };

  const fetches = startWorkers({
    concurrency: CONCURRENCY,
    work: fetch,
    // What the store's listeners throw: fetch answers for everything else.
    onError: (key, error) => {
      failures.set(key, failureOf(error));
      tellFreshness();
    },
    signal,
  });

  return {
    begin: () => inner.begin(),
    page: (objects) => inner.page(objects),
    end: () => inner.end(),
    apply: (object) => {
      if (!interesting(object.metadata)) store.remove(keyOfObject(object), object.metadata.resourceVersion);
      else if (!store.isCurrent(object)) fetches.add(keyOfObject(object));
    },
    remove: (object) => inner.remove(object),
    freshness: (value) => {
      reflected = value;
      tellFreshness();
    },
  };
}
