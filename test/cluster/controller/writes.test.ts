import { beforeAll, expect, it } from 'vitest';
import type { Client } from '../../../src/kube/client.ts';
import { cluster } from '../cluster.ts';
import { eventually } from '../eventually.ts';
import { conditionOf, declaring, newWorld, type World } from '../world.ts';
import { byHand } from './by-hand.ts';

let world: World;

beforeAll(async () => {
  world = await newWorld();
  await world.storeSecret('org', { a: 'A' });
});

it('a look at a model ends when all of its writes have, also when one of them fails', async () => {
  const slow = Promise.withResolvers<void>();
  const hand = await byHand(world.namespace, (client): Client => {
    const apply = client.apply.bind(client);
    return Object.assign(client, {
      apply: async (...[resource, key, ...rest]: Parameters<Client['apply']>) => {
        if (key.name === 'slow') await slow.promise;
        return await apply(resource, key, ...rest);
      },
    });
  });
  for (const name of ['gone', 'slow']) await world.deployment(name);
  const workloads = ['gone', 'slow'].map((name) => ({ kind: 'Deployment', name }));
  await world.model('both', { config: declaring('a'), workloads });
  await hand.hear();
  await cluster().api.delete(world.path('deployments', 'gone'));
  let isOver = false;
  const look = hand.look('both').finally(() => {
    isOver = true;
  });
  // proof that nothing happens: the write that fails takes milliseconds
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  expect(isOver).toBe(false);
  slow.resolve();
  expect(await look).toMatchObject({ kind: 'retry' });
  expect((await world.podSpec('slow')).volumes).toHaveLength(1);
});

it('another owner is taken off a delivered Secret although some of its keys are not known', async () => {
  await world.storeSecret('one', { large_a: 'A', gone: 'G' });
  await world.storeSecret('two', { large_b: 'B' });
  await world.model('owned', { config: declaring('large_a', 'large_b', 'gone'), workloads: [] });
  const hand = await byHand(world.namespace);
  await hand.hear();
  await hand.settle('owned');
  const path = world.path('secrets', 'owned-truss-secrets');
  const { metadata } = await cluster().api.get(path);
  const { metadata: second } = await world.configMap('second', '');
  const other = { apiVersion: 'v1', kind: 'ConfigMap', name: 'second', uid: second.uid };
  await cluster().api.patch(path, {
    metadata: { ownerReferences: [...(metadata.ownerReferences ?? []), other] },
  });
  // too much for one Secret, so that nothing is added; what is withdrawn goes all the same
  const large = Buffer.alloc(600_000, 'x').toString('base64');
  await cluster().api.patch(world.path('secrets', 'one'), { data: { large_a: large, gone: null } });
  await cluster().api.patch(world.path('secrets', 'two'), { data: { large_b: large } });
  await hand.hear();
  await hand.settle('owned');
  const after = await cluster().api.get(path);
  expect(Object.keys(after.data ?? {}).sort()).toEqual(['large_a', 'large_b']);
  expect(after.metadata.ownerReferences).toEqual(metadata.ownerReferences);
});

it('a quota that is used up is no missing right', async (context) => {
  context.skip(!cluster().features.controllers, 'needs the quota controller');
  const full = await newWorld();
  await full.storeSecret('org', { a: 'A' });
  const quotas = `/api/v1/namespaces/${full.namespace}/resourcequotas`;
  await cluster().api.post(quotas, { metadata: { name: 'full' }, spec: { hard: { 'count/secrets': '1' } } });
  await eventually(async () =>
    expect(await cluster().api.get(`${quotas}/full`)).toMatchObject({
      status: { hard: { 'count/secrets': '1' }, used: {} },
    }),
  );
  await full.model('m', { config: declaring('a'), workloads: [] });
  const hand = await byHand(full.namespace);
  await hand.hear();
  await hand.settle('m');
  const { conditions } = await full.status('m', () => {});
  expect(conditionOf(conditions, 'Delivered')).toMatchObject({ reason: 'NotAuthorized' });
  expect(conditionOf(conditions, 'Delivered')?.message).toContain(
    'a ResourceQuota of the namespace is used up',
  );
});
