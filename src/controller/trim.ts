import { getHeapSpaceStatistics } from 'node:v8';
import { steadyNow } from '../kube/clock.ts';

/** The heap of this process, as far as it is ours to say when it is tidied. */
export interface ProcessHeap {
  /** What V8's space for new objects takes: it grows in a burst, and V8 alone may keep it so for ever. */
  newSpaceBytes(): number;
  collect(): void;
}

/** Without work for so long, it is rest. */
const REST_MS = 2_000;
/** A burst that ends sooner after the last look is left to the rest: work that comes and goes must not collect all the time. */
const SPACING_MS = 10_000;
/** Less is not worth the pause. */
const WORTH_BYTES = 6 * 1024 * 1024;

/** Undefined where Node was not started with `--expose-gc`, as the image starts it: then all is left to V8. */
export function processHeap(): ProcessHeap | undefined {
  const { gc } = globalThis;
  return (
    gc && {
      newSpaceBytes: () =>
        getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space')?.space_size ?? 0,
      // any other flavor keeps the pages for a next time
      collect: () => gc({ type: 'major', execution: 'sync', flavor: 'last-resort' }),
    }
  );
}

/**
 * Gives back what a burst of work took, as soon as all of it is done, or there is rest (see docs/decisions/0007): a pause of a
 * tenth of a second with 10,000 models, when nobody waits for anything. What it returns is to be called for every piece of
 * work, with whether it was the last one for now, and is cheap.
 */
export function trimAtRest(heap: ProcessHeap | undefined): (wasLast: boolean) => void {
  if (!heap) return () => {};
  let workedAt = 0;
  let lookedAt = Number.NEGATIVE_INFINITY;
  let isWatched = false;
  const look = (): void => {
    lookedAt = steadyNow();
    if (heap.newSpaceBytes() >= WORTH_BYTES) heap.collect();
  };
  const lookIn = (ms: number): void => {
    setTimeout(() => {
      const leftMs = workedAt + REST_MS - steadyNow();
      if (leftMs > 0) return lookIn(leftMs);
      isWatched = false;
      look();
    }, ms).unref();
  };
  return (wasLast) => {
    workedAt = steadyNow();
    if (wasLast && workedAt - lookedAt >= SPACING_MS) look();
    if (isWatched) return;
    isWatched = true;
    lookIn(REST_MS);
  };
}
