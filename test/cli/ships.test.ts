import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '../..');

/** Like a user's machine: Node and npm, and nothing of this checkout. */
const env = { PATH: `${dirname(process.execPath)}:${process.env['PATH']}`, HOME: '/nonexistent' };

const output = async (command: string, ...args: readonly string[]): Promise<string> =>
  (await run(command, args, { env })).stdout;

const ROUNDS = 12;

/** Milliseconds of the fastest of some starts: the others waited for somebody else. */
async function fastestStart(...args: readonly string[]): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const start = performance.now();
    await output(process.execPath, ...args);
    times.push(performance.now() - start);
  }
  return Math.min(...times);
}

describe('the npm package', () => {
  let at = '';
  let bin = '';

  beforeAll(async () => {
    at = await mkdtemp(join(tmpdir(), 'truss-secrets-package-'));
    const built = join(at, 'built');
    await run(process.execPath, ['build.ts', built], { cwd: ROOT });
    const npm = async (...args: readonly string[]): Promise<string> =>
      (await run('npm', [...args, '--cache', join(at, 'cache'), '--offline'], { cwd: at, env })).stdout;
    const packed = (await npm('pack', built)).trim();
    await npm('install', '--global', '--prefix', at, join(at, packed));
    bin = join(at, 'bin');
  }, 120_000);

  afterAll(() => rm(at, { recursive: true, force: true }));

  test('installs both commands', async () => {
    expect((await readdir(bin)).toSorted()).toEqual(['kubectl-truss_secrets', 'truss-secrets']);
    for (const command of await readdir(bin)) {
      expect(await output(join(bin, command), '--version')).toMatch(/^truss-secrets \d/);
    }
  });

  test('calls itself as the user does', async () => {
    expect(await output(join(bin, 'truss-secrets'), 'set', '--help')).toMatch(/^Usage: truss-secrets set /);
    const plugin = await output(join(bin, 'kubectl-truss_secrets'), 'set', '--help');
    expect(plugin).toMatch(/^Usage: kubectl truss-secrets set /);
    expect(plugin).toContain('\n  kubectl truss-secrets set hf_access_token\n');
  });

  test('is a plugin of kubectl', async (context) => {
    const path = `${bin}:${env.PATH}`;
    const there = await output('kubectl', 'version', '--client').catch(() => undefined);
    context.skip(there === undefined, 'no kubectl here');
    const { stdout } = await run('kubectl', ['truss-secrets', '--version'], { env: { ...env, PATH: path } });
    expect(stdout).toMatch(/^truss-secrets \d/);
  });

  test('brings no other package, no sources, and the licences of what is in it', async () => {
    const modules = join(at, 'lib/node_modules');
    expect(await readdir(modules)).toEqual(['truss-secrets']);
    const files = await readdir(join(modules, 'truss-secrets'), { recursive: true });
    expect(files.filter((file) => /\.ts$|node_modules|^test|^src/.test(file))).toEqual([]);
    const licences = await readFile(join(modules, 'truss-secrets/THIRD-PARTY-LICENSES.txt'), 'utf8');
    expect(licences).toContain('undici');
    expect(licences).toContain('@kubernetes/client-node');
  });

  test('has no translation and no mock of a library in what an operator keeps in memory', async () => {
    const chunks = join(at, 'built/chunks');
    // in a pod there is no kubeconfig
    const kept = (await readdir(chunks)).filter((file) => !file.startsWith('kubeconfig-'));
    const texts = await Promise.all(kept.map((file) => readFile(join(chunks, file), 'utf8')));
    const having = (words: string): readonly string[] =>
      kept.filter((_, index) => texts[index]?.includes(words));
    // what is looked for would be seen
    expect(having('Invalid input')).not.toEqual([]);
    expect(having('UND_ERR_CONNECT_TIMEOUT')).not.toEqual([]);
    expect(having('Ongeldige invoer')).toEqual([]);
    expect(having('MockAgent')).toEqual([]);
  });

  test('reads a config without anything else installed', async () => {
    const child = run(join(bin, 'truss-secrets'), ['inspect', '-f', '-', '-o', 'json'], { env });
    child.child.stdin?.end('secrets: {a: null}');
    expect(JSON.parse((await child).stdout)).toMatchObject({ version: 1, secrets: [{ name: 'a' }] });
  });

  test('shows its help within 2.5 times the start of a bare Node', async () => {
    const bare = await fastestStart('-e', '0');
    expect((await fastestStart(join(bin, 'truss-secrets'), '--help')) / bare).toBeLessThan(2.5);
  }, 60_000);
});
