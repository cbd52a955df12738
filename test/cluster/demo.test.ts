import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { cluster } from './cluster.ts';
import type { KubernetesObject } from './api.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

it('the demo shows what is missing, delivered, rotated, revoked and cleaned up, and never a value', async () => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [MAIN, 'demo', '--kubeconfig', cluster().kubeconfig],
    {
      encoding: 'utf8',
    },
  );
  expect(stderr).toBe('');
  expect(stdout).toMatch(/gfpgan +True +3\/4 +False +SecretsMissing/);
  expect(stdout).toMatch(/gfpgan +True +4\/4 +True +Ready/);
  expect(stdout).toMatch(/gfpgan +False +0\/4 +False +Untrusted/);
  expect(stdout).toContain('All of it held.');
  expect(stdout).not.toMatch(/an-access-key-id|secret-access-key$|us-east-1|a-bucket\b/m);
  expect(status).toBe(0);

  const { items } = await cluster().api.get<{ items: KubernetesObject[] }>('/api/v1/namespaces');
  const left = items.filter(
    ({ metadata }) => metadata.name.startsWith('truss-secrets-demo-') && !metadata.deletionTimestamp,
  );
  expect(left).toEqual([]);
});

it('the demo never takes the ambient kubeconfig', () => {
  const { status, stderr } = spawnSync(process.execPath, [MAIN, 'demo'], {
    encoding: 'utf8',
    env: { ...process.env, KUBECONFIG: cluster().kubeconfig },
  });
  expect(stderr).toContain('--context');
  expect(status).toBe(2);
});
