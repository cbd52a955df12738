import { beforeAll, describe, expect, it } from 'vitest';
import { cluster } from '../cluster.ts';
import { conditionOf, declaring, newWorld, type World } from '../world.ts';
import { byHand } from './by-hand.ts';

let world: World;

beforeAll(async () => {
  world = await newWorld();
  await world.storeSecret('org', { a: 'A', b: 'B' });
});

const path = (model: string): string => world.path('secrets', `${model}-truss-secrets`);

/** A model that is delivered, deleted, and made again at once; its Secret is as it was, and on its way out. */
async function madeAgain(name: string, metadata: object) {
  await world.model(name, { config: declaring('a', 'b'), workloads: [] });
  const first = await byHand(world.namespace);
  await first.hear();
  await first.settle(name);
  const before = await cluster().api.get(path(name));
  await cluster().api.patch(path(name), { metadata });
  const model = world.path('modeldeployments', name);
  await cluster().api.delete(model);
  await world.model(name, { config: declaring('a'), workloads: [] });
  const hand = await byHand(world.namespace);
  await hand.hear();
  return { hand, before };
}

describe('a model that is deleted and made again at once', () => {
  it('does not wait for the Secret of the earlier one, and inherits nothing of it', async () => {
    const { hand, before } = await madeAgain('again', {});
    expect(await hand.settle('again')).toMatchObject({ kind: 'done' });
    const { metadata, data } = await cluster().api.get(path('again'));
    expect(metadata.uid).not.toBe(before.metadata.uid);
    expect(metadata.annotations).not.toEqual(before.metadata.annotations);
    expect(Object.keys(data ?? {})).toEqual(['a']);
    const { conditions } = await world.status('again', () => {});
    expect(conditionOf(conditions, 'Ready')).toMatchObject({ status: 'True' });
  });

  it('says so while somebody`s finalizer holds that Secret, and is woken when it goes', async () => {
    const { hand } = await madeAgain('waiting', { finalizers: ['example.com/held'] });
    await hand.settle('waiting');
    const { conditions } = await world.status('waiting', () => {});
    expect(conditionOf(conditions, 'Delivered')).toMatchObject({ status: 'False', reason: 'Conflict' });
    expect(conditionOf(conditions, 'Delivered')?.message).toContain(
      'belongs to an earlier model of this name',
    );
    await hand.hear();
    hand.woken();
    await cluster().api.patch(path('waiting'), { metadata: { finalizers: null } });
    await hand.hear();
    expect(hand.woken()).toContain(`${world.namespace}/waiting`);
    await hand.settle('waiting');
    expect(Object.keys((await world.delivered('waiting')) ?? {})).toEqual(['a']);
  });
});
