import { describe, expect, it } from 'vitest';
import { cluster } from '../cluster/cluster.ts';
import { eventually } from '../cluster/eventually.ts';
import { observedWay } from '../cluster/delivery/observed.ts';
import {
  injectedInto,
  makeWorkload,
  MARKER,
  REVISION,
  templateOf,
  workloadPath,
} from '../cluster/delivery/workloads.ts';
import { type Operator, operatorIdentity, startOperator } from '../cluster/operator.ts';
import { newWorld, type World } from '../cluster/world.ts';

/**
 * The operator is killed before and after its n-th write, for every n until it needs no n-th one, and started again.
 * Whatever the n: the end is the same, and the pods roll as often as they would have without it.
 */
interface Scenario {
  readonly what: string;
  /** From what it starts, with an operator at work. */
  readonly before: (world: World, name: string) => Promise<unknown>;
  /** What is done while there is no operator. */
  readonly change: (world: World, name: string) => Promise<unknown>;
  readonly end: (world: World, name: string) => Promise<unknown>;
  /** How often the template of the workload changes on the way there. */
  readonly rollouts: number;
  /** Writes that it takes at least: fewer, and the scenario does not do what it says. */
  readonly writes: number;
}

const api = () => cluster().api;
const texts = async (world: World, name: string): Promise<Record<string, string>> =>
  Object.fromEntries(
    Object.entries((await world.delivered(name)) ?? {}).map(([key, value]) => [key, value.toString()]),
  );

async function prepared(world: World, name: string): Promise<void> {
  const pull = Buffer.from('me:1').toString('base64');
  await world.storeSecret(name, { a: 'A', b: 'B', pull }, { store: name });
  await makeWorkload(world, 'Deployment', name);
}

const inline = `
secrets: {a: null, b: null}
base_image: {image: x, docker_auth: {auth_method: REGISTRY_SECRET, registry: ghcr.io, secret_name: pull}}
`;

async function delivered(world: World, name: string): Promise<void> {
  await prepared(world, name);
  await world.model(name, { config: { inline }, stores: [{ name }], delivery: 'Env' });
  await world.ready(name);
}

/** Everything that is wanted is there, and fits together. */
async function isDelivered(world: World, name: string, values: Record<string, string>): Promise<void> {
  await world.ready(name);
  expect(await texts(world, name)).toEqual(values);
  const secret = await api().get(world.path('secrets', `${name}-truss-secrets`));
  expect((await api().get(world.path('secrets', `${name}-truss-pull`))).type).toContain('dockerconfigjson');
  const template = await templateOf(world, 'Deployment', name);
  expect(template.metadata.annotations?.[REVISION]).toBe(secret.metadata.annotations?.[REVISION]);
  expect(injectedInto(template).env['model']).toEqual(
    Object.keys(values).map((key) => `TRUSS_SECRET_${key}`),
  );
  expect(template.spec.imagePullSecrets).toEqual([{ name: `${name}-truss-pull` }]);
}

async function isClean(world: World, name: string): Promise<void> {
  const { metadata } = await api().get(workloadPath(world, 'Deployment', name));
  expect(metadata.annotations?.[MARKER]).toBe(undefined);
  const template = await templateOf(world, 'Deployment', name);
  expect(injectedInto(template).env).toEqual({});
  expect(template.spec.imagePullSecrets).toBe(undefined);
}

const SCENARIOS: readonly Scenario[] = [
  {
    what: 'a new model',
    before: prepared,
    change: (world, name) => world.model(name, { config: { inline }, stores: [{ name }], delivery: 'Env' }),
    end: (world, name) => isDelivered(world, name, { a: 'A', b: 'B' }),
    rollouts: 1,
    writes: 4,
  },
  {
    what: 'a changed value and credential',
    before: delivered,
    change: (world, name) => {
      const pull = Buffer.from('me:2').toString('base64');
      return api().patch(world.path('secrets', name), { stringData: { a: 'A2', pull } });
    },
    end: (world, name) => isDelivered(world, name, { a: 'A2', b: 'B' }),
    rollouts: 1,
    writes: 3,
  },
  {
    what: 'a changed declaration',
    before: delivered,
    change: (world, name) => world.patchModel(name, { config: { inline: inline.replace('b: null', '') } }),
    end: (world, name) => isDelivered(world, name, { a: 'A' }),
    rollouts: 1,
    writes: 3,
  },
  {
    what: 'the Secret made immutable',
    before: delivered,
    change: (world, name) => api().patch(world.path('secrets', `${name}-truss-secrets`), { immutable: true }),
    end: async (world, name) => {
      await isDelivered(world, name, { a: 'A', b: 'B' });
      expect(await api().get(world.path('secrets', `${name}-truss-secrets`))).not.toHaveProperty('immutable');
    },
    rollouts: 1,
    writes: 3,
  },
  {
    what: 'trust withdrawn',
    before: delivered,
    change: (world, name) => world.patchModel(name, { trusted: false }),
    end: async (world, name) => {
      await isClean(world, name);
      expect(await world.delivered(name)).toBe(undefined);
      await world.status(name, ({ summary }) => expect(summary).toBe('0/3'));
    },
    rollouts: 1,
    writes: 4,
  },
  {
    what: 'a workload dropped from the list',
    before: delivered,
    change: (world, name) => world.patchModel(name, { workloads: [] }),
    end: async (world, name) => {
      await isClean(world, name);
      await world.status(name, ({ workloads }) => expect(workloads).toEqual([]));
    },
    rollouts: 1,
    writes: 2,
  },
  {
    what: 'a deleted model',
    before: delivered,
    change: (world, name) => api().delete(world.path('modeldeployments', name)),
    end: isClean,
    rollouts: 1,
    writes: 1,
  },
];

