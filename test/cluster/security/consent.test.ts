import { beforeAll, describe, expect, it } from 'vitest';
import type { ModelDeploymentStatus } from '../../../src/api/model-deployment.ts';
import type { KubernetesObject } from '../api.ts';
import { cluster, namespace, skipUnless } from '../cluster.ts';
import { eventually } from '../eventually.ts';
import { operatorIdentity, startOperator } from '../operator.ts';
import { conditionOf, declaring, newWorld, orUndefined, type World, worldIn } from '../world.ts';

const SHARE = 'truss-secrets.dev/share-with';

/** The attacker's namespace, and the one that holds what he wants. */
let world: World;
let org: World;

beforeAll(async () => {
  [world, org] = await Promise.all([newWorld(), newWorld()]);
  const { kubeconfig } = await operatorIdentity([world.namespace, org.namespace]);
  await startOperator(kubeconfig, [world.namespace, org.namespace]);
});

/** Each case has a store of its own, so that one does not see the Secrets of another. */
let stores = 0;
const newStore = (): string => `store-${++stores}`;

const wanting = (store: string, more: object = {}): object => ({
  config: declaring('token'),
  stores: [{ name: store, namespace: org.namespace }],
  workloads: [],
  ...more,
});

const texts = async (model: string): Promise<Record<string, string> | undefined> => {
  const data = await world.delivered(model);
  return data && Object.fromEntries(Object.entries(data).map(([key, value]) => [key, value.toString()]));
};

const stateOf = ({ secrets }: ModelDeploymentStatus, name = 'token'): string | undefined =>
  secrets?.find((secret) => secret.name === name)?.state;

const reaches = (model: string, state: string, name?: string): Promise<ModelDeploymentStatus> =>
  world.status(model, (status) => expect(stateOf(status, name)).toBe(state));

const annotate = (name: string, share: string | null): Promise<unknown> =>
  cluster().api.patch(org.path('secrets', name), { metadata: { annotations: { [SHARE]: share } } });

describe('a value comes from another namespace only if its owner shares it', () => {
  it.each<[string, (own: string, model: string) => string | undefined, boolean]>([
    ['without the annotation', () => undefined, false],
    ['with an empty annotation', () => '', false],
    ['with the namespace', (own) => own, true],
    ['with the namespace and the model', (own, model) => `${own}/${model}`, true],
    ['with another model', (own) => `${own}/other`, false],
    ['with another namespace', () => 'other', false],
    ['with a prefix of the namespace', (own) => own.slice(0, -1), false],
    ['with a suffix of the namespace', (own) => own.slice(1), false],
    ['with a longer name', (own) => `${own}-x`, false],
    ['in capitals', (own) => own.toUpperCase(), false],
    ['with a pattern of regular expressions', (own) => `.*, ^${own}$, ${own}|x, [a-z-0-9]+`, false],
    ['with a wildcard', (own) => `${own.slice(0, 8)}*/*`, true],
    ['with another uid of the namespace', (own) => `${own}@11111111-2222-3333-4444-555555555555`, false],
    ['with a malformed entry', (own) => `${own}/a/b, ${own}@, @${own}, ${own}/`, false],
    ['with a malformed entry and a right one', (own) => `//, ${own}`, true],
  ])('%s', async (_, share, given) => {
    const store = newStore();
    const model = `m-${store}`;
    const text = share(world.namespace, model);
    await org.storeSecret(
      store,
      { token: 'T' },
      { store, ...(text === undefined ? {} : { annotations: { [SHARE]: text } }) },
    );
    await world.model(model, wanting(store));
    await reaches(model, given ? 'Delivered' : 'Missing');
    expect(await texts(model)).toEqual(given ? { token: 'T' } : {});
  });

  it('with the uid of the namespace', async () => {
    const { metadata } = await cluster().api.get(`/api/v1/namespaces/${world.namespace}`);
    await org.storeSecret(
      'pinned',
      { token: 'T' },
      {
        store: 'pinned',
        annotations: { [SHARE]: `${world.namespace}@${metadata.uid}` },
      },
    );
    await world.model('pinned', wanting('pinned'));
    await reaches('pinned', 'Delivered');
  });

  it('nothing that is in the own namespace is a consent: neither a Secret there that says so, nor labels of the namespace', async () => {
    await org.storeSecret('unshared', { token: 'T' }, { store: 'unshared' });
    await world.storeSecret(
      'forged',
      { other: 'x' },
      {
        store: 'unshared',
        annotations: { [SHARE]: `${org.namespace}, ${world.namespace}` },
      },
    );
    await cluster().api.patch(`/api/v1/namespaces/${world.namespace}`, {
      metadata: { labels: { 'truss-secrets.dev/store': 'unshared' }, annotations: { [SHARE]: '*' } },
    });
    await world.model('forged', wanting('unshared'));
    await reaches('forged', 'Missing');
  });
});

