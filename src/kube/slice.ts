import { setImmediate as nextTurn } from 'node:timers/promises';

/** For so long one turn of the event loop may be ours: its delay stays below 20 ms. */
export const SLICE_MS = 5;

/** Items between two looks at the clock. */
const BATCH = 8;

/**
 * Gives all items to `take`, a few at a time, and lets others have a turn now and then. Ends early, with the
 * rest not given, when the signal is aborted.
 */
export async function inSlices<T>(
  items: Iterable<T>,
  take: (some: readonly T[]) => void,
  signal: AbortSignal,
): Promise<void> {
  let since = performance.now();
  let batch: T[] = [];
  for (const item of items) {
    if (batch.push(item) < BATCH) continue;
    if (signal.aborted) return;
    take(batch);
    batch = [];
    if (performance.now() - since < SLICE_MS) continue;
    await nextTurn();
    since = performance.now();
  }
  if (batch.length > 0 && !signal.aborted) take(batch);
}
