import { beforeAll, describe, expect, it } from 'vitest';
import { cluster } from '../cluster.ts';
import { eventually } from '../eventually.ts';
import { operatorIdentity, startOperator } from '../operator.ts';
import { conditionOf, declaring, newWorld, type World } from '../world.ts';
import { observedWay } from './observed.ts';
import { injectedInto, makeWorkload, REVISION, templateOf, workloadPath } from './workloads.ts';

let world: World;

beforeAll(async () => {
  world = await newWorld();
  const { kubeconfig } = await operatorIdentity([world.namespace]);
  await startOperator(kubeconfig, [world.namespace]);
  await world.storeSecret('org', { a: 'A', b: 'B' });
});

const secretPath = (model: string): string => world.path('secrets', `${model}-truss-secrets`);
const texts = async (model: string): Promise<Record<string, string> | undefined> => {
  const found = await world.delivered(model);
  return found && Object.fromEntries(Object.entries(found).map(([key, value]) => [key, value.toString()]));
};
const contents = (model: string, values: Record<string, string> | undefined): Promise<void> =>
  eventually(async () => expect(await texts(model)).toEqual(values));

async function started(name: string, spec: object = {}): Promise<void> {
  await makeWorkload(world, 'Deployment', name);
  await world.model(name, { config: declaring('a', 'b'), ...spec });
  await world.ready(name);
}

