import { describe, expect, test } from 'vitest';
import { folder } from '../../cli/truss-secrets.ts';
import { DEFAULT_STORE, storeWorld, type World } from './store-world.ts';

const LOCAL = `secrets:
  fresh: one
  known: "2"
  same: "3"
  number: 0123
  empty:
  ../bad: x
`;

async function withStore(): Promise<{
  readonly world: World;
  readonly home: { readonly env: { HOME: string } };
}> {
  const world = await storeWorld();
  await world.addSecret(
    'truss-store-default',
    { known: 'old', same: '3', kept: 'k' },
    { labels: DEFAULT_STORE },
  );
  return { world, home: { env: { HOME: await folder({ '.truss/config.yaml': LOCAL }) } } };
}

const IMPORTED = { fresh: 'one', known: '2', same: '3', number: '0123', kept: 'k' };
const BEFORE = { known: 'old', same: '3', kept: 'k' };

describe('import of ~/.truss/config.yaml', () => {
  test('shows what it will do, and does it with --yes', async () => {
    const { world, home } = await withStore();
    const { code, stdout } = await world.run(['import', '--yes'], home);
    expect(code).toBe(0);
    const lines = stdout.split('\n').map((line) => line.split(/ {2,}/).slice(0, 3));
    expect(lines.slice(0, 7)).toEqual([
      ['NAME', 'ACTION', 'LINE'],
      ['fresh', 'create', '2'],
      ['known', 'replace', '3'],
      ['same', 'unchanged', '4'],
      ['number', 'create', '5'],
      ['empty', 'skip', '6'],
      ['../bad', 'skip', '7'],
    ]);
    expect(stdout).toContain(
      `Imported 3 secrets into Secret truss-store-default, namespace ${world.namespace}.`,
    );
    expect(await world.data()).toEqual(IMPORTED);
  });

  test('asks on a terminal', async () => {
    const { world, home } = await withStore();
    const question = `Import 3 secrets into Secret truss-store-default, namespace ${world.namespace}? [y/N]`;
    const no = await world.type(['import'], [{ after: question, type: 'n\r' }], home);
    expect(no.code).toBe(1);
    expect(no.screen).toContain('not confirmed: nothing was changed');
    expect(await world.data()).toEqual(BEFORE);
    const yes = await world.type(['import'], [{ after: question, type: 'y\r' }], home);
    expect(yes.code).toBe(0);
    expect(await world.data()).toEqual(IMPORTED);
  });

  test('takes the end of the input for no', async () => {
    const { world, home } = await withStore();
    const { code } = await world.type(['import'], [{ after: '[y/N]', type: '\u0004' }], home);
    expect(code).toBe(1);
    expect(await world.data()).toEqual(BEFORE);
  });

  test('changes nothing with --dry-run', async () => {
    const { world, home } = await withStore();
    const { code, stdout } = await world.run(['import', '--dry-run'], home);
    expect(code).toBe(0);
    expect(stdout).toContain('Would import 3 secrets');
    expect(await world.data()).toEqual(BEFORE);
  });

  test('prints the documented shape, and no value', async () => {
    const { world, home } = await withStore();
    const { stdout, stderr } = await world.run(['import', '--dry-run', '-o', 'json'], home);
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual({
      version: 1,
      file: `${home.env.HOME}/.truss/config.yaml`,
      namespace: world.namespace,
      secret: 'truss-store-default',
      store: 'default',
      environment: null,
      applied: false,
      secrets: [
        { name: 'fresh', action: 'create', line: 2, note: null },
        { name: 'known', action: 'replace', line: 3, note: null },
        { name: 'same', action: 'unchanged', line: 4, note: null },
        {
          name: 'number',
          action: 'create',
          line: 5,
          note: 'not quoted: taken as the text that is written there',
        },
        { name: 'empty', action: 'skip', line: 6, note: 'no value' },
        { name: '../bad', action: 'skip', line: 7, note: expect.stringContaining('could read another file') },
      ],
    });
  });

  test('is of one environment', async () => {
    const { world, home } = await withStore();
    expect((await world.run(['import', '--yes', '--environment', 'staging'], home)).code).toBe(0);
    expect(Object.keys(await world.data('truss-store-default-staging'))).toEqual(
      expect.arrayContaining(['fresh', 'known', 'number', 'same']),
    );
    expect(await world.data()).toEqual(BEFORE);
  });

  test('a second time has nothing to do', async () => {
    const { world, home } = await withStore();
    await world.run(['import', '--yes'], home);
    const { resourceVersion } = (await world.secret('truss-store-default')).metadata;
    const again = await world.run(['import', '--yes'], home);
    expect(again.code).toBe(0);
    expect(again.stdout).toContain('Nothing to import.');
    expect((await world.secret('truss-store-default')).metadata.resourceVersion).toBe(resourceVersion);
  });
});

describe('import of another file', () => {
  test.for([
    { name: 'an empty one', text: '' },
    { name: 'one with secrets: null', text: 'secrets: null\n' },
  ])('$name has nothing to import', async ({ text }) => {
    const world = await storeWorld();
    const at = await folder({ 'local.yaml': text });
    const { code, stdout } = await world.run(['import', 'local.yaml', '--yes'], { cwd: at });
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'Nothing to import.\n' });
    await expect(world.secret('truss-store-default')).rejects.toThrow('NotFound');
  });

  test('that is not there fails', async () => {
    const world = await storeWorld();
    const { code, stderr } = await world.run(['import', '/nonexistent.yaml', '--yes']);
    expect(code).toBe(1);
    expect(stderr).toContain('/nonexistent.yaml is not there');
  });
});
