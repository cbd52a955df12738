import { beforeAll, describe, expect, it } from 'vitest';
import { cluster } from '../cluster.ts';
import { eventually } from '../eventually.ts';
import { operatorIdentity, startOperator } from '../operator.ts';
import { declaring, newWorld, type World } from '../world.ts';
import { makeWorkload, REVISION, templateOf, workloadPath } from './workloads.ts';

let world: World;
let kubeconfig: string;

beforeAll(async () => {
  world = await newWorld();
  ({ kubeconfig } = await operatorIdentity([world.namespace]));
  await startOperator(kubeconfig, [world.namespace]);
});

const generation = async (name: string): Promise<number | undefined> =>
  (await cluster().api.get(workloadPath(world, 'Deployment', name))).metadata.generation;
const revision = async (name: string): Promise<string | undefined> =>
  (await templateOf(world, 'Deployment', name)).metadata.annotations?.[REVISION];
const store = (name: string, values: Record<string, string>): Promise<unknown> =>
  cluster().api.patch(world.path('secrets', name), { stringData: values });
const deliveredIs = (name: string, values: Record<string, string>): Promise<void> =>
  eventually(async () => {
    const found = Object.entries((await world.delivered(name)) ?? {}).map(([key, value]) => [
      key,
      value.toString(),
    ]);
    expect(Object.fromEntries(found)).toEqual(values);
  });
/** Proof that nothing happens: a change reaches a template within half a second. */
const aWhile = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 2_000));

async function started(name: string, values: Record<string, string>, spec: object): Promise<void> {
  await world.storeSecret(name, values, { store: name });
  await makeWorkload(world, 'Deployment', name);
  await world.model(name, { stores: [{ name }], ...spec });
  await world.ready(name);
}

