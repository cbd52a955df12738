import { describe, expect, it } from 'vitest';
import { inSlices, SLICE_MS } from '../../src/kube/slice.ts';

const many = Array.from({ length: 30 }, (_, index) => index);

/** Takes as long as a slice may. */
function work(): void {
  const since = performance.now();
  while (performance.now() - since < SLICE_MS);
}

describe('items in slices', () => {
  it.each([0, 1, 8, 30])('are all given, in their order, when there are %i', async (count) => {
    const given: number[] = [];
    await inSlices(many.slice(0, count), (some) => given.push(...some), new AbortController().signal);
    expect(given).toEqual(many.slice(0, count));
  });

  it('let others have a turn while they are given', async () => {
    let given = 0;
    const seen: number[] = [];
    const others = setInterval(() => seen.push(given), 0);
    await inSlices(
      many,
      (some) => {
        given += some.length;
        work();
      },
      new AbortController().signal,
    );
    clearInterval(others);
    expect(seen.some((count) => count > 0 && count < many.length)).toBe(true);
  });

  it('are asked for as they are given, and no more of them once the signal is aborted', async () => {
    const controller = new AbortController();
    let asked = 0;
    const counted = function* () {
      for (const item of many) {
        asked += 1;
        yield item;
      }
    };
    const given: number[] = [];
    await inSlices(
      counted(),
      (some) => {
        expect(asked).toBe(given.length + some.length);
        given.push(...some);
        controller.abort();
      },
      controller.signal,
    );
    expect(given.length).toBeLessThan(many.length);
    expect(given).toEqual(many.slice(0, given.length));
  });

  it('are not given at all when the signal is aborted before', async () => {
    await inSlices(many, () => expect.unreachable(), AbortSignal.abort());
  });
});
