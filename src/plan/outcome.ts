import type { Reason } from '../api/messages.ts';

/** What became of a write. `undefined` in its place: it was not needed, or it worked. */
export interface WriteFailure {
  readonly reason: Extract<Reason, 'Conflict' | 'TooMany' | 'WriteFailed' | 'NotAuthorized'>;
  readonly message: string;
}

export interface Outcome {
  readonly secret: WriteFailure | undefined;
  readonly pull: WriteFailure | undefined;
  /** By `<kind>/<name>`. */
  readonly workloads: ReadonlyMap<string, WriteFailure>;
}

export const NOTHING_FAILED: Outcome = { secret: undefined, pull: undefined, workloads: new Map() };
