import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { type Access, apiOf } from './api.ts';
import type { Programs } from './command-lines.ts';
import { installCrds } from './crds.ts';
import { type Features, type Version, featuresOf, hasImage, versionOf } from './features.ts';
import { removeLeftovers } from './leftovers.ts';
import { type OpenCluster, findSource, openCluster, prepare } from './open.ts';
import { BUSYBOX_IMAGE, NODE_IMAGE } from './node/images.ts';
import { say } from './say.ts';

/** What every test file gets of the one cluster of a run; see cluster.ts for its use. */
export interface ProvidedCluster {
  readonly access: Access;
  readonly kubeconfig: string;
  readonly version: Version;
  readonly features: Features;
  /** Undefined on a cluster that is not ours to break. */
  readonly programs: Programs | undefined;
  /** See {@link OpenCluster}. */
  readonly importImages: OpenCluster['importImages'];
  /** Names of images that its nodes have or can pull: busybox, and Node. */
  readonly images: { readonly busybox: string; readonly node: string };
  /** Where the API server writes down every request; undefined where it does not, or elsewhere. */
  readonly auditLog: string | undefined;
  /** Label value on whatever the run makes, so that its end can remove it. */
  readonly run: string;
}

declare module 'vitest' {
  interface ProvidedContext {
    readonly cluster: ProvidedCluster;
  }
}

/** The project that needs a node. */
const E2E = 'e2e';
const OWN_IMAGES = { busybox: BUSYBOX_IMAGE, node: NODE_IMAGE };
const PUBLIC_IMAGES = { busybox: 'busybox:1', node: 'node:24-slim' };

interface SharedCluster {
  readonly provided: ProvidedCluster;
  readonly close: () => Promise<void>;
}

declare global {
  /** Vitest loads this module once a project; those that want the same share a cluster. */
  var testClusters: Map<'with node' | 'without node', Promise<SharedCluster>> | undefined;
}

/** Real pods in the e2e tests alone: elsewhere a kubelet would only disturb. */
export async function setup(project: TestProject): Promise<void> {
  const clusters = (globalThis.testClusters ??= new Map());
  const wanted = project.name === E2E ? 'with node' : 'without node';
  // one build for all: its parts share most of what is compiled
  const node = project.vitest.projects.some(({ name }) => name === E2E);
  if (clusters.size === 0) await prepare(await findSource(), { node });
  const shared = clusters.get(wanted) ?? open(wanted === 'with node');
  clusters.set(wanted, shared);
  const { provided } = await shared;
  project.provide('cluster', provided);
}

export async function teardown(): Promise<void> {
  const clusters = [...(globalThis.testClusters?.values() ?? [])];
  globalThis.testClusters = undefined;
  for (const shared of clusters) await (await shared).close();
}

async function open(node: boolean): Promise<SharedCluster> {
  const opened = await openCluster(await findSource(), { node, audit: true });
  const { access, kubeconfig, ours, programs, importImages, close } = opened;
  const images = programs !== undefined || (await hasImage(access, NODE_IMAGE)) ? OWN_IMAGES : PUBLIC_IMAGES;
  const run = randomBytes(4).toString('hex');
  const api = apiOf(access);
  const version = await versionOf(access);
  const features = {
    ...(await featuresOf(access)),
    ownControlPlane: programs !== undefined,
    importsImages: importImages !== undefined,
  };
  const lacking = Object.entries(features).flatMap(([name, has]) => (has ? [] : [name]));
  const without = lacking.length === 0 ? '' : `, without ${lacking.join(', ')}`;
  say(`Kubernetes ${version.major}.${version.minor} at ${access.server}${without}`);
  await installCrds(api, run);
  const auditLog = join(dirname(kubeconfig), 'audit.log');
  return {
    provided: {
      access,
      kubeconfig,
      version,
      features,
      programs,
      importImages,
      images,
      auditLog: ours && existsSync(auditLog) ? auditLog : undefined,
      run,
    },
    close: async () => {
      // a cluster that was started for us alone goes as a whole
      if (!ours) await removeLeftovers(api, run, features.controllers);
      await close();
    },
  };
}
