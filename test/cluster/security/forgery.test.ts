import { beforeAll, describe, expect, it } from 'vitest';
import type { ModelDeploymentStatus } from '../../../src/api/model-deployment.ts';
import type { KubernetesObject } from '../api.ts';
import { cluster, skipUnless } from '../cluster.ts';
import { eventually } from '../eventually.ts';
import { operatorIdentity, startOperator } from '../operator.ts';
import { conditionOf, declaring, newWorld, orUndefined, type World } from '../world.ts';

const OWNER = {
  apiVersion: 'truss-secrets.dev/v1alpha1',
  kind: 'ModelDeployment',
  controller: true,
} as const;
const OURS = { 'app.kubernetes.io/managed-by': 'truss-secrets' };

let world: World;

beforeAll(async () => {
  world = await newWorld();
  const { kubeconfig } = await operatorIdentity([world.namespace]);
  await startOperator(kubeconfig, [world.namespace]);
  await world.storeSecret('org', { token: 'T', other: 'O' });
});

const base64 = (text: string): string => Buffer.from(text).toString('base64');

const secret = (name: string, more: object = {}, metadata: object = {}): Promise<KubernetesObject> =>
  cluster().api.post(world.path('secrets'), {
    metadata: { name, ...metadata },
    type: 'Opaque',
    data: { mine: base64('M') },
    ...more,
  });

const read = (name: string): Promise<KubernetesObject | undefined> =>
  orUndefined(cluster().api.get(world.path('secrets', name)));

const reason = ({ conditions }: ModelDeploymentStatus, type: string): string | undefined =>
  conditionOf(conditions, type)?.reason;

const untrusted = (name: string): Promise<KubernetesObject> =>
  world.model(name, { trusted: false, config: declaring('token'), workloads: [] });

describe("a Secret of the delivered Secret's name that is somebody else's", () => {
  it.each<[string, string, (uid: string) => [object, object]]>([
    ['a plain one', 'plain', () => [{}, {}]],
    ['with our label', 'labelled', () => [{}, { labels: OURS }]],
    [
      'with our label and revision',
      'revised',
      () => [{}, { labels: OURS, annotations: { 'truss-secrets.dev/revision': '0123456789abcdef' } }],
    ],
    [
      'owned by a model of another uid',
      'other-uid',
      () => [
        {},
        { labels: OURS, ownerReferences: [{ ...OWNER, name: 'other-uid', uid: crypto.randomUUID() }] },
      ],
    ],
    [
      'owned by the model, but not controlled by it',
      'no-controller',
      (uid) => [
        {},
        { labels: OURS, ownerReferences: [{ ...OWNER, controller: false, name: 'no-controller', uid }] },
      ],
    ],
    [
      'controlled by another kind of the same uid',
      'other-kind',
      (uid) => [
        {},
        {
          labels: OURS,
          ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', controller: true, name: 'x', uid }],
        },
      ],
    ],
    ['an immutable one', 'immutable', () => [{ immutable: true }, { labels: OURS }]],
    ['of another type', 'typed', () => [{ type: 'example.com/x' }, { labels: OURS }]],
  ])('%s is not touched, not even by a label, and the model says so', async (_, name, forged) => {
    const model = await untrusted(name);
    const [more, metadata] = forged(model.metadata.uid);
    const before = await secret(`${name}-truss-secrets`, more, metadata);
    await world.patchModel(name, { trusted: true });
    await world.status(name, (status) =>
      expect(['Conflict', 'Written']).toContain(reason(status, 'Delivered')),
    );
    const after = await read(`${name}-truss-secrets`);
    // the garbage collector takes what says that it belongs to something that there is not: then it is another one
    if (after?.metadata.uid === before.metadata.uid) expect(after).toEqual(before);
    else expect(before.metadata.ownerReferences).toHaveLength(1);
  });

  it('is left where it is when the model is no longer trusted, and when it is gone', async () => {
    await untrusted('kept');
    const before = await secret('kept-truss-secrets', {}, { labels: OURS });
    await world.patchModel('kept', { trusted: true });
    await world.status('kept', (status) => expect(reason(status, 'Delivered')).toBe('Conflict'));
    await world.patchModel('kept', { trusted: false });
    await world.status('kept', (status) => expect(reason(status, 'Ready')).toBe('Untrusted'));
    await cluster().api.delete(world.path('modeldeployments', 'kept'));
    await world.model('witness', { config: declaring('token'), workloads: [] });
    await world.ready('witness');
    expect(await read('kept-truss-secrets')).toEqual(before);
  });

  it('once it is gone, the model gets its own', async () => {
    await untrusted('freed');
    await secret('freed-truss-secrets');
    await world.patchModel('freed', { trusted: true });
    await world.status('freed', (status) => expect(reason(status, 'Delivered')).toBe('Conflict'));
    await cluster().api.delete(world.path('secrets', 'freed-truss-secrets'));
    await world.ready('freed');
  });
});

