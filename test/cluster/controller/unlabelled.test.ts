import { beforeAll, describe, expect, it } from 'vitest';
import { cluster } from '../cluster.ts';
import { declaring, newWorld, orUndefined, type World } from '../world.ts';
import { byHand } from './by-hand.ts';

let world: World;

beforeAll(async () => {
  world = await newWorld();
  await world.storeSecret('org', { a: 'A' });
});

const MANAGED_BY = 'app.kubernetes.io/managed-by';
const path = (model: string): string => world.path('secrets', `${model}-truss-secrets`);
const secret = (model: string) => orUndefined(cluster().api.get(path(model)));
const relabel = (model: string, value: string | null): Promise<unknown> =>
  cluster().api.patch(path(model), { metadata: { labels: { [MANAGED_BY]: value } } });

async function delivered(name: string) {
  await world.model(name, { config: declaring('a'), workloads: [] });
  const hand = await byHand(world.namespace);
  await hand.hear();
  await hand.settle(name);
  expect(await secret(name)).toBeDefined();
  return hand;
}

describe('a delivered Secret that has lost our label', () => {
  it('goes when trust is revoked while the operator is away', async () => {
    await delivered('away');
    await relabel('away', null);
    await world.patchModel('away', { trusted: false });
    const hand = await byHand(world.namespace);
    await hand.hear();
    await hand.settle('away');
    expect(await secret('away')).toBe(undefined);
    // it is looked for once
    hand.requests();
    await hand.hear();
    hand.requests();
    await hand.settle('away');
    expect(hand.requests()).toEqual([]);
  });

  it('goes when trust is revoked while a tool that stamps its own label over ours has won', async () => {
    const hand = await delivered('stamped');
    for (let time = 0; time < 6; time++) {
      await relabel('stamped', 'Helm');
      await hand.hear();
      await hand.settle('stamped');
    }
    await relabel('stamped', 'Helm');
    await world.patchModel('stamped', { trusted: false });
    await hand.hear();
    await hand.settle('stamped');
    expect(await secret('stamped')).toBe(undefined);
  });

  it('goes when the declaration becomes empty', async () => {
    const hand = await delivered('emptied');
    await relabel('emptied', null);
    await world.patchModel('emptied', { config: { inline: 'model_name: x' } });
    await hand.hear();
    await hand.settle('emptied');
    expect(await secret('emptied')).toBe(undefined);
  });

  it('goes with its model, although it has a second owner', async () => {
    await delivered('owned');
    const { metadata: second } = await world.configMap('second', '');
    const { metadata } = await cluster().api.get(path('owned'));
    const other = { apiVersion: 'v1', kind: 'ConfigMap', name: 'second', uid: second.uid };
    await cluster().api.patch(path('owned'), {
      metadata: {
        ownerReferences: [...(metadata.ownerReferences ?? []), other],
        labels: { [MANAGED_BY]: null },
      },
    });
    const hand = await byHand(world.namespace);
    await hand.hear();
    // the news, before the garbage collector has it and makes the Secret the second owner's
    hand.caches.models.remove(`${world.namespace}/owned`);
    await hand.settle('owned');
    expect(await secret('owned')).toBe(undefined);
  });

  it('goes with its model, although a finalizer of somebody else keeps that', async () => {
    await delivered('held');
    await relabel('held', null);
    const model = world.path('modeldeployments', 'held');
    await cluster().api.patch(model, { metadata: { finalizers: ['example.com/held'] } });
    await cluster().api.delete(model);
    const hand = await byHand(world.namespace);
    await hand.hear();
    await hand.settle('held');
    expect(await secret('held')).toBe(undefined);
    await cluster().api.patch(model, { metadata: { finalizers: null } });
  });

  it('is left alone when it is somebody else`s by now', async () => {
    await delivered('replaced');
    await cluster().api.delete(path('replaced'));
    await cluster().api.post(world.path('secrets'), {
      metadata: { name: 'replaced-truss-secrets' },
      stringData: { a: 'his' },
    });
    await world.patchModel('replaced', { trusted: false });
    const hand = await byHand(world.namespace);
    await hand.hear();
    await hand.settle('replaced');
    expect((await secret('replaced'))?.data).toEqual({ a: btoa('his') });
  });
});

it('a restart looks at no Secret by itself', async () => {
  await delivered('restarted');
  const hand = await byHand(world.namespace);
  await hand.hear();
  hand.requests();
  await hand.settle('restarted');
  expect(hand.requests()).toEqual([]);
});