describe('consent that is withdrawn takes the value out, and leaves the rest', () => {
  const shared = async (name: string): Promise<void> => {
    const annotations = { [SHARE]: world.namespace };
    await org.storeSecret(`${name}-one`, { token: 'T' }, { store: name, annotations });
    await org.storeSecret(`${name}-two`, { other: 'O' }, { store: name, annotations });
    await world.model(name, wanting(name, { config: declaring('token', 'other') }));
    await reaches(name, 'Delivered');
    expect(await texts(name)).toEqual({ token: 'T', other: 'O' });
  };

  it.each<[string, (name: string) => Promise<unknown>]>([
    ['the annotation names others', (name) => annotate(`${name}-one`, 'others')],
    ['the annotation is removed', (name) => annotate(`${name}-one`, null)],
    [
      'the store label is removed',
      (name) =>
        cluster().api.patch(org.path('secrets', `${name}-one`), {
          metadata: { labels: { 'truss-secrets.dev/store': null } },
        }),
    ],
    [
      'the store label names another store',
      (name) =>
        cluster().api.patch(org.path('secrets', `${name}-one`), {
          metadata: { labels: { 'truss-secrets.dev/store': 'another' } },
        }),
    ],
    [
      'the key is removed',
      (name) => cluster().api.patch(org.path('secrets', `${name}-one`), { data: { token: null } }),
    ],
    ['the Secret is deleted', (name) => cluster().api.delete(org.path('secrets', `${name}-one`))],
  ])('when %s', async (_, withdraw) => {
    const name = newStore();
    await shared(name);
    await withdraw(name);
    const status = await reaches(name, 'Missing');
    expect(stateOf(status, 'other')).toBe('Delivered');
    expect(await texts(name)).toEqual({ other: 'O' });
  });

  it('also while config.yaml cannot be read', async () => {
    await shared('unreadable');
    await world.patchModel('unreadable', { config: { inline: 'secrets: [' } });
    await world.status('unreadable', ({ conditions }) =>
      expect(conditionOf(conditions, 'ConfigValid')?.reason).toBe('ConfigMalformed'),
    );
    expect(await texts('unreadable')).toEqual({ token: 'T', other: 'O' });
    await annotate('unreadable-one', null);
    await reaches('unreadable', 'Missing');
    expect(await texts('unreadable')).toEqual({ other: 'O' });
  });

  it('also while somebody keeps the model from going away by a finalizer', async () => {
    await shared('kept');
    const path = world.path('modeldeployments', 'kept');
    await cluster().api.patch(path, { metadata: { finalizers: ['example.com/keep'] } });
    await cluster().api.delete(path);
    await eventually(async () => expect(await world.delivered('kept')).toBeUndefined());
    expect(await orUndefined(cluster().api.get(path))).toHaveProperty('metadata.deletionTimestamp');
    await cluster().api.patch(path, { metadata: { finalizers: null } });
  });
});

