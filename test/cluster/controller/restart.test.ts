import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Api, apiOf, type KubernetesObject } from '../api.ts';
import { cluster, ownControlPlane, skipUnless } from '../cluster.ts';
import type { ControlPlane } from '../control-plane.ts';
import { installCrds } from '../crds.ts';
import { eventually } from '../eventually.ts';
import { startOperator } from '../operator.ts';
import { countRequests, type RequestCounts } from '../requests.ts';
import { declaring, type Plural, type World, worldIn } from '../world.ts';

const MODELS = ['one', 'two', 'three'];
const WRITTEN: readonly Plural[] = ['secrets', 'deployments', 'modeldeployments', 'events', 'configmaps'];

/**
 * On a control plane of its own, without controllers that write on their own account: what the API server counts is
 * the operator's.
 */
describe('an operator that starts where everything is right already', () => {
  let plane: ControlPlane | undefined;
  let api: Api;
  let world: World;

  beforeAll(async () => {
    if (!cluster().features.ownControlPlane) return;
    plane = await ownControlPlane({ controllerManagerArgs: ['--controllers=namespace,serviceaccount'] });
    api = apiOf(plane.access);
    await installCrds(api, 'restart');
    await api.post('/api/v1/namespaces', { metadata: { name: 'restart' } });
    world = worldIn('restart', api);
    await world.storeSecret('org', { a: 'A', b: 'B' });
    await world.configMap('two', 'secrets: {a: null}\n');
    for (const name of MODELS) {
      await world.deployment(name);
      await world.model(name, { config: declaring('a', 'b') });
    }
    await world.patchModel('two', { config: { inline: null, configMapRef: { name: 'two' } } });
    await world.model('missing', { config: declaring('c'), onMissing: 'UseDefault' });
  });
  beforeEach((context) => skipUnless(context, 'ownControlPlane'));
  afterAll(async () => await plane?.stop());

  const kubeconfig = (): string => plane?.kubeconfig ?? '';

  /** Every object with its resourceVersion: what is written changes one. */
  async function versions(): Promise<readonly string[]> {
    const lists = await Promise.all(
      WRITTEN.map((plural) => api.get<{ items: KubernetesObject[] }>(world.path(plural))),
    );
    return lists
      .flatMap(({ items }) => items.map(({ metadata }) => `${metadata.name}@${metadata.resourceVersion}`))
      .sort();
  }

  const writes = (counts: RequestCounts): RequestCounts =>
    Object.fromEntries(
      Object.entries(counts).filter(
        ([key]) => /^(POST|PUT|PATCH|APPLY|DELETE) /.test(key) && !key.includes('leases'),
      ),
    );
  const reads = (counts: RequestCounts): RequestCounts =>
    Object.fromEntries(
      Object.entries(counts).filter(([key]) => /^GET (secrets|deployments|configmaps|model)/.test(key)),
    );

  it('writes nothing and reads no single object, also after it was killed; nor does it while it idles', async () => {
    const first = await startOperator(kubeconfig(), ['restart']);
    for (const name of MODELS) await world.ready(name);
    await world.status('missing', ({ secrets }) => expect(secrets?.[0]?.state).toBe('Missing'));
    await first.kill();
    const before = await versions();

    const counted = await countRequests(api);
    const second = await startOperator(kubeconfig(), ['restart']);
    // proof that nothing happens: work begins at once after the start, and 10 s are long for it
    await new Promise((resolve) => setTimeout(resolve, 10_000));
    const counts = await counted();
    expect(writes(counts)).toEqual({});
    // the one workload that does not exist is looked for once
    expect(reads(counts)).toEqual({ 'GET deployments': 1 });
    expect(await versions()).toEqual(before);
    expect(await second.stop()).toBe(0);
  });

  it('finds out what changed while it was away', async () => {
    await api.patch(world.path('secrets', 'org'), { data: { a: btoa('changed') } });
    await api.delete(world.path('modeldeployments', 'three'));
    await api.patch(world.path('secrets', 'one-truss-secrets'), { data: { b: btoa('tampered') } });
    const operator = await startOperator(kubeconfig(), ['restart']);
    // its status was right before, and says nothing of when the Secret is
    await eventually(async () => {
      const found = await world.delivered('one');
      expect([found?.['a']?.toString(), found?.['b']?.toString()]).toEqual(['changed', 'B']);
      const { volumes = [] } = await world.podSpec('three');
      expect(volumes).toEqual([]);
    });
    expect(await operator.stop()).toBe(0);
  });
});
