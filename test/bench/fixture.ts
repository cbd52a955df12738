import { API_VERSION, SHARE_WITH_ANNOTATION, STORE_LABEL } from '../../src/api/names.ts';
import { type BarePool, forAll } from './pool.ts';

/** The store Secrets and the models that everything is measured with; see issue "Fast, small and flat". */
const NAMESPACES = 100;
const CONFIG_BYTES = 1024;

/** Every other model takes its last secret from here: one source for half of all models. */
export const SHARED = { namespace: 'bench-shared', secret: 'truss-store-shared', key: 'shared_token' };
export const OWN_STORE = 'truss-store-default';

export const KEYS = [
  'aws_access_key_id',
  'aws_secret_access_key',
  'hf_access_token',
  SHARED.key,
  'wandb_api_key',
] as const;

export const MODELS = `/apis/${API_VERSION}`;

export interface FixtureModel {
  readonly index: number;
  readonly namespace: string;
  readonly name: string;
}

export const namespaceOf = (index: number): string => `bench-${index % NAMESPACES}`;

export const models = (count: number): readonly FixtureModel[] =>
  Array.from({ length: count }, (_, index) => ({
    index,
    namespace: namespaceOf(index),
    name: `model-${index}`,
  }));

export const isShared = ({ index }: FixtureModel): boolean => index % 2 === 0;

/** Those of the models, and that of the shared store. */
export const namespaces = (): readonly string[] => [
  SHARED.namespace,
  ...Array.from({ length: NAMESPACES }, (_, index) => namespaceOf(index)),
];

export const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** Values of a store Secret; another `round` gives others. */
export const values = (owner: string, round = 0): Readonly<Record<string, string>> =>
  Object.fromEntries(KEYS.map((key) => [key, base64(`${owner} ${key} ${round} ${'x'.repeat(20)}`)]));

/** What the models of a namespace get: from the shared store, where they have it, and from their own. */
export function deliveredValues(model: FixtureModel, round = 0): Readonly<Record<string, string>> {
  const own = values(model.namespace, round);
  return isShared(model) ? { ...own, [SHARED.key]: values(SHARED.namespace, round)[SHARED.key] ?? '' } : own;
}

function configYaml(name: string): string {
  const text = `model_name: ${name}
python_version: py311
requirements:
  - torch==2.3.1
  - transformers==4.44.0
  - accelerate==0.33.0
resources:
  cpu: "4"
  memory: 16Gi
  use_gpu: true
  accelerator: A10G
secrets:
${KEYS.map((key) => `  ${key}: null`).join('\n')}
model_metadata:
  example_model_input: {prompt: "what is the meaning of life"}
  description: `;
  return `${text}${`${name} `.repeat(100).slice(0, CONFIG_BYTES - text.length - 1)}\n`;
}

export interface FixtureStore {
  readonly name: string;
  readonly namespace?: string;
}

const storesOf = (model: FixtureModel): readonly FixtureStore[] => [
  ...(isShared(model) ? [{ name: 'shared', namespace: SHARED.namespace }] : []),
  { name: 'default' },
];

export const modelBody = (model: FixtureModel, stores = storesOf(model)): object => ({
  apiVersion: API_VERSION,
  kind: 'ModelDeployment',
  metadata: { namespace: model.namespace, name: model.name },
  spec: {
    trusted: true,
    config: { inline: configYaml(model.name) },
    delivery: 'Mount',
    stores,
    workloads: [{ kind: 'Deployment', name: model.name }],
  },
});

export const deploymentBody = ({ namespace, name }: FixtureModel): object => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { namespace, name, labels: { app: name } },
  spec: {
    replicas: 0,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: {
        containers: [
          {
            name: 'model',
            image: `registry.example/models/${name}:1`,
            ports: [{ name: 'http', containerPort: 8080 }],
            env: [{ name: 'LOG_LEVEL', value: 'info' }],
            resources: { requests: { cpu: '1', memory: '4Gi' }, limits: { memory: '16Gi' } },
          },
        ],
      },
    },
  },
});

const storeBody = (name: string, store: string, data: object, annotations: object = {}): object => ({
  metadata: { name, labels: { [STORE_LABEL]: store }, annotations },
  type: 'Opaque',
  data,
});

/** Namespaces and stores. */
export async function loadStores(pool: BarePool): Promise<void> {
  await forAll(namespaces(), async (name) => {
    await pool.send('POST', '/api/v1/namespaces', { metadata: { name } });
    const body =
      name === SHARED.namespace
        ? storeBody(
            SHARED.secret,
            'shared',
            { [SHARED.key]: values(name)[SHARED.key] },
            { [SHARE_WITH_ANNOTATION]: '*' },
          )
        : storeBody(OWN_STORE, 'default', values(name));
    await pool.send('POST', `/api/v1/namespaces/${name}/secrets`, body);
  });
}

/** Models, not converged yet, and their Deployments. */
export async function loadModels(pool: BarePool, some: readonly FixtureModel[]): Promise<void> {
  await forAll(some, async (model) => {
    await pool.send('POST', `/apis/apps/v1/namespaces/${model.namespace}/deployments`, deploymentBody(model));
    await pool.send('POST', `${MODELS}/namespaces/${model.namespace}/modeldeployments`, modelBody(model));
  });
}
