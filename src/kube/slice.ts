import { setImmediate as nextTurn } from 'node:timers/promises';

/** For so long one turn of the event loop may be ours: its delay stays below 20 ms. */
export const SLICE_MS = 5;

/** Items between two looks at the clock. */
const BATCH = 25;

/**
 * Gives all items to `take`, a few at a time, and lets others have a turn now and then. Ends early, with the
 * rest not given, when the signal is aborted.
 */
export async function inSlices<T>(
  items: readonly T[],
  take: (some: readonly T[]) => void,
  signal: AbortSignal,
): Promise<void> {
  let since = performance.now();
  for (let at = 0; at < items.length && !signal.aborted; at += BATCH) {
    take(items.slice(at, at + BATCH));
    if (performance.now() - since < SLICE_MS) continue;
    await nextTurn();
    since = performance.now();
  }
}