describe('a delivered Secret that somebody edits', () => {
  it.each<[string, object]>([
    ['another value', { data: { token: base64('forged') } }],
    ['another key', { data: { extra: base64('E') } }],
    ['no key', { data: { token: null } }],
    ['no label', { metadata: { labels: { 'app.kubernetes.io/managed-by': null } } }],
    ['another manager in the label', { metadata: { labels: { 'app.kubernetes.io/managed-by': 'Helm' } } }],
    [
      'a revision of his own',
      { metadata: { annotations: { 'truss-secrets.dev/revision': 'x'.repeat(1000) } } },
    ],
  ])('%s: it is put back', async (what, patch) => {
    const name = `edited-${what.replaceAll(' ', '-')}`;
    await world.model(name, { config: declaring('token'), workloads: [] });
    await world.ready(name);
    const path = world.path('secrets', `${name}-truss-secrets`);
    await cluster().api.patch(path, patch);
    await eventually(async () => {
      const { data, metadata } = await cluster().api.get(path);
      expect(data).toEqual({ token: base64('T') });
      expect(metadata.labels).toEqual(OURS);
      expect(metadata.annotations?.['truss-secrets.dev/revision']).toMatch(/^[0-9a-f]{16}$/);
    });
  });

  it('made immutable: it is replaced', async () => {
    await world.model('frozen', { config: declaring('token'), workloads: [] });
    await world.ready('frozen');
    await cluster().api.patch(world.path('secrets', 'frozen-truss-secrets'), { immutable: true });
    await cluster().api.patch(world.path('secrets', 'org'), { data: { token: base64('T2') } });
    await eventually(async () =>
      expect(await world.delivered('frozen')).toMatchObject({ token: Buffer.from('T2') }),
    );
    await cluster().api.patch(world.path('secrets', 'org'), { data: { token: base64('T') } });
  });

  it("its owner reference taken away: it is somebody else's from then on", async () => {
    await world.model('orphaned', { config: declaring('token'), workloads: [] });
    await world.ready('orphaned');
    const path = world.path('secrets', 'orphaned-truss-secrets');
    const orphan = await cluster().api.patch(path, { metadata: { ownerReferences: null } });
    await world.status('orphaned', (status) => expect(reason(status, 'Delivered')).toBe('Conflict'));
    expect(await cluster().api.get(path)).toEqual(orphan);
  });

  it('given a second owner, who would keep it when its model is gone: that is taken off', async () => {
    await world.model('shared-owner', { config: declaring('token'), workloads: [] });
    await world.ready('shared-owner');
    const path = world.path('secrets', 'shared-owner-truss-secrets');
    const { metadata } = await cluster().api.get(path);
    const org = await cluster().api.get(world.path('secrets', 'org'));
    const second = { apiVersion: 'v1', kind: 'Secret', name: 'org', uid: org.metadata.uid };
    await cluster().api.patch(path, {
      metadata: { ownerReferences: [...(metadata.ownerReferences ?? []), second] },
    });
    await eventually(async () =>
      expect((await cluster().api.get(path)).metadata.ownerReferences).toEqual(metadata.ownerReferences),
    );
    await cluster().api.delete(world.path('modeldeployments', 'shared-owner'));
    await eventually(async () => expect(await read('shared-owner-truss-secrets')).toBeUndefined());
  });
});

describe('what can be no source of values', () => {
  it.each<[string, object]>([
    ['bootstrap.kubernetes.io/token', {}],
    ['helm.sh/release.v1', {}],
  ])('a Secret of type %s, whoever labels it as a store', async (type) => {
    const store = type.replaceAll(/[^a-z0-9]/g, '-');
    await secret(
      store,
      { type, data: { token: base64('T') } },
      { labels: { 'truss-secrets.dev/store': store } },
    );
    await world.model(store, { config: declaring('token'), stores: [{ name: store }], workloads: [] });
    await world.status(store, ({ secrets }) => expect(secrets).toMatchObject([{ state: 'Missing' }]));
  });

  it('the token of a ServiceAccount', async (ctx) => {
    skipUnless(ctx, 'controllers');
    await secret(
      'sa-token',
      { type: 'kubernetes.io/service-account-token', data: {} },
      {
        labels: { 'truss-secrets.dev/store': 'sa' },
        annotations: { 'kubernetes.io/service-account.name': 'default' },
      },
    );
    await eventually(async () => expect((await read('sa-token'))?.data).toHaveProperty('token'));
    await world.model('sa', { config: declaring('token'), stores: [{ name: 'sa' }], workloads: [] });
    await world.status('sa', ({ secrets }) => expect(secrets).toMatchObject([{ state: 'Missing' }]));
  });

  it('the delivered Secret of a model, or it would keep values alive that nobody shares any more', async () => {
    await world.storeSecret('leaving', { token: 'T' }, { store: 'leaving' });
    const spec = { config: declaring('token'), stores: [{ name: 'leaving' }], workloads: [] };
    await world.model('first', spec);
    await world.ready('first');
    await cluster().api.patch(world.path('secrets', 'first-truss-secrets'), {
      metadata: { labels: { 'truss-secrets.dev/store': 'leaving' } },
    });
    await cluster().api.delete(world.path('secrets', 'leaving'));
    for (const name of ['first', 'second']) {
      if (name === 'second') await world.model(name, spec);
      await world.status(name, ({ secrets }) => expect(secrets).toMatchObject([{ state: 'Missing' }]));
    }
    expect(await world.delivered('first')).toEqual({});
  });
});

