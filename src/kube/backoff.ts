/** How long to wait after the n-th failure in a row. */
export interface BackoffPolicy {
  readonly baseMs: number;
  readonly factor: number;
  /** No delay is longer, jitter included. */
  readonly maxMs: number;
  /** The share of a delay, 0 to 1, that is left to chance, so that many clients do not come back at once. */
  readonly jitter: number;
}

/**
 * The delay before the next try, in milliseconds. `attempt` counts the failures before this one, from 0;
 * `random` is in [0, 1). Jitter only shortens, so that `maxMs` is a bound.
 */
export function backoffDelay(attempt: number, random: number, policy: BackoffPolicy): number {
  const full = Math.min(policy.baseMs * policy.factor ** attempt, policy.maxMs);
  return full * (1 - policy.jitter * random);
}
