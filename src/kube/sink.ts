import type { RawObject } from './object.ts';
import type { Failure } from './failure.ts';

/**
 * How far what is known agrees with the server. `unsynced` and `forbidden` mean unknown, not empty; `stale`
 * means the last known contents, with the server out of reach since then.
 */
export type Freshness =
  /** The first list is not complete; `failure` is what holds it up. */
  | { readonly kind: 'unsynced'; readonly failure: Failure | undefined }
  | { readonly kind: 'synced' }
  /** `since` in milliseconds of Unix time. */
  | { readonly kind: 'stale'; readonly since: number; readonly failure: Failure }
  | { readonly kind: 'forbidden'; readonly since: number; readonly failure: Failure };

/** Whether what is known may be acted upon: it is all there, as of the last time that the server could be asked. */
export const isReadable = ({ kind }: Freshness): boolean => kind === 'synced' || kind === 'stale';

/** What may not be read is no reason to wait: it is unknown, and everything else goes on. */
export const isKnownOrForbidden = (freshness: Freshness): boolean =>
  freshness.kind !== 'unsynced' || freshness.failure?.kind === 'forbidden';

/**
 * Where a reflector delivers to. All calls are synchronous and in order. What a sink holds stays while a new
 * list comes in, and is right again, by difference, at `end`.
 */
export interface Sink {
  /** A full list starts; when one was under way it starts anew. */
  begin(): void;
  /** Some objects of the list. Not kept by the caller: project and drop them. */
  page(objects: readonly RawObject[]): void;
  /** The list is complete: what it did not bring is gone. */
  end(): void;
  /** Added or changed. */
  apply(object: RawObject): void;
  /** Deleted; the object as it last was. */
  remove(object: RawObject): void;
  freshness(value: Freshness): void;
  /** Whether this version came as the answer to a write of ours: the news of it need not be read. Asked once for each. */
  isAnswered?(resourceVersion: string): boolean;
}
