import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { cluster } from '../cluster.ts';
import { eventually } from '../eventually.ts';
import { allOutput, type Operator, operatorIdentity, startOperator } from '../operator.ts';
import { freePorts } from '../ports.ts';
import { conditionOf, declaring, newWorld, type World } from '../world.ts';

/** A value for each role that one can have; wherever one of these turns up outside of a Secret's data, it leaked. */
const CANARIES = {
  delivered: 'canary-delivered-81f3',
  rotated: 'canary-rotated-92c4',
  inEnv: 'canary-in-env-03d5',
  newline: 'canary-newline-14e6\n',
  ambiguous: 'canary-ambiguous-25f7',
  unshared: 'canary-unshared-36a8',
  undeclared: 'canary-undeclared-47b9',
  notText: 'canary-not-text-58ca\0',
  foreign: 'canary-foreign-69db',
  forged: 'canary-forged-7aec',
  large: 'canary-large-8bfd'.padEnd(700_000, 'x'),
  pullUser: 'canary-user-9c0e:canary-password-ad1f',
  pullPlain: 'canary-plain-be20',
  badPull: 'canary-bad-pull-cf31',
  withdrawn: 'canary-withdrawn-e153',
} as const;

const TRACES = Object.values(CANARIES).flatMap((value) => {
  const text = value.slice(0, 24).replaceAll(/[\n\0]/g, '');
  // in base64 a text is found by what its three alignments have in common
  const encoded = [text, ` ${text}`, `  ${text}`].map((shifted) =>
    Buffer.from(shifted).toString('base64').slice(4, 20),
  );
  return [text.slice(0, 20), ...encoded];
});

const leaksIn = (text: string): readonly string[] => TRACES.filter((trace) => text.includes(trace));

let world: World;
let org: World;
let operator: Operator;
let metrics: string;

const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** Values come, change, are in the way, and go again, in every role that one can have. */
async function everything(): Promise<void> {
  [world, org] = await Promise.all([newWorld(), newWorld()]);
  const api = cluster().api;
  const { kubeconfig } = await operatorIdentity([world.namespace, org.namespace]);
  const [port] = await freePorts(1, '127.0.0.1');
  metrics = `http://127.0.0.1:${port}/metrics`;
  const watched = [world.namespace, org.namespace];
  operator = await startOperator(kubeconfig, watched, ['--metrics-bind-address', `127.0.0.1:${port}`]);
  const share = { annotations: { 'truss-secrets.dev/share-with': world.namespace } };
  await world.storeSecret('org', {
    delivered: CANARIES.delivered,
    inEnv: CANARIES.inEnv,
    newline: CANARIES.newline,
    undeclared: CANARIES.undeclared,
    notText: CANARIES.notText,
    ambiguous: CANARIES.ambiguous,
    badPull: CANARIES.badPull,
  });
  await world.storeSecret('org-2', { ambiguous: `${CANARIES.ambiguous}-2` });
  await world.storeSecret('large', { one: CANARIES.large }, { store: 'large' });
  await world.storeSecret('large-2', { two: CANARIES.large }, { store: 'large' });
  await world.storeSecret(
    'docker',
    {
      '.dockerconfigjson': JSON.stringify({
        auths: { 'registry.example': { auth: base64(CANARIES.pullUser) } },
      }),
    },
    { type: 'kubernetes.io/dockerconfigjson' },
  );
  await org.storeSecret('unshared', { unshared: CANARIES.unshared }, { store: 'org' });
  await org.storeSecret('withdrawn', { withdrawn: CANARIES.withdrawn }, { store: 'org', ...share });
  await api.post(world.path('secrets'), {
    metadata: { name: 'blocked-truss-secrets' },
    data: { delivered: base64(CANARIES.foreign) },
  });

  const stores = [{ name: 'default' }, { name: 'org', namespace: org.namespace }];
  for (const delivery of ['Mount', 'Env']) {
    const name = delivery.toLowerCase();
    await world.deployment(name);
    await world.model(name, {
      config: declaring(
        'delivered',
        'inEnv',
        'newline',
        'notText',
        'ambiguous',
        'unshared',
        'withdrawn',
        'missing',
        'DOCKER_REGISTRY_registry.example',
      ),
      overrides: [{ name: 'inEnv', env: ['PLAIN_NAME'] }],
      stores,
      delivery,
    });
  }
  await world.model('blocked', { config: declaring('delivered'), workloads: [] });
  await world.model('too-large', {
    config: declaring('one', 'two'),
    stores: [{ name: 'large' }],
    workloads: [],
  });
  for (const name of ['mount', 'env', 'blocked', 'too-large'])
    await world.status(name, ({ conditions }) => expect(conditionOf(conditions, 'Ready')).toBeDefined());
  await api.patch(world.path('secrets', 'org'), { data: { delivered: base64(CANARIES.rotated) } });
  await api.patch(world.path('secrets', 'mount-truss-secrets'), {
    data: { delivered: base64(CANARIES.forged) },
  });
  await api.patch(org.path('secrets', 'withdrawn'), {
    metadata: { annotations: { 'truss-secrets.dev/share-with': 'others' } },
  });
  await eventually(async () => {
    for (const name of ['mount', 'env']) {
      const data = await world.delivered(name);
      expect(data?.['delivered']?.toString()).toBe(CANARIES.rotated);
      expect(data).not.toHaveProperty('withdrawn');
    }
  });
  for (const name of ['mount', 'env']) await world.patchModel(name, { trusted: false });
  for (const name of ['mount', 'env']) {
    await world.status(name, ({ conditions }) =>
      expect(conditionOf(conditions, 'Ready')?.reason).toBe('Untrusted'),
    );
  }
}

