import { randomBytes } from 'node:crypto';
import { type TestContext, inject } from 'vitest';
import { type Api, apiOf, type KubernetesObject } from './api.ts';
import type { ControlPlaneOptions } from './command-lines.ts';
import { type ControlPlane, startControlPlane } from './control-plane.ts';
import { eventually } from './eventually.ts';
import { type Features, LACKS } from './features.ts';
import { isThere, RUN_LABEL, removeIfThere } from './leftovers.ts';
import { run } from './process.ts';
import type { ProvidedCluster } from './vitest-global-setup.ts';

export interface TestCluster extends ProvidedCluster {
  /** As cluster-admin. */
  readonly api: Api;
}

/** The API server that this run tests on. */
export function cluster(): TestCluster {
  const provided = inject('cluster');
  const api = apiOf(provided.access);
  return { ...provided, api: { ...api, post: remembering(api.post) } };
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

/** What the present try of a test created. */
const tried: string[] = [];

const remembering =
  (post: Api['post']): Api['post'] =>
  async <T>(path: string, body: object) => {
    const answer = await post<T & Partial<KubernetesObject>>(path, body);
    const name = answer.metadata?.name;
    if (name !== undefined && !path.includes('?')) tried.push(`${path}/${name}`);
    return answer;
  };

/** Called by vitest-setup.ts before each try of a test: what a failed one left would be in the way of the next. */
export async function removeTried(again: boolean): Promise<void> {
  const paths = tried.splice(0).toReversed();
  if (!again) return;
  const { api } = cluster();
  // with what belongs to it: pods that go later would be counted
  for (const path of paths) await removeIfThere(api, path, { propagationPolicy: 'Foreground' });
  const left = async (): Promise<void> => {
    // namespaces take long, and their names are not used again
    for (const path of paths.filter((one) => !/^\/api\/v1\/namespaces\/[^/]+$/.test(one)))
      if (await isThere(api, path)) throw new Error(`${path} is still there`);
  };
  await eventually(left, { within: 60_000 });
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
