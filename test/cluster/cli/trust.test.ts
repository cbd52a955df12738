import { beforeAll, describe, expect, test } from 'vitest';
import type { KubernetesObject } from '../api.ts';
import { cluster } from '../cluster.ts';
import { operatorIdentity, startOperator } from '../operator.ts';
import { conditionOf, declaring, orUndefined } from '../world.ts';
import { type ModelWorld, modelWorld, rule } from './model-world.ts';

const CANARY = 'canary-0c41d2';

/** One operator asks for approval, the other one does not. */
let strict: ModelWorld;
let open: ModelWorld;

beforeAll(async () => {
  [strict, open] = await Promise.all([modelWorld(), modelWorld()]);
  const { kubeconfig } = await operatorIdentity([strict.namespace, open.namespace]);
  await Promise.all([
    startOperator(kubeconfig, [strict.namespace], ['--require-approval']),
    startOperator(kubeconfig, [open.namespace]),
  ]);
});

async function given(
  world: ModelWorld,
  name: string,
  spec: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  await world.storeSecret(`${name}-store`, { [`${name}_a`]: CANARY, KEY: CANARY }, { store: name });
  await world.deployment(name);
  await world.model(name, {
    trusted: false,
    stores: [{ name }],
    config: declaring(`${name}_a`, `${name}_b`),
    overrides: [{ name: `${name}_b`, from: { store: name, key: 'KEY' }, env: ['HF_TOKEN'] }],
    ...spec,
  });
}

const path = (world: ModelWorld, plural: string, name: string): string =>
  `/apis/truss-secrets.dev/v1alpha1/namespaces/${world.namespace}/${plural}/${name}`;

const model = (world: ModelWorld, name: string): Promise<KubernetesObject> =>
  cluster().api.get(path(world, 'modeldeployments', name));

const approval = (world: ModelWorld, name: string): Promise<KubernetesObject | undefined> =>
  orUndefined(cluster().api.get(path(world, 'modeltrusts', name)));

const untrusted = (world: ModelWorld, name: string) =>
  world.status(name, ({ conditions }) =>
    expect(conditionOf(conditions, 'Trusted')).toMatchObject({ status: 'False', reason: 'Untrusted' }),
  );

describe('trust', () => {
  test('shows what the model would get, from where and onto what, asks on a terminal, and sets the flag', async () => {
    await given(open, 'asks');
    const { code, screen } = await open.type(
      ['trust', 'asks'],
      [{ after: 'Give the model these secrets? [y/N]', type: 'y\n' }],
    );
    expect(code).toBe(0);
    expect(screen).toContain(`ModelDeployment ${open.namespace}/asks asks for`);
    expect(screen).toMatch(new RegExp(`asks_a +Secret ${open.namespace}/asks-store, key asks_a`));
    expect(screen).toMatch(new RegExp(`asks_b +Secret ${open.namespace}/asks-store, key KEY`));
    expect(screen).toMatch(/Deployment asks +\(default\) +as files in \/secrets/);
    expect(screen).toContain('Also as environment variables HF_TOKEN.');
    expect(screen).toContain(`ModelDeployment ${open.namespace}/asks is trusted.`);
    expect(screen).not.toContain(CANARY);
    await open.ready('asks');
    expect(await approval(open, 'asks')).toBeUndefined();
  });

  test('does nothing when the answer is no', async () => {
    await given(open, 'refused');
    const { code, screen } = await open.type(['trust', 'refused'], [{ after: '[y/N]', type: '\n' }]);
    expect(code).toBe(1);
    expect(screen).toContain('not confirmed: nothing was changed');
    expect((await model(open, 'refused')).spec).toMatchObject({ trusted: false });
  });

  test('without a terminal it needs --yes', async () => {
    const { code, stderr } = await open.run(['trust', 'any']);
    expect(code).toBe(2);
    expect(stderr).toContain('stdin is no terminal to ask on: give --yes');
  });

  test('of what is trusted already does nothing; of what is not there fails', async () => {
    await given(open, 'again');
    expect((await open.run(['trust', 'again', '--yes'])).code).toBe(0);
    const { generation } = (await model(open, 'again')).metadata;
    const { code, stdout } = await open.run(['trust', 'again', '--yes']);
    expect(code).toBe(0);
    expect(stdout).toContain('It is trusted already: nothing to do.');
    expect((await model(open, 'again')).metadata.generation).toBe(generation);
    const gone = await open.run(['trust', 'gone', '--yes']);
    expect(gone.code).toBe(1);
    expect(gone.stderr).toContain(`there is no ModelDeployment gone in namespace ${open.namespace}`);
  });
});

