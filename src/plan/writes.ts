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
  /** The API server refused it, with this to say. */
  readonly refused: string | undefined;
}

const MOST = 5;
const WINDOW_MS = 10 * 60_000;

/** The writes with one more. Another content is no fight: it starts anew. */
export function withWrite(before: Writes | undefined, wanted: string, now: number, refused?: string): Writes {
  if (before?.wanted !== wanted) return { wanted, times: [now], sparse: false, refused };
  const times = [...before.times, now].slice(-MOST);
  const isFast = times.length === MOST && now - (times[0] ?? now) <= WINDOW_MS;
  return { wanted, times, sparse: before.sparse || isFast, refused };
}

/** Milliseconds until the same may be written again; 0: at once. */
export function waitFor({ times, sparse }: Writes, now: number): number {
  const last = times.at(-1);
  return sparse && last !== undefined ? Math.max(0, last + WINDOW_MS - now) : 0;
}

/** Whether it makes no difference any more. A fight is remembered longer, to know it again. */
export const isForgotten = ({ times, sparse }: Writes, now: number): boolean =>
  now - (times.at(-1) ?? 0) > (sparse ? 6 * WINDOW_MS : WINDOW_MS);
