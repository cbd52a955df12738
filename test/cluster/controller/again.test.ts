import { beforeAll, expect, it } from 'vitest';
import { cluster } from '../cluster.ts';
import { conditionOf, declaring, newWorld, type World } from '../world.ts';
import { byHand } from './by-hand.ts';

let world: World;

beforeAll(async () => {
  world = await newWorld();
  await world.storeSecret('org', { a: 'A' });
});

it('whoever takes trust away and gives it again, however often, fights with nobody', async () => {
  await world.model('toggled', { config: declaring('a'), workloads: [] });
  const hand = await byHand(world.namespace);
  const settle = async (trusted: boolean): Promise<void> => {
    await world.patchModel('toggled', { trusted });
    await hand.hear();
    await hand.settle('toggled');
  };
  for (let time = 0; time < 8; time++) {
    await settle(false);
    expect(await world.delivered('toggled')).toBe(undefined);
    await settle(true);
  }
  const { conditions } = await world.status('toggled', () => {});
  expect(conditionOf(conditions, 'Delivered')).toMatchObject({ status: 'True', reason: 'Written' });
  expect(Object.keys((await world.delivered('toggled')) ?? {})).toEqual(['a']);
});

it('two models may read different keys of one ConfigMap', async () => {
  await cluster().api.post(world.path('configmaps'), {
    metadata: { name: 'both' },
    data: { first: 'secrets: {a: null}', second: 'secrets: {a: null, b: null}' },
  });
  const hand = await byHand(world.namespace);
  await hand.hear();
  for (const key of ['first', 'second']) {
    await world.model(key, { config: { configMapRef: { name: 'both', key } }, workloads: [] });
    await hand.hear();
    await hand.settle(key);
  }
  await hand.settle('first');
  for (const [name, declared] of [
    ['first', 1],
    ['second', 2],
  ] as const) {
    const status = await world.status(name, () => {});
    expect(conditionOf(status.conditions, 'ConfigValid')?.reason).toBe('Valid');
    expect(status.declared).toBe(declared);
  }
});
