import { describe, expect, it } from 'vitest';
import { SecretValue } from '../../src/api/secret-value.ts';
import { createCaches } from '../../src/controller/caches.ts';
import { digestOf } from '../../src/controller/digest.ts';
import { Memory } from '../../src/controller/memory.ts';
import { connectWakes } from '../../src/controller/wake.ts';
import type { RawObject } from '../../src/kube/object.ts';

let version = 1;
const metadata = (name: string, more: object = {}): RawObject['metadata'] => ({
  namespace: 'models',
  name,
  uid: `uid-${name}`,
  resourceVersion: String(version++),
  ...more,
});

const modelNamed = (name: string, uid = `uid-${name}`): RawObject => ({
  metadata: metadata(name, { uid, generation: 1 }),
  spec: { trusted: true, config: { inline: '' }, workloads: [{ kind: 'Deployment', name: 'shared' }] },
});

const trustNamed = (name: string): RawObject => ({ metadata: metadata(name), spec: { secrets: ['a'] } });

const REVISION = '0123456789abcdef';

const deliveredFor = (
  model: string,
  uid: string,
  name = `${model}-truss-secrets`,
  { data = {}, revision = REVISION, ...more }: { data?: object; revision?: string; immutable?: boolean } = {},
): RawObject => ({
  metadata: metadata(name, {
    labels: { 'app.kubernetes.io/managed-by': 'truss-secrets' },
    annotations: { 'truss-secrets.dev/revision': revision },
    ownerReferences: [
      {
        apiVersion: 'truss-secrets.dev/v1alpha1',
        kind: 'ModelDeployment',
        name: model,
        uid,
        controller: true,
      },
    ],
  }),
  type: 'Opaque',
  data,
  ...more,
});

async function controllerCaches(requireApproval = false) {
  const discovery = {
    find: async () => undefined,
    serverVersion: async () => ({ major: 1, minor: 20 }),
  };
  const caches = await createCaches(discovery, { requireApproval });
  const memory = new Memory();
  const woken: string[] = [];
  connectWakes(caches, memory, (keys) => woken.push(...keys));
  return { caches, memory, woken };
}

describe('what a change in the cluster wakes', () => {
  it('a ModelTrust wakes the model of its name, and those that want the same workloads', async () => {
    const { caches, woken } = await controllerCaches(true);
    caches.models.set(modelNamed('a'));
    caches.models.set(modelNamed('b'));
    woken.length = 0;
    caches.trusts?.set(trustNamed('a'));
    expect(new Set(woken)).toEqual(new Set(['models/a', 'models/b']));
  });

  it('a ModelTrust that is being deleted is gone, whatever finalizer holds it', async () => {
    const { caches, woken } = await controllerCaches(true);
    caches.trusts?.set(trustNamed('a'));
    woken.length = 0;
    const { spec } = trustNamed('a');
    caches.trusts?.set({
      metadata: metadata('a', { deletionTimestamp: '2026-01-02T03:04:05Z', finalizers: ['x/y'] }),
      spec,
    });
    expect(caches.trusts?.get('models', 'a')).toBeUndefined();
    expect(woken).toContain('models/a');
  });
});

describe('what is remembered of delivered Secrets', () => {
  it("what a model's Secret held when it was deleted, until the model is gone", async () => {
    const { caches, memory } = await controllerCaches();
    caches.models.set(modelNamed('a'));
    caches.delivered.set(deliveredFor('a', 'uid-a'));
    caches.delivered.remove('models/a-truss-secrets');
    expect(memory.lastDelivered('uid-a')?.revision).toBe('0123456789abcdef');
    caches.models.remove('models/a');
    expect(memory.lastDelivered('uid-a')).toBeUndefined();
  });

  it('nothing of one that says it belongs to a model that there is not: nobody would ever forget it', async () => {
    const { caches, memory } = await controllerCaches();
    caches.models.set(modelNamed('a'));
    caches.delivered.set(deliveredFor('a', 'uid-forged'));
    caches.delivered.remove('models/a-truss-secrets');
    expect(memory.lastDelivered('uid-forged')).toBeUndefined();
  });

  it('nothing of another Secret that says it belongs to the model', async () => {
    const { caches, memory } = await controllerCaches();
    caches.models.set(modelNamed('a'));
    caches.delivered.set(deliveredFor('a', 'uid-a', 'forged'));
    caches.delivered.remove('models/forged');
    expect(memory.lastDelivered('uid-a')).toBeUndefined();
  });
});

describe('a delivered Secret that comes back while it is being written', () => {
  const [A, B] = ['YQ==', 'Yg=='];
  const cases: [string, Parameters<typeof deliveredFor>[3], string[]][] = [
    ['as it was sent wakes nobody', { data: { x: A, y: B } }, []],
    ['with another value', { data: { x: A, y: A } }, ['models/m']],
    ['with a key more', { data: { x: A, y: B, z: B } }, ['models/m']],
    ['with a key less', { data: { x: A } }, ['models/m']],
    ['with the value under another key', { data: { x: A, z: B } }, ['models/m']],
    ['with another revision', { data: { x: A, y: B }, revision: 'fedcba9876543210' }, ['models/m']],
    ['immutable', { data: { x: A, y: B }, immutable: true }, ['models/m']],
  ];

  it.each(cases)('%s', async (_how, seen, expected) => {
    const { caches, memory, woken } = await controllerCaches();
    caches.models.set(modelNamed('m'));
    caches.delivered.set(deliveredFor('m', 'uid-m'));
    woken.length = 0;
    const digests = new Map([
      ['y', digestOf(new SecretValue(B))],
      ['x', digestOf(new SecretValue(A))],
    ]);
    memory.expectSecret('uid-m', { revision: REVISION, digests });
    caches.delivered.set(deliveredFor('m', 'uid-m', undefined, seen));
    expect(woken).toEqual(expected);
  });

  it('wakes its model as soon as nothing is being written any more', async () => {
    const { caches, memory, woken } = await controllerCaches();
    caches.models.set(modelNamed('m'));
    woken.length = 0;
    memory.expectSecret('uid-m', { revision: REVISION, digests: new Map() });
    memory.forgetExpectedSecret('uid-m');
    caches.delivered.set(deliveredFor('m', 'uid-m'));
    expect(woken).toEqual(['models/m']);
  });
});
