import { beforeAll, describe, expect, it } from 'vitest';
import { apiOf } from '../api.ts';
import { cluster, namespace, ownControlPlane, skipUnless } from '../cluster.ts';
import { installCrds } from '../crds.ts';
import { eventually } from '../eventually.ts';
import { operatorIdentity, startOperator } from '../operator.ts';
import { conditionOf, declaring, newWorld, orUndefined, type World, worldIn } from '../world.ts';
import { injectedInto, makeWorkload, MARKER, templateOf, workloadPath } from './workloads.ts';

let world: World;

beforeAll(async () => {
  world = await newWorld();
  const { kubeconfig } = await operatorIdentity([world.namespace]);
  await startOperator(kubeconfig, [world.namespace]);
  await world.storeSecret('org', { a: 'A', b: 'B' });
});

const NOTHING = { required: [], optional: [], mounted: [], env: {} };

async function started(name: string, spec: object = {}): Promise<void> {
  await makeWorkload(world, 'Deployment', name);
  await world.model(name, { config: declaring('a'), ...spec });
  await world.ready(name);
}

const isGone = async (path: string): Promise<void> =>
  expect(await orUndefined(cluster().api.get(path))).toBe(undefined);
const isClean = async (name: string, inWorld = world): Promise<void> => {
  const { metadata } = await cluster().api.get(workloadPath(inWorld, 'Deployment', name));
  expect(metadata.annotations?.[MARKER]).toBe(undefined);
  expect(injectedInto(await templateOf(inWorld, 'Deployment', name))).toEqual(NOTHING);
};

describe('deleting', () => {
  it.each(['Background', 'Foreground', 'Orphan'])(
    'the model (%s): nothing holds it up, and nothing of it stays in the workload',
    async (propagationPolicy) => {
      const name = `model-${propagationPolicy.toLowerCase()}`;
      await started(name);
      await cluster().api.delete(world.path('modeldeployments', name), { propagationPolicy });
      await eventually(() => isGone(world.path('modeldeployments', name)), { within: 30_000 });
      await eventually(() => isClean(name));
      if (propagationPolicy === 'Orphan' || !cluster().features.controllers) return;
      await eventually(() => isGone(world.path('secrets', `${name}-truss-secrets`)), { within: 30_000 });
    },
  );

  it('the workload: the model waits, and a new one of its name gets the secrets', async () => {
    await started('workload');
    await cluster().api.delete(workloadPath(world, 'Deployment', 'workload'));
    await world.status('workload', ({ workloads }) => expect(workloads?.[0]?.state).toBe('Waiting'));
    await makeWorkload(world, 'Deployment', 'workload');
    await world.ready('workload');
    expect(injectedInto(await templateOf(world, 'Deployment', 'workload')).required).toEqual(['a']);
  });

  it('the store Secret: its names are missing, and leave the delivered Secret', async () => {
    await world.storeSecret('mine', { a: 'A' }, { store: 'mine' });
    await started('store', { stores: [{ name: 'mine' }] });
    await cluster().api.delete(world.path('secrets', 'mine'));
    await world.status('store', ({ secrets }) => expect(secrets?.[0]?.state).toBe('Missing'));
    expect(await world.delivered('store')).toEqual({});
  });

  it('the ConfigMap: the names that were read last stay, and consent goes on being looked at', async () => {
    await world.configMap('cm', 'secrets: {a: null, b: null}');
    await started('cm', { config: { configMapRef: { name: 'cm' } } });
    await cluster().api.delete(world.path('configmaps', 'cm'));
    await world.status('cm', ({ conditions }) =>
      expect(conditionOf(conditions, 'ConfigValid')?.reason).toBe('ConfigMapMissing'),
    );
    expect(Object.keys((await world.delivered('cm')) ?? {})).toEqual(['a', 'b']);
    expect(injectedInto(await templateOf(world, 'Deployment', 'cm')).required).toEqual(['a', 'b']);
  });

  it('the namespace, with everything in it: nothing is left stuck, and the operator goes on', async (context) => {
    context.skip(!cluster().features.controllers, 'needs the namespace controller');
    const [doomed, other] = await Promise.all([newWorld(), newWorld()]);
    const { kubeconfig } = await operatorIdentity([doomed.namespace, other.namespace]);
    const operator = await startOperator(kubeconfig, [doomed.namespace, other.namespace]);
    await doomed.storeSecret('org', { a: 'A' });
    await makeWorkload(doomed, 'Deployment', 'm');
    await doomed.model('m', { config: declaring('a') });
    await doomed.ready('m');
    await cluster().api.delete(`/api/v1/namespaces/${doomed.namespace}`);
    await eventually(() => isGone(`/api/v1/namespaces/${doomed.namespace}`), { within: 50_000 });
    await other.storeSecret('org', { a: 'A' });
    await makeWorkload(other, 'Deployment', 'm');
    await other.model('m', { config: declaring('a') });
    await other.ready('m');
    expect(await operator.stop()).toBe(0);
  });

  it('all models, as the guide to uninstall says: nothing in any workload tells of us any more', async () => {
    const own = worldIn(await namespace(), cluster().api);
    const { kubeconfig } = await operatorIdentity([own.namespace]);
    await startOperator(kubeconfig, [own.namespace]);
    await own.storeSecret('org', { a: 'A' });
    for (const delivery of ['Mount', 'Env']) {
      const name = delivery.toLowerCase();
      await own.deployment(name);
      await own.model(name, { delivery, config: declaring('a') });
      await own.ready(name);
    }
    const mentions = async (): Promise<readonly string[]> => {
      const workloads = JSON.stringify(await cluster().api.get(own.path('deployments')));
      return workloads.match(/truss-secrets/g) ?? [];
    };
    expect(await mentions()).not.toEqual([]);
    await cluster().api.delete(own.path('modeldeployments'));
    await eventually(async () => expect(await mentions()).toEqual([]));
    expect(await own.delivered('mount')).toBeUndefined();
  });
});