const generation = async (world: World, name: string): Promise<number> =>
  (await api().get(workloadPath(world, 'Deployment', name))).metadata.generation ?? 0;

const QUIET_MS = 1_500;

type How = 'before' | 'after';

/** Where one model after the other is made, each with an operator that is killed at another write. */
interface Place {
  readonly world: World;
  readonly kubeconfig: string;
  /** At work, in between. */
  readonly operator: Operator;
}

async function newPlace(): Promise<Place> {
  const world = await newWorld();
  const { kubeconfig } = await operatorIdentity([world.namespace]);
  return { world, kubeconfig, operator: await startOperator(kubeconfig, [world.namespace]) };
}

/** Goes through a scenario with an operator that is killed at its n-th write, if it has that many. */
async function killedAt(
  n: number,
  how: How,
  { before, change, end, rollouts }: Scenario,
  place: Place,
): Promise<{ readonly wasKilled: boolean; readonly place: Place }> {
  const { world, kubeconfig } = place;
  const name = `m${n}`;
  await before(world, name);
  await place.operator.kill();
  const expected = (await generation(world, name)) + rollouts;
  await change(world, name);

  const wasKilled = await runAndKill(n, how, world, () => end(world, name));

  const operator = await startOperator(kubeconfig, [world.namespace]);
  await eventually(() => end(world, name), { within: 40_000 });
  // proof that nothing more happens: what is wanted is written within half a second
  await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
  await end(world, name);
  expect(await generation(world, name), `${how} write ${n}`).toBe(expected);
  return { wasKilled, place: { ...place, operator } };
}

/** Gives whether there was an n-th write. */
async function runAndKill(n: number, how: How, world: World, end: () => Promise<unknown>): Promise<boolean> {
  const way = await observedWay([world.namespace]);
  const rule = way.proxy.add({
    match: { write: true },
    when: { kind: 'nth', n },
    fault: how === 'before' ? { kind: 'hang' } : { kind: 'break-body', after: { bytes: 0 }, how: 'stall' },
  });
  const hit = (): number => (how === 'before' ? rule.applied : rule.answered);
  const operator = await startOperator(way.kubeconfig, [world.namespace]);
  let isDone = false;
  const ended = eventually(end, { within: 40_000 }).then(
    () => {
      isDone = true;
    },
    // killed before it could come to that
    () => {},
  );
  await eventually(
    () => {
      if (hit() > 0) return;
      expect(isDone, 'not at its end').toBe(true);
      const last = way.proxy.seen.findLast((one) => one.method !== 'GET');
      expect(performance.now() - (last?.at ?? 0), 'still writing').toBeGreaterThan(QUIET_MS);
    },
    { within: 40_000 },
  );
  await operator.kill();
  if (hit() === 0) await ended;
  return hit() > 0;
}

describe('an operator that is killed at its n-th write and started again', () => {
  it.each(SCENARIOS)('$what', { timeout: 400_000 }, async (scenario) => {
    const writes = await Promise.all(
      (['before', 'after'] as const).map(async (how) => {
        let place = await newPlace();
        for (let n = 1; ; n++) {
          const tried = await killedAt(n, how, scenario, place);
          ({ place } = tried);
          if (!tried.wasKilled) {
            await place.operator.kill();
            return n - 1;
          }
        }
      }),
    );
    expect(Math.min(...writes)).toBeGreaterThanOrEqual(scenario.writes);
  });
});
