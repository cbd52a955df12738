import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { PlanReport } from '../../../src/cli/plan-report.ts';
import { flattened, ownedFields } from '../../../src/plan/flatten.ts';
import { folder } from '../../cli/truss-secrets.ts';
import { cluster } from '../cluster.ts';
import { eventually } from '../eventually.ts';
import { operatorIdentity, startOperator } from '../operator.ts';
import { declaring, orUndefined } from '../world.ts';
import { type ModelWorld, modelWorld, rule } from './model-world.ts';

/** Found in any output, this is a leak. */
const CANARY = 'canary-77ab10';

let world: ModelWorld;

beforeAll(async () => {
  world = await modelWorld();
});

/** A model of its own store, with a Deployment. */
async function given(
  name: string,
  values: Readonly<Record<string, string>>,
  spec: Readonly<Record<string, unknown>>,
): Promise<void> {
  await world.storeSecret(`${name}-store`, values, { store: name });
  await world.deployment(name);
  await world.model(name, { stores: [{ name }], ...spec });
}

const planOf = (...args: readonly string[]): Promise<PlanReport> => world.json(['plan', ...args]);

describe('before the operator has acted', () => {
  test('it shows what would be delivered and from where, what is missing, and the diff of the pod template', async () => {
    await given('fresh', { fresh_a: CANARY }, { config: declaring('fresh_a', 'fresh_b') });
    const { code, stdout, stderr } = await world.run(['plan', 'fresh', '--exit-code']);
    expect({ code, stderr }).toEqual({ code: 3, stderr: '' });
    expect(stdout).toContain('Secret fresh-truss-secrets: create, 1 key\n');
    expect(stdout).toMatch(new RegExp(`^add +fresh_a +Delivered +${world.namespace}/fresh-store `, 'm'));
    expect(stdout).toMatch(/^- +fresh_b +Missing +<none> +no Secret labelled/m);
    expect(stdout).toContain('Deployment fresh: inject, its pods are replaced\n  --- live\n  +++ planned\n');
    expect(stdout).toContain('  +              mountPath: /secrets\n');
    expect(stdout).toMatch(/^Ready +<none> +False SecretsMissing/m);
    expect(stdout).toContain('The operator would make these changes.');
    expect(stdout).not.toContain(CANARY);
  });

  test('it writes nothing', async () => {
    await given('idle', { idle_a: CANARY }, { config: declaring('idle_a') });
    const before = await cluster().api.get(world.path('deployments', 'idle'));
    await planOf('idle');
    expect(await world.delivered('idle')).toBeUndefined();
    const after = await cluster().api.get(world.path('deployments', 'idle'));
    // the cluster's own controllers write its status meanwhile
    expect(after.metadata.generation).toBe(before.metadata.generation);
    expect(JSON.stringify(after)).not.toContain('truss-secrets');
  });

  test('a Secret of somebody else is a conflict, and no change', async () => {
    await given('foreign', { foreign_a: CANARY }, { config: declaring('foreign_a') });
    await cluster().api.post(world.path('secrets'), { metadata: { name: 'foreign-truss-secrets' } });
    const plan = await planOf('foreign');
    expect(plan.objects[0]).toMatchObject({
      action: 'create',
      keys: [],
      conflict: expect.stringContaining('does not belong'),
    });
    expect(plan.workloads[0]).toMatchObject({
      action: 'none',
      message: expect.stringContaining('does not belong'),
    });
    expect(plan.secrets[0]).toMatchObject({ state: 'Delivered', change: 'none' });
  });

  test("the user's own mount at /secrets is a conflict", async () => {
    await world.storeSecret('clash-store', { clash_a: CANARY }, { store: 'clash' });
    const own = { name: 'own', emptyDir: {} };
    const mount = { name: 'own', mountPath: '/secrets/' };
    await world.deployment('clash', {
      containers: [{ name: 'model', image: 'registry.invalid/model:1', volumeMounts: [mount] }],
      volumes: [own],
    });
    await world.model('clash', { stores: [{ name: 'clash' }], config: declaring('clash_a') });
    const [workload] = (await planOf('clash')).workloads;
    expect(workload).toMatchObject({ action: 'none', state: 'Conflict', restartsPods: false, diff: [] });
  });

  test('a model that is not there fails, with a guess', async () => {
    const { code, stderr } = await world.run(['plan', 'frehs']);
    expect(code).toBe(1);
    expect(stderr).toContain(
      `there is no ModelDeployment frehs in namespace ${world.namespace}; did you mean fresh?`,
    );
  });

  test.for([
    { args: ['plan'], says: 'give either the name of a model or -f FILE' },
    { args: ['plan', 'a', '-f', 'b'], says: 'give either the name of a model or -f FILE' },
    { args: ['plan', 'a', 'b'], says: 'unexpected argument "b"' },
    { args: ['plan', 'a', '-o', 'snipet'], says: 'did you mean snippet?' },
  ])('$args is wrong usage', async ({ args, says }) => {
    const { code, stderr } = await world.run(args);
    expect(code).toBe(2);
    expect(stderr).toContain(says);
    expect(stderr).toContain('Usage: truss-secrets plan');
  });
});