describe('the delivered Secret', () => {
  it('is Opaque, ours by its owner, and has nothing of the labels and annotations of others', async () => {
    await world.storeSecret(
      'rich',
      { c: 'C' },
      {
        store: 'rich',
        labels: { team: 'x', 'app.kubernetes.io/part-of': 'y' },
        annotations: { 'reflector/allowed': 'true' },
      },
    );
    await makeWorkload(world, 'Deployment', 'plain');
    const { metadata: owner } = await cluster().api.post(world.path('modeldeployments'), {
      apiVersion: 'truss-secrets.dev/v1alpha1',
      kind: 'ModelDeployment',
      metadata: { name: 'plain', labels: { app: 'model' }, annotations: { note: 'mine' } },
      spec: { trusted: true, config: declaring('c'), stores: [{ name: 'rich' }] },
    });
    await world.ready('plain');
    const { type, metadata, data } = await cluster().api.get(secretPath('plain'));
    expect({ type, data }).toEqual({ type: 'Opaque', data: { c: Buffer.from('C').toString('base64') } });
    expect(metadata.labels).toEqual({ 'app.kubernetes.io/managed-by': 'truss-secrets' });
    expect(Object.keys(metadata.annotations ?? {})).toEqual([REVISION]);
    expect(metadata.ownerReferences).toEqual([
      {
        apiVersion: 'truss-secrets.dev/v1alpha1',
        kind: 'ModelDeployment',
        name: 'plain',
        uid: owner.uid,
        controller: true,
      },
    ]);
  });

  it.each<[string, object]>([
    ['a changed value', { stringData: { a: 'edited' } }],
    ['a key too many', { stringData: { extra: 'x' } }],
    ['a key taken out', { data: { a: null } }],
    ['its label taken away', { metadata: { labels: { 'app.kubernetes.io/managed-by': null } } }],
    ['its revision taken away', { metadata: { annotations: { [REVISION]: null } } }],
    ['its revision forged', { metadata: { annotations: { [REVISION]: 'x'.repeat(10_000) } } }],
    ['made immutable', { immutable: true }],
    ['made immutable with another value', { immutable: true, stringData: { a: 'edited' } }],
  ])('is put right after %s', async (what, patch) => {
    const name = what.replaceAll(/[^a-z]+/g, '-');
    await started(name);
    const before = await cluster().api.get(secretPath(name));
    await cluster().api.patch(secretPath(name), patch);
    await eventually(async () => {
      const after = await cluster().api.get<typeof before & { immutable?: boolean }>(secretPath(name));
      expect(after.metadata.resourceVersion).not.toBe(before.metadata.resourceVersion);
      expect({
        data: after.data,
        labels: after.metadata.labels,
        immutable: after.immutable ?? false,
      }).toEqual({
        data: before.data,
        labels: before.metadata.labels,
        immutable: false,
      });
      expect(after.metadata.annotations?.[REVISION]).toMatch(/^[0-9a-f]{16}$/);
    });
    await world.ready(name);
  });

  it('of another type is made anew, as long as it is ours', async () => {
    const own = await newWorld();
    const { kubeconfig } = await operatorIdentity([own.namespace]);
    const operator = await startOperator(kubeconfig, [own.namespace]);
    await own.storeSecret('org', { a: 'A' });
    await own.model('retyped', { config: declaring('a'), workloads: [] });
    await own.ready('retyped');
    await operator.kill();
    const path = own.path('secrets', 'retyped-truss-secrets');
    const { metadata } = await cluster().api.get(path);
    await cluster().api.delete(path);
    const { ownerReferences, labels, name } = metadata;
    await cluster().api.post(own.path('secrets'), {
      metadata: { name, labels, ownerReferences },
      type: 'example.com/other',
    });
    await startOperator(kubeconfig, [own.namespace]);
    await eventually(async () =>
      expect(await cluster().api.get(path)).toMatchObject({ type: 'Opaque', data: { a: 'QQ==' } }),
    );
  });

  it('keeps labels, annotations and finalizers that others add, which never cause a write', async () => {
    await started('added');
    const { metadata } = await cluster().api.patch(secretPath('added'), {
      metadata: { labels: { team: 'x' }, annotations: { note: 'y' } },
    });
    // proof that nothing happens: an edit of ours is put right within half a second
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    expect((await cluster().api.get(secretPath('added'))).metadata.resourceVersion).toBe(
      metadata.resourceVersion,
    );
    await world.patchModel('added', { config: declaring('a') });
    await contents('added', { a: 'A' });
    expect((await cluster().api.get(secretPath('added'))).metadata).toMatchObject({
      labels: { team: 'x' },
      annotations: { note: 'y' },
    });
  });

  it('put back after it was deleted has the same revision, so that no pod restarts for it', async () => {
    await started('deleted', { delivery: 'Env' });
    const { metadata } = await cluster().api.get(workloadPath(world, 'Deployment', 'deleted'));
    await cluster().api.delete(secretPath('deleted'));
    await contents('deleted', { a: 'A', b: 'B' });
    await world.ready('deleted');
    const after = await cluster().api.get(workloadPath(world, 'Deployment', 'deleted'));
    expect(after.metadata.generation).toBe(metadata.generation);
  });

  it('that belongs to somebody else is not touched, not even by a label; when it goes, ours comes', async () => {
    const name = 'foreign-truss-secrets';
    const before = await cluster().api.post(world.path('secrets'), {
      metadata: { name },
      stringData: { a: 'his' },
    });
    await makeWorkload(world, 'Deployment', 'foreign');
    await world.model('foreign', { config: declaring('a') });
    const { conditions } = await world.status('foreign', (status) =>
      expect(conditionOf(status.conditions, 'Delivered')).toMatchObject({
        status: 'False',
        reason: 'Conflict',
      }),
    );
    expect(conditionOf(conditions, 'Ready')?.message).toContain(
      `Secret ${name} exists and does not belong to this model`,
    );
    expect(injectedInto(await templateOf(world, 'Deployment', 'foreign')).required).toEqual([]);
    expect((await cluster().api.get(secretPath('foreign'))).metadata).toEqual(before.metadata);
    await cluster().api.delete(secretPath('foreign'));
    await eventually(async () => expect(await texts('foreign')).toEqual({ a: 'A' }), { within: 40_000 });
    await world.ready('foreign');
  });

  it('with our label and a forged owner is still somebody else`s', async () => {
    const name = 'forged-truss-secrets';
    await cluster().api.post(world.path('secrets'), {
      metadata: {
        name,
        labels: { 'app.kubernetes.io/managed-by': 'truss-secrets' },
        annotations: { [REVISION]: '0123456789abcdef' },
      },
      stringData: { a: 'his' },
    });
    await makeWorkload(world, 'Deployment', 'forged');
    await world.model('forged', { config: declaring('a') });
    await world.status('forged', (status) =>
      expect(conditionOf(status.conditions, 'Delivered')?.reason).toBe('Conflict'),
    );
    expect(await texts('forged')).toEqual({ a: 'his' });
  });
});

