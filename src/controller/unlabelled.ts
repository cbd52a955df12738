import { deliveredSecretName, pullSecretName } from '../api/names.ts';
import type { Client } from '../kube/client.ts';
import { secrets } from '../kube/resource.ts';
import type { ActPlan } from '../plan/plan.ts';
import type { Caches } from './caches.ts';
import type { Memory } from './memory.ts';
import type { CachedModel } from './model.ts';
import { projectDelivered } from './secret.ts';

/**
 * The cache of delivered Secrets is selected by a label that Helm, Argo CD and Flux stamp over, and ours is what has
 * the owner reference: what a model is known to have had, and the cache does not hold, may still be there.
 */
export const lostSecrets = (
  { namespace, name, uid, hasSecret, hasPullSecret }: CachedModel,
  { delivered }: Caches,
  memory: Memory,
): readonly string[] =>
  [
    ...(hasSecret || memory.lastDelivered(uid) ? [deliveredSecretName(name)] : []),
    ...(hasPullSecret ? [pullSecretName(name)] : []),
  ].filter((secret) => delivered.get(namespace, secret) === undefined);

/** Names of the Secrets that a model is not to have. */
export const unwantedSecrets = ({ secret, pull }: ActPlan): readonly string[] =>
  [secret, pull]
    .filter(
      ({ action, keys, revision }) => action.kind === 'none' && keys.size === 0 && revision === undefined,
    )
    .map(({ name }) => name);

interface Owner {
  readonly namespace: string;
  readonly name: string;
  /** Undefined: whichever model had the name. */
  readonly uid?: string;
}

/**
 * Looks for Secrets that are to go, and puts those that belong to the model into the cache, from where they are
 * deleted as any other.
 *
 * @returns whether there is one
 * @throws ApiError, TransportError
 */
export async function findSecrets(
  names: readonly string[],
  { namespace, name: modelName, uid }: Owner,
  { delivered }: Caches,
  client: Client,
): Promise<boolean> {
  let isFound = false;
  for (const name of names) {
    const live = await client.get(secrets, { namespace, name });
    if (!live) continue;
    const { owner } = projectDelivered(live);
    if (owner?.name !== modelName || (uid !== undefined && uid !== owner.uid)) continue;
    delivered.set(live);
    isFound = true;
  }
  return isFound;
}

/** Of a Secret without our label no watch tells what becomes of it: after a write that failed it is looked for anew. */
export function dropUnlabelled(namespace: string, name: string, { delivered }: Caches): void {
  if (delivered.get(namespace, name)?.view.labelled === false) delivered.remove(`${namespace}/${name}`);
}