beforeAll(everything);

describe('no value is found outside of the data of Secrets', () => {
  it('the search would find one', () => {
    expect(leaksIn(`x ${CANARIES.delivered} y`)).not.toEqual([]);
    expect(leaksIn(`{"a":"${base64(`{"auth":"${CANARIES.pullUser}"`)}"}`)).not.toEqual([]);
  });

  it('in what the operator wrote at log level debug', () => {
    expect(allOutput()).toContain('reconciled');
    expect(leaksIn(allOutput())).toEqual([]);
  });

  it('in the metrics, which name no secret either', async () => {
    const text = await (await fetch(metrics)).text();
    expect(text).toContain('workqueue_');
    expect(leaksIn(text)).toEqual([]);
    for (const name of ['delivered', 'notText', 'registry.example', 'org-2'])
      expect(text).not.toContain(`"${name}"`);
  });

  it.each(['modeldeployments', 'modeltrusts', 'deployments', 'configmaps', 'events'] as const)(
    'in any of the %s, managed fields and annotations included',
    async (plural) => {
      for (const place of [world, org])
        expect(leaksIn(await cluster().api.text(place.path(plural)))).toEqual([]);
    },
  );

  it('in the metadata of any Secret', async () => {
    const { items } = await cluster().api.get<{ items: { metadata: object; data?: object }[] }>(
      world.path('secrets'),
    );
    expect(items.length).toBeGreaterThan(3);
    for (const { metadata } of items) {
      expect(leaksIn(JSON.stringify(metadata))).toEqual([]);
      expect(JSON.stringify(metadata)).not.toContain('last-applied-configuration');
    }
  });

  it('in the command line, the environment or the title of the process', () => {
    for (const file of ['cmdline', 'environ', 'comm'])
      expect(leaksIn(readFileSync(`/proc/${operator.pid}/${file}`, 'utf8'))).toEqual([]);
  });

  it("in the API server's record of the operator's requests", (ctx) => {
    const { auditLog } = cluster();
    ctx.skip(auditLog === undefined, 'this cluster keeps no audit log that a test could read');
    if (auditLog !== undefined) expect(leaksIn(readFileSync(auditLog, 'utf8'))).toEqual([]);
  });

  it('in what kubectl describes', async (ctx) => {
    const kubectl = promisify(execFile);
    const { kubeconfig } = cluster();
    const describeAll = (kind: string) =>
      kubectl('kubectl', ['--kubeconfig', kubeconfig, '-n', world.namespace, 'describe', kind]);
    const found = await describeAll('modeldeployments').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    ctx.skip(found === undefined, 'there is no kubectl here');
    expect(leaksIn(found?.stdout ?? '')).toEqual([]);
    for (const kind of ['secrets', 'deployments', 'events'])
      expect(leaksIn((await describeAll(kind)).stdout)).toEqual([]);
  });
});
