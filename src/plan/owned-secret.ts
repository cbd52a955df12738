import { inOrder } from '../api/in-order.ts';
import type { SecretValue } from '../api/secret-value.ts';
import type { DeliveredContent, DeliveredView, Surroundings } from './snapshot.ts';

/**
 * What to do with a Secret of ours. `create` and `replace` state all of it; `patch` changes some keys and leaves
 * those alone whose value is not known at the moment, `null` removing a key.
 */
export type SecretAction =
  | { readonly kind: 'none' }
  /** `again`: it was there, and somebody deleted it. */
  | ({ readonly kind: 'create'; readonly again: boolean } & SecretContent)
  | ({ readonly kind: 'replace' } & Incarnation & SecretContent)
  /** Immutable, or of another type: only deleting it helps. */
  | ({ readonly kind: 'recreate' } & Incarnation & SecretContent)
  | ({
      readonly kind: 'patch';
      readonly revision: string | undefined;
      readonly changes: ReadonlyMap<string, SecretValue | null>;
    } & Incarnation)
  | ({ readonly kind: 'delete' } & Incarnation);

/** The very object, as it was when the plan was made. */
interface Incarnation {
  readonly uid: string;
  readonly resourceVersion: string;
}

export interface SecretContent {
  /** Only the delivered Secret has one. */
  readonly revision: string | undefined;
  readonly data: ReadonlyMap<string, SecretValue>;
}

export interface SecretPlan {
  readonly name: string;
  readonly type: string;
  readonly action: SecretAction;
  /** Digest of each value that was found for it, by key: of all that it holds, where the action states all of it. */
  readonly digests: ReadonlyMap<string, string>;
  /** One digest of them all; empty where nothing is to be written. */
  readonly wanted: string;
  /** Nothing is written for a while, because somebody keeps undoing it. */
  readonly standoff: Standoff | undefined;
  /** The revision that pod templates are to carry; undefined when there is no Secret, or one without a revision. */
  readonly revision: string | undefined;
  /** Keys that are in the Secret once the action is done. */
  readonly keys: ReadonlySet<string>;
  /** Those of them whose value the action adds or changes. */
  readonly changed: ReadonlySet<string>;
  /** All values together are more than one Secret may hold. How much they come to is for nobody to know. */
  readonly tooLarge: boolean;
}

export interface Standoff {
  /** Undefined: somebody keeps deleting the Secret. */
  readonly editor: string | undefined;
  readonly waitMs: number;
}

/** Whether the same content was written too often of late. */
export function standoffOf(live: DeliveredView, wanted: string): Standoff | undefined {
  const { fight } = live;
  if (fight?.wanted !== wanted || fight.waitMs === 0) return undefined;
  return { editor: live.kind === 'ours' ? live.editor : undefined, waitMs: fight.waitMs };
}

/** A digest of all keys and values together, in whatever order. */
export const contentDigest = (digests: ReadonlyMap<string, string>, digest: Surroundings['digest']): string =>
  digest(
    inOrder([...digests.keys()])
      .map((key) => `${key}=${digests.get(key)}`)
      .join('\n'),
  );

export const NO_DIGESTS: ReadonlyMap<string, string> = new Map();

/** The digests of values, and those of the values that are not there yet as they are. */
export function comparedWith(
  before: ReadonlyMap<string, string>,
  data: ReadonlyMap<string, SecretValue>,
  digestOf: Surroundings['digestOf'],
): { readonly digests: ReadonlyMap<string, string>; readonly changed: ReadonlyMap<string, SecretValue> } {
  const digests = new Map<string, string>();
  const changed = new Map<string, SecretValue>();
  // what iterates over a Map makes an object or two for each entry, and every name of every model comes by here
  data.forEach((value, key) => {
    const digest = digestOf(value);
    digests.set(key, digest);
    if (before.get(key) !== digest) changed.set(key, value);
  });
  return { digests, changed };
}

/** Whether two Secrets hold the same values under the same revision. */
export const sameContent = (one: DeliveredContent, other: DeliveredContent): boolean =>
  one.revision === other.revision &&
  one.digests.size === other.digests.size &&
  one.digests.keys().every((key) => one.digests.get(key) === other.digests.get(key));

/** What is to become of a Secret, key by key. */
export interface Changes extends SecretContent {
  readonly changed: ReadonlyMap<string, SecretValue>;
  readonly removed: readonly string[];
  /** Keys that stay as they are, because their bytes are not known. */
  readonly kept: ReadonlySet<string>;
}

/** Whether only deleting the Secret makes it right. With keys to keep that is done for a removal alone. */
export const mustRecreate = (
  live: DeliveredView,
  { removed, kept }: Pick<Changes, 'removed' | 'kept'>,
): boolean =>
  live.kind === 'ours' && !live.deleting && !live.replaceable && (kept.size === 0 || removed.length > 0);

/** The one write that brings a Secret to what is wanted. */
export function actionFor(live: DeliveredView, changes: Changes): SecretAction {
  const { revision, data, changed, removed, kept } = changes;
  if (live.kind === 'absent') return { kind: 'create', again: live.last !== undefined, revision, data };
  if (live.deleting) return { kind: 'none' };
  const { uid, resourceVersion } = live;
  if (mustRecreate(live, changes)) return { kind: 'recreate', uid, resourceVersion, revision, data };
  const isMarked = live.labelled && live.soleOwner && live.revision === revision;
  const untouched = changed.size === 0 && removed.length === 0 && isMarked;
  if (untouched || !live.replaceable) return { kind: 'none' };
  if (kept.size === 0) return { kind: 'replace', uid, resourceVersion, revision, data };
  return {
    kind: 'patch',
    uid,
    resourceVersion,
    revision,
    changes: new Map([...changed, ...removed.map((key) => [key, null] as const)]),
  };
}

/** The Secret is to be gone. */
export const removal = (live: DeliveredView): SecretAction =>
  live.kind === 'ours' && !live.deleting
    ? { kind: 'delete', uid: live.uid, resourceVersion: live.resourceVersion }
    : { kind: 'none' };
