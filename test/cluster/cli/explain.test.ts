import { beforeAll, describe, expect, test } from 'vitest';
import type { Link } from '../../../src/cli/explain-link.ts';
import { cluster } from '../cluster.ts';
import { eventually } from '../eventually.ts';
import { operatorIdentity, startOperator } from '../operator.ts';
import { declaring } from '../world.ts';
import { type ModelWorld, modelWorld, rule } from './model-world.ts';

const CANARY = 'canary-b8e013';

let world: ModelWorld;
let other: ModelWorld;

beforeAll(async () => {
  [world, other] = await Promise.all([modelWorld(), modelWorld()]);
  const { kubeconfig } = await operatorIdentity([world.namespace]);
  await startOperator(kubeconfig, [world.namespace]);
});

interface Report {
  readonly secrets: readonly {
    readonly name: string;
    readonly there: boolean;
    readonly failsAt: string | null;
    readonly links: readonly Link[];
  }[];
}

/** What stops a secret, and what mends it. */
async function stop(
  model: string,
  name: string,
  env?: Readonly<Record<string, string>>,
): Promise<Link | undefined> {
  const { secrets } = await world.json<Report>(['explain', model, name], env ? { env } : {});
  const [secret] = secrets;
  const broken = secret?.links.find(({ holds }) => holds === 'no');
  expect(secret?.failsAt).toBe(broken?.step ?? null);
  return broken;
}

const linkOf = async (model: string, name: string, step: string, env?: Readonly<Record<string, string>>) => {
  const { secrets } = await world.json<Report>(['explain', model, name], env ? { env } : {});
  return secrets[0]?.links.find((link) => link.step === step);
};

async function given(name: string, spec: Readonly<Record<string, unknown>> = {}): Promise<void> {
  await world.storeSecret(`${name}-store`, { [`${name}_a`]: CANARY, empty: '' }, { store: name });
  await world.deployment(name);
  await world.model(name, { stores: [{ name }], config: declaring(`${name}_a`), ...spec });
}

describe('a secret that is there', () => {
  test('is followed from its line in config.yaml to the pod', async () => {
    await given('whole', { config: { configMapRef: { name: 'whole' } } });
    await world.configMap('whole', 'model_name: whole\nsecrets:\n  whole_a: null\n');
    await world.ready('whole');
    const { code, stdout } = await world.run(['explain', 'whole', 'whole_a']);
    expect(code).toBe(0);
    expect(stdout).toContain(
      `whole_a of ModelDeployment ${world.namespace}/whole: nothing stands in its way\n`,
    );
    const steps = [...stdout.matchAll(/^ {2}(ok|FAILS|\?) +(\w+) +(.*)$/gm)].map(([, mark, step, fact]) => ({
      mark,
      step,
      fact,
    }));
    expect(steps).toMatchObject([
      {
        mark: 'ok',
        step: 'declared',
        fact: `config.yaml:3:3, ConfigMap ${world.namespace}/whole, key config.yaml`,
      },
      { mark: 'ok', step: 'name' },
      { mark: 'ok', step: 'trusted' },
      { mark: 'ok', step: 'approved' },
      { mark: 'ok', step: 'purpose' },
      { mark: 'ok', step: 'store' },
      { mark: 'ok', step: 'key', fact: `Secret ${world.namespace}/whole-store has the key whole_a` },
      { mark: 'ok', step: 'value' },
      { mark: 'ok', step: 'written', fact: expect.stringContaining('resourceVersion') },
      { mark: 'ok', step: 'injected', fact: 'Deployment whole, container model: /secrets/whole_a' },
      { mark: '?', step: 'pods', fact: 'Deployment whole has no pods at the moment' },
    ]);
    expect(stdout).not.toContain(CANARY);
  });

  test('and each check that it names can be run', async () => {
    const { secrets } = await world.json<Report>(['explain', 'whole', 'whole_a']);
    const checks =
      secrets[0]?.links.flatMap(({ check }) => (check?.startsWith('truss-secrets ') ? [check] : [])) ?? [];
    expect(checks.length).toBeGreaterThan(1);
    for (const check of checks) {
      const { code } = await world.run(check.split(' ').slice(1));
      expect(code, check).toBe(0);
    }
  });

  test('in pods: started without it, waiting, ready', async () => {
    await given('running');
    await world.ready('running');
    const { api } = cluster();
    const pod = (name: string, spec: object) => ({
      metadata: { name, labels: { app: 'running' } },
      spec: { containers: [{ name: 'model', image: 'registry.invalid/x' }], ...spec },
    });
    // the controllers make the ServiceAccount of a namespace a moment after it
    await eventually(() => api.post(world.path('pods'), pod('old', {})));
    expect(await stop('running', 'running_a')).toMatchObject({
      step: 'pods',
      fact: 'Deployment running: pod old was started without it',
      fix: `kubectl -n ${world.namespace} rollout restart deployment/running`,
    });
    await api.delete(world.path('pods', 'old'), { gracePeriodSeconds: 0 });
    await api.post(world.path('pods'), pod('new', await world.podSpec('running')));
    await eventually(async () =>
      expect(await stop('running', 'running_a')).toMatchObject({
        step: 'pods',
        fact: expect.stringMatching(/pod new is not ready \(\w+\)/),
      }),
    );
    const conditions = [{ type: 'Ready', status: 'True' }];
    await api.patch(`${world.path('pods', 'new')}/status`, { status: { conditions } });
    expect(await linkOf('running', 'running_a', 'pods')).toMatchObject({
      holds: 'yes',
      fact: 'Deployment running: 1 pod has it, and all are ready',
    });
  });
});

