import { describe, expect, it } from 'vitest';
import { shared, sharedText } from '../../src/controller/sharing.ts';

const OTHERS = 3000;

describe('what is equal is kept once', () => {
  it('gives the first of equal values, and of equal texts', () => {
    const first = { name: 'a', list: [1, { deep: true }] };
    expect(shared(first)).toBe(first);
    expect(shared({ name: 'a', list: [1, { deep: true }] })).toBe(first);
    expect(sharedText('text')).toBe('text');
  });

  it.each([
    ['another text', { name: 'b', list: ['1'] }],
    ['a number in place of a text', { name: 'a', list: [1] }],
    ['null in place of nothing', { name: null, list: ['1'] }],
  ])('keeps %s apart', (_, other) => {
    shared({ name: 'a', list: ['1'] });
    expect(shared(other)).toBe(other);
  });

  it('does not take a text for the value whose JSON it is', () => {
    shared({ a: 1 });
    expect(sharedText('{"a":1}')).toBe('{"a":1}');
  });

  it('lets go what was not met again while many others were, so that it does not grow', () => {
    const first = shared({ generation: 'first' });
    for (let other = 0; other < OTHERS; other++) shared({ other });
    expect(shared({ generation: 'first' })).not.toBe(first);
  });

  it('keeps what is met now and then', () => {
    const first = shared({ met: 'often' });
    for (let other = 0; other < OTHERS; other++) {
      shared({ again: other });
      if (other % 500 === 0) expect(shared({ met: 'often' })).toBe(first);
    }
  });

  it('leaves alone what is large', () => {
    const large = (): object => ({ text: 'x'.repeat(10_000) });
    const first = large();
    expect(shared(first)).toBe(first);
    const second = large();
    expect(shared(second)).toBe(second);
  });
});
