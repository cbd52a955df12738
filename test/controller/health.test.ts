import { describe, expect, it } from 'vitest';
import { liveness, readiness, type Vitals } from '../../src/controller/health.ts';
import type { CacheWatch } from '../../src/controller/reflectors.ts';
import type { Failure } from '../../src/kube/failure.ts';
import type { Freshness } from '../../src/kube/sink.ts';

const NOW = 10_000_000;
const failure = (kind: Failure['kind']): Failure => ({
  kind,
  message: `it is ${kind}`,
  retryAfterMs: undefined,
});

const watch = (
  freshness: Freshness,
  more: Partial<CacheWatch> & { readonly quietMs?: number } = {},
): CacheWatch => ({
  name: 'secrets',
  namespace: undefined,
  freshness: () => freshness,
  lastStepAt: () => NOW - (more.quietMs ?? 0),
  ...more,
});
const vitals = (watches: readonly CacheWatch[] | undefined, more: Partial<Vitals> = {}): Vitals => ({
  watches,
  synced: true,
  stopping: false,
  ...more,
});

const synced: Freshness = { kind: 'synced' };
const stale = (forMs: number): Freshness => ({
  kind: 'stale',
  since: NOW - forMs,
  failure: failure('unreachable'),
});
const forbidden: Freshness = { kind: 'forbidden', since: NOW - 5_000, failure: failure('forbidden') };
const forbiddenAtFirst: Freshness = { kind: 'unsynced', failure: failure('forbidden') };

describe('ready', () => {
  it.each<[string, boolean, Vitals]>([
    ['when all caches are synced', true, vitals([watch(synced)])],
    ['not before the API server answered', false, vitals(undefined)],
    ['not before the first list is there', false, vitals([watch({ kind: 'unsynced', failure: undefined })])],
    [
      'not while a kind of object is missing',
      false,
      vitals([watch({ kind: 'unsynced', failure: failure('missing') })]),
    ],
    ['not before all watches have begun', false, vitals([watch(synced)], { synced: false })],
    ['while a watch is taken up again', true, vitals([watch(stale(3_000))])],
    ['not when the API server is away for longer', false, vitals([watch(stale(15_000))])],
    ['not when a kind may not be read anywhere', false, vitals([watch(forbidden)])],
    [
      'when only one of several namespaces may not be read',
      true,
      vitals([watch(synced, { namespace: 'a' }), watch(forbidden, { namespace: 'b' })]),
    ],
    [
      'when one of them could never be read',
      true,
      vitals([watch(synced, { namespace: 'a' }), watch(forbiddenAtFirst, { namespace: 'b' })]),
    ],
    ['not while it stops', false, vitals([watch(synced)], { stopping: true })],
  ])('%s', (_, ok, given) => {
    expect(readiness(given, NOW).ok).toBe(ok);
  });

  it('says what is the matter', () => {
    const { lines } = readiness(
      vitals([watch(synced, { namespace: 'a' }), watch(stale(20_000), { name: 'deployments' })]),
      NOW,
    );
    expect(lines).toEqual(['[+] secrets in a: synced', '[-] deployments: stale for 20 s: it is unreachable']);
  });
});

describe('alive', () => {
  it.each<[string, boolean, Vitals]>([
    ['while it starts', true, vitals(undefined, { synced: false })],
    [
      'when the API server is away: a restart would not help',
      true,
      vitals([watch(stale(3_600_000), { quietMs: 30_000 })]),
    ],
    ['when nothing may be read', true, vitals([watch(forbidden)])],
    ['while it stops', true, vitals([watch(synced)], { stopping: true })],
    [
      'not when a watch neither hears nor does anything any more',
      false,
      vitals([watch(synced), watch(synced, { quietMs: 20 * 60_000 })]),
    ],
  ])('%s', (_, ok, given) => {
    expect(liveness(given, NOW).ok).toBe(ok);
  });
});
