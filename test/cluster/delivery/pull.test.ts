import { beforeAll, describe, expect, it } from 'vitest';
import { cluster } from '../cluster.ts';
import { eventually } from '../eventually.ts';
import { operatorIdentity, startOperator } from '../operator.ts';
import { conditionOf, newWorld, orUndefined, type World } from '../world.ts';
import { injectedInto, makeWorkload, templateOf, workloadPath } from './workloads.ts';

let world: World;

beforeAll(async () => {
  world = await newWorld();
  const { kubeconfig } = await operatorIdentity([world.namespace]);
  await startOperator(kubeconfig, [world.namespace]);
});

const base64 = (text: string): string => Buffer.from(text).toString('base64');

const HUB = 'https://index.docker.io/v1/';
const inline = `
secrets:
  runtime: null
  DOCKER_REGISTRY_${HUB}: null
base_image:
  image: ghcr.io/org/model
  docker_auth: {auth_method: REGISTRY_SECRET, registry: ghcr.io, secret_name: ghcr}
`;

const getPull = (model: string) =>
  orUndefined(cluster().api.get(world.path('secrets', `${model}-truss-pull`)));

/** Credentials in the pull Secret, by registry. */
async function credentials(model: string): Promise<Record<string, string> | undefined> {
  const text = (await getPull(model))?.data?.['.dockerconfigjson'];
  if (text === undefined) return undefined;
  const { auths } = JSON.parse(Buffer.from(text, 'base64').toString()) as {
    auths: Record<string, { auth: string }>;
  };
  return Object.fromEntries(
    Object.entries(auths).map(([registry, { auth }]) => [registry, Buffer.from(auth, 'base64').toString()]),
  );
}

const storeDockerConfig = (name: string, credential: string) =>
  world.storeSecret(
    name,
    { '.dockerconfigjson': JSON.stringify({ auths: { 'index.docker.io': { auth: base64(credential) } } }) },
    { store: name, type: 'kubernetes.io/dockerconfigjson' },
  );

