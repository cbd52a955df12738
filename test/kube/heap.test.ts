import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Heap } from '../../src/kube/heap.ts';

describe('a heap', () => {
  it('gives what is left of it in order, whatever was taken out of its middle', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.nat(1_000), { maxLength: 60 }),
        fc.array(fc.nat(59), { maxLength: 30 }),
        (values, out) => {
          const items = values.map((value) => ({ value, slot: 0 }));
          const heap = new Heap<{ value: number; slot: number }>((a, b) => a.value < b.value);
          for (const item of items) heap.push(item);
          const removed = new Set(out.filter((at) => at < items.length).map((at) => items[at]));
          for (const item of removed) if (item !== undefined) heap.remove(item);
          const left = items.filter((item) => !removed.has(item)).map(({ value }) => value);
          expect(heap.size).toBe(left.length);
          const got: (number | undefined)[] = [];
          while (heap.size > 0) got.push(heap.pop()?.value);
          expect(got).toEqual(left.toSorted((a, b) => a - b));
        },
      ),
    );
  });
});
