import { randomBytes } from 'node:crypto';
import { type TestContext, inject } from 'vitest';
import { type Api, apiOf } from './api.ts';
import type { ControlPlaneOptions } from './command-lines.ts';
import { type ControlPlane, startControlPlane } from './control-plane.ts';
import { eventually } from './eventually.ts';
import { type Features, LACKS } from './features.ts';
import { RUN_LABEL, removeIfThere } from './leftovers.ts';
import { run } from './process.ts';
import type { ProvidedCluster } from './vitest-global-setup.ts';

export interface TestCluster extends ProvidedCluster {
  /** As cluster-admin. */
  readonly api: Api;
}

/** The API server that this run tests on. */
export function cluster(): TestCluster {
  const provided = inject('cluster');
  return { ...provided, api: apiOf(provided.access) };
}

/** Reports a test as skipped, with the reason, where the cluster lacks what it needs. */
export function skipUnless(context: TestContext, feature: keyof Features): void {
  context.skip(!cluster().features[feature], LACKS[feature]);
}

/** Another control plane, to break: see {@link ControlPlane}. Needs the feature `ownControlPlane`; dispose of it. */
export async function ownControlPlane(options?: ControlPlaneOptions): Promise<ControlPlane> {
  const { programs } = cluster();
  if (programs === undefined) throw new Error(LACKS.ownControlPlane);
  return await startControlPlane(programs, options);
}

/** Makes the images of an archive known to the cluster's nodes. Needs the feature `importsImages`. */
export async function importImages(archive: string): Promise<void> {
  const { importImages: command } = cluster();
  if (command === undefined) throw new Error(LACKS.importsImages);
  const [program, ...args] = command;
  await run(program, [...args, archive]);
}

const made: string[] = [];

/** A fresh namespace, removed after the tests of the file. */
export async function namespace(labels: Readonly<Record<string, string>> = {}): Promise<string> {
  const { api, features, run: label } = cluster();
  const name = `truss-test-${randomBytes(4).toString('hex')}`;
  await api.post('/api/v1/namespaces', { metadata: { name, labels: { ...labels, [RUN_LABEL]: label } } });
  removeLater(`/api/v1/namespaces/${name}`);
  if (features.nodes) await eventually(() => admitsPods(name));
  return name;
}

/** A pod is refused until the controllers have made its ServiceAccount, and before 1.24 a token for it. */
async function admitsPods(inNamespace: string): Promise<void> {
  const { api, version } = cluster();
  const account = await api.get<{ secrets?: readonly unknown[] }>(
    `/api/v1/namespaces/${inNamespace}/serviceaccounts/default`,
  );
  if (version.minor < 24 && account.secrets === undefined) throw new Error('the ServiceAccount has no token');
}

/** Has an object removed after the tests of the file; those in a {@link namespace} go with it. */
export function removeLater(path: string): void {
  made.push(path);
}

/** Called by vitest-setup.ts after each test file. */
export async function removeMade(): Promise<void> {
  for (const path of made.splice(0).toReversed()) await removeIfThere(cluster().api, path);
}
