import type { LeaderTimings, LeaseRecord } from './leader.ts';
import { isRecord, type RawObject } from './object.ts';

/** A Lease as it is kept between two looks at it. */
export interface SeenLease extends LeaseRecord {
  readonly resourceVersion: string;
  /** How often it changed hands. */
  readonly transitions: number;
}

export function seenLease(raw: RawObject, { leaseMs }: LeaderTimings): SeenLease {
  const spec = isRecord(raw['spec']) ? raw['spec'] : {};
  const { holderIdentity, leaseDurationSeconds, leaseTransitions } = spec;
  return {
    resourceVersion: raw.metadata.resourceVersion,
    holder: typeof holderIdentity === 'string' && holderIdentity !== '' ? holderIdentity : undefined,
    durationMs: typeof leaseDurationSeconds === 'number' ? leaseDurationSeconds * 1_000 : leaseMs,
    transitions: typeof leaseTransitions === 'number' ? leaseTransitions : 0,
  };
}

/** A `spec` that makes `me` the holder. */
export function takenBy(
  me: string,
  before: SeenLease | undefined,
  timings: LeaderTimings,
  now: Date,
): object {
  const held = renewed(timings, now);
  const transitions = before === undefined ? 0 : before.transitions + 1;
  return { ...held, holderIdentity: me, acquireTime: microTime(now), leaseTransitions: transitions };
}

export const renewed = ({ leaseMs }: LeaderTimings, now: Date): object => ({
  leaseDurationSeconds: Math.ceil(leaseMs / 1_000),
  renewTime: microTime(now),
});

/** As client-go gives a lease back: without a holder, and about to run out for whoever does not look at that. */
export const released = (now: Date): object => ({
  holderIdentity: null,
  leaseDurationSeconds: 1,
  renewTime: microTime(now),
});

/** `MicroTime` of Kubernetes wants exactly six digits. */
const microTime = (time: Date): string => time.toISOString().replace('Z', '000Z');
