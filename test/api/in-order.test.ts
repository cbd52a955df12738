import { describe, expect, it } from 'vitest';
import { inOrder } from '../../src/api/in-order.ts';

describe('texts in order', () => {
  it.each([
    { texts: [] },
    { texts: ['a'] },
    { texts: ['a', 'b', 'b', 'c'] },
    { texts: ['b', 'a'] },
    { texts: ['a', 'c', 'b'] },
    { texts: ['a10', 'a1', 'a2', 'B', ''] },
    { texts: ['\u{1F600}', '\uFFFD'] },
  ])('$texts: as sort puts them, in place', ({ texts }) => {
    const sorted = texts.toSorted();
    expect(inOrder(texts)).toEqual(sorted);
    expect(texts).toEqual(sorted);
  });
});
