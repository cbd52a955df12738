import { randomBytes } from 'node:crypto';
import { inject } from 'vitest';
import { type Api, apiOf } from './api.ts';
import { RUN_LABEL, removeIfThere } from './leftovers.ts';
import type { ProvidedCluster } from './vitest-global-setup.ts';

export interface TestCluster extends ProvidedCluster {
  /** As cluster-admin. */
  readonly api: Api;
}

/** The API server that this run tests on. Skip what it lacks: `ctx.skip(!cluster().features.cel, 'needs CEL (1.25)')`. */
export function cluster(): TestCluster {
  const provided = inject('cluster');
  return { ...provided, api: apiOf(provided.access) };
}

const made: string[] = [];

/** A fresh namespace, removed after the tests of the file. */
export async function namespace(labels: Readonly<Record<string, string>> = {}): Promise<string> {
  const { api, run } = cluster();
  const name = `truss-test-${randomBytes(4).toString('hex')}`;
  await api.post('/api/v1/namespaces', { metadata: { name, labels: { ...labels, [RUN_LABEL]: run } } });
  removeLater(`/api/v1/namespaces/${name}`);
  return name;
}

/** Has an object removed after the tests of the file; those in a {@link namespace} go with it. */
export function removeLater(path: string): void {
  made.push(path);
}

/** Called by vitest-setup.ts after each test file. */
export async function removeMade(): Promise<void> {
  for (const path of made.splice(0).toReversed()) await removeIfThere(cluster().api, path);
}
