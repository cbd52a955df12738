import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { cluster, importImages, skipUnless } from '../cluster/cluster.ts';
import { eventually } from '../cluster/eventually.ts';
import { exec } from '../cluster/exec.ts';
import { temporaryFolder } from '../cluster/guard.ts';
import { run } from '../cluster/process.ts';
import { declaring, newWorld, orUndefined, type World, worldIn } from '../cluster/world.ts';
import { applyAll, removeAll } from '../deploy/apply.ts';
import type { Manifest } from '../deploy/kustomize.ts';
import { objectsOfSet, setsFor } from '../deploy/sets.ts';
import { buildImage, cannotBuildImage } from '../image/build.ts';
import { isReady, onePod, type Pod, runWorkload, textIn } from './pods.ts';

const SYSTEM = 'truss-secrets-system';
const LEASE = `/apis/coordination.k8s.io/v1/namespaces/${SYSTEM}/leases/truss-secrets`;
const BUILT_WITHIN_MS = 900_000;
const RUNNING = { within: 150_000 };
const OWN_LAYER_MB = 6;

/**
 * What an administrator does: builds the image, and applies the manifests. The operator is told to leave alone all but
 * one namespace, as other tests run theirs on this cluster; the CRDs are there already.
 */
function manifests(namespace: string): readonly Manifest[] {
  return objectsOfSet(setsFor(cluster().features)[0])
    .filter(({ kind }) => kind !== 'CustomResourceDefinition')
    .map((object) =>
      object.kind === 'Deployment' ? withArgument(object, `--namespaces=${namespace}`) : object,
    );
}

function withArgument(deployment: Manifest, argument: string): Manifest {
  const text = JSON.stringify(deployment).replace('"args":["controller"', `$&,${JSON.stringify(argument)}`);
  expect(text).toContain(argument);
  return JSON.parse(text);
}

