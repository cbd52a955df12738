import { beforeAll, describe, expect, it } from 'vitest';
import type { ModelDeploymentStatus } from '../../../src/api/model-deployment.ts';
import { cluster } from '../cluster.ts';
import { eventually } from '../eventually.ts';
import { operatorIdentity, startOperator } from '../operator.ts';
import { conditionOf, newWorld, type World } from '../world.ts';
import { injectedInto, makeWorkload, templateOf, workloadPath } from './workloads.ts';

let world: World;

beforeAll(async () => {
  world = await newWorld();
  const { kubeconfig } = await operatorIdentity([world.namespace]);
  await startOperator(kubeconfig, [world.namespace]);
});

const POLICIES = ['Wait', 'UseDefault', 'Skip'] as const;
type Policy = (typeof POLICIES)[number];

/** What DESIGN.md's table says of a name without a default, and of one with a default, while neither has a value. */
const TABLE: Readonly<Record<Policy, { readonly required: string[]; readonly optional: string[] }>> = {
  Wait: { required: ['dflt', 'req'], optional: [] },
  UseDefault: { required: ['req'], optional: ['dflt'] },
  Skip: { required: [], optional: ['dflt', 'req'] },
};
const STATES: Readonly<Record<Policy, Readonly<Record<string, string>>>> = {
  Wait: { dflt: 'Missing', req: 'Missing' },
  UseDefault: { dflt: 'UsingDefault', req: 'Missing' },
  Skip: { dflt: 'Missing', req: 'Missing' },
};

const config = { inline: 'secrets:\n  req: null\n  dflt: placeholder\n' };
const statesOf = ({ secrets }: ModelDeploymentStatus): Record<string, string> =>
  Object.fromEntries((secrets ?? []).map(({ name, state }) => [name, state]));
const is = ({ conditions }: ModelDeploymentStatus, type: string): string | undefined =>
  conditionOf(conditions, type)?.status;

describe('names without a value', () => {
  it.each(POLICIES.flatMap((from) => POLICIES.filter((to) => to !== from).map((to) => [from, to] as const)))(
    'onMissing %s, then %s: pods wait for what they must have, and for nothing else',
    async (from, to) => {
      const name = `${from}-${to}`.toLowerCase();
      const store = { stores: [{ name }] };
      await makeWorkload(world, 'Deployment', name);
      await world.model(name, { config, onMissing: from, ...store });
      for (const policy of [from, to]) {
        await world.patchModel(name, { onMissing: policy });
        await world.status(name, (status) => {
          expect(statesOf(status)).toEqual(STATES[policy]);
          expect(is(status, 'Ready')).toBe(policy === 'Skip' ? 'True' : 'False');
          expect(is(status, 'Injected')).toBe('True');
        });
        expect(injectedInto(await templateOf(world, 'Deployment', name))).toMatchObject(TABLE[policy]);
      }
      // their arrival changes nothing in the template
      const generation = async (): Promise<number | undefined> =>
        (await cluster().api.get(workloadPath(world, 'Deployment', name))).metadata.generation;
      const before = await generation();
      await world.storeSecret(name, { req: 'R', dflt: 'D' }, { store: name });
      await world.status(name, ({ summary }) => expect(summary).toBe('2/2'));
      expect(await world.delivered(name)).toEqual({ req: Buffer.from('R'), dflt: Buffer.from('D') });
      expect(await generation()).toBe(before);
      // nor does their going, which only the status tells of
      await cluster().api.delete(world.path('secrets', name));
      await world.status(name, (status) => expect(statesOf(status)).toEqual(STATES[to]));
      await eventually(async () => expect(await world.delivered(name)).toEqual({}));
      expect(await generation()).toBe(before);
    },
  );

  it('a name that is an optional reference keeps nobody from starting and nothing from being Ready', async () => {
    const inline =
      'model_cache:\n  - {repo_id: x, revision: y, use_volume: true, runtime_secret_name: hub}\n';
    await makeWorkload(world, 'Deployment', 'optional');
    await world.model('optional', { config: { inline }, stores: [{ name: 'optional' }] });
    const status = await world.ready('optional');
    expect(status.secrets).toMatchObject([{ name: 'hub', role: 'Optional', state: 'Missing' }]);
    expect(injectedInto(await templateOf(world, 'Deployment', 'optional'))).toMatchObject({
      required: [],
      optional: ['hub'],
    });
  });

  it('with environment variables the same holds: optional where the model may do without', async () => {
    await makeWorkload(world, 'Deployment', 'env');
    await world.model('env', { config, delivery: 'Env', onMissing: 'UseDefault', stores: [{ name: 'env' }] });
    await world.status('env', (status) => expect(is(status, 'Injected')).toBe('True'));
    const { spec } = await templateOf(world, 'Deployment', 'env');
    expect(spec.containers[0]?.env?.map(({ valueFrom }) => valueFrom?.secretKeyRef)).toEqual([
      { name: 'env-truss-secrets', key: 'req' },
      { name: 'env-truss-secrets', key: 'dflt', optional: true },
    ]);
  });
});

