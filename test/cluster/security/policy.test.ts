import { readFileSync } from 'node:fs';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { ApiError, type KubernetesObject } from '../api.ts';
import { cluster, removeLater, skipUnless } from '../cluster.ts';
import { eventually } from '../eventually.ts';
import { type Identity, identityWith } from '../identity.ts';
import { RUN_LABEL } from '../leftovers.ts';
import { operatorRules, startOperator } from '../operator.ts';
import { declaring, newWorld, type World } from '../world.ts';

const FOLDER = new URL('../../../deploy/policy/', import.meta.url);
const API = '/apis/admissionregistration.k8s.io/v1';
const OPERATOR = 'system:serviceaccount:truss-secrets-system:truss-secrets';
const DRY = '?dryRun=All';

let world: World;
/** Has the operator's rights, and more: what the policy refuses, RBAC would let pass. */
let operator: Identity;

beforeEach((ctx) => skipUnless(ctx, 'validatingAdmissionPolicy'));

beforeAll(async () => {
  if (!cluster().features.validatingAdmissionPolicy) return;
  world = await newWorld();
  const everything = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'];
  operator = await identityWith({
    rules: {
      [world.namespace]: [
        ...operatorRules(),
        { apiGroups: ['apps'], resources: ['deployments'], verbs: everything },
        { apiGroups: ['batch'], resources: ['cronjobs'], verbs: everything },
      ],
    },
  });
  for (const manifest of policies(operator.user, `-${cluster().run}`)) await install(manifest);
  await world.storeSecret('org', { token: 'T' });
  await eventually(() => inForce(), { within: 30_000 });
});

/** The API server hears of a policy a moment later. */
async function inForce(): Promise<void> {
  try {
    await operator.api.post(`${world.path('secrets')}${DRY}`, secret('x'));
  } catch (error) {
    if (error instanceof ApiError && error.message.includes('truss-secrets may')) return;
    throw error;
  }
  throw new Error('the policy is not in force yet');
}

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> };
}

/** The policies as they ship, for somebody else and under names of the run's own. */
function policies(user: string, suffix: string): readonly Manifest[] {
  return ['secrets.yaml', 'workloads.yaml'].flatMap((file) => {
    const text = readFileSync(new URL(file, FOLDER), 'utf8');
    expect(text, 'names the ServiceAccount of the manifests').toContain(OPERATOR);
    const own = text
      .replaceAll(OPERATOR, user)
      .replaceAll(/(name|policyName): (truss-secrets-(own-secrets|injection-only))$/gm, `$1: $2${suffix}`);
    return parseAllDocuments(own).map((document): Manifest => document.toJSON());
  });
}

async function install(manifest: Manifest): Promise<void> {
  const plural = `${manifest.kind.toLowerCase().replace(/y$/, 'ie')}s`;
  const labels = { ...manifest.metadata.labels, [RUN_LABEL]: cluster().run };
  await cluster().api.post(`${API}/${plural}`, { ...manifest, metadata: { ...manifest.metadata, labels } });
  removeLater(`${API}/${plural}/${manifest.metadata.name}`);
}

const owner = (name: string, more: object = {}): object => ({
  apiVersion: 'truss-secrets.dev/v1alpha1',
  kind: 'ModelDeployment',
  name,
  uid: '11111111-2222-3333-4444-555555555555',
  controller: true,
  ...more,
});

const secret = (name: string, type = 'Opaque', ...ownerReferences: readonly object[]): object => ({
  metadata: { name, ownerReferences },
  type,
  data: {},
});

const refused = async (attempt: Promise<unknown>): Promise<void> => {
  await expect(attempt).rejects.toThrow(
    expect.objectContaining({
      name: ApiError.name,
      code: 403,
      message: expect.stringContaining('truss-secrets may'),
    }),
  );
};

