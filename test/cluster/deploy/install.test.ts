import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Api, apiOf, type KubernetesObject } from '../api.ts';
import { cluster, ownControlPlane, skipUnless } from '../cluster.ts';
import type { ControlPlane } from '../control-plane.ts';
import { writeKubeconfig } from '../identity.ts';
import { eventually } from '../eventually.ts';
import { type Operator, startOperator } from '../operator.ts';
import { declaring, orUndefined, type World, worldIn } from '../world.ts';
import { applyAll, pathOf, removeAll } from '../../deploy/apply.ts';
import type { Manifest } from '../../deploy/kustomize.ts';
import { objectsOfSet, setsFor } from '../../deploy/sets.ts';

const NAMESPACES = ['models', 'org-secrets'];
const LEASE = ['--leader-elect', '--leader-elect-resource-namespace=truss-secrets-system'];

describe('the manifests', () => {
  let plane: ControlPlane | undefined;
  let api: Api;
  let world: World;
  beforeAll(async () => {
    if (!cluster().features.ownControlPlane) return;
    plane = await ownControlPlane({ controllerManagerArgs: ['--controllers=*,-deployment,-replicaset'] });
    api = apiOf(plane.access);
    for (const name of NAMESPACES) await api.post('/api/v1/namespaces', { metadata: { name } });
    world = worldIn('models', api);
  });
  beforeEach((context) => skipUnless(context, 'ownControlPlane'));
  afterAll(async () => await plane?.stop());

  const server = (): string => plane?.access.server ?? '';
  const namesOf = (objects: readonly Manifest[]): readonly string[] => objects.map(pathOf).toSorted();

  /** The operator with the rights of the ServiceAccount of the manifests, and nobody else's. */
  async function operatorOf(args: readonly string[] = []): Promise<Operator> {
    const account = '/api/v1/namespaces/truss-secrets-system/serviceaccounts/truss-secrets';
    const { status } = await api.post<{ status: { token: string } }>(`${account}/token`, {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: {},
    });
    const kubeconfig = await writeKubeconfig({ ...plane?.access, server: server(), token: status.token });
    return await startOperator(kubeconfig, NAMESPACES, [...LEASE, ...args]);
  }

  it('apply whole, and again without a change', async () => {
    for (const set of setsFor(cluster().features)) {
      const objects = objectsOfSet(set);
      const first = await applyAll(api, objects);
      const second = await applyAll(api, objects);
      // a controller may have written a status meanwhile, or a token
      const generations = (all: readonly KubernetesObject[]) =>
        all.map(({ metadata }) => [metadata.name, metadata.uid, metadata.generation]);
      expect(generations(second)).toEqual(generations(first));
    }
  });

  it('give the operator the rights that it needs, its lease among them, and an upgrade in place changes nothing that was delivered', async () => {
    const objects = objectsOfSet(setsFor(cluster().features)[0]);
    await applyAll(api, objects);
    const operator = await operatorOf();
    await eventually(() => expect(operator.output()).toContain('"msg":"leading"'));
    await world.storeSecret('org', { token: 'value' });
    await world.deployment('app');
    await world.model('app', { config: declaring('token') });
    await world.ready('app');
    const paths = [
      world.path('secrets', 'app-truss-secrets'),
      world.path('deployments', 'app'),
      world.path('modeldeployments', 'app'),
    ];
    const versions = () =>
      Promise.all(paths.map(async (path) => (await api.get(path)).metadata.resourceVersion));
    const before = await versions();

    // a new version: manifests first, then a new pod, then the old one goes
    await applyAll(api, objects);
    const next = await operatorOf();
    expect(await operator.stop()).toBe(0);
    await eventually(() => expect(next.output()).toContain('"msg":"leading"'));
    expect(await versions()).toEqual(before);
    await api.patch(world.path('secrets', 'org'), { stringData: { token: 'new' } });
    await eventually(async () => expect((await world.delivered('app'))?.['token']?.toString()).toBe('new'));
    expect(next.output()).not.toContain('orbidden');
    await next.stop();
  });

  it('let the namespaced set do with Roles alone', async (context) => {
    skipUnless(context, 'validatingAdmissionPolicy');
    await removeAll(
      api,
      objectsOfSet('.').filter(({ kind }) => kind.startsWith('ClusterRole')),
    );
    await applyAll(api, objectsOfSet('overlays/namespaced'));
    const operator = await operatorOf();
    await world.storeSecret('more', { other: 'value' });
    await world.model('other', { config: declaring('other'), workloads: [] });
    await world.ready('other');
    expect(operator.output()).not.toContain('orbidden');
    await operator.stop();
  });

  it('go in the order of docs/operations.md, and leave workloads as they were', async () => {
    const objects = objectsOfSet(setsFor(cluster().features).at(-1) ?? '.');
    await applyAll(api, objects);
    const operator = await operatorOf();
    await world.storeSecret('last', { key: 'value' });
    await world.deployment('bare');
    const before = await world.podSpec('bare');
    await world.model('bare', { config: declaring('key') });
    await world.ready('bare');
    expect(await world.podSpec('bare')).not.toEqual(before);

    // 1. the models, while the operator runs
    const models = world.path('modeldeployments');
    for (const { metadata } of (await api.get<{ items: KubernetesObject[] }>(models)).items)
      await api.delete(`${models}/${metadata.name}`);
    await eventually(async () => expect(await world.podSpec('bare')).toEqual(before));
    // 2. everything else
    await operator.stop();
    await removeAll(api, objects);
    await eventually(
      async () => {
        const left = await Promise.all(objects.map((object) => orUndefined(api.get(pathOf(object)))));
        expect(namesOf(objects.filter((_, index) => left[index] !== undefined))).toEqual([]);
      },
      { within: 40_000 },
    );
    expect((await api.get(world.path('deployments', 'bare'))).metadata.annotations ?? {}).not.toHaveProperty([
      'truss-secrets.dev/model',
    ]);
  });
});