describe('a namespace that was deleted and made again', () => {
  it('inherits what is shared with its name, and not what is shared with its uid', async (ctx) => {
    skipUnless(ctx, 'controllers');
    const api = cluster().api;
    const owner = await newWorld();
    const again = worldIn(await namespace());
    const { metadata } = await api.get(`/api/v1/namespaces/${again.namespace}`);
    const { kubeconfig } = await operatorIdentity([again.namespace, owner.namespace]);
    const operator = await startOperator(kubeconfig, [again.namespace, owner.namespace]);
    const pinned = `${again.namespace}@${metadata.uid}`;
    await owner.storeSecret('by-uid', { token: 'T' }, { store: 'reborn', annotations: { [SHARE]: pinned } });
    await owner.storeSecret(
      'by-name',
      { other: 'O' },
      { store: 'reborn', annotations: { [SHARE]: again.namespace } },
    );
    const model = {
      ...wanting('reborn'),
      stores: [{ name: 'reborn', namespace: owner.namespace }],
      config: declaring('token', 'other'),
    };
    await again.model('reborn', model);
    await again.ready('reborn');
    await operator.stop();

    await api.delete(`/api/v1/namespaces/${again.namespace}`);
    await eventually(
      async () => {
        if (await orUndefined(api.get(`/api/v1/namespaces/${again.namespace}`)))
          throw new Error('still there');
      },
      { within: 60_000 },
    );
    await api.post('/api/v1/namespaces', { metadata: { name: again.namespace } });
    const second = await operatorIdentity([again.namespace, owner.namespace]);
    await startOperator(second.kubeconfig, [again.namespace, owner.namespace]);
    await again.model('reborn', model);
    const status = await again.status('reborn', (found) => expect(stateOf(found, 'other')).toBe('Delivered'));
    expect(stateOf(status)).toBe('Missing');
  });
});

describe('a store that cannot be read is unknown, not empty', () => {
  it('what was delivered from it stays when the operator comes back without the right, and it says so', async () => {
    const [mine, theirs] = await Promise.all([newWorld(), newWorld()]);
    await theirs.storeSecret('far', { token: 'T' }, { annotations: { [SHARE]: mine.namespace } });
    await mine.storeSecret('near', { own: 'N' });
    const spec = {
      config: declaring('token', 'own'),
      stores: [{ name: 'default' }, { name: 'far', namespace: theirs.namespace }],
      overrides: [{ name: 'token', from: { store: 'far', key: 'token' } }],
    };
    await cluster().api.patch(theirs.path('secrets', 'far'), {
      metadata: { labels: { 'truss-secrets.dev/store': 'far' } },
    });
    await mine.deployment('model');
    await mine.model('model', spec);
    const both = await operatorIdentity([mine.namespace, theirs.namespace]);
    const first = await startOperator(both.kubeconfig, [mine.namespace, theirs.namespace]);
    await mine.ready('model');
    await first.stop();

    const one = await operatorIdentity([mine.namespace]);
    await startOperator(one.kubeconfig, [mine.namespace, theirs.namespace]);
    const status = await mine.status('model', ({ conditions }) =>
      expect(conditionOf(conditions, 'SecretsResolved')).toMatchObject({
        status: 'Unknown',
        reason: 'StoreUnreadable',
      }),
    );
    expect(conditionOf(status.conditions, 'SecretsResolved')?.message).toContain(theirs.namespace);
    expect(Object.keys((await mine.delivered('model')) ?? {}).sort()).toEqual(['own', 'token']);
    // what can be read goes on being followed
    await cluster().api.patch(mine.path('secrets', 'near'), {
      data: { own: Buffer.from('rotated').toString('base64') },
    });
    await eventually(async () =>
      expect((await mine.delivered('model'))?.['own']?.toString()).toBe('rotated'),
    );
  });
});

describe('the owner of a source Secret', () => {
  const eventsOn = async (
    secret: string,
  ): Promise<readonly { reason: string; message: string; count: number }[]> => {
    const selector = `?fieldSelector=involvedObject.name%3D${secret}%2CinvolvedObject.kind%3DSecret`;
    const { items } = await cluster().api.get<{
      items: (KubernetesObject & { reason: string; message: string; count: number })[];
    }>(`${org.path('events')}${selector}`);
    return items;
  };

  it('is told by an event on it which entries cannot be read, once', async () => {
    await org.storeSecret(
      'typo',
      { token: 'canary-of-typo' },
      {
        store: 'typo',
        annotations: { [SHARE]: `${world.namespace}/a/b, UPPER` },
      },
    );
    const [event] = await eventually(async () => {
      const found = await eventsOn('typo');
      expect(found).toHaveLength(1);
      return found;
    });
    expect(event).toMatchObject({ reason: 'ShareWithMalformed', count: 1 });
    expect(event?.message).toContain('"UPPER"');
    // a change of something else does not say it again
    await cluster().api.patch(org.path('secrets', 'typo'), { data: { another: 'eA==' } });
    await world.model('typo', wanting('typo', { config: declaring('another') }));
    await reaches('typo', 'Missing', 'another');
    expect(await eventsOn('typo')).toMatchObject([{ count: 1 }]);
  });
});