describe('Secrets that the operator may create', () => {
  it.each<[boolean, string, object]>([
    [true, 'the delivered Secret of a model', secret('m-truss-secrets', 'Opaque', owner('m'))],
    [true, 'its pull Secret', secret('m-truss-pull', 'kubernetes.io/dockerconfigjson', owner('m'))],
    [false, 'one without an owner', secret('m-truss-secrets')],
    [false, 'one of another name', secret('admin', 'Opaque', owner('m'))],
    [
      false,
      'one whose owner does not control it',
      secret('m-truss-secrets', 'Opaque', owner('m', { controller: false })),
    ],
    [
      false,
      'one of another kind',
      secret('m-truss-secrets', 'Opaque', owner('m', { kind: 'ConfigMap', apiVersion: 'v1' })),
    ],
    [
      false,
      'the token of a ServiceAccount',
      secret('m-truss-secrets', 'kubernetes.io/service-account-token', owner('m')),
    ],
    [false, 'a bootstrap token', secret('m-truss-secrets', 'bootstrap.kubernetes.io/token', owner('m'))],
  ])('%s: %s', async (passes, _, body) => {
    const data = JSON.stringify(body).includes('dockerconfigjson') ? { '.dockerconfigjson': 'e30=' } : {};
    const attempt = operator.api.post(`${world.path('secrets')}${DRY}`, { ...body, data });
    if (passes) await attempt;
    else await refused(attempt);
  });
});

describe('Secrets that are there', () => {
  let foreign: KubernetesObject;
  beforeAll(async () => {
    if (!cluster().features.validatingAdmissionPolicy) return;
    foreign = await cluster().api.post(world.path('secrets'), { metadata: { name: 'foreign' }, data: {} });
  });

  it("somebody else's may be neither written, nor taken over, nor deleted", async () => {
    const path = `${world.path('secrets', 'foreign')}${DRY}`;
    await refused(operator.api.patch(path, { data: { x: 'eA==' } }));
    await refused(operator.api.patch(path, { metadata: { ownerReferences: [owner('m')] } }));
    await refused(operator.api.put(path, { ...foreign, data: {} }));
    await refused(operator.api.delete(path));
  });
});