describe('a file', () => {
  const manifest = (spec: object): string =>
    JSON.stringify({
      apiVersion: 'truss-secrets.dev/v1alpha1',
      kind: 'ModelDeployment',
      metadata: { name: 'unborn' },
      spec,
    });

  test('that was never applied is planned with a local config.yaml', async () => {
    await world.storeSecret('unborn-store', { unborn_a: CANARY }, { store: 'unborn' });
    await world.deployment('unborn');
    const cwd = await folder({
      'model.yaml': `kind: Other\n---\n${manifest({
        trusted: true,
        stores: [{ name: 'unborn' }],
        config: { configMapRef: { name: 'unborn' } },
        workloads: [{ kind: 'Deployment', name: 'unborn' }],
      })}`,
      'config.yaml': 'secrets: {unborn_a: null}',
    });
    const args = ['plan', '-f', 'model.yaml', '--config', 'config.yaml'];
    const plan = await world.json<PlanReport>(args, { cwd });
    expect(plan).toMatchObject({
      model: 'unborn',
      changes: true,
      secrets: [{ name: 'unborn_a', change: 'add' }],
    });
    expect(plan.workloads[0]?.diff.join('\n')).toContain('truss-secrets.dev/model: unborn/<uid>');
    const withoutConfig = await world.json<PlanReport>(['plan', '-f', 'model.yaml'], { cwd });
    expect(withoutConfig.status).toContainEqual(
      expect.objectContaining({ name: 'ConfigValid', to: 'False ConfigMapMissing' }),
    );
  });

  test('from stdin shows how a change of the model would play out', async () => {
    await given('edited', { edited_a: CANARY }, { config: declaring('edited_a') });
    const { spec } = await cluster().api.get(world.path('modeldeployments', 'edited'));
    const text = manifest({ ...spec, delivery: 'Env' }).replace('unborn', 'edited');
    const { stdout } = await world.run(['plan', '-f', '-'], { stdin: text });
    expect(stdout).toContain('- name: TRUSS_SECRET_edited_a');
  });

  test.for([
    { file: 'a: [', says: 'model.yaml: ' },
    { file: 'kind: Deployment', says: 'model.yaml holds no ModelDeployment of truss-secrets.dev/v1alpha1' },
    { file: `${manifest({})}\n---\n${manifest({})}`, says: 'holds 2 ModelDeployments' },
  ])('$file fails', async ({ file, says }) => {
    const { code, stderr } = await world.run(['plan', '-f', 'model.yaml'], {
      cwd: await folder({ 'model.yaml': file }),
    });
    expect(code).toBe(1);
    expect(stderr).toContain(says);
  });
});

describe('with few rights', () => {
  const models = rule('truss-secrets.dev', 'modeldeployments', 'get', 'list');

  test('what may not be read is named, and the rest is planned', async () => {
    await given('few', { few_a: CANARY }, { config: declaring('few_a') });
    const env = await world.as(models, rule('', 'secrets', 'get'), rule('apps', 'deployments', 'get'));
    const { code, stdout, stderr } = await world.run(['plan', 'few', '-o', 'json'], { env });
    expect(code).toBe(0);
    expect(stderr).toContain(`you lack the right to: list secrets -n ${world.namespace}`);
    const plan: PlanReport = JSON.parse(stdout);
    expect(plan.unread).toContain(`list secrets -n ${world.namespace}`);
    expect(plan.status).toContainEqual(
      expect.objectContaining({ name: 'SecretsResolved', to: 'Unknown StoreUnreadable' }),
    );
  });

  test.for([
    { rules: [], right: 'list modeldeployments.truss-secrets.dev' },
    { rules: [models], right: 'get secrets' },
  ])('without $right it fails', async ({ rules, right }) => {
    const { code, stdout, stderr } = await world.run(['plan', 'few'], { env: await world.as(...rules) });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(`you lack the right to: ${right} -n ${world.namespace}\n`);
  });
});

