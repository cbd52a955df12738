import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SecretValue } from '../../src/api/secret-value.ts';
import { digest, DIGEST_LENGTH, digestOf } from '../../src/controller/digest.ts';
import { Digests, packDigests } from '../../src/controller/digests.ts';

const contents = fc.uniqueArray(fc.tuple(fc.string(), fc.string()), { selector: ([key]) => key });
const mapOf = (entries: readonly (readonly [string, string])[]): ReadonlyMap<string, string> =>
  new Map(entries.map(([key, value]) => [key, digest(value)]));
const packed = (entries: readonly (readonly [string, string])[]): Digests =>
  new Digests(packDigests(new Map(entries), digest));

describe('packed digests', () => {
  it('read like the Map that they were made from, sorted by key', () => {
    fc.assert(
      fc.property(contents, (entries) => {
        const map = mapOf(entries);
        const digests = packed(entries);
        const sorted = [...map].sort(([a], [b]) => (a < b ? -1 : 1));
        expect([...digests]).toEqual(sorted);
        expect([...digests.keys()]).toEqual(sorted.map(([key]) => key));
        expect([...digests.values()]).toEqual(sorted.map(([, value]) => value));
        expect(digests.size).toBe(map.size);
        for (const [key, value] of map) expect(digests.get(key)).toBe(value);
      }),
    );
  });

  it('have no other keys', () => {
    fc.assert(
      fc.property(contents, fc.string(), (entries, other) => {
        const map = mapOf(entries);
        const digests = packed(entries);
        expect(digests.has(other)).toBe(map.has(other));
        expect(digests.get(other)).toBe(map.get(other));
      }),
    );
  });
});

it('the digest of a secret value is keyed: it is not that of its text', () => {
  const value = new SecretValue('Y2FuYXJ5');
  expect(digestOf(value)).toHaveLength(DIGEST_LENGTH);
  for (const text of ['Y2FuYXJ5', 'canary']) expect(digestOf(value)).not.toBe(digest(text));
});
