import { beforeAll, describe, expect, it } from 'vitest';
import { cluster } from '../cluster.ts';
import { eventually } from '../eventually.ts';
import { operatorIdentity, startOperator } from '../operator.ts';
import { conditionOf, declaring, newWorld, type World } from '../world.ts';
import { makeWorkload, workloadPath } from './workloads.ts';

let world: World;

beforeAll(async () => {
  world = await newWorld();
  const { kubeconfig } = await operatorIdentity([world.namespace]);
  await startOperator(kubeconfig, [world.namespace]);
  await world.storeSecret('org', { a: 'A' });
});

/** Waits for the state of the first workload; gives its message. */
async function saidOf(name: string, state: string): Promise<string | undefined> {
  const { workloads } = await world.status(name, (status) =>
    expect(status.workloads?.[0]?.state).toBe(state),
  );
  return workloads?.[0]?.message;
}

describe('a workload that waits says what for', () => {
  it('one that does not exist', async () => {
    await world.model('absent', { config: declaring('a') });
    expect(await saidOf('absent', 'Waiting')).toBe(
      'Deployment absent does not exist yet; its pods get the secrets as soon as it does',
    );
  });

  it('one that is being deleted', async () => {
    await makeWorkload(world, 'Deployment', 'going');
    const path = workloadPath(world, 'Deployment', 'going');
    await cluster().api.patch(path, { metadata: { finalizers: ['example.com/wait'] } });
    await cluster().api.delete(path);
    await world.model('going', { config: declaring('a') });
    expect(await saidOf('going', 'Waiting')).toBe(
      'Deployment going is being deleted; the pods of a new one get the secrets as soon as it is there',
    );
    await cluster().api.patch(path, { metadata: { finalizers: null } });
    await eventually(async () => expect(await saidOf('going', 'Waiting')).toContain('does not exist yet'));
  });
});

it('a ConfigMap without the key says which one, and how to name another', async () => {
  await world.configMap('keyless', 'secrets: {a: null}', 'other.yaml');
  await world.model('keyless', { config: { configMapRef: { name: 'keyless' } }, workloads: [] });
  const { conditions } = await world.status('keyless', (status) =>
    expect(conditionOf(status.conditions, 'ConfigValid')).toMatchObject({
      status: 'False',
      reason: 'ConfigKeyMissing',
    }),
  );
  expect(conditionOf(conditions, 'ConfigValid')?.message).toBe(
    `ConfigMap ${world.namespace}/keyless has no key config.yaml; add it, or set spec.config.configMapRef.key`,
  );
  await world.patchModel('keyless', { config: { configMapRef: { name: 'keyless', key: 'other.yaml' } } });
  await world.ready('keyless');
});

it('PodsStale by a partition names the command that ends it', async (ctx) => {
  ctx.skip(!cluster().features.controllers, 'needs the StatefulSet controller');
  const updateStrategy = { type: 'RollingUpdate', rollingUpdate: { partition: 1 } };
  await makeWorkload(world, 'StatefulSet', 'parted', {
    pod: { nodeSelector: { nowhere: 'true' } },
    spec: { replicas: 1, updateStrategy },
  });
  const path = workloadPath(world, 'StatefulSet', 'parted');
  await eventually(async () => expect((await cluster().api.get(path)).status).toMatchObject({ replicas: 1 }));
  await world.model('parted', {
    config: declaring('a'),
    workloads: [{ kind: 'StatefulSet', name: 'parted' }],
  });
  const said = await saidOf('parted', 'PodsStale');
  const patch = '{"spec":{"updateStrategy":{"rollingUpdate":{"partition":0}}}}';
  expect(said).toBe(
    `updateStrategy.rollingUpdate.partition keeps some pods as they are; kubectl -n ${world.namespace} patch statefulset parted --type=merge -p '${patch}'`,
  );
  await cluster().api.patch(path, JSON.parse(patch));
  await world.status('parted', ({ workloads }) => expect(workloads?.[0]?.state).not.toBe('PodsStale'));
});

describe('of values', () => {
  it('a NUL cannot be an environment variable, and can be a file', async () => {
    await world.storeSecret('nul', { n: 'a\0b' }, { store: 'nul' });
    const spec = { config: declaring('n'), stores: [{ name: 'nul' }], workloads: [] };
    await world.model('nul', { ...spec, delivery: 'Env' });
    const { secrets } = await world.status('nul', (status) =>
      expect(status.secrets?.[0]?.state).toBe('Undeliverable'),
    );
    expect(secrets?.[0]?.message).toContain('a NUL');
    await world.patchModel('nul', { delivery: 'Mount' });
    await world.ready('nul');
  });

  it('one that ends in a newline is delivered as it is, with one event that says so', async () => {
    await world.storeSecret('line', { l: 'value\n' }, { store: 'line' });
    await world.model('line', { config: declaring('l'), stores: [{ name: 'line' }], workloads: [] });
    await world.ready('line');
    expect(await world.delivered('line')).toEqual({ l: Buffer.from('value\n') });
    await eventually(async () => {
      const events = (await world.events('line')).filter(({ reason }) => reason === 'TrailingNewline');
      expect(events).toMatchObject([
        { count: 1, message: expect.stringContaining('the values of l end in a newline') },
      ]);
    });
  });
});