describe('the snippet', () => {
  test('makes a first start wait, and is co-owned without a conflict', async () => {
    await given(
      'paste',
      {},
      { config: declaring('paste_a'), overrides: [{ name: 'paste_a', env: ['HF_TOKEN'] }] },
    );
    const { stdout } = await world.run(['plan', 'paste', '-o', 'snippet']);
    expect(stdout).toContain('# Server-side apply of a manifest that later drops or renames');
    const snippet = parse(stdout);
    expect(snippet).toMatchObject({ kind: 'Deployment', metadata: { name: 'paste' } });
    const patched = await cluster().api.patch(
      world.path('deployments', 'paste'),
      snippet,
      'strategic-merge-patch',
    );
    const [workload] = (await planOf('paste')).workloads;
    expect(workload).toMatchObject({ action: 'apply', state: 'Injected' });
    const { fields } = workload ?? {};
    const { metadata } = patched;
    const identity = { apiVersion: 'apps/v1', kind: 'Deployment' };
    const body = {
      ...identity,
      ...fields,
      metadata: { ...objectIn(fields, 'metadata'), name: 'paste', uid: metadata.uid },
    };
    await cluster().api.patch(
      `${world.path('deployments', 'paste')}?fieldManager=truss-secrets&dryRun=All`,
      body,
      'apply-patch',
    );
  });

  test.for([
    { spec: { trusted: false }, says: 'the model is not trusted' },
    { spec: { delivery: 'None' }, says: 'spec.delivery is None' },
    { spec: { workloads: [] }, says: 'spec.workloads names none' },
  ])('needs something to put in: $spec', async ({ spec, says }, { task }) => {
    const name = `nothing-${task.id.split('_').at(-1)}`;
    await world.model(name, { config: declaring('nothing_a'), ...spec });
    const { code, stdout, stderr } = await world.run(['plan', name, '-o', 'snippet']);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(says);
  });
});

const objectIn = (value: unknown, key: string): object =>
  (value as Readonly<Record<string, object>> | undefined)?.[key] ?? {};

/** One model at one moment. */
interface Moment {
  readonly declared: readonly string[];
  readonly stored: Readonly<Record<string, string>>;
  readonly spec: Readonly<Record<string, unknown>>;
}

const NAMES = ['a', 'b', 'c', 'd'];

const moment: fc.Arbitrary<Moment> = fc
  .record({
    declared: fc.subarray(NAMES),
    stored: fc.dictionary(fc.constantFrom(...NAMES, 'e'), fc.constantFrom('', `${CANARY}1`, `${CANARY}2`)),
    trusted: fc.boolean().map((untrusted) => !untrusted),
    delivery: fc.constantFrom('Mount', 'Env', 'None'),
    onMissing: fc.constantFrom('Wait', 'UseDefault', 'Skip'),
    onChange: fc.constantFrom('Restart', 'Keep'),
    env: fc.boolean(),
    workload: fc.boolean(),
  })
  .map(({ declared, stored, env, workload, ...spec }) => ({
    declared,
    stored,
    spec: {
      ...spec,
      overrides: env ? [{ name: 'a', env: ['HF_TOKEN'] }] : [],
      ...(workload ? {} : { workloads: [] }),
    },
  }));

const PAIRS = fc
  .sample(fc.tuple(moment, moment), { numRuns: 14, seed: 20_261_122 })
  .map(([before, after], index) => ({ name: `pair-${index}`, before, after }));

const configOf = ({ declared }: Moment) => ({
  inline: `secrets: {${declared.map((name, index) => `${name}: ${index % 2 === 0 ? 'null' : 'default'}`).join(', ')}}`,
});

