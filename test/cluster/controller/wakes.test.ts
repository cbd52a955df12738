import { beforeAll, expect, it } from 'vitest';
import { cluster } from '../cluster.ts';
import { eventually } from '../eventually.ts';
import { declaring, newWorld, type World } from '../world.ts';
import { byHand } from './by-hand.ts';

let world: World;

beforeAll(async () => {
  world = await newWorld();
});

const NOTHING = { inline: 'model_name: x' };

it('a model is not woken by the status that was written for it, but by what others write there', async () => {
  await world.model('quiet', { config: NOTHING, workloads: [] });
  const hand = await byHand(world.namespace);
  await hand.hear();
  hand.woken();
  await hand.settle('quiet');
  await world.status('quiet', ({ summary }) => expect(summary).toBe('0/0'));
  await hand.hear();
  expect([...hand.woken()]).toEqual([]);

  const path = `${world.path('modeldeployments', 'quiet')}/status`;
  await cluster().api.patch(path, { status: { summary: '7/7' } });
  await hand.hear();
  expect([...hand.woken()]).toEqual([`${world.namespace}/quiet`]);
  await hand.settle('quiet');
  await world.status('quiet', ({ summary }) => expect(summary).toBe('0/0'));
  // the same again: what was written before is not taken for what is being written
  await hand.hear();
  hand.woken();
  await cluster().api.patch(path, { status: { summary: '7/7' } });
  await hand.hear();
  await cluster().api.patch(path, { status: { summary: '0/0' } });
  await hand.hear();
  expect([...hand.woken()]).toEqual([`${world.namespace}/quiet`]);
});

it('what does not exist is looked for once, and heard of when it comes', async () => {
  const config = { configMapRef: { name: 'late' } };
  await world.storeSecret('org', { a: 'A' });
  await world.model('waits', { config });
  const hand = await byHand(world.namespace);
  await hand.hear();
  await hand.settle('waits');
  hand.requests();
  await hand.settle('waits');
  await hand.settle('waits');
  expect(hand.requests()).toEqual([]);

  await world.configMap('late', 'secrets: {a: null}');
  await world.deployment('waits');
  await hand.hear();
  expect([...hand.woken()]).toContain(`${world.namespace}/waits`);
  await hand.settle('waits');
  await world.ready('waits');
});

it('what nobody asked for in between is looked for again', async () => {
  const naming = (name: string): object => ({ config: NOTHING, workloads: [{ kind: 'Deployment', name }] });
  await world.model('moves', naming('first'));
  const hand = await byHand(world.namespace);
  await hand.hear();
  await hand.settle('moves');
  await world.patchModel('moves', naming('second'));
  await hand.hear();
  await hand.settle('moves');
  await world.deployment('first');
  await hand.hear();
  await world.patchModel('moves', naming('first'));
  // the news of the model alone: that of the Deployment came when nobody asked for it
  hand.caches.models.set(await hand.read('moves'));
  await hand.settle('moves');
  await world.status('moves', ({ workloads }) => expect(workloads?.[0]?.state).not.toBe('Waiting'));
});

it('what the API server refuses is tried again soon after the workload has been mended', async () => {
  // a path of a device, which is not among what the plan knows of a workload
  const device = (devicePath: string): object => ({
    containers: [{ name: 'model', image: 'x', volumeDevices: [{ name: 'own', devicePath }] }],
    volumes: [{ name: 'own', persistentVolumeClaim: { claimName: 'own' } }],
  });
  await world.storeSecret('devices', { d: 'D' });
  await world.deployment('refused', device('/secrets'));
  await world.model('refused', { config: declaring('d') });
  const hand = await byHand(world.namespace);
  await hand.hear();
  for (let time = 0; time < 5; time++) expect(await hand.settle('refused')).toMatchObject({ kind: 'retry' });
  hand.requests();
  expect(await hand.settle('refused')).toMatchObject({ kind: 'again' });
  expect(hand.requests().filter((one) => one.startsWith('apply'))).toEqual([]);
  const spec = { template: { spec: device('/dev/own') } };
  await cluster().api.patch(world.path('deployments', 'refused'), { spec });
  await eventually(
    async () => {
      await hand.hear();
      expect(await hand.settle('refused')).toMatchObject({ kind: 'done' });
    },
    { within: 30_000 },
  );
  await world.ready('refused');
});
