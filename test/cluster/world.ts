import { cluster, namespace } from './cluster.ts';
import { type Api, ApiError, type KubernetesObject } from './api.ts';
import { eventually } from './eventually.ts';
import type { Condition, ModelDeploymentStatus } from '../../src/api/model-deployment.ts';

/** What a platform engineer does in one namespace, in the words of a test. */
export interface World {
  readonly namespace: string;
  /** A Secret with the label of a store; values are text or bytes. */
  readonly storeSecret: (
    name: string,
    values: Readonly<Record<string, string | Uint8Array>>,
    more?: StoreSecretOptions,
  ) => Promise<KubernetesObject>;
  readonly configMap: (name: string, text: string, key?: string) => Promise<KubernetesObject>;
  /** A Deployment without replicas, unless `pod` or `replicas` says otherwise. */
  readonly deployment: (name: string, pod?: object) => Promise<KubernetesObject>;
  /** A trusted model with one workload of its own name, unless the spec says otherwise. */
  readonly model: (name: string, spec: object) => Promise<KubernetesObject>;
  readonly patchModel: (name: string, spec: object) => Promise<KubernetesObject>;
  /** Waits until the status is about the present generation and satisfies the check. */
  readonly status: (
    name: string,
    check: (status: ModelDeploymentStatus) => void,
  ) => Promise<ModelDeploymentStatus>;
  readonly ready: (name: string) => Promise<ModelDeploymentStatus>;
  /** Decoded values of the delivered Secret; undefined when there is none. */
  readonly delivered: (model: string) => Promise<Readonly<Record<string, Buffer>> | undefined>;
  readonly podSpec: (deployment: string) => Promise<PodSpec>;
  /** Path of an object or a collection in the namespace: `path('secrets', 'x')`. */
  readonly path: (plural: Plural, name?: string) => string;
  readonly events: (
    model: string,
  ) => Promise<readonly { readonly reason: string; readonly message: string; readonly count: number }[]>;
}

export interface StoreSecretOptions {
  readonly store?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly type?: string;
}

export interface PodSpec {
  readonly containers: readonly {
    readonly name: string;
    readonly env?: readonly {
      readonly name: string;
      readonly valueFrom?: { readonly secretKeyRef?: object };
    }[];
    readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[];
  }[];
  readonly volumes?: readonly { readonly name: string; readonly projected?: object }[];
}

const PREFIXES = {
  secrets: '/api/v1',
  configmaps: '/api/v1',
  events: '/api/v1',
  pods: '/api/v1',
  deployments: '/apis/apps/v1',
  statefulsets: '/apis/apps/v1',
  daemonsets: '/apis/apps/v1',
  modeldeployments: '/apis/truss-secrets.dev/v1alpha1',
  modeltrusts: '/apis/truss-secrets.dev/v1alpha1',
} as const;
export type Plural = keyof typeof PREFIXES;

/** A fresh namespace, removed after the tests of the file. */
export const newWorld = async (): Promise<World> => worldIn(await namespace());

export function worldIn(place: string, api: Api = cluster().api): World {
  const path: World['path'] = (plural, name) =>
    `${PREFIXES[plural]}/namespaces/${place}/${plural}${name === undefined ? '' : `/${name}`}`;
  const getModel = (name: string) =>
    api.get<KubernetesObject & { status?: ModelDeploymentStatus }>(path('modeldeployments', name));

  const status: World['status'] = async (name, check) =>
    await eventually(
      async () => {
        const model = await getModel(name);
        const found = model.status ?? {};
        if (found.observedGeneration !== model.metadata.generation)
          throw new Error(`the status of ${name} is not up to date`);
        check(found);
        return found;
      },
      { within: 30_000 },
    );

  return {
    namespace: place,
    path,
    storeSecret: (name, values, { store = 'default', labels = {}, annotations = {}, type = 'Opaque' } = {}) =>
      api.post(path('secrets'), {
        metadata: { name, labels: { 'truss-secrets.dev/store': store, ...labels }, annotations },
        type,
        data: Object.fromEntries(
          Object.entries(values).map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
        ),
      }),
    configMap: (name, text, key = 'config.yaml') =>
      api.post(path('configmaps'), { metadata: { name }, data: { [key]: text } }),
    deployment: (name, pod = {}) =>
      api.post(path('deployments'), {
        metadata: { name },
        spec: {
          replicas: 0,
          selector: { matchLabels: { app: name } },
          template: {
            metadata: { labels: { app: name } },
            spec: { containers: [{ name: 'model', image: 'registry.invalid/model:1' }], ...pod },
          },
        },
      }),
    model: (name, spec) =>
      api.post(path('modeldeployments'), {
        apiVersion: 'truss-secrets.dev/v1alpha1',
        kind: 'ModelDeployment',
        metadata: { name },
        spec: { trusted: true, workloads: [{ kind: 'Deployment', name }], ...spec },
      }),
    patchModel: (name, spec) => api.patch(path('modeldeployments', name), { spec }),
    status,
    ready: (name) =>
      status(name, ({ conditions }) => {
        const ready = conditionOf(conditions, 'Ready');
        if (ready?.status !== 'True') throw new Error(`${name} is not Ready: ${JSON.stringify(ready)}`);
      }),
    delivered: async (model) => {
      const secret = await orUndefined(api.get(path('secrets', `${model}-truss-secrets`)));
      if (!secret) return undefined;
      return Object.fromEntries(
        Object.entries(secret.data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64')]),
      );
    },
    podSpec: async (name) => {
      const { spec } = await api.get<{ spec: { template: { spec: PodSpec } } }>(path('deployments', name));
      return spec.template.spec;
    },
    events: async (model) => {
      const selector = `?fieldSelector=involvedObject.name%3D${model}`;
      const { items } = await api.get<{ items: { reason: string; message: string; count: number }[] }>(
        `${path('events')}${selector}`,
      );
      return items;
    },
  };
}

export const conditionOf = (
  conditions: readonly Condition[] | undefined,
  type: string,
): Condition | undefined => conditions?.find((condition) => condition.type === type);

/** What a GET answers; undefined for 404. */
export async function orUndefined<T>(request: Promise<T>): Promise<T | undefined> {
  try {
    return await request;
  } catch (error) {
    if (error instanceof ApiError && error.code === 404) return undefined;
    throw error;
  }
}

/** An inline config.yaml that declares these names. */
export const declaring = (...names: readonly string[]): { readonly inline: string } => ({
  inline: `secrets:\n${names.map((name) => `  ${JSON.stringify(name)}: null\n`).join('')}`,
});
