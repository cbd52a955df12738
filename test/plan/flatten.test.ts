import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonical } from '../../src/plan/flatten.ts';

/** The same value, with the keys of every object in the opposite order. */
const reversed = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, inner]) => [key, reversed(inner)]),
  );
};

describe('canonical JSON', () => {
  it('is the same in whatever order the keys came, and is read as the same value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = canonical(value);
        expect(canonical(reversed(value))).toBe(text);
        expect(canonical(JSON.parse(text))).toBe(text);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
      { numRuns: 1_000 },
    );
  });

  it('has the keys of all levels sorted', () => {
    expect(canonical({ b: [{ d: 1, c: { f: 2, e: 3 } }], a: null })).toBe(
      '{"a":null,"b":[{"c":{"e":3,"f":2},"d":1}]}',
    );
  });

  it('leaves its argument as it is', () => {
    const value = { b: { d: 1, c: 2 }, a: 1 };
    canonical(value);
    expect(JSON.stringify(value)).toBe('{"b":{"d":1,"c":2},"a":1}');
  });

  it('is made in a time that grows with the depth, not with its power', () => {
    let deep: object = { b: 1, a: 1 };
    for (let depth = 0; depth < 200; depth += 1) deep = { b: deep, a: 1 };
    expect(canonical(deep)).toHaveLength(200 * '{"a":1,"b":}'.length + '{"a":1,"b":1}'.length);
  });
});