describe('credentials for pulling images', () => {
  it('are in a Secret of their own that the pods name beside those of the user, and follow their values', async () => {
    await storeDockerConfig('pull', 'hub:1');
    await world.storeSecret('pull-2', { runtime: 'R', ghcr: base64('me:1') }, { store: 'pull' });
    await makeWorkload(world, 'Deployment', 'pull', { pod: { imagePullSecrets: [{ name: 'mine' }] } });
    const { metadata } = await world.model('pull', { config: { inline }, stores: [{ name: 'pull' }] });
    const status = await world.ready('pull');
    expect(status.summary).toBe('3/3');
    expect(status.secrets).toMatchObject([
      {
        name: `DOCKER_REGISTRY_${HUB}`,
        role: 'Pull',
        state: 'Delivered',
        source: { name: 'pull', key: '.dockerconfigjson' },
      },
      {
        name: 'ghcr',
        role: 'Pull',
        pull: { method: 'REGISTRY_SECRET', registry: 'ghcr.io' },
        state: 'Delivered',
      },
      { name: 'runtime', state: 'Delivered' },
    ]);
    const secret = await getPull('pull');
    expect(secret).toMatchObject({
      type: 'kubernetes.io/dockerconfigjson',
      metadata: { ownerReferences: [{ uid: metadata.uid, controller: true }] },
    });
    expect(await credentials('pull')).toEqual({ [HUB]: 'hub:1', 'ghcr.io': 'me:1' });
    const template = await templateOf(world, 'Deployment', 'pull');
    expect(template.spec.imagePullSecrets).toEqual([{ name: 'mine' }, { name: 'pull-truss-pull' }]);
    expect(injectedInto(template).required).toEqual(['runtime']);
    expect(Object.keys((await world.delivered('pull')) ?? {})).toEqual(['runtime']);

    const { generation } = (await cluster().api.get(workloadPath(world, 'Deployment', 'pull'))).metadata;
    await cluster().api.patch(world.path('secrets', 'pull-2'), { stringData: { ghcr: base64('me:2') } });
    await eventually(async () => expect(await credentials('pull')).toMatchObject({ 'ghcr.io': 'me:2' }));
    const after = await cluster().api.get(workloadPath(world, 'Deployment', 'pull'));
    expect(after.metadata.generation).toBe(generation);

    await world.patchModel('pull', { trusted: false });
    await eventually(async () => {
      expect(await getPull('pull')).toBe(undefined);
      expect((await templateOf(world, 'Deployment', 'pull')).spec.imagePullSecrets).toEqual([
        { name: 'mine' },
      ]);
    });
  });

  it('are put back when somebody edits them, and go when the credential does', async () => {
    await storeDockerConfig('edit', 'hub:1');
    await makeWorkload(world, 'Deployment', 'edit');
    const config = { inline: `secrets: {'DOCKER_REGISTRY_${HUB}': null}` };
    await world.model('edit', { config, stores: [{ name: 'edit' }] });
    await world.ready('edit');
    const path = world.path('secrets', 'edit-truss-pull');
    await cluster().api.patch(path, { stringData: { '.dockerconfigjson': '{"auths":{}}' } });
    await eventually(async () => expect(await credentials('edit')).toEqual({ [HUB]: 'hub:1' }));
    await cluster().api.patch(path, { immutable: true });
    await eventually(async () => expect(await getPull('edit')).not.toHaveProperty('immutable', true));
    await cluster().api.delete(path);
    await eventually(async () => expect(await credentials('edit')).toEqual({ [HUB]: 'hub:1' }));

    await cluster().api.delete(world.path('secrets', 'edit'));
    const { secrets } = await world.status('edit', ({ summary }) => expect(summary).toBe('0/1'));
    expect(secrets?.[0]?.message).toContain(`has a credential for ${HUB}`);
    await eventually(async () => expect(await getPull('edit')).toBe(undefined));
    // the template depends on the declaration alone
    expect((await templateOf(world, 'Deployment', 'edit')).spec.imagePullSecrets).toEqual([
      { name: 'edit-truss-pull' },
    ]);
  });

  it('of a Google service account are its JSON, and what is none is said', async () => {
    const account = '{"type":"service_account"}';
    await world.storeSecret('gcp', { gcp: 'a token' }, { store: 'gcp' });
    await makeWorkload(world, 'Deployment', 'gcp');
    await world.model('gcp', {
      config: {
        inline: `
base_image:
  image: europe-docker.pkg.dev/org/model
  docker_auth:
    {auth_method: GCP_SERVICE_ACCOUNT_JSON, registry: europe-docker.pkg.dev, secret_name: gcp}`,
      },
      stores: [{ name: 'gcp' }],
    });
    await world.status('gcp', ({ secrets }) => {
      expect(secrets?.[0]?.state).toBe('Undeliverable');
      expect(secrets?.[0]?.message).toContain('JSON of a service account');
    });
    expect(await getPull('gcp')).toBe(undefined);
    await cluster().api.patch(world.path('secrets', 'gcp'), { stringData: { gcp: account } });
    await world.ready('gcp');
    expect(await credentials('gcp')).toEqual({ 'europe-docker.pkg.dev': `_json_key:${account}` });
  });

  it('a model may have nothing else: then there is no other Secret, no volume and no revision', async () => {
    await storeDockerConfig('alone', 'hub:1');
    await makeWorkload(world, 'StatefulSet', 'alone');
    await world.model('alone', {
      config: { inline: `secrets: {'DOCKER_REGISTRY_${HUB}': null}` },
      stores: [{ name: 'alone' }],
      delivery: 'Env',
      workloads: [{ kind: 'StatefulSet', name: 'alone' }],
    });
    const { conditions } = await world.ready('alone');
    expect(conditionOf(conditions, 'Delivered')?.message).toBe(
      'Secret alone-truss-pull has the credentials for pulling images',
    );
    expect(await world.delivered('alone')).toBe(undefined);
    const template = await templateOf(world, 'StatefulSet', 'alone');
    expect(template.spec).toMatchObject({ imagePullSecrets: [{ name: 'alone-truss-pull' }] });
    expect(template.spec).not.toHaveProperty('volumes');
    expect(template.metadata.annotations).toBe(undefined);
  });

  it('a Secret of that name that is somebody else`s is not touched, and no template refers to it', async () => {
    await storeDockerConfig('taken', 'hub:1');
    await cluster().api.post(world.path('secrets'), {
      metadata: { name: 'taken-truss-pull' },
      stringData: { x: 'y' },
    });
    await makeWorkload(world, 'Deployment', 'taken');
    await world.model('taken', {
      config: { inline: `secrets: {'DOCKER_REGISTRY_${HUB}': null}` },
      stores: [{ name: 'taken' }],
    });
    const { conditions } = await world.status('taken', (status) =>
      expect(conditionOf(status.conditions, 'Delivered')?.reason).toBe('Conflict'),
    );
    expect(conditionOf(conditions, 'Ready')?.message).toContain(
      'Secret taken-truss-pull exists and does not belong',
    );
    expect((await templateOf(world, 'Deployment', 'taken')).spec.imagePullSecrets).toBe(undefined);
    expect((await getPull('taken'))?.data).toEqual({ x: base64('y') });
  });
});
