import { randomBytes } from 'node:crypto';
import type { TestProject } from 'vitest/node';
import { type Access, apiOf } from './api.ts';
import { type Features, type Version, featuresOf, versionOf } from './features.ts';
import { type OpenCluster, findSource, openCluster } from './open.ts';
import { removeLeftovers } from './leftovers.ts';
import { say } from './say.ts';

/** What every test file gets of the one cluster of a run; see cluster.ts for its use. */
export interface ProvidedCluster {
  readonly access: Access;
  readonly kubeconfig: string;
  readonly version: Version;
  readonly features: Features;
  /** Label value on whatever the run makes, so that its end can remove it. */
  readonly run: string;
}

declare module 'vitest' {
  interface ProvidedContext {
    readonly cluster: ProvidedCluster;
  }
}

let open: OpenCluster | undefined;
let run = '';

export async function setup(project: TestProject): Promise<void> {
  open = await openCluster(await findSource());
  run = randomBytes(4).toString('hex');
  const { access, kubeconfig } = open;
  const [version, features] = await Promise.all([versionOf(access), featuresOf(access)]);
  const lacking = Object.entries(features).flatMap(([name, has]) => (has ? [] : [name]));
  say(
    `Kubernetes ${version.major}.${version.minor} at ${access.server}, without ${lacking.join(', ') || 'nothing'}`,
  );
  project.provide('cluster', { access, kubeconfig, version, features, run });
}

export async function teardown(): Promise<void> {
  if (open === undefined) return;
  if (!open.ours) await removeLeftovers(apiOf(open.access), run);
  await open.close();
}