describe('a model that is made again under its name by somebody else', () => {
  it('inherits nothing: neither the Secret nor what is in the workload', async () => {
    const own = await newWorld();
    const { kubeconfig } = await operatorIdentity([own.namespace]);
    const operator = await startOperator(kubeconfig, [own.namespace]);
    await own.storeSecret('org', { a: 'A', b: 'B' });
    await makeWorkload(own, 'Deployment', 'm');
    await own.model('m', { config: declaring('a', 'b') });
    await own.ready('m');
    const { metadata: before } = await cluster().api.get(own.path('secrets', 'm-truss-secrets'));
    await operator.kill();
    // its Secret stays, as an orphan that still names it by its uid
    await cluster().api.delete(own.path('modeldeployments', 'm'), { propagationPolicy: 'Background' });
    await own.model('m', { config: declaring('a'), trusted: false });
    await startOperator(kubeconfig, [own.namespace]);
    await eventually(() => isClean('m', own));
    await own.patchModel('m', { trusted: true });
    await own.ready('m');
    const { metadata, data } = await cluster().api.get(own.path('secrets', 'm-truss-secrets'));
    expect(metadata.uid).not.toBe(before.uid);
    expect(Object.keys(data ?? {})).toEqual(['a']);
    expect(injectedInto(await templateOf(own, 'Deployment', 'm')).required).toEqual(['a']);
  });
});

describe('without the operator', () => {
  it('models and their Secrets can be deleted; what is left in workloads goes when it is back', async () => {
    const own = await newWorld();
    const { kubeconfig } = await operatorIdentity([own.namespace]);
    const operator = await startOperator(kubeconfig, [own.namespace]);
    await own.storeSecret('org', { a: 'A' });
    for (const name of ['deleted', 'dropped', 'kept']) await makeWorkload(own, 'Deployment', name);
    await own.model('deleted', { config: declaring('a') });
    const workloads = ['dropped', 'kept'].map((name) => ({ kind: 'Deployment', name }));
    await own.model('kept', { config: declaring('a'), workloads });
    await own.ready('deleted');
    await own.ready('kept');
    expect(await operator.stop()).toBe(0);
    await cluster().api.delete(own.path('modeldeployments', 'deleted'));
    await isGone(own.path('modeldeployments', 'deleted'));
    await own.patchModel('kept', { workloads: workloads.slice(1) });
    expect(injectedInto(await templateOf(own, 'Deployment', 'deleted')).required).toEqual(['a']);

    await startOperator(kubeconfig, [own.namespace]);
    await eventually(() => isClean('deleted', own));
    await eventually(() => isClean('dropped', own));
    expect(injectedInto(await templateOf(own, 'Deployment', 'kept')).required).toEqual(['a']);
  });

  it('the CRDs, which takes all models with it: the operator cleans up behind them, whatever the order', async (context) => {
    skipUnless(context, 'ownControlPlane');
    await using plane = await ownControlPlane();
    const api = apiOf(plane.access);
    await installCrds(api, 'uninstall');
    await api.post('/api/v1/namespaces', { metadata: { name: 'uninstall' } });
    const own = worldIn('uninstall', api);
    const operator = await startOperator(plane.kubeconfig, ['uninstall']);
    await own.storeSecret('org', { a: 'A' });
    await own.deployment('m');
    await own.model('m', { config: declaring('a') });
    await own.ready('m');
    await api.delete(
      '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/modeldeployments.truss-secrets.dev',
    );
    await eventually(
      async () => {
        expect(await own.delivered('m')).toBe(undefined);
        expect((await own.podSpec('m')).volumes ?? []).toEqual([]);
      },
      { within: 50_000 },
    );
    expect(await operator.stop()).toBe(0);
  });
});
