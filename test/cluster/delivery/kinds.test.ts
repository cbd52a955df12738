import { beforeAll, describe, expect, it } from 'vitest';
import { WORKLOAD_KINDS, type WorkloadKind } from '../../../src/api/model-deployment.ts';
import { cluster } from '../cluster.ts';
import { eventually } from '../eventually.ts';
import { operatorIdentity, startOperator } from '../operator.ts';
import { conditionOf, declaring, newWorld, type World } from '../world.ts';
import {
  injectedInto,
  makeWorkload,
  MARKER,
  REVISION,
  templateOf,
  type WorkloadOptions,
  workloadPath,
} from './workloads.ts';

let world: World;

beforeAll(async () => {
  world = await newWorld();
  const { kubeconfig } = await operatorIdentity([world.namespace]);
  await startOperator(kubeconfig, [world.namespace]);
  await world.storeSecret('org', { a: 'A', b: 'B' });
});

const NOTHING = { required: [], optional: [], mounted: [], env: {} };
const image = 'registry.invalid/x:1';
const threeContainers: WorkloadOptions = {
  pod: {
    containers: [
      { name: 'model', image },
      { name: 'side', image },
    ],
    initContainers: [{ name: 'fetch', image }],
  },
};

describe.each(WORKLOAD_KINDS)('%s', (kind) => {
  const nameFor = (what: string): string => `${kind.toLowerCase()}-${what}`;
  const workload = (name: string, more: object = {}) => ({ workloads: [{ kind, name, ...more }] });

  it('gets the volume at /secrets in its first container, and gives it back', async () => {
    const name = nameFor('mount');
    const before = await makeWorkload(world, kind, name);
    await world.model(name, { config: declaring('a', 'b'), ...workload(name) });
    await world.ready(name);
    const template = await templateOf(world, kind, name);
    expect(injectedInto(template)).toEqual({
      required: ['a', 'b'],
      optional: [],
      mounted: ['model'],
      env: {},
    });
    const volume = template.spec.volumes?.find(({ name: is }) => is === 'truss-secrets');
    expect(volume?.projected?.defaultMode).toBe(0o444);
    expect(template.spec.containers[0]?.volumeMounts).toContainEqual({
      name: 'truss-secrets',
      mountPath: '/secrets',
      readOnly: true,
    });
    const { metadata } = await cluster().api.get(workloadPath(world, kind, name));
    expect(metadata.annotations?.[MARKER]).toMatch(new RegExp(`^${name}/[-0-9a-f]+$`));

    await world.patchModel(name, { trusted: false });
    await eventually(async () => {
      const after = await cluster().api.get(workloadPath(world, kind, name));
      expect(after.spec).toEqual(before.spec);
      expect(after.metadata.annotations?.[MARKER]).toBe(undefined);
    });
    expect(await world.delivered(name)).toBe(undefined);
  });

  it('gets environment variables, with a revision to roll by where its pods live on', async () => {
    const name = nameFor('env');
    await makeWorkload(world, kind, name);
    const overrides = [{ name: 'b', env: ['PLAIN_B'] }];
    await world.model(name, { config: declaring('a', 'b'), delivery: 'Env', overrides, ...workload(name) });
    await world.ready(name);
    const template = await templateOf(world, kind, name);
    expect(injectedInto(template)).toEqual({
      ...NOTHING,
      env: { model: ['TRUSS_SECRET_a', 'TRUSS_SECRET_b', 'PLAIN_B'] },
    });
    const secret = await cluster().api.get(world.path('secrets', `${name}-truss-secrets`));
    const revision = secret.metadata.annotations?.[REVISION];
    expect(revision).toMatch(/^[0-9a-f]{16}$/);
    expect(template.metadata.annotations?.[REVISION]).toBe(kind === 'CronJob' ? undefined : revision);
  });

  it.each<[string, WorkloadOptions, object, readonly string[]]>([
    ['by default the first one', threeContainers, {}, ['model']],
    [
      "the one that kubectl's annotation names",
      { ...threeContainers, annotations: { 'kubectl.kubernetes.io/default-container': 'side' } },
      {},
      ['side'],
    ],
    [
      'those that the spec names, init containers too',
      threeContainers,
      { containers: ['fetch', 'side'] },
      ['fetch', 'side'],
    ],
    ['all of them', threeContainers, { containers: ['*'] }, ['fetch', 'model', 'side']],
  ])('containers: %s', async (what, options, ref, mounted) => {
    const name = nameFor(`of-${what.replaceAll(/[^a-z]+/g, '-').slice(0, 30)}x`);
    await makeWorkload(world, kind, name, options);
    await world.model(name, { config: declaring('a'), ...workload(name, ref) });
    await world.ready(name);
    expect(injectedInto(await templateOf(world, kind, name)).mounted).toEqual(mounted);
  });
});