describe('the first link that does not hold is named, with what mends it', () => {
  test('not declared', async () => {
    await given('undeclared');
    expect(await stop('undeclared', 'undeclared_b')).toMatchObject({
      step: 'declared',
      fact: 'config.yaml does not declare undeclared_b; did you mean undeclared_a?',
    });
  });

  test('config.yaml is malformed', async () => {
    await given('malformed', { config: { inline: 'secrets: [' } });
    expect(await stop('malformed', 'a')).toMatchObject({
      step: 'declared',
      fact: expect.stringMatching(/config\.yaml:\d+:\d+/),
    });
  });

  test('no name for a secret', async () => {
    await given('invalid', { config: declaring('../x') });
    expect(await stop('invalid', '../x')).toMatchObject({ step: 'name' });
  });

  test('not trusted', async () => {
    await given('untrusted', { trusted: false });
    expect(await stop('untrusted', 'untrusted_a')).toMatchObject({
      step: 'trusted',
      fix: `truss-secrets trust untrusted -n ${world.namespace}`,
    });
  });

  test('not approved', async () => {
    await given('unapproved');
    const { secrets } = await world.json<Report>([
      'explain',
      'unapproved',
      'unapproved_a',
      '--require-approval',
    ]);
    expect(secrets[0]?.links.find(({ holds }) => holds === 'no')).toMatchObject({
      step: 'approved',
      fix: `truss-secrets trust unapproved -n ${world.namespace}`,
    });
  });

  test('for builds only', async () => {
    await given('build', { config: { inline: 'build: {secret_to_path_mapping: {build_a: /x}}' } });
    expect(await stop('build', 'build_a')).toMatchObject({
      step: 'purpose',
      fact: expect.stringContaining('build'),
    });
  });

  test('nowhere stored', async () => {
    await given('missing', { config: declaring('missing_b') });
    expect(await stop('missing', 'missing_b')).toMatchObject({
      step: 'key',
      fix: `truss-secrets set missing_b -n ${world.namespace} --store missing`,
    });
  });

  test('stored for another environment', async () => {
    await given('staged', { config: declaring('staged_b') });
    const labels = { 'truss-secrets.dev/environment': 'staging' };
    await world.storeSecret('staged-2', { staged_b: CANARY }, { store: 'staged', labels });
    expect(await stop('staged', 'staged_b')).toMatchObject({
      step: 'key',
      fact: expect.stringContaining('for environment staging'),
    });
  });

  test('in a Secret that does not share it, which the user may list; the fix is right', async () => {
    await other.storeSecret(
      'closed',
      { closed_a: CANARY },
      { annotations: { 'truss-secrets.dev/share-with': 'team-*/x' } },
    );
    await given('closed', { stores: [{ name: 'default', namespace: other.namespace }] });
    const broken = await stop('closed', 'closed_a');
    expect(broken).toMatchObject({
      step: 'key',
      fact: `Secret ${other.namespace}/closed has the key closed_a, and does not share it with ${world.namespace}/closed`,
    });
    const entry = /truss-secrets\.dev\/share-with='([^']*)'/.exec(broken?.fix ?? '')?.[1];
    expect(entry).toBe(`team-*/x, ${world.namespace}/closed`);
    const annotations = { 'truss-secrets.dev/share-with': entry };
    await cluster().api.patch(other.path('secrets', 'closed'), { metadata: { annotations } });
    expect(await linkOf('closed', 'closed_a', 'key')).toMatchObject({ holds: 'yes' });
  });

  test('empty', async () => {
    await given('hollow', { config: declaring('empty') });
    expect(await stop('hollow', 'empty')).toMatchObject({
      step: 'value',
      fact: expect.stringContaining('empty'),
    });
  });

  test('the name of the Secret is taken', async () => {
    await cluster().api.post(world.path('secrets'), { metadata: { name: 'taken-truss-secrets' } });
    await given('taken');
    expect(await stop('taken', 'taken_a')).toMatchObject({
      step: 'written',
      fact: expect.stringContaining('does not belong'),
    });
  });

  test('the operator does not act', async () => {
    await other.storeSecret('asleep', { asleep_a: CANARY }, { store: 'asleep' });
    await other.model('asleep', { stores: [{ name: 'asleep' }], config: declaring('asleep_a') });
    const { secrets } = await other.json<Report>(['explain', 'asleep', 'asleep_a']);
    expect(secrets[0]?.links.find(({ holds }) => holds === 'no')).toMatchObject({
      step: 'written',
      fact: 'Secret asleep-truss-secrets is not there yet',
      fix: expect.stringContaining('is the operator running?'),
    });
  });

  test('the workload is not there', async () => {
    await given('lost', { workloads: [{ kind: 'StatefulSet', name: 'lost' }] });
    await world.status('lost', ({ summary }) => expect(summary).toBe('1/1'));
    expect(await stop('lost', 'lost_a')).toMatchObject({
      step: 'injected',
      fact: expect.stringContaining('does not exist yet'),
    });
  });
});

