import type { ModelDeploymentSpec } from '../api/model-deployment.ts';
import { deliveredSecretName, SECRET_TYPE } from '../api/names.ts';
import type { SecretValue } from '../api/secret-value.ts';
import {
  actionFor,
  comparedWith,
  contentDigest,
  mustRecreate,
  NO_DIGESTS,
  removal,
  type SecretPlan,
  standoffOf,
} from './owned-secret.ts';
import { needOf, type Resolution, stays } from './resolve.ts';
import type { DeliveredView, ModelView, Surroundings, ValueSource } from './snapshot.ts';

/** Kubernetes' MaxSecretSize: the values of one Secret together, in bytes. */
const MAX_SECRET_BYTES = 1024 * 1024;
/** Stands for a revision that somebody took away from a Secret that can't be written at the moment. */
const NO_REVISION = 'none';

/**
 * Plans the delivered Secret: exactly the delivered names, bytes unchanged.
 *
 * The Secret exists as soon as a pod template refers to it, even with no key, because the revision lives on
 * it. The revision changes in the same write that changes or removes a key that pods may have read, or that
 * adds an optional one; a required key that arrives first changes nothing for a pod that waits for it.
 */
export function planSecret(
  model: ModelView,
  spec: ModelDeploymentSpec,
  resolutions: readonly Resolution[],
  live: DeliveredView,
  { digest, digestOf, freshRevision }: Surroundings,
): SecretPlan {
  const base = { name: deliveredSecretName(model.name), type: SECRET_TYPE };
  const needed = resolutions.filter((resolution) => needOf(resolution, spec.onMissing) !== 'left-out');
  if (needed.length === 0) {
    const nothing = {
      revision: undefined,
      keys: new Set<string>(),
      changed: new Set<string>(),
      tooLarge: false,
    };
    return {
      ...base,
      ...nothing,
      action: removal(live),
      digests: NO_DIGESTS,
      wanted: '',
      standoff: undefined,
    };
  }

  const known = live.kind === 'ours' ? live : live.last;
  const before = known?.digests ?? NO_DIGESTS;
  // what now comes from elsewhere is another value: whoever owns the one that is there may have withdrawn it
  const stillWanted = (): readonly string[] => {
    const priorSources = new Map(model.prior.secrets.map(({ name, source }) => [name, source]));
    return needed
      .filter(({ name, value, source }) => {
        if (!value) return false;
        return before.get(name) === digestOf(value) || isSame(source, priorSources.get(name));
      })
      .map(({ name }) => name);
  };
  const heldNames = needed.filter(stays).map(({ name }) => name);

  const data = new Map<string, SecretValue>();
  for (const { name, value } of needed) if (value) data.set(name, value);
  const tooLarge = data.values().reduce((sum, value) => sum + value.size, 0) > MAX_SECRET_BYTES;
  // removals still go through: what is there and still wanted stays as it is, nothing else changes
  const kept = new Set(tooLarge ? [...heldNames, ...stillWanted()] : heldNames);
  if (tooLarge) data.clear();

  const { digests, changed } = comparedWith(before, data, digestOf);
  const removed = [...before.keys()].filter((key) => !data.has(key) && !kept.has(key));
  const isRead = (one: Resolution): boolean =>
    before.has(one.name) || needOf(one, spec.onMissing) === 'optional';
  const mayHaveBeenRead =
    removed.length > 0 ||
    needed.some((one) => changed.has(one.name) && isRead(one)) ||
    // kubelet stops looking at an immutable Secret, so that running pods don't see what comes after it
    mustRecreate(live, { removed, kept });
  const fresh = (mayHaveBeenRead ? undefined : known?.revision) ?? freshRevision;
  const action = actionFor(live, { revision: fresh, data, changed, removed, kept });
  const wanted = action.kind === 'none' ? '' : contentDigest(digests, digest);
  const standoff = action.kind === 'none' ? undefined : standoffOf(live, wanted);
  // what nobody writes must not get into a template, which a random revision would roll for ever
  const isWritten = action.kind !== 'none' && !standoff;
  const isAnew = action.kind === 'create' || action.kind === 'recreate';
  const keys = [...data.keys(), ...(isAnew ? [] : [...kept].filter((key) => before.has(key)))];
  const present = live.kind === 'ours' ? live.digests : NO_DIGESTS;
  return {
    ...base,
    action: standoff ? { kind: 'none' } : action,
    digests,
    wanted,
    standoff,
    revision: isWritten ? fresh : (known?.revision ?? NO_REVISION),
    keys: new Set(isWritten ? keys : present.keys()),
    changed: new Set(isWritten ? changed.keys() : []),
    tooLarge,
  };
}

const isSame = (one: ValueSource | undefined, other: ValueSource | undefined): boolean =>
  one !== undefined && one.namespace === other?.namespace && one.name === other.name && one.key === other.key;