describe('what other controllers act on', () => {
  it('is copied neither from the model nor from a source', async () => {
    const metadata = {
      labels: { 'truss-secrets.dev/store': 'annotated', 'app.kubernetes.io/instance': 'argo' },
      annotations: {
        'reflector.v1.k8s.emberstack.com/reflection-auto-enabled': 'true',
        'replicator.v1.mittwald.de/replicate-to': '*',
      },
    };
    await secret('annotated', { data: { token: base64('T') } }, metadata);
    await cluster().api.post(world.path('modeldeployments'), {
      apiVersion: OWNER.apiVersion,
      kind: OWNER.kind,
      metadata: { name: 'annotated', ...metadata },
      spec: { trusted: true, config: declaring('token'), stores: [{ name: 'annotated' }] },
    });
    await world.ready('annotated');
    const delivered = await read('annotated-truss-secrets');
    expect(delivered?.metadata.labels).toEqual(OURS);
    expect(Object.keys(delivered?.metadata.annotations ?? {})).toEqual(['truss-secrets.dev/revision']);
    expect(JSON.stringify(delivered?.metadata.managedFields)).not.toContain('last-applied-configuration');
  });
});

describe('a marker that somebody forged onto a workload', () => {
  const mark = (name: string, marker: string): Promise<unknown> =>
    cluster().api.patch(world.path('deployments', name), {
      metadata: { annotations: { 'truss-secrets.dev/model': marker } },
    });

  it('of a model that is there keeps others out, and gives that model no more than it asks for', async () => {
    const holder = await world.model('holder', { config: declaring('token'), workloads: [] });
    await world.deployment('held');
    await mark('held', `holder/${holder.metadata.uid}`);
    await world.model('held', { config: declaring('token') });
    const status = await world.status('held', ({ workloads }) =>
      expect(workloads).toMatchObject([{ state: 'Conflict' }]),
    );
    expect(status.workloads?.[0]?.message).toContain('holder');
    expect((await world.podSpec('held')).volumes).toBeUndefined();
  });

  it.each([
    ['a model that there is not', 'nobody/11111111-2222-3333-4444-555555555555'],
    ['a model with another uid', 'org/11111111-2222-3333-4444-555555555555'],
    ['nothing that we write', '../../x'],
    ['nothing that we write', '////'],
    ['a name that means something to JavaScript', '__proto__/constructor'],
  ])('of %s (%s) is no obstacle', async (_, marker) => {
    const name = `marked-${Math.abs(Buffer.from(marker).readInt32BE())}-${marker.length}`;
    await world.deployment(name);
    await mark(name, marker);
    await world.model(name, { config: declaring('token') });
    // the API server says that somebody else owns the marker: that is a conflict, and no more
    const status = await world.status(name, ({ workloads }) => expect(workloads?.[0]?.state).toBeDefined());
    expect(['Injected', 'Conflict']).toContain(status.workloads?.[0]?.state);
  });

  it('takes nothing of the user out of his workload', async () => {
    await world.model('taker', { trusted: false, config: declaring('token'), workloads: [] });
    const { metadata } = await cluster().api.get(world.path('modeldeployments', 'taker'));
    await world.deployment('taken', {
      containers: [
        {
          name: 'model',
          image: 'registry.invalid/model:1',
          env: [{ name: 'TRUSS_SECRET_token', value: 'literal' }],
          volumeMounts: [{ name: 'truss-secrets', mountPath: '/secrets' }],
        },
      ],
      volumes: [{ name: 'truss-secrets', emptyDir: {} }],
    });
    const before = await world.podSpec('taken');
    await mark('taken', `taker/${metadata.uid}`);
    await world.model('witness-2', { config: declaring('token'), workloads: [] });
    await world.ready('witness-2');
    await cluster().api.delete(world.path('modeldeployments', 'taker'));
    await world.model('witness-3', { config: declaring('token'), workloads: [] });
    await world.ready('witness-3');
    expect(await world.podSpec('taken')).toEqual(before);
  });
});

describe('names at their limits', () => {
  it.each([239, 240, 253])('a model whose name has %i characters', async (length) => {
    const name = `${'n'.repeat(100)}.${'m'.repeat(length - 101)}`;
    await world.model(name, { config: declaring('token'), workloads: [] });
    if (length <= 239) {
      await world.ready(name);
      expect(await world.delivered(name)).toEqual({ token: Buffer.from('T') });
    } else {
      await world.status(name, ({ conditions }) =>
        expect(conditionOf(conditions, 'Ready')?.status).toBe('False'),
      );
    }
  });
});
