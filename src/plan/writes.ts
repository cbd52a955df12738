/**
 * Somebody who keeps undoing what we write must not be answered as fast as he goes: what was put back five times
 * in ten minutes is put back once in ten minutes from then on (DESIGN.md section 4).
 */
export interface Writes {
  /** Digest of what was written. */
  readonly wanted: string;
  /** When, in milliseconds; the last few, the oldest first. */
  readonly times: readonly number[];
  readonly sparse: boolean;
  readonly refusal: Refusal | undefined;
}

/** The API server did not do it. */
export interface Refusal {
  readonly said: string;
  /** The resourceVersion of what it was about. */
  readonly version: string;
}

const MOST = 5;
const WINDOW_MS = 10 * 60_000;
/**
 * How often it is looked whether what was refused has been mended. Nearly all that mends a refusal is not among what is kept
 * of an object, so that no change of it wakes anybody; the look costs the API server nothing.
 */
export const MENDED_MS = 15_000;

/** The writes with one more. Another content is no fight: it starts anew. */
export function withWrite(
  before: Writes | undefined,
  wanted: string,
  now: number,
  refusal?: Refusal,
): Writes {
  if (before?.wanted !== wanted) return { wanted, times: [now], sparse: false, refusal };
  const times = [...before.times, now].slice(-MOST);
  const isFast = times.length === MOST && now - (times[0] ?? now) <= WINDOW_MS;
  return { wanted, times, sparse: before.sparse || isFast, refusal };
}

/**
 * Milliseconds until the same may be written again; 0: at once. What was refused is tried ever more rarely. If the object has
 * changed since then it may have been mended: that is found out soon, but not as often as it changes.
 *
 * @param version the object's resourceVersion
 */
export function waitFor(writes: Writes, now: number, version?: string): number {
  const { times, sparse, refusal } = writes;
  const last = times.at(-1);
  if (!sparse || last === undefined) return 0;
  const pause = !refusal ? WINDOW_MS : refusal.version === version ? growing(times) : MENDED_MS;
  return Math.max(0, last + pause - now);
}

/** Twice the last pause, within bounds. */
function growing(times: readonly number[]): number {
  const [before = 0, last = 0] = times.slice(-2);
  return Math.min(WINDOW_MS, Math.max(MENDED_MS, 2 * (last - before)));
}

/** Whether it makes no difference any more. A fight is remembered longer, to know it again. */
export const isForgotten = ({ times, sparse }: Writes, now: number): boolean =>
  now - (times.at(-1) ?? 0) > (sparse ? 6 * WINDOW_MS : WINDOW_MS);
