/**
 * Leader election, the part that decides. A Lease is a hint, not a fence: it makes two workers at a time rare, and
 * the writes themselves (a resourceVersion or uid in each) make them harmless. All times in milliseconds.
 */
export interface LeaderTimings {
  /** A lease that nobody was seen to renew for so long may be taken. */
  readonly leaseMs: number;
  /** A leader that could not renew for so long stops to work; shorter than the lease, so that it is the first to know. */
  readonly renewDeadlineMs: number;
  /** Between renewals, and between tries. */
  readonly retryMs: number;
}

/** The defaults of client-go and kube-controller-manager. */
export const DEFAULT_LEADER_TIMINGS: LeaderTimings = {
  leaseMs: 15_000,
  renewDeadlineMs: 10_000,
  retryMs: 2_000,
};

/** What a Lease says that matters here. Its own times do not: clocks of different machines differ. */
export interface LeaseRecord {
  /** Undefined: it was given back. */
  readonly holder: string | undefined;
  readonly durationMs: number;
}

export interface Decision {
  /** Whether work may be done at this moment. */
  readonly leading: boolean;
  readonly write: 'none' | 'create' | 'take' | 'renew';
  /** When to decide again, if nothing is heard before. */
  readonly nextAt: number;
}

/**
 * What to do about the lease now.
 *
 * @param record as last seen; undefined: there is none
 * @param observedAt when this version of somebody else's lease was first seen, by the local clock; of our own, when
 *   the last renewal that succeeded was sent, so that others who saw it later wait longer than we work
 */
export function decide(
  record: LeaseRecord | undefined,
  observedAt: number,
  now: number,
  me: string,
  { renewDeadlineMs, retryMs }: LeaderTimings,
): Decision {
  const tryAgainAt = now + retryMs;
  if (record === undefined) return { leading: false, write: 'create', nextAt: tryAgainAt };
  if (record.holder === undefined) return { leading: false, write: 'take', nextAt: tryAgainAt };
  if (record.holder === me) {
    const deadline = observedAt + renewDeadlineMs;
    const leading = now < deadline;
    const renewAt = observedAt + retryMs;
    if (now < renewAt) return { leading, write: 'none', nextAt: renewAt };
    return { leading, write: 'renew', nextAt: leading ? Math.min(deadline, tryAgainAt) : tryAgainAt };
  }
  const expiresAt = observedAt + record.durationMs;
  return now < expiresAt
    ? { leading: false, write: 'none', nextAt: expiresAt }
    : { leading: false, write: 'take', nextAt: tryAgainAt };
}