describe('a changed value', () => {
  it('Mount: reaches the delivered Secret, and the workload is not written', async () => {
    await started('mount', { m: '1' }, { config: declaring('m') });
    const before = await cluster().api.get(workloadPath(world, 'Deployment', 'mount'));
    await store('mount', { m: '2' });
    await deliveredIs('mount', { m: '2' });
    await aWhile();
    const { metadata } = await cluster().api.get(workloadPath(world, 'Deployment', 'mount'));
    expect(metadata.generation).toBe(before.metadata.generation);
    expect(await revision('mount')).toBe(undefined);
  });

  it.each([
    ['Env: the template changes once', { delivery: 'Env' }, 1],
    ['Env, onChange Keep: not at all', { delivery: 'Env', onChange: 'Keep' }, 0],
    ['Mount, onChange Restart: once', { onChange: 'Restart' }, 1],
    ['Mount with a plain environment variable: once', { overrides: [{ name: 'v', env: ['V'] }] }, 1],
  ])('%s', async (_what, spec, times) => {
    const name = `roll-${times}-${Object.values(spec)
      .join('-')
      .toLowerCase()
      .replaceAll(/[^a-z]+/g, '')}`;
    await started(name, { v: '1' }, { config: declaring('v'), ...spec });
    const before = await generation(name);
    await store(name, { v: '2' });
    await deliveredIs(name, { v: '2' });
    await eventually(async () => expect(await generation(name)).toBe((before ?? 0) + times));
    await aWhile();
    expect(await generation(name)).toBe((before ?? 0) + times);
  });

  it('several keys in one write roll the pods once, and a write that changes no value not at all', async () => {
    await started('once', { x: '1', y: '1' }, { config: declaring('x', 'y'), delivery: 'Env' });
    const before = (await generation('once')) ?? 0;
    await store('once', { x: '2', y: '2' });
    await deliveredIs('once', { x: '2', y: '2' });
    await eventually(async () => expect(await generation('once')).toBe(before + 1));
    await cluster().api.patch(world.path('secrets', 'once'), {
      metadata: { annotations: { touched: 'yes' } },
      stringData: { x: '2', unrelated: 'x' },
    });
    await aWhile();
    expect(await generation('once')).toBe(before + 1);
  });

  it('of many changes within a second the last one is delivered, and the template has its revision', async () => {
    await started('burst', { b: '0' }, { config: declaring('b'), delivery: 'Env' });
    const before = (await generation('burst')) ?? 0;
    for (let n = 1; n <= 10; n++) await store('burst', { b: String(n) });
    await deliveredIs('burst', { b: '10' });
    const secret = await cluster().api.get(world.path('secrets', 'burst-truss-secrets'));
    await eventually(async () =>
      expect(await revision('burst')).toBe(secret.metadata.annotations?.[REVISION]),
    );
    const after = (await generation('burst')) ?? 0;
    expect(after).toBeGreaterThan(before);
    expect(after).toBeLessThanOrEqual(before + 10);
    await aWhile();
    expect(await generation('burst')).toBe(after);
  });

  it('a required key that arrives later rolls nothing; an optional one does, as pods run without it', async () => {
    const config = { inline: 'secrets:\n  req: null\n  opt: placeholder\n' };
    await world.storeSecret('arrive', { other: 'x' }, { store: 'arrive' });
    await makeWorkload(world, 'Deployment', 'arrive');
    await world.model('arrive', {
      config,
      stores: [{ name: 'arrive' }],
      delivery: 'Env',
      onMissing: 'UseDefault',
    });
    await deliveredIs('arrive', {});
    await eventually(async () => expect(await revision('arrive')).toMatch(/^[0-9a-f]{16}$/));
    const before = (await generation('arrive')) ?? 0;
    await store('arrive', { req: 'R' });
    await deliveredIs('arrive', { req: 'R' });
    await aWhile();
    expect(await generation('arrive')).toBe(before);
    await store('arrive', { opt: 'O' });
    await deliveredIs('arrive', { req: 'R', opt: 'O' });
    await eventually(async () => expect(await generation('arrive')).toBe(before + 1));
  });

  it('a restart of the operator rolls nothing, and what changed while it was away is rolled once', async () => {
    const own = await newWorld();
    const { kubeconfig: as } = await operatorIdentity([own.namespace]);
    const first = await startOperator(as, [own.namespace]);
    await own.storeSecret('org', { k: '1', l: '1' });
    for (const name of ['quiet', 'changed']) await makeWorkload(own, 'Deployment', name);
    await own.model('quiet', { config: declaring('l'), delivery: 'Env' });
    await own.model('changed', { config: declaring('k'), delivery: 'Env' });
    await own.ready('quiet');
    await own.ready('changed');
    const generations = async (): Promise<readonly (number | undefined)[]> =>
      await Promise.all(
        ['quiet', 'changed'].map(
          async (name) =>
            (await cluster().api.get(workloadPath(own, 'Deployment', name))).metadata.generation,
        ),
      );
    const [quiet = 0, changed = 0] = await generations();
    await first.kill();
    await cluster().api.patch(own.path('secrets', 'org'), { stringData: { k: '2' } });
    await startOperator(as, [own.namespace]);
    await eventually(async () => expect(await generations()).toEqual([quiet, changed + 1]));
    await aWhile();
    expect(await generations()).toEqual([quiet, changed + 1]);
  });
});

describe('onChange', () => {
  it('can be changed both ways: the annotation comes and goes, each with one rollout', async () => {
    await started('both', { o: '1' }, { config: declaring('o') });
    const before = (await generation('both')) ?? 0;
    await world.patchModel('both', { onChange: 'Restart' });
    await eventually(async () => expect(await revision('both')).toMatch(/^[0-9a-f]{16}$/));
    expect(await generation('both')).toBe(before + 1);
    await world.patchModel('both', { onChange: 'Keep' });
    await eventually(async () => expect(await revision('both')).toBe(undefined));
    expect(await generation('both')).toBe(before + 2);
  });
});