const QUIET_MS = 2_000;

/** What changes with anything that the operator writes for a model; others write the status of a Deployment. */
const writes = async (name: string): Promise<readonly unknown[]> => {
  const { api } = cluster();
  const model = await api.get(world.path('modeldeployments', name));
  const deployment = await api.get(world.path('deployments', name));
  const secret = await orUndefined(api.get(world.path('secrets', `${name}-truss-secrets`)));
  return [model.metadata.resourceVersion, deployment.metadata.generation, secret?.metadata.resourceVersion];
};

const settled = async (name: string): Promise<void> =>
  await eventually(
    async () => {
      const { code, stdout } = await world.run(['plan', name, '--exit-code']);
      if (code !== 0) throw new Error(`${name} still has changes: ${stdout}`);
    },
    { within: 30_000 },
  );

const revisionIn = (template: string): string | undefined => /revision="([^"]*)"/.exec(template)?.[1];

/** What the operator owns in the Deployment. */
async function owned(name: string): Promise<string> {
  const live = await cluster().api.get(world.path('deployments', name));
  const entry = live.metadata.managedFields?.find(
    ({ manager, operation }) => manager === 'truss-secrets' && operation === 'Apply',
  );
  return entry ? ownedFields(live, entry['fieldsV1']) : '';
}

describe('what it predicts is what the operator does', () => {
  test('for models of all kinds, from one state to another; and after "no changes" nothing is written', async () => {
    const { kubeconfig } = await operatorIdentity([world.namespace]);
    const first = await startOperator(kubeconfig, [world.namespace]);
    for (const { name, before } of PAIRS) {
      await given(name, before.stored, { config: configOf(before), ...before.spec });
    }
    for (const { name } of PAIRS) await settled(name);
    await first.stop();

    for (const { name, after } of PAIRS) {
      const workloads = [{ kind: 'Deployment', name }];
      await world.patchModel(name, { workloads, config: configOf(after), ...after.spec });
      const source = await cluster().api.get(world.path('secrets', `${name}-store`));
      const data = Object.fromEntries(
        Object.entries(after.stored).map(([key, text]) => [key, Buffer.from(text).toString('base64')]),
      );
      await cluster().api.put(world.path('secrets', `${name}-store`), { ...source, data });
    }
    const predictions = new Map<string, { readonly plan: PlanReport; readonly template: string }>();
    for (const { name } of PAIRS)
      predictions.set(name, { plan: await planOf(name), template: await owned(name) });

    await startOperator(kubeconfig, [world.namespace]);
    for (const { name } of PAIRS) await settled(name);
    for (const [name, { plan, template }] of predictions) await compare(name, plan, template);

    const quiet = await Promise.all(PAIRS.map(({ name }) => writes(name)));
    await new Promise((resolve) => {
      setTimeout(resolve, QUIET_MS);
    });
    expect(await Promise.all(PAIRS.map(({ name }) => writes(name)))).toEqual(quiet);
    expect(JSON.stringify([...predictions.values()])).not.toContain(CANARY);
  }, 240_000);
});

async function compare(name: string, plan: PlanReport, before: string): Promise<void> {
  const [secret] = plan.objects;
  const delivered = await world.delivered(name);
  const isGone = secret?.action === 'delete' || delivered === undefined;
  expect(Object.keys(delivered ?? {}).sort(), `${name}: keys`).toEqual(isGone ? [] : secret?.keys);
  const { secrets = [] } = await world.status(name, () => {});
  const states = secrets.map(({ name: of, state }) => [of, state]);
  expect(states, `${name}: states`).toEqual(
    plan.secrets.filter(({ role }) => role).map(({ name: of, state }) => [of, state]),
  );

  const now = await owned(name);
  const [workload] = plan.workloads;
  if (!workload?.fields) {
    expect(now, `${name}: template`).toBe(before);
    return;
  }
  const predicted = flattened(workload.fields);
  const [was, is] = [revisionIn(before), revisionIn(now)];
  if (revisionIn(predicted) === '<new id>') expect(is, `${name}: revision`).not.toBe(was);
  expect(now.replace(String(is), '<id>'), `${name}: template`).toBe(
    predicted.replace(String(revisionIn(predicted)), '<id>'),
  );
}
