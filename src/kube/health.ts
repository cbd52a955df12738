import type { Failure } from './failure.ts';
import type { Freshness } from './sink.ts';

/** How a watcher has fared, carried through all its states. Times in milliseconds. */
export interface Health {
  /** A list was completed at least once. */
  readonly synced: boolean;
  /** Failures with no long good time between them, for the backoff. */
  readonly failures: number;
  /** The last failure, until a list is complete or a watch is accepted. */
  readonly failure: Failure | undefined;
  /** When the present trouble began; without one, when the last one ended. */
  readonly since: number;
}

export const UNSYNCED: Health = { synced: false, failures: 0, failure: undefined, since: 0 };

/** What a sink is told. */
export function freshnessOf({ synced, failure, since }: Health): Freshness {
  if (!synced) return { kind: 'unsynced', failure };
  if (failure === undefined) return { kind: 'synced' };
  return { kind: failure.kind === 'forbidden' ? 'forbidden' : 'stale', since, failure };
}

/** A list is complete, or a watch accepted. */
export function recovered(health: Health, now: number): Health {
  return health.failure === undefined ? health : { ...health, failure: undefined, since: now };
}

/** Failures of long ago do not count. */
export function calmed(health: Health, now: number, healthyMs: number): Health {
  const calm = health.failure === undefined && now - health.since >= healthyMs;
  return calm ? { ...health, failures: 0 } : health;
}

/** One more failure. */
export function troubled(health: Health, failure: Failure, now: number): Health {
  return {
    synced: health.synced,
    failures: health.failures + 1,
    // Only a success shows that what was forbidden is allowed again.
    failure: health.failure?.kind === 'forbidden' ? health.failure : failure,
    since: health.failure === undefined ? now : health.since,
  };
}
