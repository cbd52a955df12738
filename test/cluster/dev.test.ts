import { readFileSync, readdirSync } from 'node:fs';
import { symlink, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { apiOf } from './api.ts';
import { cluster, skipUnless } from './cluster.ts';
import { eventually } from './eventually.ts';
import { temporaryFolder } from './guard.ts';
import { accessOf } from './kubeconfig.ts';
import { run } from './process.ts';

describe('npm run cluster', { timeout: 180_000 }, () => {
  let cache: Awaited<ReturnType<typeof temporaryFolder>>;
  let env: NodeJS.ProcessEnv;

  beforeAll(async () => {
    cache = await temporaryFolder(join(tmpdir(), 'truss-test-'));
    const assets = join(cache.path, 'assets');
    env = { ...process.env, TRUSS_SECRETS_CACHE: cache.path, KUBEBUILDER_ASSETS: assets };
    delete env['TRUSS_SECRETS_TEST_KUBECONFIG'];
    await mkdir(assets);
    const { programs } = cluster();
    for (const [name, path] of [
      ['etcd', programs?.etcd],
      ['kube-apiserver', programs?.apiserver],
      ['kube-controller-manager', programs?.controllerManager],
    ] as const) {
      if (path !== undefined) await symlink(path, join(assets, name));
    }
  });
  beforeEach((context) => skipUnless(context, 'ownControlPlane'));
  afterAll(async () => await cache[Symbol.asyncDispose]());

  const command = (...args: readonly string[]) =>
    run(process.execPath, [join(import.meta.dirname, 'main.ts'), ...args], { env });
  const kubeconfig = () => join(cache.path, 'dev', 'kubeconfig');
  const serves = async () => apiOf(await accessOf(kubeconfig())).text('/readyz');

  test('up starts a cluster that stays, status knows it, down ends it', async () => {
    await expect(command('status')).rejects.toThrow('No cluster is up.');
    expect(await command('up')).toContain(`export KUBECONFIG=${kubeconfig()}`);
    expect(await serves()).toBe('ok');
    expect(await command('status')).toContain('The cluster is up');
    expect(await command('up'), 'a second time').toContain('The cluster is up');
    await expect(command('up', '--audit')).rejects.toThrow('started with other options');
    expect(await command('down')).toBe('The cluster is down.');
    expect(processesOf(cache.path)).toEqual([]);
    await expect(command('status')).rejects.toThrow('No cluster is up.');
    expect(await command('down')).toBe('No cluster is up.');
  });

  test('nothing is left of a cluster whose keeper is killed', async () => {
    await command('up');
    const { pid } = z
      .object({ pid: z.number() })
      .parse(JSON.parse(readFileSync(join(cache.path, 'dev', 'state.json'), 'utf8')));
    expect(processesOf(cache.path).length).toBeGreaterThan(1);
    process.kill(pid, 'SIGKILL');
    await eventually(() => expect(processesOf(cache.path)).toEqual([]));
    await expect(command('status')).rejects.toThrow('No cluster is up.');
  });
});

/** Command lines of the processes that were started with the programs of this cache. */
function processesOf(folder: string): readonly string[] {
  return readdirSync('/proc').flatMap((pid) => {
    try {
      const line = readFileSync(`/proc/${Number(pid)}/cmdline`, 'utf8').replaceAll('\0', ' ');
      return line.startsWith(folder) ? [line] : [];
    } catch {
      return []; // not a process, or ended since the folder was read
    }
  });
}
