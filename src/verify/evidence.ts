import { deliveredSecretName, pullSecretName, SHARE_WITH_ANNOTATION, STORE_LABEL } from '../api/names.ts';
import { type ModelDeploymentSpec, modelDeploymentSpec } from '../api/model-deployment.ts';
import type { Client } from '../kube/client.ts';
import { isApiError } from '../kube/errors.ts';
import type { RawObject } from '../kube/object.ts';
import {
  configMaps,
  daemonSets,
  deployments,
  modelDeployments,
  modelTrusts,
  namespaces,
  type Resource,
  secrets,
  statefulSets,
} from '../kube/resource.ts';
import { text } from './fields.ts';

/** The objects that a proof goes by, as they are in the cluster. */
export interface Evidence {
  readonly model: RawObject;
  /** Undefined: it breaks the rules of its kind. */
  readonly spec: ModelDeploymentSpec | undefined;
  readonly config: string | undefined;
  readonly trust: RawObject | undefined;
  /** One entry per entry of spec.stores; undefined: the user may not read it. */
  readonly stores: readonly StoreEvidence[];
  readonly namespaceUid: string | undefined;
  readonly delivered: RawObject | undefined;
  readonly pull: RawObject | undefined;
  readonly workloads: readonly Workload[];
  /** ReplicaSets and Jobs, which stand between workloads and pods. */
  readonly between: readonly RawObject[];
  readonly pods: readonly RawObject[];
  /** Rights that the user lacks: what hangs on them is not proven. */
  readonly unread: readonly string[];
}

export interface StoreEvidence {
  readonly name: string;
  readonly secrets: readonly RawObject[] | undefined;
}

export interface Workload {
  readonly kind: string;
  readonly raw: RawObject;
}

const core = (plural: string, kind: string): Resource => ({
  group: '',
  version: 'v1',
  plural,
  kind,
  namespaced: true,
});
const pods = core('pods', 'Pod');
const replicaSets: Resource = { ...deployments, plural: 'replicasets', kind: 'ReplicaSet' };
const jobs: Resource = { group: 'batch', version: 'v1', plural: 'jobs', kind: 'Job', namespaced: true };
const cronJobs: Resource = { ...jobs, plural: 'cronjobs', kind: 'CronJob' };

/** Reads everything with the user's own rights. Undefined: there is no such model. @throws ApiError, TransportError */
export async function readEvidence(
  client: Client,
  namespace: string,
  name: string,
): Promise<Evidence | undefined> {
  const model = await client.get(modelDeployments, { namespace, name });
  if (!model) return undefined;
  const unread = new Set<string>();
  const tolerant = async <T>(right: string, read: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await read();
    } catch (error) {
      if (!isApiError(error, 403)) throw error;
      unread.add(right);
      return undefined;
    }
  };
  const get = (of: Resource, key: string) =>
    tolerant(`get ${shownResource(of)} -n ${namespace}`, () => client.get(of, { namespace, name: key }));
  const listIn = (place: string, of: Resource, labelSelector?: string) =>
    tolerant(`list ${shownResource(of)} -n ${place}`, () => listed(client, of, place, labelSelector));

  const parsed = modelDeploymentSpec.safeParse(model['spec']);
  const spec = parsed.success ? parsed.data : undefined;
  const stores = await Promise.all(
    (spec?.stores ?? []).map(async (store) => ({
      name: store.name,
      secrets: await listIn(store.namespace ?? namespace, secrets, `${STORE_LABEL}=${store.name}`),
    })),
  );
  const pins = stores.some((store) =>
    store.secrets?.some(({ metadata }) => metadata.annotations?.[SHARE_WITH_ANNOTATION]?.includes('@')),
  );
  const ref = spec?.config.configMapRef;
  const configMap = ref && (await get(configMaps, ref.name));
  const workloads = await Promise.all(
    [deployments, statefulSets, daemonSets, cronJobs].map(async (of) => {
      const found = (await listIn(namespace, of)) ?? [];
      return found.map((raw) => ({ kind: of.kind, raw }));
    }),
  );
  const between = await Promise.all([replicaSets, jobs].map((of) => listIn(namespace, of)));
  return {
    model,
    spec,
    config: ref ? text(configMap?.['data'], ref.key) : spec?.config.inline,
    trust: await get(modelTrusts, name),
    stores,
    namespaceUid: pins
      ? (await tolerant(`get namespaces`, () => client.get(namespaces, { namespace: '', name: namespace })))
          ?.metadata.uid
      : undefined,
    delivered: await get(secrets, deliveredSecretName(name)),
    pull: await get(secrets, pullSecretName(name)),
    workloads: workloads.flat(),
    between: between.flatMap((found) => found ?? []),
    pods: (await listIn(namespace, pods)) ?? [],
    unread: [...unread].toSorted(),
  };
}

const shownResource = ({ group, plural }: Resource): string => (group === '' ? plural : `${plural}.${group}`);

async function listed(
  client: Client,
  of: Resource,
  namespace: string,
  labelSelector: string | undefined,
): Promise<readonly RawObject[]> {
  const found: RawObject[] = [];
  try {
    for await (const page of client.list(of, { namespace, labelSelector })) found.push(...page);
  } catch (error) {
    if (!isApiError(error, 404)) throw error;
    // CronJobs before 1.21; a kind that the server does not serve at all has no objects
    if (of === cronJobs) return await listed(client, { ...of, version: 'v1beta1' }, namespace, labelSelector);
  }
  return found;
}