describe('what the operator may change of a workload', () => {
  beforeAll(async () => {
    if (!cluster().features.validatingAdmissionPolicy) return;
    await world.deployment('guarded', {
      containers: [
        { name: 'model', image: 'registry.invalid/model:1', env: [{ name: 'A', value: '1' }] },
        { name: 'side', image: 'registry.invalid/side:1' },
      ],
      initContainers: [{ name: 'init', image: 'registry.invalid/init:1' }],
      volumes: [{ name: 'scratch', emptyDir: {} }],
    });
  });

  const delivered = { secret: { name: 'guarded-truss-secrets', items: [{ key: 'token', path: 'token' }] } };
  const volume = (source: object) => ({ volumes: [{ name: 'truss-secrets', ...source }] });
  const pod = (spec: object): object => ({ spec: { template: { spec } } });

  it.each<[boolean, string, object]>([
    [true, 'nothing', {}],
    [true, 'its volume', pod(volume({ projected: { sources: [delivered] } }))],
    [
      true,
      'a mount',
      pod({ containers: [{ name: 'model', volumeMounts: [{ name: 'scratch', mountPath: '/secrets' }] }] }),
    ],
    [
      true,
      'an environment variable',
      pod({ containers: [{ name: 'model', env: [{ name: 'B', value: 'x' }] }] }),
    ],
    [true, 'its image pull secret', pod({ imagePullSecrets: [{ name: 'guarded-truss-pull' }] })],
    [true, 'its marker', { metadata: { annotations: { 'truss-secrets.dev/model': 'm/u' } } }],
    [
      true,
      'its revision',
      {
        spec: {
          template: { metadata: { annotations: { 'truss-secrets.dev/revision': '0123456789abcdef' } } },
        },
      },
    ],
    [false, 'an image', pod({ containers: [{ name: 'model', image: 'registry.invalid/evil:1' }] })],
    [
      false,
      'the image of an init container',
      pod({ initContainers: [{ name: 'init', image: 'registry.invalid/evil:1' }] }),
    ],
    [false, 'a command', pod({ containers: [{ name: 'model', command: ['sh'] }] })],
    [false, 'a new container', pod({ containers: [{ name: 'evil', image: 'registry.invalid/evil:1' }] })],
    [false, 'one container less', pod({ containers: [{ name: 'side', $patch: 'delete' }] })],
    [
      false,
      'a security context',
      pod({ containers: [{ name: 'model', securityContext: { privileged: true } }] }),
    ],
    [false, 'a ServiceAccount', pod({ serviceAccountName: 'admin' })],
    [false, "the host's network", pod({ hostNetwork: true })],
    [false, "the host's files", pod(volume({ hostPath: { path: '/' } }))],
    [false, 'another Secret', pod(volume({ projected: { sources: [{ secret: { name: 'admin' } }] } }))],
    [
      false,
      'the token of a ServiceAccount',
      pod(volume({ projected: { sources: [delivered, { serviceAccountToken: { path: 't' } }] } })),
    ],
    [false, "a volume of the user's less", pod({ volumes: [{ name: 'scratch', $patch: 'delete' }] })],
    [false, 'another image pull secret', pod({ imagePullSecrets: [{ name: 'admin' }] })],
    [false, 'replicas', { spec: { replicas: 3 } }],
    [false, 'paused', { spec: { paused: true } }],
    [false, 'a label', { metadata: { labels: { x: 'y' } } }],
    [false, 'an owner', { metadata: { ownerReferences: [owner('m')] } }],
    [false, 'a finalizer', { metadata: { finalizers: ['example.com/x'] } }],
    [false, 'another annotation', { metadata: { annotations: { x: 'y' } } }],
    [false, 'a label of the pods', { spec: { template: { metadata: { labels: { x: 'y' } } } } }],
    [
      false,
      'another annotation of the pods',
      { spec: { template: { metadata: { annotations: { x: 'y' } } } } },
    ],
  ])('%s: %s', async (passes, _, patch) => {
    const attempt = operator.api.patch(
      `${world.path('deployments', 'guarded')}${DRY}`,
      patch,
      'strategic-merge-patch',
    );
    if (passes) await attempt;
    else await refused(attempt);
  });

  it('it may create none', async () => {
    const live = await cluster().api.get(world.path('deployments', 'guarded'));
    await refused(
      operator.api.post(`${world.path('deployments')}${DRY}`, { metadata: { name: 'new' }, spec: live.spec }),
    );
  });

  it('of a CronJob as little', async () => {
    const path = `/apis/batch/v1/namespaces/${world.namespace}/cronjobs`;
    const container = { name: 'model', image: 'registry.invalid/model:1' };
    await cluster().api.post(path, {
      metadata: { name: 'nightly' },
      spec: {
        schedule: '0 0 * * *',
        suspend: true,
        jobTemplate: { spec: { template: { spec: { containers: [container], restartPolicy: 'Never' } } } },
      },
    });
    const attempt = (spec: object): Promise<unknown> =>
      operator.api.patch(`${path}/nightly${DRY}`, { spec }, 'strategic-merge-patch');
    const job = (template: object): object => ({ jobTemplate: { spec: { template } } });
    await attempt(job({ spec: volume({ projected: { sources: [delivered] } }) }));
    await refused(attempt({ schedule: '* * * * *' }));
    await refused(attempt({ jobTemplate: { spec: { backoffLimit: 9 } } }));
    await refused(attempt({ jobTemplate: { metadata: { labels: { x: 'y' } } } }));
    await refused(
      attempt(job({ spec: { containers: [{ name: 'model', image: 'registry.invalid/evil:1' }] } })),
    );
  });

  it('it does its work: delivers by file and by variable, rotates, and takes everything out again', async () => {
    await startOperator(operator.kubeconfig, [world.namespace]);
    for (const [name, delivery] of [
      ['by-file', 'Mount'],
      ['by-variable', 'Env'],
    ] as const) {
      await world.deployment(name);
      await world.model(name, { config: declaring('token'), delivery, onChange: 'Restart' });
      await world.ready(name);
    }
    await cluster().api.patch(world.path('secrets', 'org'), {
      data: { token: Buffer.from('rotated').toString('base64') },
    });
    for (const name of ['by-file', 'by-variable']) {
      await eventually(async () =>
        expect((await world.delivered(name))?.['token']?.toString()).toBe('rotated'),
      );
      await world.patchModel(name, { trusted: false });
      await eventually(async () => {
        expect(await world.delivered(name)).toBeUndefined();
        const { volumes, containers } = await world.podSpec(name);
        expect({ volumes, env: containers[0]?.env }).toEqual({});
      });
    }
  });
});
