import { describe, expect, test } from 'vitest';
import { identityWith, type PolicyRule } from '../identity.ts';
import { DEFAULT_STORE, storeWorld, type World } from './store-world.ts';

const secrets = (...verbs: readonly string[]): PolicyRule => ({
  apiGroups: [''],
  resources: ['secrets'],
  verbs,
});
const models: PolicyRule = {
  apiGroups: ['truss-secrets.dev'],
  resources: ['modeldeployments'],
  verbs: ['list'],
};

/** The environment of somebody with these rights in the namespace. */
async function as(world: World, ...rules: readonly PolicyRule[]) {
  const { kubeconfig } = await identityWith({ rules: { [world.namespace]: rules } });
  return { KUBECONFIG: kubeconfig };
}

describe("who lacks a right is told which one, in kubectl's words", () => {
  test.for([
    { args: ['list'], rules: [], right: 'list secrets -n NS' },
    { args: ['get', 'a'], rules: [], right: 'list secrets -n NS' },
    { args: ['get', 'a', '--secret', 'org'], rules: [], right: 'get secrets -n NS' },
    { args: ['set', 'a'], rules: [], right: 'get secrets -n NS' },
    { args: ['set', 'a'], rules: [secrets('get')], right: 'create secrets -n NS' },
    {
      args: ['set', 'a', '--secret', 'org'],
      rules: [secrets('get', 'create')],
      right: 'patch secrets -n NS',
    },
    { args: ['delete', 'a', '--force'], rules: [secrets('get', 'list')], right: 'patch secrets -n NS' },
  ])('$args: $right', async ({ args, rules, right }) => {
    const world = await storeWorld();
    await world.addSecret('org', { a: 'v' }, { labels: DEFAULT_STORE });
    const { code, stdout, stderr } = await world.run(args, { env: await as(world, ...rules), stdin: 'v' });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(`you lack the right to: ${right.replace('NS', world.namespace)}\n`);
  });
});

describe('few rights are enough', () => {
  test('to set: get, create and patch', async () => {
    const world = await storeWorld();
    const env = await as(world, secrets('get', 'create', 'patch'));
    expect(await world.run(['set', 'a'], { env, stdin: '1' })).toMatchObject({ code: 0, stderr: '' });
    expect(await world.run(['set', 'a'], { env, stdin: '2' })).toMatchObject({ code: 0, stderr: '' });
    expect(await world.data()).toEqual({ a: '2' });
  });

  test('to get one value: get, with --secret', async () => {
    const world = await storeWorld();
    await world.addSecret('org', { a: 'v' }, { labels: DEFAULT_STORE });
    const env = await as(world, secrets('get'));
    expect((await world.run(['get', 'a', '--secret', 'org', '--reveal'], { env })).stdout).toBe('v');
  });
});

describe('who may not see all models', () => {
  test('sees in the list what is known', async () => {
    const world = await storeWorld();
    await world.addSecret('org', { a: 'v' }, { labels: DEFAULT_STORE });
    await world.addModel('gfpgan', { namespace: world.namespace, name: 'org', key: 'a' });

    const some = await world.run(['list'], { env: await as(world, secrets('list'), models) });
    expect(some.stdout).toContain('gfpgan');
    expect(some.stderr).toContain(`USED BY shows the models of namespace ${world.namespace} only`);

    const none = await world.run(['list'], { env: await as(world, secrets('list')) });
    expect(none.stdout).toContain('<unknown>');
    expect(none.stderr).toContain('USED BY is not known');
  });

  test('deletes what nobody else can use, and what is shared only by force', async () => {
    const world = await storeWorld();
    const shared = { labels: DEFAULT_STORE, annotations: { 'truss-secrets.dev/share-with': '*' } };
    await world.addSecret('own', { a: 'v' }, { labels: DEFAULT_STORE });
    await world.addSecret('shared', { b: 'v' }, shared);
    const env = await as(world, secrets('list', 'get', 'patch'), models);
    expect((await world.run(['delete', 'a'], { env })).code).toBe(0);
    const refused = await world.run(['delete', 'b'], { env });
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("it can't be seen whether models use b");
    expect((await world.run(['delete', 'b', '--force'], { env })).code).toBe(0);
  });
});
