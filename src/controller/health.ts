import { type Freshness, isKnownOrForbidden } from '../kube/sink.ts';
import type { CacheWatch } from './reflectors.ts';

/** What a probe is told: in good order or not, and why, a line for each thing that was looked at. */
export interface Health {
  readonly ok: boolean;
  readonly lines: readonly string[];
}

/** What health is judged by. Times by the steady clock, in milliseconds. */
export interface Vitals {
  /** Undefined: the API server has not answered yet. */
  readonly watches: readonly CacheWatch[] | undefined;
  /** Every watch has begun, and its first list is there. */
  readonly synced: boolean;
  readonly stopping: boolean;
}

/** A watch that breaks is taken up again within seconds; what is away for longer is worth telling. */
const STALE_AFTER_MS = 15_000;

/**
 * A watch that works does or hears something at least every two and a half minutes (see watcher.ts), one that waits
 * to try again every 30 seconds, unless the API server asked for a longer wait. After this it hangs.
 */
const DEAD_AFTER_MS = 15 * 60_000;

/** Ready: what is known of the cluster is complete and up to date, so that this process works, or could take over. */
export function readiness({ watches, synced, stopping }: Vitals, now: number): Health {
  if (stopping) return { ok: false, lines: ['[-] stopping'] };
  if (!watches) return { ok: false, lines: ['[-] the API server has not answered yet'] };
  const lines = watches.map((watch) => readyLine(watch, now));
  if (!synced) lines.push({ ok: false, text: 'not all caches are synced yet' });
  // one namespace that may not be read must not look like an operator that is down
  const blind = [...byName(watches)].filter(([, some]) => some.every(isForbidden));
  for (const [name] of blind) lines.push({ ok: false, text: `${name}: may not be read anywhere` });
  return {
    ok: lines.every(({ ok }) => ok),
    lines: lines.map(({ ok, text }) => `${ok ? '[+]' : '[-]'} ${text}`),
  };
}

/** Alive: a restart would change nothing for the better. An API server that is away is no reason for one. */
export function liveness({ watches = [] }: Vitals, now: number): Health {
  const dead = watches.filter(({ lastStepAt }) => now - lastStepAt() > DEAD_AFTER_MS);
  return dead.length === 0
    ? { ok: true, lines: ['[+] the event loop turns, and all watches work'] }
    : { ok: false, lines: dead.map((watch) => `[-] ${shownWatch(watch)}: the watch hangs`) };
}

function readyLine(watch: CacheWatch, now: number): { readonly ok: boolean; readonly text: string } {
  const freshness = watch.freshness();
  const ok = isKnownOrForbidden(freshness) && staleMs(freshness, now) < STALE_AFTER_MS;
  return { ok, text: `${shownWatch(watch)}: ${said(freshness, now)}` };
}

function said(freshness: Freshness, now: number): string {
  switch (freshness.kind) {
    case 'synced':
      return 'synced';
    case 'unsynced':
      return `not synced yet${freshness.failure ? `: ${freshness.failure.message}` : ''}`;
    case 'stale':
    case 'forbidden':
      return `${freshness.kind} for ${Math.round((now - freshness.since) / 1_000)} s: ${freshness.failure.message}`;
  }
}

const shownWatch = ({ name, namespace }: CacheWatch): string =>
  namespace === undefined ? name : `${name} in ${namespace}`;

const isForbidden = ({ freshness }: CacheWatch): boolean => {
  const now = freshness();
  return now.kind === 'forbidden' || (now.kind === 'unsynced' && now.failure?.kind === 'forbidden');
};

/** For how long the server was out of reach, in milliseconds; 0: it is not. */
export const staleMs = (freshness: Freshness, now: number): number =>
  freshness.kind === 'stale' ? Math.max(0, now - freshness.since) : 0;

function byName(watches: readonly CacheWatch[]): ReadonlyMap<string, readonly CacheWatch[]> {
  return Map.groupBy(watches, ({ name }) => name);
}
