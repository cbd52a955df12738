import { describe, expect, test } from 'vitest';
import { folder } from '../../cli/truss-secrets.ts';
import { cluster } from '../cluster.ts';
import { DEFAULT_STORE, storeWorld } from './store-world.ts';

const MIB = 1_048_576;

describe('set creates the Secret of the store', () => {
  test('with its label, and the value as it came on stdin', async () => {
    const world = await storeWorld();
    const { code, stdout, stderr } = await world.run(['set', 'hf_access_token'], { stdin: 'hf_abc' });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toBe(
      `Created hf_access_token in Secret truss-store-default, namespace ${world.namespace}.\n`,
    );
    const { metadata, type } = await world.secret('truss-store-default');
    expect({ labels: metadata.labels, type }).toEqual({ labels: DEFAULT_STORE, type: 'Opaque' });
    expect(await world.data()).toEqual({ hf_access_token: 'hf_abc' });
  });

  test('of another store and environment, in an object of its own', async () => {
    const world = await storeWorld();
    const args = ['set', '--name', 'key', '--store', 'org', '--environment', 'production'];
    expect((await world.run(args, { stdin: 'v' })).code).toBe(0);
    expect((await world.secret('truss-store-org-production')).metadata.labels).toEqual({
      'truss-secrets.dev/store': 'org',
      'truss-secrets.dev/environment': 'production',
    });
  });
});

describe('the value', () => {
  test('is taken byte for byte', async () => {
    const world = await storeWorld();
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
    expect((await world.run(['set', 'binary'], { stdin: bytes })).code).toBe(0);
    expect((await world.secret('truss-store-default')).data).toEqual({ binary: bytes.toString('base64') });
    expect((await world.run(['get', 'binary', '--reveal'])).bytes).toEqual(bytes);
  });

  test('may come from a file', async () => {
    const world = await storeWorld();
    const at = await folder({ 'key.pem': '-----\nx\n-----' });
    expect((await world.run(['set', 'pem', '--from-file', 'key.pem'], { cwd: at })).code).toBe(0);
    expect(await world.data()).toEqual({ pem: '-----\nx\n-----' });
    const missing = await world.run(['set', 'pem', '--from-file', 'gone'], { cwd: at });
    expect(missing).toMatchObject({ code: 1, stdout: '' });
    expect(missing.stderr).toContain("gone can't be read (ENOENT): check --from-file");
  });

  test('that ends in a newline gets a warning, and --trim strips it', async () => {
    const world = await storeWorld();
    const kept = await world.run(['set', 'a'], { stdin: 'v\n' });
    expect(kept.stderr).toContain(
      'warning: the value of a ends in a newline, and Truss keeps it; --trim strips it',
    );
    expect(await world.data()).toEqual({ a: 'v\n' });
    const trimmed = await world.run(['set', 'a', '--trim'], { stdin: ' v \r\n\n' });
    expect(trimmed.stderr).toBe('');
    expect(await world.data()).toEqual({ a: ' v ' });
  });

  test('as an option works, and warns', async () => {
    const world = await storeWorld();
    const { code, stderr } = await world.run(['set', 'a', '--value', 'v']);
    expect(code).toBe(0);
    expect(stderr).toContain(
      "warning: --value shows the secret in the shell's history and in the list of processes",
    );
    expect(await world.data()).toEqual({ a: 'v' });
  });

  test('must not be empty', async () => {
    const world = await storeWorld();
    const { code, stderr } = await world.run(['set', 'a', '--trim'], { stdin: '\n' });
    expect(code).toBe(1);
    expect(stderr).toContain('the value of a is empty');
  });

  test('may have 1 MiB, and all values of a Secret together', async () => {
    const world = await storeWorld();
    const tooLarge = await world.run(['set', 'a'], { stdin: Buffer.alloc(MIB + 1, 'x') });
    expect(tooLarge.code).toBe(1);
    expect(tooLarge.stderr).toContain('the value of a is larger than 1 MiB');
    expect((await world.run(['set', 'a'], { stdin: Buffer.alloc(MIB, 'x') })).code).toBe(0);
    const full = await world.run(['set', 'b'], { stdin: 'x' });
    expect(full.code).toBe(1);
    expect(full.stderr).toContain('would be larger than the 1 MiB that a Secret may hold');
    expect((await world.run(['set', 'a'], { stdin: 'smaller' })).code).toBe(0);
  });
});

