import { readdir, stat } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { eventually } from '../cluster/eventually.ts';
import { folder, inTerminal, startTrussSecrets, trussSecrets } from './truss-secrets.ts';

const LOCAL = `
secrets:
  hf_access_token: hf_abc
  aws-key: "AKIA"
  undeclared: never
`;

const config = (...names: readonly string[]): string =>
  ['secrets:', ...names.map((name) => `  ${name}`)].join('\n');

/** A home with a local store, and a config.yaml that declares `names`. */
async function home(local: string | undefined, ...names: readonly string[]): Promise<string> {
  return folder({
    'config.yaml': config(...names),
    ...(local === undefined ? {} : { '.truss/config.yaml': local }),
  });
}

const PRINT_SECRETS = ['sh', '-c', 'env | grep ^TRUSS_SECRET | sort; true'];

/** Runs `run -f config.yaml OPTIONS -- CMD` there. */
async function runIn(
  at: string,
  command: readonly string[],
  { options = [], env = {} }: { options?: readonly string[]; env?: Record<string, string> } = {},
) {
  return trussSecrets(['run', '-f', 'config.yaml', ...options, '--', ...command], {
    cwd: at,
    env: { HOME: at, ...env },
  });
}

describe('run gives CMD the declared secrets as environment variables', () => {
  test('those and no others', async () => {
    const at = await home(LOCAL, 'hf_access_token: null');
    const { code, stdout, stderr } = await runIn(at, PRINT_SECRETS);
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'TRUSS_SECRET_hf_access_token=hf_abc\n' });
    expect(stderr).toBe('warning: 2 secrets of ~/.truss/config.yaml are not declared, and not passed on\n');
  });

  test('from the environment where the local store has none; undeclared ones are taken out of it', async () => {
    const at = await home(LOCAL, 'hf_access_token: null', 'other: null');
    const env = { TRUSS_SECRET_other: 'O', TRUSS_SECRET_hf_access_token: 'E', TRUSS_SECRET_stray: 'S' };
    const { stdout } = await runIn(at, PRINT_SECRETS, { env });
    expect(stdout).toBe('TRUSS_SECRET_hf_access_token=hf_abc\nTRUSS_SECRET_other=O\n');
  });

  test('an optional reference too, when it has a value', async () => {
    const at = await folder({
      '.truss/config.yaml': 'secrets: {hf_access_token: hf_abc}',
      'config.yaml': 'model_cache: [{repo_id: a/b}]',
    });
    expect((await runIn(at, PRINT_SECRETS)).stdout).toBe('TRUSS_SECRET_hf_access_token=hf_abc\n');
  });

  test('with a warning for a name that some shells drop', async () => {
    const at = await home(LOCAL, 'aws-key: null');
    const { code, stderr } = await runIn(at, ['true']);
    expect(code).toBe(0);
    expect(stderr).toContain('warning: aws-key: a shell such as dash drops');
  });

  test.for([
    { name: 'a NUL', value: '"a\\0b"', says: 'holds a NUL' },
    { name: 'more than 128 KiB', value: 'x'.repeat(131_072), says: 'too large for an environment variable' },
  ])('refuses $name, which a folder can hold', async ({ value, says }) => {
    const at = await home(`secrets: {big: ${value}}`, 'big: null');
    const refused = await runIn(at, ['true']);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(says);
    expect(await runIn(at, ['true'], { options: ['--folder'] })).toMatchObject({ code: 0, stderr: '' });
  });
});

describe('run reports what is missing before CMD starts', () => {
  test('and does not start it', async () => {
    const at = await home(LOCAL, 'hf_access_token: null', 'hf-access-token: null', 'gone: null');
    const { code, stdout, stderr } = await runIn(at, ['echo', 'started']);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('no value for hf-access-token (there is hf_access_token), gone: add it to');
  });

  test('unless it is allowed', async () => {
    const at = await home(LOCAL, 'gone: null');
    const { code, stdout, stderr } = await runIn(at, ['echo', 'started'], { options: ['--allow-missing'] });
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'started\n' });
    expect(stderr).toContain('warning: no value for gone');
  });

  test('unless the config has a default', async () => {
    const at = await home(undefined, 'gone: placeholder');
    const { code, stderr } = await runIn(at, PRINT_SECRETS);
    expect(code).toBe(0);
    expect(stderr).toContain('warning: gone: no value; the default in the config counts');
  });

  test('a name that could be another file is left out', async () => {
    const at = await home('secrets: {../x: v}', '../x: null');
    const { code, stderr } = await runIn(at, ['true'], { options: ['--folder'] });
    expect(code).toBe(0);
    expect(stderr).toMatch(/"\.\.\/x"|\.\.\/x/);
    expect(stderr).toContain('it is left out');
  });

  test('an invalid config stops it, with the place of the error', async () => {
    const at = await folder({ 'config.yaml': 'secrets:\n\t- a' });
    const { code, stderr } = await runIn(at, ['true']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/config\.yaml:2:1: /);
  });
});

