import { randomBytes } from 'node:crypto';
import type { TestProject } from 'vitest/node';
import { type Access, apiOf } from './api.ts';
import type { Programs } from './command-lines.ts';
import { installCrds } from './crds.ts';
import { type Features, type Version, featuresOf, versionOf } from './features.ts';
import { removeLeftovers } from './leftovers.ts';
import { findSource, openCluster } from './open.ts';
import { say } from './say.ts';

/** What every test file gets of the one cluster of a run; see cluster.ts for its use. */
export interface ProvidedCluster {
  readonly access: Access;
  readonly kubeconfig: string;
  readonly version: Version;
  readonly features: Features;
  /** Undefined on a cluster that is not ours to break. */
  readonly programs: Programs | undefined;
  /** Label value on whatever the run makes, so that its end can remove it. */
  readonly run: string;
}

declare module 'vitest' {
  interface ProvidedContext {
    readonly cluster: ProvidedCluster;
  }
}

interface SharedCluster {
  readonly provided: ProvidedCluster;
  readonly close: () => Promise<void>;
}

declare global {
  /** Vitest loads this module once a project; they share one cluster. */
  var sharedTestCluster: Promise<SharedCluster> | undefined;
}

export async function setup(project: TestProject): Promise<void> {
  globalThis.sharedTestCluster ??= open();
  const { provided } = await globalThis.sharedTestCluster;
  project.provide('cluster', provided);
}

export async function teardown(): Promise<void> {
  const shared = globalThis.sharedTestCluster;
  globalThis.sharedTestCluster = undefined;
  await (await shared)?.close();
}

async function open(): Promise<SharedCluster> {
  const { access, kubeconfig, ours, programs, close } = await openCluster(await findSource());
  const run = randomBytes(4).toString('hex');
  const api = apiOf(access);
  const version = await versionOf(access);
  const features = { ...(await featuresOf(access)), ownControlPlane: programs !== undefined };
  const lacking = Object.entries(features).flatMap(([name, has]) => (has ? [] : [name]));
  say(
    `Kubernetes ${version.major}.${version.minor} at ${access.server}, without ${lacking.join(', ') || 'nothing'}`,
  );
  await installCrds(api, run);
  return {
    provided: { access, kubeconfig, version, features, programs, run },
    close: async () => {
      // a cluster that was started for us alone goes as a whole
      if (!ours) await removeLeftovers(api, run, features.controllers);
      await close();
    },
  };
}
