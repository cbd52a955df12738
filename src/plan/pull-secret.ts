import { dockerConfig } from '../api/docker-config.ts';
import { DOCKER_CONFIG_KEY, PULL_SECRET_TYPE, pullSecretName } from '../api/names.ts';
import type { SecretValue } from '../api/secret-value.ts';
import {
  actionFor,
  comparedWith,
  contentDigest,
  NO_DIGESTS,
  removal,
  type SecretAction,
  type SecretPlan,
  standoffOf,
} from './owned-secret.ts';
import { unsupportedPull } from './pull.ts';
import { type Resolution, stays } from './resolve.ts';
import type { DeliveredView, ModelIdentity, PriorSecret, Surroundings } from './snapshot.ts';

export interface PullPlan extends SecretPlan {
  /** Whether pods refer to the Secret, which depends on the declaration alone. */
  readonly referred: boolean;
}

const NONE: SecretAction = { kind: 'none' };

const NOTHING = {
  type: PULL_SECRET_TYPE,
  revision: undefined,
  changed: new Set<string>(),
  tooLarge: false,
  action: NONE,
  digests: NO_DIGESTS,
  wanted: '',
  standoff: undefined,
  keys: new Set<string>(),
  referred: false,
} satisfies Omit<PullPlan, 'name'>;

/**
 * Plans the pull Secret: a docker config with the credential of each registry that has one. Without any there is
 * no Secret; pods that refer to it wait for their image, and the registries that need none go on working.
 */
export function planPullSecret(
  model: ModelIdentity,
  prior: readonly PriorSecret[],
  resolutions: readonly Resolution[],
  live: DeliveredView,
  { digest, digestOf }: Surroundings,
): PullPlan {
  const base = { ...NOTHING, name: pullSecretName(model.name) };
  const uses = resolutions.filter(isReferred);
  const referred = uses.length > 0;
  // nearly every model: what follows would come to the same
  if (!referred && live.kind === 'absent') return base;
  const data = new Map<string, SecretValue>();
  const credentials = uses.flatMap(({ credential }) => (credential ? [credential] : []));
  if (credentials.length > 0) {
    const config = dockerConfig(new Map(credentials.map(({ registry, auth }) => [registry, auth])));
    data.set(DOCKER_CONFIG_KEY, config);
  }
  if (live.kind === 'ours' && uses.some(stays) && !wasWithdrawn(prior, resolutions)) {
    // one file holds all of them: it can't be written without the one whose value is not known at the moment
    const keys = new Set(live.digests.keys());
    return { ...base, keys, referred };
  }
  const before = live.kind === 'ours' ? live.digests : NO_DIGESTS;
  const { digests, changed } = comparedWith(before, data, digestOf);
  const removed = [...before.keys()].filter((key) => !data.has(key));
  const changes = { revision: undefined, data, changed, removed, kept: new Set<string>() };
  const planned = data.size === 0 ? removal(live) : actionFor(live, changes);
  const wasThere = prior.some(({ pull, source }) => pull && source);
  const action = planned.kind === 'create' ? { ...planned, again: wasThere } : planned;
  const wanted = action.kind === 'none' ? '' : contentDigest(digests, digest);
  const standoff = action.kind === 'none' || data.size === 0 ? undefined : standoffOf(live, wanted);
  return {
    ...base,
    action: standoff ? NONE : action,
    digests,
    wanted,
    standoff,
    keys: new Set(standoff ? before.keys() : data.keys()),
    referred,
  };
}

function isReferred({ pull, state }: Resolution): boolean {
  if (!pull || unsupportedPull(pull) !== undefined) return false;
  switch (state) {
    case 'InvalidName':
    case 'BuildOnly':
    case 'Unsupported':
    case 'NotApproved':
    case 'Untrusted':
      return false;
    case 'Delivered':
    case 'Missing':
    case 'Ambiguous':
    case 'Empty':
    case 'Undeliverable':
    case 'UsingDefault':
      return true;
  }
}

/** One file holds all credentials: with one that is withdrawn go those whose value is not known at the moment. */
export function afterWithdrawal(
  prior: readonly PriorSecret[],
  resolutions: readonly Resolution[],
): readonly Resolution[] {
  if (!wasWithdrawn(prior, resolutions)) return resolutions;
  return resolutions.map((one) => {
    if (one.role !== 'Pull' || !stays(one)) return one;
    return { ...one, source: undefined, state: 'Missing' };
  });
}

/** Whether something that the Secret held may not be there any more: then it goes, whatever else is unknown. */
function wasWithdrawn(prior: readonly PriorSecret[], resolutions: readonly Resolution[]): boolean {
  const held = prior.filter(({ pull, source }) => pull && source);
  if (held.length === 0) return false;
  const now = new Map(resolutions.map((one) => [one.name, one]));
  return held.some(({ name }) => {
    const one = now.get(name);
    return !one || (!stays(one) && one.credential === undefined);
  });
}
