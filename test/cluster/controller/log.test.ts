import { expect, it } from 'vitest';
import { eventually } from '../eventually.ts';
import { operatorIdentity, startOperator } from '../operator.ts';
import { declaring, newWorld } from '../world.ts';

it('a reconcile leaves one line, with an id of its own, what it wrote and what came of it', async () => {
  const world = await newWorld();
  const { kubeconfig } = await operatorIdentity([world.namespace]);
  const operator = await startOperator(kubeconfig, [world.namespace]);
  await world.storeSecret('org', { token: 'value-of-the-token' });
  await world.deployment('app');
  await world.model('app', { config: declaring('token') });
  await world.ready('app');
  const lines = () =>
    operator
      .output()
      .split('\n')
      .filter((text) => text.startsWith('{') && text.endsWith('}'))
      .map((text): Readonly<Record<string, unknown>> => JSON.parse(text))
      .filter(({ model }) => model === `${world.namespace}/app`);
  await eventually(() =>
    expect(lines()).toContainEqual(
      expect.objectContaining({
        level: 'info',
        msg: 'reconciled',
        reconcileID: expect.stringMatching(/^[0-9a-f]{8}$/),
        did: ['create Secret', 'apply Deployment', 'update status of ModelDeployment'],
        result: 'success',
        ready: 'True',
        ms: expect.any(Number),
      }),
    ),
  );
  const ids = lines().map(({ reconcileID }) => reconcileID);
  expect(new Set(ids).size).toBe(ids.length);
  expect(operator.output()).not.toContain('value-of-the-token');
  await operator.stop();
});

it('as text, for people, where they ask for it', async () => {
  const world = await newWorld();
  const { kubeconfig } = await operatorIdentity([world.namespace]);
  const operator = await startOperator(kubeconfig, [world.namespace], ['--log-format', 'text']);
  await eventually(() => expect(operator.output()).toContain('caches are synced'));
  expect(operator.output()).not.toContain('{"');
  await operator.stop();
});