describe('at a terminal set asks for the value', () => {
  test('without showing it', async () => {
    const world = await storeWorld();
    const { code, screen } = await world.type(
      ['set', 'a'],
      [{ after: 'Value of a: ', type: 'cananary\u007f\u007f\u007f\u007f\u007fary-välue\r' }],
    );
    expect(code).toBe(0);
    expect(await world.data()).toEqual({ a: 'canary-välue' });
    expect(screen).not.toMatch(/can|ary|ä/);
    expect(screen).toContain('Created a in Secret truss-store-default');
  });

  test('and takes it back as one does at a prompt', async () => {
    const world = await storeWorld();
    await world.type(['set', 'a'], [{ after: 'Value of a: ', type: 'wrong\u0015xé\u007fy\u0004' }]);
    expect(await world.data()).toEqual({ a: 'xy' });
  });

  test.for([
    { name: 'Ctrl-C', type: 'half\u0003' },
    { name: 'Ctrl-D', type: '\u0004' },
  ])('$name cancels', async ({ type }) => {
    const world = await storeWorld();
    const { code, screen } = await world.type(['set', 'a'], [{ after: 'Value of a: ', type }]);
    expect(code).toBe(130);
    expect(screen).toContain('cancelled: nothing was changed');
    await expect(world.secret('truss-store-default')).rejects.toThrow('NotFound');
  });

  test('a paste of several lines is refused, not cut', async () => {
    const world = await storeWorld();
    const { code, screen } = await world.type(
      ['set', 'a'],
      [{ after: 'Value of a: ', type: '-----\rcanary\r' }],
    );
    expect(code).toBe(1);
    expect(screen).toContain('the prompt takes one line only');
    expect(screen).not.toContain('canary');
  });
});

describe('the name', () => {
  test.for([
    { name: '../x', says: 'could read another file' },
    { name: 'a b', says: 'no key of a Kubernetes Secret' },
    { name: 'TRUSS_SECRET_x', says: 'name the secret x' },
    { name: 'x'.repeat(254), says: '253 are allowed' },
  ])('$name is refused before anything is asked', async ({ name, says }) => {
    const world = await storeWorld();
    const { code, stderr } = await world.run(['set', '--', name], { stdin: 'v' });
    expect(code).toBe(1);
    expect(stderr).toContain(says);
  });

  test.for(['__proto__', 'constructor', 'a.b-c_D', '-x'])('%s is one as any other', async (name) => {
    const world = await storeWorld();
    expect((await world.run(['set', '--', name], { stdin: 'v' })).code).toBe(0);
    expect(Object.keys((await world.secret('truss-store-default')).data ?? {})).toEqual([name]);
    expect((await world.run(['get', '--reveal', '--', name])).stdout).toBe('v');
    expect((await world.run(['delete', '--', name])).code).toBe(0);
    expect(Object.keys((await world.secret('truss-store-default')).data ?? {})).toEqual([]);
  });

  test("follows JFrog's rules where the organisation says so", async () => {
    const world = await storeWorld();
    const refused = await world.run(['set', 'snowflake_user', '--name-policy', 'jfrog'], { stdin: 'v' });
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('JFrog ML wants');
    const env = { TRUSS_SECRETS_NAME_POLICY: 'jfrog' };
    expect((await world.run(['set', 'snowflake_user'], { stdin: 'v', env })).code).toBe(1);
    expect((await world.run(['set', 'snowflake-user'], { stdin: 'v', env })).code).toBe(0);
    expect(
      (await world.run(['set', 'snowflake_user', '--name-policy', 'truss'], { stdin: 'v', env })).code,
    ).toBe(0);
  });

  test('that is nearly another one gets a warning', async () => {
    const world = await storeWorld();
    await world.run(['set', 'hf_access_token'], { stdin: 'v' });
    const { stderr } = await world.run(['set', 'HF-access-token'], { stdin: 'v' });
    expect(stderr).toContain('warning: the store also has hf_access_token');
  });
});

describe('set changes one key and nothing else', () => {
  test('of the Secret that is there', async () => {
    const world = await storeWorld();
    await world.addSecret(
      'truss-store-default',
      { a: '1', b: '2' },
      { labels: { ...DEFAULT_STORE, team: 'x' }, annotations: { note: 'y' } },
    );
    const { stdout } = await world.run(['set', 'a'], { stdin: 'new' });
    expect(stdout).toMatch(/^Changed a in Secret /);
    expect(await world.data()).toEqual({ a: 'new', b: '2' });
    const { labels, annotations } = (await world.secret('truss-store-default')).metadata;
    expect({ labels, annotations }).toEqual({
      labels: { ...DEFAULT_STORE, team: 'x' },
      annotations: { note: 'y' },
    });
  });

  test('when many set at once, from the first on', async () => {
    const world = await storeWorld();
    const names = Array.from({ length: 16 }, (_, index) => `key-${index}`);
    const ended = await Promise.all(names.map((name) => world.run(['set', name], { stdin: name })));
    expect(ended.map(({ code }) => code)).toEqual(names.map(() => 0));
    expect(await world.data()).toEqual(Object.fromEntries(names.map((name) => [name, name])));
  });
});

