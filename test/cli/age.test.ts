import { expect, test } from 'vitest';
import { age } from '../../src/cli/age.ts';

const NOW = new Date('2026-03-01T00:00:00Z');
const SECONDS = { s: 1, m: 60, h: 3_600, d: 86_400, y: 365 * 86_400 } as const;

/** `2h5m` before now. */
function before(text: string): string {
  const parts = [...text.matchAll(/(\d+)([smhdy])/g)].map(
    ([, count, unit]) => Number(count) * SECONDS[unit as keyof typeof SECONDS],
  );
  return new Date(NOW.getTime() - parts.reduce((sum, part) => sum + part, 0) * 1_000).toISOString();
}

test.for([
  ['0s', '0s'],
  ['119s', '119s'],
  ['2m', '2m'],
  ['9m59s', '9m59s'],
  ['10m1s', '10m'],
  ['179m', '179m'],
  ['3h', '3h'],
  ['7h59m', '7h59m'],
  ['8h1m', '8h'],
  ['47h', '47h'],
  ['2d', '2d'],
  ['7d23h', '7d23h'],
  ['8d1h', '8d'],
  ['729d', '729d'],
  ['2y', '2y'],
  ['7y364d', '7y364d'],
  ['8y1d', '8y'],
] as const)('%s ago is shown as %s, as kubectl does', ([ago, shown]) => {
  expect(age(before(ago), NOW)).toBe(shown);
});

test('a clock that goes before ours is no negative age', () => {
  expect(age('2026-03-01T00:00:05Z', NOW)).toBe('0s');
});

test('no time is unknown', () => {
  expect(age('', NOW)).toBe('<unknown>');
});
