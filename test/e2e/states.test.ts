import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { cluster, skipUnless } from '../cluster/cluster.ts';
import { workloadPath } from '../cluster/delivery/workloads.ts';
import { eventually } from '../cluster/eventually.ts';
import { operatorIdentity, startOperator } from '../cluster/operator.ts';
import { conditionOf, declaring, newWorld, type World } from '../cluster/world.ts';
import { filesIn, onePod, POD_MS, podsOf, runWorkload, textIn, waitingPod } from './pods.ts';

let world: World;

beforeEach((context) => skipUnless(context, 'nodes'));
beforeAll(async () => {
  if (!cluster().features.nodes) return;
  world = await newWorld();
  const { kubeconfig } = await operatorIdentity([world.namespace]);
  await startOperator(kubeconfig, [world.namespace]);
});

const LIVE = { within: POD_MS };
const store = (name: string, data: object): Promise<unknown> =>
  cluster().api.patch(world.path('secrets', name), data);

const stateIs = (model: string, state: string | undefined) =>
  eventually(
    async () => await world.status(model, ({ workloads }) => expect(workloads?.[0]?.state).toBe(state)),
    LIVE,
  );

/** What `kubectl delete pods -l SELECTOR [--field-selector=...]` of a message would delete. */
async function runDeleteCommand(message: string | undefined): Promise<readonly string[]> {
  const [, selector = '', , field] =
    /delete pods -l '([^']*)'( --field-selector=(\S+))?/.exec(message ?? '') ?? [];
  expect(selector).not.toBe('');
  const query = new URLSearchParams({ labelSelector: selector, ...(field ? { fieldSelector: field } : {}) });
  const { items } = await cluster().api.get<{ items: { metadata: { name: string } }[] }>(
    `${world.path('pods')}?${query.toString()}`,
  );
  const names = items.map(({ metadata }) => metadata.name);
  for (const name of names) {
    await cluster().api.delete(world.path('pods', name), { gracePeriodSeconds: 0 });
  }
  return names;
}

describe('Frozen', () => {
  it('a required key that goes away freezes the whole volume of running pods; its return ends that', async () => {
    await world.storeSecret('frozen', { gone: 'G', other: '1' }, { store: 'frozen' });
    await runWorkload(world, 'Deployment', 'frozen');
    await world.model('frozen', { config: declaring('gone', 'other'), stores: [{ name: 'frozen' }] });
    await world.ready('frozen');
    const pod = await onePod(world, 'frozen', async (found) =>
      expect(await textIn(world, found, 'gone')).toBe('G'),
    );
    await store('frozen', { data: { gone: null }, stringData: { other: '2' } });
    const { workloads: [entry] = [], conditions } = await stateIs('frozen', 'Frozen');
    expect(entry?.message).toMatch(
      /^gone went away while pods run, and until it has a value again their \/secrets stays as it was/,
    );
    expect(entry?.message).toContain(`kubectl -n ${world.namespace} rollout restart deployment/frozen`);
    expect(conditionOf(conditions, 'Injected')).toMatchObject({ status: 'True' });
    expect(Object.keys((await world.delivered('frozen')) ?? {})).toEqual(['other']);
    // proof that kubelet does not: it looks every few seconds here, and up to 90 s apart elsewhere
    await new Promise((resolve) => setTimeout(resolve, 15_000));
    expect(await textIn(world, pod, 'gone')).toBe('G');
    expect(await textIn(world, pod, 'other')).toBe('1');

    await store('frozen', { stringData: { gone: 'G2' } });
    await stateIs('frozen', 'Injected');
    await eventually(async () => {
      expect(await textIn(world, pod, 'gone')).toBe('G2');
      expect(await textIn(world, pod, 'other')).toBe('2');
    }, LIVE);
    expect((await onePod(world, 'frozen')).metadata.uid).toBe(pod.metadata.uid);
  });

  it('ends as well when the pods are replaced: the new ones wait', async () => {
    await world.storeSecret('thaw', { gone: 'G' }, { store: 'thaw' });
    await runWorkload(world, 'StatefulSet', 'thaw');
    const workloads = [{ kind: 'StatefulSet', name: 'thaw' }];
    await world.model('thaw', { config: declaring('gone'), stores: [{ name: 'thaw' }], workloads });
    await world.ready('thaw');
    const pod = await onePod(world, 'thaw', async (found) =>
      expect(await textIn(world, found, 'gone')).toBe('G'),
    );
    await store('thaw', { data: { gone: null } });
    await stateIs('thaw', 'Frozen');
    await cluster().api.delete(world.path('pods', pod.metadata.name), { gracePeriodSeconds: 0 });
    await stateIs('thaw', 'Injected');
    await waitingPod(world, 'thaw');
  });
});