describe('set takes over nothing', () => {
  const refusals = [
    {
      name: 'a Secret of the name without the label',
      more: {},
      args: [],
      says: 'is no store: its label truss-secrets.dev/store is missing',
    },
    {
      name: 'the same, named with the store that it should become',
      more: {},
      args: ['--secret', 'truss-store-default', '--store', 'default'],
      says: 'If its owner agrees that models read it: kubectl label secret truss-store-default',
    },
    {
      name: 'a Secret of another store',
      more: { labels: { 'truss-secrets.dev/store': 'org' } },
      args: [],
      says: 'is of store org, not default',
    },
    {
      name: 'a Secret for an environment',
      more: { labels: { ...DEFAULT_STORE, 'truss-secrets.dev/environment': 'staging' } },
      args: [],
      says: 'is for environment staging, not for no environment',
    },
    {
      name: 'a Secret that a controller owns',
      more: {
        labels: DEFAULT_STORE,
        ownerReferences: [
          {
            apiVersion: 'external-secrets.io/v1',
            kind: 'ExternalSecret',
            name: 'org',
            uid: 'u',
            controller: true,
          },
        ],
      },
      args: ['--secret', 'truss-store-default'],
      says: 'belongs to ExternalSecret/org, which would undo a change',
    },
    {
      name: 'an immutable Secret',
      more: { labels: DEFAULT_STORE, immutable: true },
      args: [],
      says: 'is immutable',
    },
  ];

  test.for(refusals)('$name stays as it is', async ({ more, args, says }) => {
    const world = await storeWorld();
    await world.addSecret('truss-store-default', { theirs: '1' }, more);
    const { resourceVersion } = (await world.secret('truss-store-default')).metadata;
    const { code, stdout, stderr } = await world.run(['set', 'a', ...args], { stdin: 'v' });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(says);
    expect((await world.secret('truss-store-default')).metadata.resourceVersion).toBe(resourceVersion);
  });

  test('a Secret that is named may be anything, and is told to be no store', async () => {
    const world = await storeWorld();
    await world.addSecret('org', { theirs: '1' });
    const { code, stderr } = await world.run(['set', 'a', '--secret', 'org'], { stdin: 'v' });
    expect(code).toBe(0);
    expect(stderr).toContain(
      'is no store, so no model gets anything from it. To make it one: kubectl label secret org',
    );
    expect(await world.data('org')).toEqual({ theirs: '1', a: 'v' });
    expect((await world.secret('org')).metadata.labels).toBeUndefined();
  });

  test('a Secret that is named may be of any store and environment', async () => {
    const world = await storeWorld();
    await world.addSecret(
      'org',
      {},
      { labels: { 'truss-secrets.dev/store': 'org', 'truss-secrets.dev/environment': 'e' } },
    );
    expect(await world.run(['set', 'a', '--secret', 'org'], { stdin: 'v' })).toMatchObject({
      code: 0,
      stderr: '',
    });
  });

  test('the same name in another Secret of the store gets a warning', async () => {
    const world = await storeWorld();
    await world.addSecret('org', { a: '1' }, { labels: DEFAULT_STORE });
    const { code, stderr } = await world.run(['set', 'a'], { stdin: 'v' });
    expect(code).toBe(0);
    expect(stderr).toContain(
      'warning: a is also in Secret org of store default, so models find it ambiguous',
    );
  });
});

describe('set says what is wrong when the API server refuses', () => {
  test('because the namespace is not there', async () => {
    const world = await storeWorld();
    const { code, stderr } = await world.run(['set', 'a', '-n', 'no-such-namespace'], { stdin: 'v' });
    expect(code).toBe(1);
    expect(stderr).toContain('namespace no-such-namespace does not exist: kubectl create namespace');
  });

  test('because of the type of the Secret', async () => {
    const world = await storeWorld();
    await cluster().api.post(`/api/v1/namespaces/${world.namespace}/secrets`, {
      metadata: { name: 'registry', labels: DEFAULT_STORE },
      type: 'kubernetes.io/dockerconfigjson',
      stringData: { '.dockerconfigjson': '{"auths":{}}' },
    });
    const { code, stderr } = await world.run(['delete', '.dockerconfigjson']);
    expect(code).toBe(1);
    expect(stderr).toContain('the API server does not take this change of Secret registry');
  });
});

test('no output holds the value, not even with --debug', async () => {
  const world = await storeWorld();
  const { api } = cluster();
  // The API server refuses this one and, in its message, may repeat what it was sent.
  await world.addSecret('ca', { 'ca.crt': 'x' }, { labels: DEFAULT_STORE, immutable: false });
  await api.patch(`/api/v1/namespaces/${world.namespace}/secrets/ca`, { immutable: true });
  for (const args of [
    ['set', 'a'],
    ['set', 'a', '--secret', 'ca'],
    ['set', 'b c'],
    ['get', 'a'],
    ['list', '-o', 'json'],
  ]) {
    const { stdout, stderr } = await world.run([...args, '--debug'], { stdin: 'canary-value' });
    expect(stdout + stderr).not.toMatch(/canary-value|Y2FuYXJ5LXZhbHVl/);
  }
});
