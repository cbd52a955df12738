import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide, DEFAULT_LEADER_TIMINGS, type LeaseRecord } from '../../src/kube/leader.ts';

const ME = 'me';
const timings = DEFAULT_LEADER_TIMINGS;
const NOW = 1_000_000;

const held = (holder: string | undefined, durationMs = 15_000): LeaseRecord => ({ holder, durationMs });
const at = (record: LeaseRecord | undefined, agoMs: number) => decide(record, NOW - agoMs, NOW, ME, timings);

describe('leader election decides', () => {
  it.each([
    [
      'makes a lease where there is none',
      undefined,
      0,
      { leading: false, write: 'create', nextAt: NOW + 2_000 },
    ],
    [
      'takes one that was given back',
      held(undefined),
      0,
      { leading: false, write: 'take', nextAt: NOW + 2_000 },
    ],
    [
      "waits for the end of somebody else's",
      held('other'),
      4_000,
      { leading: false, write: 'none', nextAt: NOW + 11_000 },
    ],
    [
      'waits to its last millisecond',
      held('other'),
      14_999,
      { leading: false, write: 'none', nextAt: NOW + 1 },
    ],
    ['takes one that ran out', held('other'), 15_000, { leading: false, write: 'take', nextAt: NOW + 2_000 }],
    [
      'believes the duration that the holder wrote',
      held('other', 60_000),
      15_000,
      { leading: false, write: 'none', nextAt: NOW + 45_000 },
    ],
    [
      'works on its own, and rests until the next renewal',
      held(ME),
      500,
      { leading: true, write: 'none', nextAt: NOW + 1_500 },
    ],
    ['renews when it is time', held(ME), 2_000, { leading: true, write: 'renew', nextAt: NOW + 2_000 }],
    [
      'goes on to work while renewals fail, and looks again at the deadline',
      held(ME),
      9_500,
      { leading: true, write: 'renew', nextAt: NOW + 500 },
    ],
    [
      'stops to work at the deadline, and goes on to renew',
      held(ME),
      10_000,
      { leading: false, write: 'renew', nextAt: NOW + 2_000 },
    ],
    [
      'does not work on a lease that it never knew to be renewed',
      held(ME),
      Number.POSITIVE_INFINITY,
      { leading: false, write: 'renew', nextAt: NOW + 2_000 },
    ],
  ] as const)('%s', (_, record, agoMs, expected) => {
    expect(at(record, agoMs)).toEqual(expected);
  });

  it('never lets two work at a time, whoever saw a renewal when', () => {
    const moment = fc.integer({ min: 0, max: 60_000 });
    fc.assert(
      fc.property(moment, moment, moment, (sentAt, seenAfter, askedAfter) => {
        // the other one can't have seen a renewal before it was sent
        const now = sentAt + askedAfter;
        const leader = decide(held(ME), sentAt, now, ME, timings);
        const other = decide(held(ME), sentAt + seenAfter, now, 'other', timings);
        expect(leader.leading && other.write === 'take').toBe(false);
      }),
    );
  });

  it('always looks again, and later', () => {
    const record = fc.option(
      fc.record({
        holder: fc.constantFrom(ME, 'other', undefined),
        durationMs: fc.integer({ min: 0, max: 100_000 }),
      }),
      { nil: undefined },
    );
    fc.assert(
      fc.property(record, fc.integer({ min: -100_000, max: NOW }), (one, observedAt) => {
        const { nextAt } = decide(one, observedAt, NOW, ME, timings);
        expect(nextAt).toBeGreaterThan(NOW);
        expect(Number.isFinite(nextAt)).toBe(true);
      }),
    );
  });
});
