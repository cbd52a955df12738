import { ENVIRONMENT_LABEL, SHARE_WITH_ANNOTATION, STORE_LABEL } from '../api/names.ts';
import type { SecretValue } from '../api/secret-value.ts';
import type { RawObject } from '../kube/object.ts';
import { secrets } from '../kube/resource.ts';
import { secretData } from '../kube/secret-body.ts';
import type { Cluster } from './cluster.ts';

/** A Secret as the commands of the store see it. */
export interface StoreSecret {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** Undefined: not labelled, so no store. */
  readonly store: string | undefined;
  readonly environment: string | undefined;
  /** The entries of the consent annotation; undefined without one: the models of its namespace. */
  readonly sharedWith: readonly string[] | undefined;
  /** `ExternalSecret/org`: who would put back what we change. */
  readonly controller: string | undefined;
  readonly immutable: boolean;
  /** RFC 3339. */
  readonly created: string;
  readonly data: ReadonlyMap<string, SecretValue>;
}

function storeSecret(raw: RawObject): StoreSecret {
  const { metadata } = raw;
  const share = metadata.annotations?.[SHARE_WITH_ANNOTATION];
  const controller = metadata.ownerReferences?.find((owner) => owner.controller === true);
  return {
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    uid: metadata.uid,
    store: metadata.labels?.[STORE_LABEL],
    environment: metadata.labels?.[ENVIRONMENT_LABEL],
    sharedWith: share
      ?.split(',')
      .map((entry) => entry.trim())
      .filter((entry) => entry !== ''),
    controller: controller === undefined ? undefined : `${controller.kind}/${controller.name}`,
    immutable: raw['immutable'] === true,
    created: metadata.creationTimestamp ?? '',
    data: secretData(raw),
  };
}

/** The Secrets of a store (without one: of all stores) in the namespace, by name. */
export async function listStore(
  { client, namespace }: Cluster,
  store: string | undefined,
): Promise<readonly StoreSecret[]> {
  const labelSelector = store === undefined ? STORE_LABEL : `${STORE_LABEL}=${store}`;
  const found: StoreSecret[] = [];
  for await (const page of client.list(secrets, { namespace, labelSelector })) {
    found.push(...page.map(storeSecret));
  }
  return found;
}

export async function getSecret(
  { client, namespace }: Cluster,
  name: string,
): Promise<StoreSecret | undefined> {
  const raw = await client.get(secrets, { namespace, name });
  return raw === undefined ? undefined : storeSecret(raw);
}