describe('somebody who keeps editing the delivered Secret', () => {
  it('is answered at once a few times, then once in ten minutes, and the condition names him', async () => {
    const own = await newWorld();
    const way = await observedWay([own.namespace]);
    await startOperator(way.kubeconfig, [own.namespace]);
    await own.storeSecret('org', { a: 'A' });
    await makeWorkload(own, 'Deployment', 'fought');
    await own.model('fought', { config: declaring('a'), delivery: 'Env' });
    await own.ready('fought');
    const path = own.path('secrets', 'fought-truss-secrets');
    const before = way.writes(/secrets\/fought/);
    for (let n = 0; n < 15; n++) {
      await cluster().api.patch(`${path}?fieldManager=reflector`, { stringData: { a: `edit ${n}` } });
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
    const { conditions } = await own.status('fought', (status) =>
      expect(conditionOf(status.conditions, 'Delivered')).toMatchObject({
        status: 'False',
        reason: 'Reverted',
      }),
    );
    expect(conditionOf(conditions, 'Ready')?.message).toContain(
      'field manager reflector keeps changing Secret fought-truss-secrets',
    );
    expect(way.writes(/secrets\/fought/) - before).toBe(5);
    // what comes from the store is written at once all the same
    await cluster().api.patch(own.path('secrets', 'org'), { stringData: { a: 'A2' } });
    await eventually(async () => expect((await own.delivered('fought'))?.['a']?.toString()).toBe('A2'));
    await own.ready('fought');
  });
});

describe('what is taken away leaves the delivered Secret in the next write', () => {
  it('consent withdrawn', async () => {
    const other = await newWorld();
    const both = await newWorld();
    const { kubeconfig } = await operatorIdentity([other.namespace, both.namespace]);
    await startOperator(kubeconfig, [other.namespace, both.namespace]);
    const annotations = { 'truss-secrets.dev/share-with': `${both.namespace}/reader` };
    await other.storeSecret('shared', { a: 'A' }, { annotations });
    await other.storeSecret('always', { b: 'B' }, { annotations });
    await makeWorkload(both, 'Deployment', 'reader');
    const stores = [{ name: 'default', namespace: other.namespace }];
    await both.model('reader', { config: declaring('a', 'b'), stores });
    await both.ready('reader');
    const values = async (): Promise<readonly string[]> =>
      Object.keys((await both.delivered('reader')) ?? {}).sort();
    expect(await values()).toEqual(['a', 'b']);
    await cluster().api.patch(other.path('secrets', 'shared'), {
      metadata: { annotations: { 'truss-secrets.dev/share-with': 'elsewhere' } },
    });
    await eventually(async () => expect(await values()).toEqual(['b']));
    await both.status('reader', ({ secrets }) =>
      expect(secrets?.[0]).toMatchObject({ name: 'a', state: 'Missing' }),
    );
    await cluster().api.patch(other.path('secrets', 'always'), {
      metadata: { labels: { 'truss-secrets.dev/store': null } },
    });
    await eventually(async () => expect(await values()).toEqual([]));
  });

  it('trust withdrawn: the Secret first, then the template', async () => {
    await started('untrusted', { delivery: 'Env' });
    await world.patchModel('untrusted', { trusted: false });
    await contents('untrusted', undefined);
    await eventually(async () =>
      expect(injectedInto(await templateOf(world, 'Deployment', 'untrusted')).env).toEqual({}),
    );
    const status = await world.status('untrusted', ({ conditions }) =>
      expect(conditionOf(conditions, 'Trusted')).toMatchObject({ status: 'False', reason: 'Untrusted' }),
    );
    expect(status).toMatchObject({ summary: '0/2', workloads: [] });
    expect(conditionOf(status.conditions, 'Stalled')).toBe(undefined);
    await eventually(async () =>
      expect((await world.events('untrusted')).map(({ reason }) => reason)).toContain('Untrusted'),
    );
    await world.patchModel('untrusted', { trusted: true });
    await world.ready('untrusted');
    await contents('untrusted', { a: 'A', b: 'B' });
  });
});