describe('the local store is read where Truss fails', () => {
  test.for([
    { name: 'no file', local: undefined, value: undefined },
    { name: 'an empty file', local: '', value: undefined },
    { name: 'only a comment', local: '# nothing yet\n', value: undefined },
    { name: 'other settings only', local: 'use_sudo: true', value: undefined },
    { name: 'secrets: without entries', local: 'secrets:', value: undefined },
    { name: 'a name without a value', local: 'secrets: {a: }', value: undefined },
    { name: 'an empty text', local: 'secrets: {a: ""}', value: undefined },
    { name: 'a list as the value', local: 'secrets: {a: [b]}', value: undefined },
    { name: 'a number without quotes', local: 'secrets: {a: 0123}', value: '0123' },
    { name: 'a large number', local: 'secrets: {a: 12345678901234567890}', value: '12345678901234567890' },
    { name: 'a boolean', local: 'secrets: {a: yes}', value: 'yes' },
    { name: 'a date', local: 'secrets: {a: 2026-01-01}', value: '2026-01-01' },
    { name: 'a number in another notation', local: 'secrets: {a: 1_000.50}', value: '1_000.50' },
    { name: 'a quoted text', local: `secrets: {a: '0x1F'}`, value: '0x1F' },
    { name: 'a duplicate: the last one', local: 'secrets: {a: 1, a: "2"}', value: '2' },
    { name: 'an alias', local: 'secrets: {b: &x "3", a: *x}', value: '3' },
  ])('$name', async ({ local, value }) => {
    const at = await home(local, 'a: null');
    const { code, stdout } = await runIn(at, PRINT_SECRETS, { options: ['--allow-missing'] });
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: value === undefined ? '' : `TRUSS_SECRET_a=${value}\n`,
    });
  });

  test.for([
    { name: 'not YAML', local: 'secrets: {a: [canary-value', says: '.truss/config.yaml:1:' },
    { name: 'a list', local: '- canary-value', says: 'this is no Truss config' },
    {
      name: 'secrets as a list',
      local: 'secrets: [canary-value]',
      says: 'must be entries of the form NAME: value',
    },
    { name: 'not UTF-8 or a control character', local: 'secrets: {a: canary-value\u0001}', says: 'U+0001' },
  ])('$name is an error that shows no value', async ({ local, says }) => {
    const at = await home(local, 'a: null');
    const { code, stderr } = await runIn(at, ['true'], { options: ['--debug'] });
    expect(code).toBe(1);
    expect(stderr).toContain(says);
    expect(stderr).not.toContain('canary-value');
  });
});

describe('run --folder', () => {
  const options = ['--folder'];

  test('is a private folder of files, which is gone afterwards', async () => {
    const at = await home(
      'secrets: {pem: "-----\\nx\\n", hf_access_token: hf_abc}',
      'pem: null',
      'hf_access_token: null',
    );
    const script =
      'cd "$TRUSS_SECRETS_FOLDER"; pwd; stat -c "%a %n" . *; cat hf_access_token pem; env | grep ^TRUSS_SECRET_';
    const { stdout } = await runIn(at, ['sh', '-c', script], { options });
    const [path = '', ...lines] = stdout.split('\n');
    expect(lines).toEqual(['700 .', '400 hf_access_token', '400 pem', 'hf_abc-----', 'x', '']);
    await expect(stat(path)).rejects.toThrow('ENOENT');
  });

  test('is in memory where there is a tmpfs, else on disk and told so', async () => {
    const at = await home(LOCAL, 'hf_access_token: null');
    const script = ['sh', '-c', 'stat -f -c %T "$TRUSS_SECRETS_FOLDER"'];
    const { stdout, stderr } = await runIn(at, script, { options });
    expect(stdout === 'tmpfs\n').toBe(!stderr.includes('there is no tmpfs here'));
  });

  test.for(['SIGTERM', 'SIGHUP', 'SIGINT'] as const)(
    '%s reaches CMD, and the folder goes',
    async (signal) => {
      const at = await home(LOCAL, 'hf_access_token: null');
      const script = `trap 'echo caught; exit 9' TERM HUP INT; echo "$TRUSS_SECRETS_FOLDER"; while :; do sleep 0.05; done`;
      const args = ['run', '-f', 'config.yaml', ...options, '--', 'sh', '-c', script];
      const running = startTrussSecrets(args, { cwd: at, env: { HOME: at } });
      await eventually(() => expect(running.output()).toMatch(/\n/));
      const path = running.output().trim();
      expect(await readdir(path)).toEqual(['hf_access_token']);
      running.signal(signal);
      expect(await running.exited).toBe(9);
      expect(running.output()).toContain('caught');
      await expect(stat(path)).rejects.toThrow('ENOENT');
    },
  );
});

describe('CMD takes our place', () => {
  test.for([
    { name: 'its exit code', command: ['sh', '-c', 'exit 42'], code: 42 },
    { name: '128 + n when signal n ends it', command: ['sh', '-c', 'kill -KILL $$'], code: 137 },
    { name: '127 when it is not there', command: ['no-such-program'], code: 127 },
    { name: '126 when it can not be started', command: ['/dev/null'], code: 126 },
  ])('$name', async ({ command, code }) => {
    const at = await home(undefined, 'a: x');
    expect((await runIn(at, command)).code).toBe(code);
  });

  test('its input', async () => {
    const at = await home(undefined, 'a: x');
    const args = ['run', '-f', 'config.yaml', '--', 'cat'];
    const { stdout } = await trussSecrets(args, { cwd: at, env: { HOME: at }, stdin: 'through' });
    expect(stdout).toBe('through');
  });

  test('its terminal, where Ctrl-C reaches it once', async () => {
    const at = await home(undefined, 'a: x');
    const script = `trap 'echo interrupted' INT; test -t 0 && test -t 1 && echo terminal
      echo ready; for i in 1 2 3 4 5 6 7 8 9 10; do sleep 0.1; done; exit 5`;
    const { code, screen } = await inTerminal(
      ['run', '-f', 'config.yaml', '--', 'sh', '-c', script],
      [{ after: 'ready', type: '\u0003' }],
      { cwd: at, env: { HOME: at } },
    );
    expect(code).toBe(5);
    expect(screen).toContain('terminal');
    expect(screen.match(/interrupted/g)).toHaveLength(1);
  });
});
