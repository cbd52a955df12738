import { describe, expect, test } from 'vitest';
import { DEFAULT_STORE, storeWorld, type World } from './store-world.ts';

/** Two environments, one Secret that is shared, and models here and elsewhere that use them. */
async function filled(): Promise<{ readonly world: World; readonly other: World }> {
  const [world, other] = [await storeWorld(), await storeWorld()];
  const here = world.namespace;
  await world.addSecret(
    'org',
    { aws_key: 'canary', hf_token: 'canary' },
    {
      labels: DEFAULT_STORE,
      annotations: { 'truss-secrets.dev/share-with': `${other.namespace}, team-*/gfpgan` },
    },
  );
  await world.addSecret(
    'prod',
    { aws_key: 'canary' },
    {
      labels: { 'truss-secrets.dev/store': 'default', 'truss-secrets.dev/environment': 'production' },
    },
  );
  await world.addSecret('foreign', { password: 'canary' });
  await world.addModel('gfpgan', { namespace: here, name: 'org', key: 'aws_key' });
  await other.addModel('whisper', { namespace: here, name: 'org', key: 'aws_key' });
  return { world, other };
}

const columns = (line: string): readonly string[] => line.split(/ {2,}/);

describe('list', () => {
  test('shows every secret of the stores, shared with and used by whom, and no value', async () => {
    const { world, other } = await filled();
    const { code, stdout, stderr } = await world.run(['list']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const [title = '', ...lines] = stdout.trimEnd().split('\n');
    expect(columns(title)).toEqual([
      'NAME',
      'STORE',
      'ENVIRONMENT',
      'SECRET',
      'AGE',
      'SHARED WITH',
      'USED BY',
    ]);
    const share = `${other.namespace}, team-*/gfpgan`;
    const users = [
      { namespace: world.namespace, shown: 'gfpgan' },
      { namespace: other.namespace, shown: `${other.namespace}/whisper` },
    ].toSorted((a, b) => (a.namespace < b.namespace ? -1 : 1));
    expect(lines.map((line) => columns(line).toSpliced(4, 1))).toEqual([
      ['aws_key', 'default', '<none>', 'org', share, users.map(({ shown }) => shown).join(', ')],
      ['aws_key', 'default', 'production', 'prod', '<none>', '<none>'],
      ['hf_token', 'default', '<none>', 'org', share, '<none>'],
    ]);
    expect(stdout).not.toContain('canary');
  });

  test.for([
    { args: ['--environment', 'production'], secrets: ['prod'] },
    { args: ['--store', 'default'], secrets: ['org', 'prod', 'org'] },
    { args: ['--store', 'other'], secrets: [] },
  ])('$args narrows it', async ({ args, secrets }) => {
    const { world } = await filled();
    const { stdout } = await world.run(['list', ...args, '-o', 'json']);
    expect(JSON.parse(stdout).secrets.map(({ secret }: { secret: string }) => secret)).toEqual(secrets);
  });

  test('prints the documented shape as JSON and YAML', async () => {
    const { world, other } = await filled();
    const { stdout } = await world.run(['list', '-o', 'json']);
    const { created } = JSON.parse(stdout).secrets[0];
    expect(created).toMatch(/^\d{4}-\d\d-\d\dT/);
    expect(JSON.parse(stdout)).toEqual({
      version: 1,
      namespace: world.namespace,
      modelsSeen: 'all',
      secrets: [
        {
          name: 'aws_key',
          store: 'default',
          environment: null,
          secret: 'org',
          created,
          sharedWith: [other.namespace, 'team-*/gfpgan'],
          usedBy: [
            { namespace: world.namespace, name: 'gfpgan' },
            { namespace: other.namespace, name: 'whisper' },
          ].toSorted((a, b) => (a.namespace < b.namespace ? -1 : 1)),
        },
        expect.objectContaining({ environment: 'production', sharedWith: null, usedBy: [] }),
        expect.objectContaining({ name: 'hf_token' }),
      ],
    });
    const yaml = await world.run(['list', '-o', 'yaml']);
    expect(yaml.stdout).toMatch(/^version: 1\nnamespace: /);
  });

  test('says so on stderr when there is nothing', async () => {
    const world = await storeWorld();
    const { code, stdout, stderr } = await world.run(['list']);
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    expect(stderr).toBe(`No secrets found in namespace ${world.namespace}.\n`);
  });

  test('is coloured on a terminal only, and not where NO_COLOR is set', async () => {
    const { world } = await filled();
    expect((await world.run(['list'])).stdout).not.toContain('\u001b[');
    expect((await world.type(['list'], [])).screen).toContain('\u001b[1mNAME');
    expect((await world.type(['list'], [], { env: { NO_COLOR: '1' } })).screen).not.toContain('\u001b[');
  });

  test('takes the namespace of the context', async () => {
    const { stderr } = await (await storeWorld()).run(['list', '--store', 'no-such-store', '-n', 'default']);
    expect(stderr).toBe('No secrets found in namespace default.\n');
  });
});

describe('get', () => {
  test('shows the line of one secret, and the bare value with --reveal', async () => {
    const { world } = await filled();
    const { stdout } = await world.run(['get', 'hf_token']);
    expect(stdout.trimEnd().split('\n')).toHaveLength(2);
    expect(stdout).not.toContain('canary');
    expect(await world.run(['get', 'hf_token', '--reveal'])).toMatchObject({
      code: 0,
      stdout: 'canary',
      stderr: '',
    });
  });

  test.for([
    { args: ['hf-token'], says: 'hf-token is not in store default, namespace NS; did you mean hf_token?' },
    { args: ['hf_token', '--environment', 'production'], says: '; it is there without an environment' },
    {
      args: ['aws_key', '--environment', 'staging'],
      says: 'without an environment, with --environment production',
    },
    { args: ['aws_key', '--store', 'org'], says: 'aws_key is not in store org, namespace NS\n' },
    { args: ['aws_key', '--secret', 'gone'], says: 'there is no Secret gone in namespace NS' },
    { args: ['hf_token', '--secret', 'prod'], says: 'hf_token is not in Secret prod, namespace NS\n' },
    { args: ['password'], says: 'password is not in store default' },
  ])('$args fails, and says where it is', async ({ args, says }) => {
    const { world } = await filled();
    const { code, stdout, stderr } = await world.run(['get', ...args]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(says.replace('NS', world.namespace));
  });

  test('asks which one when two Secrets have it', async () => {
    const { world } = await filled();
    await world.run(['set', 'hf_token'], { stdin: 'x' });
    const { code, stderr } = await world.run(['get', 'hf_token', '--reveal']);
    expect(code).toBe(1);
    expect(stderr).toContain('is in several Secrets of store default');
    expect(stderr).toContain('org, truss-store-default. Name one with --secret');
    expect((await world.run(['get', 'hf_token', '--reveal', '--secret', 'org'])).stdout).toBe('canary');
  });
});

describe('delete', () => {
  test('takes one key away and leaves the others', async () => {
    const { world } = await filled();
    const { code, stdout } = await world.run(['delete', 'hf_token']);
    expect(code).toBe(0);
    expect(stdout).toBe(`Deleted hf_token from Secret org, namespace ${world.namespace}.\n`);
    expect(await world.data('org')).toEqual({ aws_key: 'canary' });
  });

  test('refuses while a model uses it, unless forced', async () => {
    const { world, other } = await filled();
    const refused = await world.run(['delete', 'aws_key']);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(`${world.namespace}/gfpgan`);
    expect(refused.stderr).toContain(`${other.namespace}/whisper`);
    expect(refused.stderr).toContain('--force');
    expect(await world.data('org')).toHaveProperty('aws_key');
    expect((await world.run(['delete', 'aws_key', '--force'])).code).toBe(0);
    expect(await world.data('org')).not.toHaveProperty('aws_key');
  });

  test('only of the environment that is meant', async () => {
    const { world } = await filled();
    expect((await world.run(['delete', 'aws_key', '--environment', 'production'])).code).toBe(0);
    expect(await world.data('prod')).toEqual({});
    expect(await world.data('org')).toHaveProperty('aws_key');
  });

  test('of what is not there fails', async () => {
    const { world } = await filled();
    expect((await world.run(['delete', 'gone'])).code).toBe(1);
  });
});