describe('Stuck', () => {
  it('a StatefulSet whose pod never started does not take a new template until the pod is deleted', async () => {
    await world.storeSecret('stuck', { a: 'A' }, { store: 'stuck' });
    const workloads = [{ kind: 'StatefulSet', name: 'stuck' }];
    await world.model('stuck', { config: declaring('a', 'missing'), stores: [{ name: 'stuck' }], workloads });
    await runWorkload(world, 'StatefulSet', 'stuck');
    await waitingPod(world, 'stuck');
    // the name is not declared any more: the template is right, and the pod is one of the earlier template
    await world.patchModel('stuck', { config: declaring('a') });
    const { workloads: [entry] = [], conditions } = await stateIs('stuck', 'Stuck');
    expect(entry?.message).toContain('kubernetes#67250');
    expect(conditionOf(conditions, 'Ready')?.status).toBe('True');
    expect(await runDeleteCommand(entry?.message)).toEqual(['stuck-0']);
    await onePod(world, 'stuck', async (pod) => expect(await textIn(world, pod, 'a')).toBe('A'));
    await stateIs('stuck', 'Injected');
  });
});

describe('PodsStale', () => {
  it('a DaemonSet with OnDelete keeps its pods until the command of the message has deleted them', async () => {
    await world.storeSecret('stale', { a: 'A' }, { store: 'stale' });
    await runWorkload(world, 'DaemonSet', 'stale', { spec: { updateStrategy: { type: 'OnDelete' } } });
    await onePod(world, 'stale');
    const workloads = [{ kind: 'DaemonSet', name: 'stale' }];
    await world.model('stale', { config: declaring('a'), stores: [{ name: 'stale' }], workloads });
    const { workloads: [entry] = [], conditions } = await stateIs('stale', 'PodsStale');
    expect(conditionOf(conditions, 'Ready')?.status).toBe('True');
    expect(conditionOf(conditions, 'Injected')?.message).toContain('OnDelete');
    expect(await runDeleteCommand(entry?.message)).toHaveLength(1);
    await onePod(world, 'stale', async (pod) => expect(await textIn(world, pod, 'a')).toBe('A'));
    await stateIs('stale', 'Injected');
  });

  it('a paused Deployment keeps what was delivered after trust was withdrawn, and the status says so', async () => {
    await world.storeSecret('paused', { a: 'A' }, { store: 'paused' });
    await runWorkload(world, 'Deployment', 'paused');
    await world.model('paused', { config: declaring('a'), stores: [{ name: 'paused' }] });
    await world.ready('paused');
    const pod = await onePod(world, 'paused', async (found) =>
      expect(await textIn(world, found, 'a')).toBe('A'),
    );
    const path = workloadPath(world, 'Deployment', 'paused');
    await cluster().api.patch(path, { spec: { paused: true } });
    await world.patchModel('paused', { trusted: false });
    const { workloads: [entry] = [] } = await stateIs('paused', 'PodsStale');
    expect(entry?.message).toContain('rollout resume deployment/paused');
    expect(await world.delivered('paused')).toBe(undefined);
    expect(await textIn(world, pod, 'a')).toBe('A');
    expect((await podsOf(world, 'paused')).map(({ metadata }) => metadata.uid)).toEqual([pod.metadata.uid]);

    await cluster().api.patch(path, { spec: { paused: false } });
    await onePod(world, 'paused', async (found) => expect(await filesIn(world, found)).toBe(undefined));
    await stateIs('paused', undefined);
  });
});