describe('the image, from the manifests of the project', () => {
  let world: World;
  let system: World;
  let objects: readonly Manifest[] = [];
  let archive = '';
  let folder: Awaited<ReturnType<typeof temporaryFolder>> | undefined;
  let obstacle: string | undefined;

  beforeAll(async () => {
    const { api, features } = cluster();
    if (!features.importsImages) return;
    obstacle = cannotBuildImage();
    if (await orUndefined(api.get(`/api/v1/namespaces/${SYSTEM}`))) obstacle = `${SYSTEM} is there already`;
    if (obstacle !== undefined) return;
    folder = await temporaryFolder(join(tmpdir(), 'truss-test-'));
    archive = join(folder.path, 'image.tar');
    await buildImage(archive);
    await importImages(archive);
    world = await newWorld();
    system = worldIn(SYSTEM);
    objects = manifests(world.namespace);
    await applyAll(api, objects);
  }, BUILT_WITHIN_MS);
  beforeEach((context) => {
    skipUnless(context, 'importsImages');
    context.skip(obstacle !== undefined, obstacle);
  });
  afterAll(async () => {
    await removeAll(cluster().api, objects);
    await folder?.[Symbol.asyncDispose]();
  });

  /** The pods of the operator, all of them ready. */
  const replicas = (count = 2) =>
    eventually(async () => {
      const { items } = await cluster().api.get<{ items: readonly Pod[] }>(
        `${system.path('pods')}?labelSelector=app.kubernetes.io%2Fname%3Dtruss-secrets`,
      );
      const pods = items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
      if (pods.length !== count || !pods.every(isReady))
        throw new Error(`not ${count} that are ready: ${JSON.stringify(pods.map(({ status }) => status))}`);
      return pods;
    }, RUNNING);

  const leader = (unlike?: string): Promise<string> =>
    eventually(async () => {
      const { spec } = await cluster().api.get<{ spec: { holderIdentity?: string } }>(LEASE);
      const name = spec.holderIdentity?.split('_')[0] ?? '';
      if (name === '' || name === unlike) throw new Error(`the leader is ${name}`);
      return name;
    }, RUNNING);

  const inOperator = (pod: string, ...command: readonly string[]) =>
    exec(cluster().access, { namespace: SYSTEM, pod, container: 'controller' }, command);

  it('runs twice, ready, and one of the two leads', async () => {
    const pods = await replicas();
    expect(
      pods.map(({ status }) => status.containerStatuses?.map(({ restartCount }) => restartCount)),
    ).toEqual([[0], [0]]);
    expect(pods.map(({ metadata }) => metadata.name)).toContain(await leader());
  });

  it('has no shell and no npm, is not root, and cannot write', async () => {
    const name = await leader();
    for (const program of ['sh', 'bash', 'busybox', 'npm', 'npx'])
      await expect(inOperator(name, program, '--version'), program).rejects.toThrow(
        /not found|no such file/i,
      );
    const script = `
      let error;
      try { require('node:fs').writeFileSync('/app/x', ''); } catch ({ code }) { error = code; }
      console.log(process.getuid(), process.getgid(), error);`;
    expect((await inOperator(name, 'node', '-e', script)).stdout).toBe('65532 65532 EROFS\n');
    expect((await inOperator(name, 'node', '/app/main.js', '--help')).stdout).toContain('controller');
  });

  it(
    'adds one layer of a few megabytes to its base, the same to the byte when it is built again',
    async () => {
      const layers = await layersOf(archive);
      expect(layers).toHaveLength(2);
      const own = layers.at(-1);
      expect(own?.bytes).toBeGreaterThan(0);
      expect(own?.bytes).toBeLessThan(OWN_LAYER_MB * 1e6);
      const again = `${archive}.again`;
      // of a try that failed: archives are not written over
      await rm(again, { force: true });
      await buildImage(again);
      expect(await layersOf(again)).toEqual(layers);
    },
    BUILT_WITHIN_MS,
  );

  it('brings secrets onto pods, and goes on when the pod that leads is deleted', async () => {
    await replicas();
    await world.storeSecret('org', { token: 'first' });
    await runWorkload(world, 'Deployment', 'app');
    await world.model('app', { config: declaring('token') });
    await world.ready('app');
    const pod = await onePod(world, 'app', async (found) =>
      expect(await textIn(world, found, 'token')).toBe('first'),
    );

    const first = await leader();
    await cluster().api.delete(system.path('pods', first));
    await leader(first);
    await cluster().api.patch(world.path('secrets', 'org'), { stringData: { token: 'second' } });
    await eventually(async () => expect(await textIn(world, pod, 'token')).toBe('second'), RUNNING);
    await replicas();
  });

  it('lets one of its pods be evicted at a time', async () => {
    const names = (await replicas()).map(({ metadata }) => metadata.name);
    const evict = (name = ''): Promise<unknown> =>
      cluster().api.post(`${system.path('pods', name)}/eviction`, {
        apiVersion: 'policy/v1beta1',
        kind: 'Eviction',
        metadata: { name, namespace: SYSTEM },
      });
    await evict(names[0]);
    await expect(evict(names[1])).rejects.toMatchObject({ code: 429 });
    await replicas();
  });

  it('rolls to another version, and writes nothing for it', async () => {
    const before = await replicas();
    const versions = () =>
      Promise.all(
        [world.path('secrets', 'app-truss-secrets'), world.path('modeldeployments', 'app')].map(
          async (path) => (await cluster().api.get(path)).metadata.resourceVersion,
        ),
      );
    const written = await versions();
    const restartedAt = { metadata: { annotations: { 'kubectl.kubernetes.io/restartedAt': 'now' } } };
    await cluster().api.patch(system.path('deployments', 'truss-secrets'), {
      spec: { template: restartedAt },
    });
    await eventually(async () => {
      const names = (await replicas()).map(({ metadata }) => metadata.name);
      expect(names.filter((name) => before.some(({ metadata }) => metadata.name === name))).toEqual([]);
    }, RUNNING);
    await leader();
    expect(await versions()).toEqual(written);
  });

  it('logs lines of JSON, none of which has a value', async () => {
    const text = await cluster().api.text(`${system.path('pods', await leader())}/log`);
    const lines = text.trimEnd().split('\n');
    expect(lines.length).toBeGreaterThan(1);
    for (const line of lines) expect(JSON.parse(line)).toMatchObject({ msg: expect.any(String) });
    expect(text).not.toContain('second');
  });
});

/** The layers of a Docker archive, which are named by their digests. */
async function layersOf(path: string): Promise<readonly { readonly name: string; readonly bytes: number }[]> {
  const [{ Layers: names }]: [{ readonly Layers: readonly string[] }] = JSON.parse(
    await run('tar', ['-xOf', path, 'manifest.json']),
  );
  const listing = (await run('tar', ['-tvf', path])).split('\n');
  return names.map((name) => {
    const line = listing.find((one) => one.endsWith(` ${name}`));
    return { name, bytes: Number(line?.trim().split(/\s+/)[2]) };
  });
}
