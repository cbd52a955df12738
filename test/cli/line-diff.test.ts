import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { diffLines, inContext } from '../../src/cli/line-diff.ts';

const shown = (before: string, after: string): readonly string[] =>
  diffLines(before.split(''), after.split('')).map(({ sign, text }) => `${sign}${text}`);

describe('a diff of lines', () => {
  test.for([
    { before: '', after: '', diff: [] },
    { before: 'ab', after: 'ab', diff: [' a', ' b'] },
    { before: '', after: 'a', diff: ['+a'] },
    { before: 'a', after: '', diff: ['-a'] },
    { before: 'abc', after: 'axc', diff: [' a', '-b', '+x', ' c'] },
    { before: 'abcd', after: 'bd', diff: ['-a', ' b', '-c', ' d'] },
  ])('of "$before" and "$after"', ({ before, after, diff }) => {
    expect(shown(before, after)).toEqual(diff);
  });

  const lines = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 12 });

  test('without what it adds is the one text, without what it takes away the other', () => {
    fc.assert(
      fc.property(lines, lines, (before, after) => {
        const diff = diffLines(before, after);
        const without = (sign: string) => diff.filter((line) => line.sign !== sign).map(({ text }) => text);
        expect(without('+')).toEqual(before);
        expect(without('-')).toEqual(after);
      }),
    );
  });
});

describe('in context', () => {
  test('three lines stay on each side of a change, and dots stand for the others', () => {
    const before = 'abcdefghijklmnop'.split('');
    const diff = inContext(diffLines(before, before.with(7, 'X').toSpliced(15, 1)));
    expect(diff.map(({ sign, text }) => sign + text).join('')).toBe(' ... e f g-h+X i j k ... m n o-p');
  });

  test('of what did not change nothing is left but dots', () => {
    expect(inContext(diffLines(['a'], ['a']))).toEqual([{ sign: ' ', text: '...' }]);
  });
});