describe('trust, where the operator asks for approval', () => {
  test('finds that out, and approves exactly what it showed, for this very model', async () => {
    await given(strict, 'found');
    const { code, stdout } = await strict.run(['trust', 'found', '--yes']);
    expect(code).toBe(0);
    expect(stdout).toContain(`Approved by ModelTrust ${strict.namespace}/found.`);
    const { uid } = (await model(strict, 'found')).metadata;
    expect((await approval(strict, 'found'))?.spec).toEqual({
      secrets: ['KEY', 'found_a'],
      workloads: [{ kind: 'Deployment', name: 'found' }],
      env: ['HF_TOKEN'],
      modelUid: uid,
    });
    const status = await strict.ready('found');
    expect(status.summary).toBe('2/2');
  });

  test('shows what is new since the last approval, and what is not asked for any more', async () => {
    await given(strict, 'grows');
    await strict.run(['trust', 'grows', '--yes']);
    await strict.ready('grows');
    await strict.patchModel('grows', { config: declaring('grows_a', 'grows_c'), overrides: [] });
    await strict.status('grows', ({ secrets }) =>
      expect(secrets?.find(({ name }) => name === 'grows_c')?.state).toBe('NotApproved'),
    );
    const { stdout } = await strict.run(['trust', 'grows', '--yes']);
    expect(stdout).toMatch(/^grows_a .* yes$/m);
    expect(stdout).toMatch(/^grows_c .* new$/m);
    expect(stdout).toContain('Approved so far, and not asked for any more: KEY, HF_TOKEN.');
    expect((await approval(strict, 'grows'))?.spec).toMatchObject({
      secrets: ['grows_a', 'grows_c'],
      env: [],
    });
    expect((await strict.run(['trust', 'grows', '--yes'])).stdout).toContain('nothing to do');
  });

  test('an approval that was left over from another model is put right', async () => {
    await given(strict, 'leftover');
    await cluster().api.post(path(strict, 'modeltrusts', '').slice(0, -1), {
      apiVersion: 'truss-secrets.dev/v1alpha1',
      kind: 'ModelTrust',
      metadata: { name: 'leftover' },
      spec: { secrets: ['leftover_a', 'KEY'], modelUid: 'somebody-else' },
    });
    expect((await strict.run(['trust', 'leftover', '--yes'])).code).toBe(0);
    await strict.ready('leftover');
  });

  const models = rule('truss-secrets.dev', 'modeldeployments', 'get', 'list');
  const editing = rule('truss-secrets.dev', 'modeldeployments', 'patch');
  const approving = rule('truss-secrets.dev', 'modeltrusts', 'get', 'list', 'create', 'patch', 'delete');

  test('who may not approve sets the flag, and is told what is left', async () => {
    await given(strict, 'half');
    const env = await strict.as(models, editing, rule('truss-secrets.dev', 'modeltrusts', 'get', 'list'));
    const { code, stderr } = await strict.run(['trust', 'half', '--yes'], { env });
    expect(code).toBe(1);
    expect(stderr).toContain(
      `you lack the right to: create modeltrusts.truss-secrets.dev -n ${strict.namespace}`,
    );
    expect((await model(strict, 'half')).spec).toMatchObject({ trusted: true });
    await strict.status('half', ({ conditions }) =>
      expect(conditionOf(conditions, 'Trusted')?.reason).toBe('AwaitingApproval'),
    );

    const second = await strict.as(models, approving);
    const approved = await strict.run(['trust', 'half', '--yes'], { env: second });
    expect(approved.code).toBe(0);
    expect(approved.stdout).toContain('not known: you may not read the store');
    await strict.ready('half');
  });

  test('who may only approve does so, and is told what is left', async () => {
    await given(strict, 'only');
    const env = await strict.as(models, approving);
    const { code, stderr } = await strict.run(['trust', 'only', '--yes', '--require-approval'], { env });
    expect(code).toBe(1);
    expect(stderr).toContain(
      `you lack the right to: patch modeldeployments.truss-secrets.dev -n ${strict.namespace}`,
    );
    expect((await approval(strict, 'only'))?.spec).toMatchObject({ secrets: ['KEY', 'only_a'] });
  });
});

describe('untrust', () => {
  test('takes both back', async () => {
    await given(strict, 'back');
    await strict.run(['trust', 'back', '--yes']);
    await strict.ready('back');
    const { code, stdout } = await strict.run(['untrust', 'back', '--yes']);
    expect(code).toBe(0);
    expect(stdout).toContain('has         back_a, back_b\n');
    expect(stdout).toContain('in pods of  Deployment back\n');
    expect(stdout).toContain(`ModelDeployment ${strict.namespace}/back is not trusted any more.`);
    expect(stdout).toContain(`ModelTrust ${strict.namespace}/back is deleted.`);
    expect(await approval(strict, 'back')).toBeUndefined();
    await untrusted(strict, 'back');
    expect(await strict.delivered('back')).toBeUndefined();
    expect((await strict.run(['untrust', 'back', '--yes'])).stdout).toContain('nothing to do');
  });

  test('asks, and revokes an approval that is left of a model that is gone', async () => {
    await given(strict, 'orphan');
    await strict.run(['trust', 'orphan', '--yes']);
    await cluster().api.delete(path(strict, 'modeldeployments', 'orphan'));
    const { code } = await strict.type(
      ['untrust', 'orphan'],
      [{ after: 'Take them back? [y/N]', type: 'yes\n' }],
    );
    expect(code).toBe(0);
    expect(await approval(strict, 'orphan')).toBeUndefined();
  });

  test('of a model that is not there fails', async () => {
    const { code, stderr } = await open.run(['untrust', 'gone', '--yes']);
    expect(code).toBe(1);
    expect(stderr).toContain('there is no ModelDeployment gone');
  });
});
