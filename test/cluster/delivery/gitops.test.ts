import { beforeEach, describe, expect, it } from 'vitest';
import { cluster } from '../cluster.ts';
import { eventually } from '../eventually.ts';
import { operatorIdentity, startOperator } from '../operator.ts';
import { conditionOf, declaring, newWorld, type World } from '../world.ts';
import { type ObservedWay, observedWay } from './observed.ts';
import { injectedInto, REVISION, templateOf, workloadPath } from './workloads.ts';

/** Somebody's manifest, as it lies in a repository. */
const manifest = (name: string, more: object = {}) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: {
    replicas: 0,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: {
        containers: [
          {
            name: 'model',
            image: 'registry.invalid/model:1',
            env: [{ name: 'OWN', value: 'x' }],
            volumeMounts: [{ name: 'data', mountPath: '/data' }],
          },
        ],
        volumes: [{ name: 'data', emptyDir: {} }],
        ...more,
      },
    },
  },
});
type Manifest = ReturnType<typeof manifest>;

/** As kubectl apply does it: a strategic merge patch with the whole manifest, and the manifest in an annotation. */
const clientSide = async (world: World, applied: Manifest): Promise<void> => {
  const { spec } = applied;
  const { template } = spec;
  const containers = template.spec.containers.map(({ env, volumeMounts, ...container }) => ({
    ...container,
    env,
    volumeMounts,
    '$setElementOrder/env': env.map(({ name }) => ({ name })),
    '$setElementOrder/volumeMounts': volumeMounts.map(({ mountPath }) => ({ mountPath })),
  }));
  const patch = {
    metadata: {
      annotations: { 'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify(applied) },
    },
    spec: {
      ...spec,
      template: {
        ...template,
        spec: {
          ...template.spec,
          containers,
          '$setElementOrder/containers': containers.map(({ name }) => ({ name })),
          '$setElementOrder/volumes': template.spec.volumes.map(({ name }) => ({ name })),
        },
      },
    },
  };
  const path = `${workloadPath(world, 'Deployment', applied.metadata.name)}?fieldManager=kubectl-client-side-apply`;
  await cluster().api.patch(path, patch, 'strategic-merge-patch');
};

const serverSide =
  (force: boolean) =>
  async (world: World, applied: Manifest): Promise<void> => {
    const path = workloadPath(world, 'Deployment', applied.metadata.name);
    await cluster().api.patch(
      `${path}?fieldManager=argocd-controller&force=${force}`,
      applied,
      'apply-patch',
    );
  };

/** As kubectl replace does it: what is not in the manifest goes. */
const replace = async (world: World, applied: Manifest): Promise<void> => {
  const path = workloadPath(world, 'Deployment', applied.metadata.name);
  await cluster().api.put(`${path}?fieldManager=kubectl-replace`, applied);
};

const create = async (world: World, applied: Manifest): Promise<void> => {
  await cluster().api.post(`${workloadPath(world, 'Deployment')}?fieldManager=kubectl-replace`, applied);
};

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe('somebody who applies his own manifest again and again', () => {
  let world: World;
  let way: ObservedWay;

  beforeEach(async () => {
    world = await newWorld();
    way = await observedWay([world.namespace]);
    await startOperator(way.kubeconfig, [world.namespace]);
    await world.storeSecret('org', { a: 'A', b: 'B' });
  });

  it.each([
    ['kubectl apply', clientSide],
    ['server-side apply', serverSide(false)],
    ['server-side apply with force', serverSide(true)],
  ] as const)(
    '%s: neither takes anything from the other, and nobody writes because of it',
    async (what, apply) => {
      const name = what.replaceAll(/[^a-z]+/g, '-');
      if (apply === clientSide) await create(world, manifest(name));
      await apply(world, manifest(name));
      await world.model(name, {
        config: declaring('a'),
        delivery: 'Env',
        overrides: [{ name: 'a', env: ['PLAIN'] }],
      });
      await world.ready(name);
      // comes after the status, and is the last of what is written
      await eventually(async () => {
        expect((await world.events(name)).map(({ reason }) => reason)).toContain('Ready');
      });
      const path = workloadPath(world, 'Deployment', name);
      const before = await cluster().api.get(path);
      const writes = way.writes(/./);
      for (let n = 0; n < 5; n++) {
        await apply(world, manifest(name));
        await pause(300);
      }
      expect(way.writes(/./)).toBe(writes);
      const after = await cluster().api.get(path);
      expect(after.metadata.generation).toBe(before.metadata.generation);
      expect(after.spec).toEqual(before.spec);

      // his changes come through, and ours stay
      const { spec } = manifest(name, { terminationGracePeriodSeconds: 7 });
      await apply(world, { ...manifest(name), spec });
      await world.ready(name);
      const template = await templateOf(world, 'Deployment', name);
      expect(template.spec).toMatchObject({ terminationGracePeriodSeconds: 7 });
      expect(injectedInto(template).env).toEqual({ model: ['TRUSS_SECRET_a', 'PLAIN'] });
      expect(template.spec.containers[0]?.env).toContainEqual({ name: 'OWN', value: 'x' });
    },
  );

  it('server-side apply with force that takes over a field of ours: said, named, and left alone', async () => {
    await serverSide(true)(world, manifest('taken'));
    await world.model('taken', { config: declaring('a'), delivery: 'Env' });
    await world.ready('taken');
    const mine = manifest('taken');
    const [container] = mine.spec.template.spec.containers;
    container?.env.push({ name: 'TRUSS_SECRET_a', value: 'his own' });
    // a value beside our valueFrom is invalid, so that he has to take that out, too
    await expect(serverSide(true)(world, mine)).rejects.toThrow(
      /may not be specified when `value` is not empty/,
    );
    const annotated = { ...manifest('taken') };
    const template = {
      ...annotated.spec.template,
      metadata: { labels: { app: 'taken' }, annotations: { [REVISION]: 'his' } },
    };
    await serverSide(true)(world, { ...annotated, spec: { ...annotated.spec, template } });
    const { workloads: [entry] = [] } = await world.status('taken', ({ workloads }) =>
      expect(workloads?.[0]?.state).toBe('Conflict'),
    );
    expect(entry?.message).toContain('argocd-controller');
    expect((await templateOf(world, 'Deployment', 'taken')).metadata.annotations?.[REVISION]).toBe('his');
    // he lets go of it
    await serverSide(true)(world, manifest('taken'));
    await world.ready('taken');
    expect(injectedInto(await templateOf(world, 'Deployment', 'taken')).env).toEqual({
      model: ['TRUSS_SECRET_a'],
    });
  });
});

describe('a server-side-applied manifest that renames an injected container', () => {
  it('is refused with 422 while the old one is ours; untrust, apply, trust', async () => {
    const world = await newWorld();
    const { kubeconfig } = await operatorIdentity([world.namespace]);
    await startOperator(kubeconfig, [world.namespace]);
    await world.storeSecret('org', { a: 'A' });
    const apply = serverSide(true);
    await apply(world, manifest('renamed'));
    await world.model('renamed', { config: declaring('a') });
    await world.ready('renamed');
    const after = manifest('renamed');
    const containers = after.spec.template.spec.containers.map((container) => ({
      ...container,
      name: 'main',
    }));
    const template = { ...after.spec.template, spec: { ...after.spec.template.spec, containers } };
    const renamed = { ...after, spec: { ...after.spec, template } };
    // docs/delivery.md quotes this
    await expect(apply(world, renamed)).rejects.toThrow(
      /422 Invalid: Deployment.apps "renamed" is invalid: spec\.template\.spec\.containers\[\d\]\.image: Required value/,
    );
    await world.patchModel('renamed', { trusted: false });
    await eventually(async () =>
      expect(injectedInto(await templateOf(world, 'Deployment', 'renamed')).mounted).toEqual([]),
    );
    await apply(world, renamed);
    await world.patchModel('renamed', { trusted: true });
    await world.ready('renamed');
    expect(injectedInto(await templateOf(world, 'Deployment', 'renamed')).mounted).toEqual(['main']);
  });
});

describe('somebody who keeps replacing the workload by his manifest', () => {
  it('is answered five times, then once in ten minutes; the condition names him, and no data is lost', async () => {
    const world = await newWorld();
    const way = await observedWay([world.namespace]);
    await startOperator(way.kubeconfig, [world.namespace]);
    await world.storeSecret('org', { a: 'A' });
    await create(world, manifest('fought'));
    await world.model('fought', { config: declaring('a') });
    await world.ready('fought');
    const isIn = async (): Promise<boolean> =>
      injectedInto(await templateOf(world, 'Deployment', 'fought')).required.length > 0;
    const writes = () => way.writes(/\/deployments\/fought\b/);
    const before = writes();

    for (let n = 0; n < 5; n++) {
      await replace(world, manifest('fought'));
      await eventually(async () => expect(await isIn()).toBe(true));
    }
    for (let n = 0; n < 10; n++) {
      await replace(world, manifest('fought'));
      await pause(200);
    }
    const status = await world.status('fought', ({ workloads }) =>
      expect(workloads?.[0]?.state).toBe('Reverted'),
    );
    expect(status.workloads?.[0]?.message).toContain(
      '(field manager kubectl-replace) keeps taking the secrets out',
    );
    expect(conditionOf(status.conditions, 'Ready')).toMatchObject({ status: 'False', reason: 'Reverted' });
    expect(writes() - before).toBe(5);
    expect(await isIn()).toBe(false);
    expect(await world.delivered('fought')).toEqual({ a: Buffer.from('A') });

    // what he wants is still there, and what is new is written at once
    await world.storeSecret('more', { b: 'B' });
    await world.patchModel('fought', { config: declaring('a', 'b') });
    await world.status('fought', ({ workloads }) => expect(workloads?.[0]?.state).toBe('Injected'));
    const template = await templateOf(world, 'Deployment', 'fought');
    expect(injectedInto(template).required).toEqual(['a', 'b']);
    expect(template.spec.containers[0]?.env).toEqual([{ name: 'OWN', value: 'x' }]);
    expect(way.writes(/modeldeployments\/fought\/status/)).toBeLessThan(40);
  });

  it('what the API server refuses is tried five times, then ever more rarely, however often he writes', async () => {
    const world = await newWorld();
    const way = await observedWay([world.namespace]);
    await startOperator(way.kubeconfig, [world.namespace]);
    await world.storeSecret('org', { a: 'A' });
    const { spec } = manifest('refused');
    const template = {
      ...spec.template,
      metadata: { labels: { app: 'refused' }, annotations: { [REVISION]: 'his' } },
    };
    const his = { ...manifest('refused'), spec: { ...spec, template } };
    await serverSide(true)(world, his);
    await world.model('refused', { config: declaring('a'), delivery: 'Env' });
    const isConflict = () =>
      world.status('refused', ({ workloads }) => {
        expect(workloads?.[0]?.state).toBe('Conflict');
        expect(workloads?.[0]?.message).toContain('argocd-controller');
      });
    await isConflict();
    const path = workloadPath(world, 'Deployment', 'refused');
    for (let n = 0; n < 12; n++) {
      await cluster().api.patch(path, {
        spec: { template: { metadata: { annotations: { n: String(n) } } } },
      });
      await pause(300);
    }
    expect(way.writes(/\/deployments\/refused\b/)).toBe(5);
    await isConflict();
  });

  it('a manifest that has our fields in it is no fight', async () => {
    const world = await newWorld();
    const way = await observedWay([world.namespace]);
    await startOperator(way.kubeconfig, [world.namespace]);
    await world.storeSecret('org', { a: 'A' });
    await create(world, manifest('snippet'));
    await world.model('snippet', { config: declaring('a') });
    await world.ready('snippet');
    const { metadata, spec } = await cluster().api.get(workloadPath(world, 'Deployment', 'snippet'));
    const full = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'snippet', annotations: metadata.annotations },
      spec,
    };
    for (let n = 0; n < 8; n++) {
      await replace(world, full as unknown as Manifest);
      await pause(250);
    }
    expect(injectedInto(await templateOf(world, 'Deployment', 'snippet')).required).toEqual(['a']);
    await world.ready('snippet');
    expect(way.writes(/\/deployments\/snippet\b/)).toBeLessThan(8);
  });
});