test('without a name there is one line for each secret', async () => {
  await given('many', { config: declaring('many_a', 'many_b') });
  await world.status('many', ({ summary }) => expect(summary).toBe('1/2'));
  const { stdout } = await world.run(['explain', 'many']);
  expect(stdout).toMatch(/^many_a +<none> +<none> +<none>$/m);
  expect(stdout).toMatch(/^many_b +key +no Secret labelled .* truss-secrets set many_b/m);
});

describe('with few rights', () => {
  test('what may not be read is unknown, and nothing is said of it that the status does not say', async () => {
    await given('blind', { stores: [{ name: 'default', namespace: other.namespace }] });
    await other.storeSecret('hidden', { blind_a: CANARY });
    const env = await world.as(
      rule('truss-secrets.dev', 'modeldeployments', 'get', 'list'),
      rule('', 'secrets', 'get', 'list'),
      rule('apps', 'deployments', 'get', 'list'),
    );
    expect(await linkOf('blind', 'blind_a', 'store', env)).toMatchObject({
      holds: 'unknown',
      fact: expect.stringContaining(`you lack the right to: list secrets -n ${other.namespace}`),
    });
    const { stdout } = await world.run(['explain', 'blind', 'blind_a'], { env });
    expect(stdout).not.toContain('hidden');
  });

  test('pods that may not be listed are unknown', async () => {
    const env = await world.as(
      rule('truss-secrets.dev', 'modeldeployments', 'get', 'list'),
      rule('', 'secrets', 'get', 'list'),
      rule('', 'configmaps', 'get'),
      rule('apps', 'deployments', 'get', 'list'),
    );
    expect(await linkOf('whole', 'whole_a', 'pods', env)).toMatchObject({
      holds: 'unknown',
      fact: `Deployment whole: you lack the right to: list pods -n ${world.namespace}`,
    });
  });
});