describe('the list of workloads', () => {
  it('several of one model, of several kinds, all get the same; one that is dropped is left as it was found', async () => {
    const workloads = WORKLOAD_KINDS.map((kind) => ({ kind, name: 'several' }));
    const before = new Map<WorkloadKind, unknown>();
    for (const { kind, name } of workloads) before.set(kind, (await makeWorkload(world, kind, name)).spec);
    await world.model('several', { config: declaring('a'), workloads });
    const status = await world.ready('several');
    expect(status.workloads?.map(({ kind, state }) => `${kind} ${state}`)).toEqual(
      WORKLOAD_KINDS.map((kind) => `${kind} Injected`),
    );
    expect(conditionOf(status.conditions, 'Injected')?.message).toBe('4 workloads have the secrets');

    await world.patchModel('several', { workloads: workloads.slice(0, 1) });
    for (const { kind, name } of workloads.slice(1)) {
      await eventually(async () => {
        const { spec } = await cluster().api.get(workloadPath(world, kind, name));
        expect(spec).toEqual(before.get(kind));
      });
    }
    expect(injectedInto(await templateOf(world, 'Deployment', 'several')).mounted).toEqual(['model']);
    await world.status('several', ({ workloads: left }) => expect(left).toHaveLength(1));
  });

  it('a container that is not there is a conflict that names those that are; it is injected once it is', async () => {
    await makeWorkload(world, 'Deployment', 'container', threeContainers);
    const workloads = [{ kind: 'Deployment', name: 'container', containers: ['model', 'gone'] }];
    await world.model('container', { config: declaring('a'), workloads });
    const { workloads: [entry] = [] } = await world.status('container', ({ workloads: found }) =>
      expect(found?.[0]?.state).toBe('Conflict'),
    );
    expect(entry?.message).toBe('no container gone; the pod template has model, side, fetch');
    expect(injectedInto(await templateOf(world, 'Deployment', 'container'))).toEqual(NOTHING);

    const spec = { template: { spec: { containers: [{ name: 'gone', image }] } } };
    await cluster().api.patch(
      workloadPath(world, 'Deployment', 'container'),
      { spec },
      'strategic-merge-patch',
    );
    await world.ready('container');
    expect(injectedInto(await templateOf(world, 'Deployment', 'container')).mounted.toSorted()).toEqual([
      'gone',
      'model',
    ]);
  });

  it('a kind that is not supported is refused by the API server', async () => {
    const workloads = [{ kind: 'ReplicaSet', name: 'x' }];
    await expect(world.model('kind', { config: declaring('a'), workloads })).rejects.toThrow(
      /Unsupported value/,
    );
  });

  it('a workload that is not there is waited for, and one of another kind is not taken for it', async () => {
    await makeWorkload(world, 'StatefulSet', 'later');
    await world.model('later', { config: declaring('a') });
    const { conditions } = await world.status('later', ({ workloads }) =>
      expect(workloads?.[0]?.state).toBe('Waiting'),
    );
    expect(conditionOf(conditions, 'Injected')).toMatchObject({ status: 'False', reason: 'WorkloadMissing' });
    await makeWorkload(world, 'Deployment', 'later');
    await world.ready('later');
    expect(injectedInto(await templateOf(world, 'StatefulSet', 'later'))).toEqual(NOTHING);
  });
});

describe('two models on one workload', () => {
  const shared = { workloads: [{ kind: 'Deployment', name: 'shared' }] };

  it('the older one has it, the other says who; it gets it when the first lets go', async () => {
    await makeWorkload(world, 'Deployment', 'shared');
    await world.model('first', { config: declaring('a'), ...shared });
    await world.ready('first');
    await world.model('second', { config: declaring('b'), ...shared });
    const { workloads: [entry] = [] } = await world.status('second', ({ workloads }) =>
      expect(workloads?.[0]?.state).toBe('Conflict'),
    );
    expect(entry?.message).toContain('belongs to ModelDeployment first');
    expect(injectedInto(await templateOf(world, 'Deployment', 'shared')).required).toEqual(['a']);

    // what the second one does, also undoing, does not touch what is the first one's
    await world.patchModel('second', { trusted: false });
    await world.status('second', ({ conditions }) =>
      expect(conditionOf(conditions, 'Trusted')?.status).toBe('False'),
    );
    expect(injectedInto(await templateOf(world, 'Deployment', 'shared')).required).toEqual(['a']);
    await world.patchModel('second', { trusted: true });

    await world.patchModel('first', { workloads: [] });
    await world.ready('second');
    expect(injectedInto(await templateOf(world, 'Deployment', 'shared')).required).toEqual(['b']);
    const { metadata } = await cluster().api.get(workloadPath(world, 'Deployment', 'shared'));
    expect(metadata.annotations?.[MARKER]).toMatch(/^second\//);
    expect(await world.ready('first')).toMatchObject({ summary: '1/1' });
  });
});
