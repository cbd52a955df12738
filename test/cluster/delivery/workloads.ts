import type { WorkloadKind } from '../../../src/api/model-deployment.ts';
import type { KubernetesObject } from '../api.ts';
import { cluster } from '../cluster.ts';
import type { World } from '../world.ts';

/** The pod template of a workload as a test reads it. */
export interface Template {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> };
  readonly spec: {
    readonly containers: readonly Container[];
    readonly initContainers?: readonly Container[];
    readonly volumes?: readonly { readonly name: string; readonly projected?: Projected }[];
    readonly imagePullSecrets?: readonly { readonly name: string }[];
  };
}

export interface Container {
  readonly name: string;
  readonly image?: string;
  readonly env?: readonly {
    readonly name: string;
    readonly value?: string;
    readonly valueFrom?: {
      readonly secretKeyRef?: { readonly name: string; readonly key: string; readonly optional?: boolean };
    };
  }[];
  readonly volumeMounts?: readonly {
    readonly name: string;
    readonly mountPath: string;
    readonly readOnly?: boolean;
  }[];
}

interface Projected {
  readonly defaultMode: number;
  readonly sources: readonly {
    readonly secret: {
      readonly name: string;
      readonly optional?: boolean;
      readonly items: readonly { readonly key: string; readonly path: string }[];
    };
  }[];
}

export const REVISION = 'truss-secrets.dev/revision';
export const MARKER = 'truss-secrets.dev/model';

/** Path of a workload, or of all of its kind in the namespace. */
export function workloadPath(world: World, kind: WorkloadKind, name?: string): string {
  const group =
    kind === 'CronJob' ? `batch/${cluster().features.batchV1CronJob ? 'v1' : 'v1beta1'}` : 'apps/v1';
  const collection = `/apis/${group}/namespaces/${world.namespace}/${kind.toLowerCase()}s`;
  return name === undefined ? collection : `${collection}/${name}`;
}

export interface WorkloadOptions {
  readonly pod?: object;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly spec?: object;
}

/** A workload that runs nothing: no replicas, no node that it fits, or suspended. */
export async function makeWorkload(
  world: World,
  kind: WorkloadKind,
  name: string,
  { pod = {}, annotations = {}, spec = {} }: WorkloadOptions = {},
): Promise<KubernetesObject> {
  const template = {
    metadata: { labels: { app: name }, annotations },
    spec: { containers: [{ name: 'model', image: 'registry.invalid/model:1' }], ...pod },
  };
  const selector = { matchLabels: { app: name } };
  const post = (own: object): Promise<KubernetesObject> =>
    cluster().api.post(workloadPath(world, kind), { metadata: { name }, spec: { ...own, ...spec } });
  switch (kind) {
    case 'Deployment':
      return await post({ replicas: 0, selector, template });
    case 'StatefulSet':
      return await post({ replicas: 0, selector, serviceName: name, template });
    case 'DaemonSet':
      return await post({
        selector,
        template: { ...template, spec: { nodeSelector: { nowhere: 'true' }, ...template.spec } },
      });
    case 'CronJob':
      return await post({
        schedule: '0 0 1 1 *',
        suspend: true,
        jobTemplate: {
          spec: { template: { ...template, spec: { ...template.spec, restartPolicy: 'Never' } } },
        },
      });
  }
}

export async function templateOf(world: World, kind: WorkloadKind, name: string): Promise<Template> {
  const { spec } = await cluster().api.get<{
    spec: { template: Template; jobTemplate?: { spec: { template: Template } } };
  }>(workloadPath(world, kind, name));
  return spec.jobTemplate?.spec.template ?? spec.template;
}

/** The names that the pods get: as files, by whether they wait for them, and as environment variables by container. */
export function injectedInto({ spec }: Template) {
  const volume = spec.volumes?.find(({ name }) => name === 'truss-secrets');
  const files = (optional: boolean): readonly string[] =>
    (volume?.projected?.sources ?? [])
      .filter(({ secret }) => (secret.optional ?? false) === optional)
      .flatMap(({ secret }) => secret.items.map(({ path }) => path));
  const containers = [...(spec.initContainers ?? []), ...spec.containers];
  return {
    required: files(false),
    optional: files(true),
    mounted: containers
      .filter(({ volumeMounts }) => volumeMounts?.some(({ mountPath }) => mountPath === '/secrets'))
      .map(({ name }) => name),
    env: Object.fromEntries(
      containers.flatMap(({ name, env }) => {
        const ours = (env ?? []).filter(({ valueFrom }) => valueFrom?.secretKeyRef);
        return ours.length > 0 ? [[name, ours.map((entry) => entry.name)]] : [];
      }),
    ),
  };
}