describe('every state of a name says what to do', () => {
  it('Missing, Ambiguous, Empty, InvalidName, Undeliverable, UsingDefault, BuildOnly, Unsupported, Delivered', async () => {
    const inline = `
secrets:
  fine: null
  missing_one: null
  twice: null
  empty: null
  '../up': null
  TRUSS_SECRET_x: null
  binary: null
  dflt: placeholder
build: {secret_to_path_mapping: {pip: /root/.pip}}
weights: [{source: s3://x, mount_location: /w, auth_secret_name: s3}]
base_image: {image: x, docker_auth: {auth_method: AWS_IAM, registry: 1.dkr.ecr.eu-west-1.amazonaws.com}}
`;
    const stores = [{ name: 'states' }];
    const store = { store: 'states' };
    await world.storeSecret(
      'states',
      {
        fine: 'F',
        'missing-one': 'x',
        twice: '1',
        empty: '',
        binary: Uint8Array.from([255]),
        pip: 'x',
        s3: 'x',
      },
      store,
    );
    await world.storeSecret('states-2', { twice: '2' }, store);
    await makeWorkload(world, 'Deployment', 'states');
    await world.model('states', { config: { inline }, stores, delivery: 'Env', onMissing: 'UseDefault' });
    const status = await world.status('states', (found) => expect(statesOf(found)['fine']).toBe('Delivered'));
    const says = Object.fromEntries(
      (status.secrets ?? []).map(({ name, state, message }) => [name, `${state}: ${message}`]),
    );
    const ns = world.namespace;
    expect(says).toEqual({
      fine: 'Delivered: undefined',
      missing_one: `Missing: no Secret labelled truss-secrets.dev/store=states in namespace ${ns} has this key; closest: missing-one`,
      twice: `Ambiguous: both ${ns}/states and ${ns}/states-2 have the key twice; remove it from one of them, or name another store in spec.overrides`,
      empty: `Empty: the value in ${ns}/states, key empty is empty, and an empty file would hide a default; set a value, or remove the key`,
      '../up': expect.stringMatching(/^InvalidName: .*could read another file/),
      TRUSS_SECRET_x: expect.stringMatching(/^InvalidName: .*name the secret x/),
      binary: `Undeliverable: the value in ${ns}/states, key binary cannot be an environment variable (not UTF-8, a NUL, or over 128 KiB); use delivery: Mount`,
      dflt: 'UsingDefault: no value is stored, so the model uses the default of its config.yaml',
      pip: 'BuildOnly: used by build.secret_to_path_mapping only; builds get it, pods do not',
      s3: 'Unsupported: used to fetch weights before the container starts; not delivered to pods',
      aws_access_key_id: expect.stringMatching(/^Unsupported: auth_method AWS_IAM .*every 12 hours/),
      aws_secret_access_key: expect.stringMatching(/^Unsupported: auth_method AWS_IAM /),
    });
    expect(Object.keys((await world.delivered('states')) ?? {})).toEqual(['fine']);
    // names that are no keys, and those for builds and weights, are in no template
    const { env } = injectedInto(await templateOf(world, 'Deployment', 'states'));
    const expected = ['binary', 'empty', 'fine', 'missing_one', 'twice', 'dflt'];
    expect(env['model']?.toSorted()).toEqual(expected.map((name) => `TRUSS_SECRET_${name}`).toSorted());
  });

  it('Untrusted', async () => {
    await world.model('untrusted', { trusted: false, config });
    const status = await world.status('untrusted', (found) =>
      expect(statesOf(found)).toEqual({ req: 'Untrusted', dflt: 'Untrusted' }),
    );
    expect(status.secrets?.[0]?.message).toBe('spec.trusted is false; set it to true to deliver');
  });
});
