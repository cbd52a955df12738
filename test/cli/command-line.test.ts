import { execFile, spawn } from 'node:child_process';
import { openSync } from 'node:fs';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { commands } from '../../src/cli/commands.ts';
import { folder, inTerminal, MAIN, trussSecrets } from './truss-secrets.ts';

const endOf = (child: ReturnType<typeof spawn>): Promise<number | null> =>
  new Promise((resolve) => {
    child.once('close', resolve);
  });

const names = commands.map(({ name }) => name);

describe('truss-secrets without a command', () => {
  test.for([[], ['--help'], ['-h'], ['help']])('shows every command: %j', async (args) => {
    const { code, stdout, stderr } = await trussSecrets(args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const lines = stdout.split('\n').map((line) => line.trim().replaceAll(/ +/g, ' '));
    for (const { name, summary } of commands) expect(lines).toContain(`${name} ${summary}`);
  });

  test('shows its version', async () => {
    const { code, stdout } = await trussSecrets(['--version']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^truss-secrets \d+\.\d+\.\d+\n$/);
  });
});

describe('the help of a command', () => {
  test.for(names)('%s: usage, options and examples, in both spellings', async (name) => {
    const [asked, told] = await Promise.all([trussSecrets([name, '--help']), trussSecrets(['help', name])]);
    expect(asked).toEqual(told);
    expect(asked).toMatchObject({ code: 0, stderr: '' });
    expect(asked.stdout).toMatch(new RegExp(`^Usage: truss-secrets ${name}\\b`));
    expect(asked.stdout).toMatch(
      /^Examples:\n  # .+\n  truss-secrets|^Examples:\n  # .+\n  .*\| truss-secrets/m,
    );
    expect(asked.stdout).toContain('  -h, --help');
  });

  test('is asked for, whatever else is wrong', async () => {
    expect(await trussSecrets(['set', '--bogus', '-h'])).toMatchObject({ code: 0, stderr: '' });
  });

  test('belongs to CMD after --', async () => {
    const { code, stdout } = await trussSecrets(['run', '-f', '-', '--', 'printf', '%s\n', '--help'], {
      stdin: 'a: 1',
    });
    expect({ code, stdout }).toEqual({ code: 0, stdout: '--help\n' });
  });
});

describe('wrong usage is told with the usage line and exit code 2', () => {
  test.for([
    { args: ['lst'], says: 'truss-secrets lst: unknown command "lst"; did you mean list?' },
    { args: ['help', 'ipmort'], says: 'unknown command "ipmort"; did you mean import?' },
    { args: ['xyzzy'], says: 'unknown command "xyzzy"\n' },
    { args: ['constructor'], says: 'unknown command "constructor"' },
    { args: ['--vrsion'], says: 'unknown option --vrsion; did you mean --version?' },
    { args: ['--namespace', 'a'], says: 'no command given' },
    { args: ['list', '--namepsace', 'a'], says: 'unknown option --namepsace; did you mean --namespace?' },
    { args: ['list', '-x'], says: 'unknown option -x' },
    { args: ['list', '--__proto__'], says: 'unknown option --__proto__' },
    { args: ['list', '-n'], says: "option '-n, --namespace <value>' argument missing" },
    { args: ['list', '--debug=yes'], says: "option '--debug' does not take an argument" },
    { args: ['list', 'extra'], says: 'unexpected argument "extra"' },
    { args: ['list', '-o', 'jsn'], says: '--output "jsn" is none of table, json, yaml; did you mean json?' },
    { args: ['list', '-o=wide'], says: '--output "wide" is none of' },
    { args: ['list', '-n', 'a/b'], says: '--namespace "a/b" is no name of a namespace' },
    { args: ['list', '-n', ''], says: '--namespace "" is no name of a namespace' },
    { args: ['set'], says: 'no name given: NAME or --name NAME' },
    { args: ['set', 'a', '--name', 'b'], says: 'two names: "a" and --name "b"' },
    { args: ['set', 'a', '--value', 'x', '--from-file', 'y'], says: 'give --value or --from-file, not both' },
    { args: ['set', 'a', '--store', 'a b'], says: '--store "a b" can\'t be a label' },
    { args: ['set', 'a', '--environment', ''], says: '--environment "" can\'t be a label' },
    { args: ['set', 'a', '--store', 'Org_1'], says: 'name it yourself with --secret' },
    { args: ['set', 'a', '--secret', 'A'], says: '--secret "A" is no name of an object' },
    { args: ['set', 'a', '--name-policy', 'jforg'], says: 'did you mean jfrog?' },
    { args: ['get', 'a', '--reveal', '-o', 'json'], says: '--reveal prints the bare value' },
    { args: ['import', '-o', 'json'], says: '-o json needs --yes or --dry-run' },
    { args: ['import'], says: 'stdin is no terminal to ask on: give --yes, or --dry-run' },
    { args: ['run', '-f', 'config.yaml'], says: 'no CMD given after --' },
    { args: ['run', '-f', 'config.yaml', 'env'], says: 'unexpected argument "env": put -- before CMD' },
    { args: ['run', '--', 'env'], says: 'no file given: -f FILE' },
  ])('$args', async ({ args, says }) => {
    const { code, stdout, stderr } = await trussSecrets(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(says);
    expect(stderr).toMatch(/^Usage: truss-secrets /m);
  });
});

describe('kubectl habits', () => {
  test('options may stand before the command', async () => {
    const { stderr } = await trussSecrets(['-n', 'list', '--kubeconfig=/nowhere', 'get', 'a']);
    expect(stderr).toMatch(/^truss-secrets get: /);
    expect(stderr).toContain('/nowhere');
  });

  test('-o=json is -o json', async () => {
    const { stderr } = await trussSecrets(['list', '-o=json', '--kubeconfig=/nowhere']);
    expect(stderr).toContain('/nowhere');
  });

  test('a cluster that can not be reached is one line that names the kubeconfig', async () => {
    const { code, stdout, stderr } = await trussSecrets(['list', '--kubeconfig', '/nowhere']);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });
});

describe('outputs', () => {
  const help = [MAIN, '--help'];

  test('a reader that goes away is no error', async () => {
    const child = spawn(process.execPath, help, { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.destroy();
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    expect(await endOf(child)).toBe(0);
    expect(stderr).toBe('');
  });

  test('a full disk is one', async () => {
    const full = openSync('/dev/full', 'w');
    const child = spawn(process.execPath, help, { stdio: ['ignore', full, 'pipe'] });
    let stderr = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    expect(await endOf(child)).toBe(1);
    expect(stderr).toMatch(/^truss-secrets: writing the output: ENOSPC/);
  });
});

test('runs from the sources too, from any folder and by a link', async () => {
  const at = await folder();
  for (const name of ['truss-secrets', 'kubectl-truss_secrets']) {
    const link = join(at, name);
    await symlink(join(import.meta.dirname, '../../bin', name), link);
    const { stdout } = await promisify(execFile)(link, ['--version'], { cwd: at });
    expect(stdout).toMatch(/^truss-secrets \d/);
  }
});

test('an unexpected error shows its stack only with --debug', async () => {
  const bare = await trussSecrets(['list', '--kubeconfig', '/nowhere']);
  const debug = await trussSecrets(['list', '--kubeconfig', '/nowhere', '--debug']);
  const byEnv = await trussSecrets(['list', '--kubeconfig', '/nowhere'], {
    env: { TRUSS_SECRETS_DEBUG: '1' },
  });
  expect(bare.stderr).not.toContain('    at ');
  expect(debug.stderr).toContain('    at ');
  expect(byEnv.stderr).toContain('    at ');
});

test('a terminal gets the same help', async () => {
  const { code, screen } = await inTerminal(['--help']);
  expect(code).toBe(0);
  expect(screen).toContain('Commands:');
});
