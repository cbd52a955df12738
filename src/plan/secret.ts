import { deliveredSecretName } from '../api/names.ts';
import type { SecretValue } from '../api/secret-value.ts';
import type { ModelDeploymentSpec } from '../api/model-deployment.ts';
import { needOf, type Resolution } from './resolve.ts';
import type { DeliveredView, ModelIdentity, Surroundings } from './snapshot.ts';

/**
 * What to do with the delivered Secret. `create` and `replace` state all of it; `patch` changes some keys and
 * leaves those alone whose value is not known at the moment, `null` removing a key.
 */
export type SecretAction =
  | { readonly kind: 'none' }
  | ({ readonly kind: 'create' } & SecretContent)
  | ({ readonly kind: 'replace'; readonly uid: string; readonly resourceVersion: string } & SecretContent)
  /** Immutable, or of another type: only deleting it helps. */
  | ({ readonly kind: 'recreate'; readonly uid: string; readonly resourceVersion: string } & SecretContent)
  | {
      readonly kind: 'patch';
      readonly uid: string;
      readonly resourceVersion: string;
      readonly revision: string;
      readonly changes: ReadonlyMap<string, SecretValue | null>;
    }
  | { readonly kind: 'delete'; readonly uid: string; readonly resourceVersion: string };

export interface SecretContent {
  readonly revision: string;
  readonly data: ReadonlyMap<string, SecretValue>;
}

export interface SecretPlan {
  readonly name: string;
  readonly action: SecretAction;
  /** The revision that pod templates are to carry; undefined when there is no Secret. */
  readonly revision: string | undefined;
  /** Names that are in the Secret once the action is done. */
  readonly keys: ReadonlySet<string>;
  /** Size in bytes of all values together, if it is more than one Secret may hold. */
  readonly tooLarge: number | undefined;
}

/** Kubernetes' MaxSecretSize: the values of one Secret together, in bytes. */
const MAX_SECRET_BYTES = 1024 * 1024;

/**
 * Plans the delivered Secret: exactly the delivered names, bytes unchanged.
 *
 * The Secret exists as soon as a pod template refers to it, even with no key, because the revision lives on
 * it. The revision changes in the same write that changes or removes a key that pods may have read, or that
 * adds an optional one; a required key that arrives first changes nothing for a pod that waits for it.
 */
export function planSecret(
  model: ModelIdentity,
  spec: ModelDeploymentSpec,
  resolutions: readonly Resolution[],
  live: DeliveredView,
  { digestOf, freshRevision }: Surroundings,
): SecretPlan {
  const name = deliveredSecretName(model.name);
  const needed = resolutions.filter((resolution) => needOf(resolution, spec.onMissing) !== 'left-out');
  if (needed.length === 0) return withoutSecret(name, live);

  const known = live.kind === 'ours' ? live : live.last;
  const before = known?.digests ?? new Map<string, string>();
  const optional = new Set(
    needed.filter((one) => needOf(one, spec.onMissing) === 'optional').map((one) => one.name),
  );
  const heldNames = needed.filter(({ held }) => held).map(({ name: held }) => held);

  let data = new Map(needed.flatMap(({ name: key, value }) => (value ? [[key, value] as const] : [])));
  const size = [...data.values()].reduce((sum, value) => sum + value.size, 0);
  const tooLarge = size > MAX_SECRET_BYTES ? size : undefined;
  // removals still go through: what is there and still wanted stays as it is, nothing else changes
  const kept = new Set(tooLarge === undefined ? heldNames : [...heldNames, ...data.keys()]);
  if (tooLarge !== undefined) data = new Map();

  const changed = [...data].filter(([key, value]) => before.get(key) !== digestOf(value));
  const removed = [...before.keys()].filter((key) => !data.has(key) && !kept.has(key));
  const mayHaveBeenRead = changed.some(([key]) => before.has(key) || optional.has(key)) || removed.length > 0;
  const revision = (mayHaveBeenRead ? undefined : known?.revision) ?? freshRevision;
  const keys = new Set([...data.keys(), ...[...kept].filter((key) => before.has(key))]);
  const done = (action: SecretAction): SecretPlan => ({ name, action, revision, keys, tooLarge });

  if (live.kind === 'absent') return done({ kind: 'create', revision, data });
  if (live.deleting) return done({ kind: 'none' });
  const { uid, resourceVersion } = live;
  const untouched =
    changed.length === 0 && removed.length === 0 && live.labelled && live.revision === revision;
  if (kept.size > 0) {
    // the bytes of some keys are not known here, so that the Secret can be neither replaced nor made anew
    if (untouched) return done({ kind: 'none' });
    const changes = new Map<string, SecretValue | null>([
      ...changed,
      ...removed.map((key) => [key, null] as const),
    ]);
    return done({ kind: 'patch', uid, resourceVersion, revision, changes });
  }
  if (!live.replaceable) return done({ kind: 'recreate', uid, resourceVersion, revision, data });
  return done(untouched ? { kind: 'none' } : { kind: 'replace', uid, resourceVersion, revision, data });
}

function withoutSecret(name: string, live: DeliveredView): SecretPlan {
  const action: SecretAction =
    live.kind === 'ours' && !live.deleting
      ? { kind: 'delete', uid: live.uid, resourceVersion: live.resourceVersion }
      : { kind: 'none' };
  return { name, action, revision: undefined, keys: new Set(), tooLarge: undefined };
}
