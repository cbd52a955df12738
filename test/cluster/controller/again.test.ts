import { beforeAll, expect, it } from 'vitest';
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
