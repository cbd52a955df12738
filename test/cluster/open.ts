import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Access } from './api.ts';
import { etcdBinary, kubernetesBinaries } from './binaries.ts';
import type { ControlPlaneOptions, NodePrograms, Programs } from './command-lines.ts';
import { type ControlPlane, startControlPlane } from './control-plane.ts';
import { PackagesUnavailable, debianPackages, debianRelease } from './debian.ts';
import { KIND_IMPORTS_IMAGES, deleteKind, hasKind, startKind } from './kind.ts';
import { accessOf } from './kubeconfig.ts';
import { nodeObstacle, startNode } from './node/node.ts';
import { say } from './say.ts';
import { type ClusterSource, NoCluster, chooseSource } from './source.ts';

export interface OpenCluster {
  readonly access: Access;
  /** Path of a kubeconfig of a cluster-admin. */
  readonly kubeconfig: string;
  /** True when it was started for us alone. */
  readonly ours: boolean;
  /** To start more control planes with, where this one was started from programs. */
  readonly programs?: Programs;
  /** A command that takes the path of an image archive for the cluster's nodes; absent: they pull from registries. */
  readonly importImages?: readonly [program: string, ...args: string[]];
  /** Ends what was started; nothing for a cluster that was there. */
  readonly close: () => Promise<void>;
}

export interface OpenOptions extends Omit<ControlPlaneOptions, 'node'> {
  /** With a node that runs pods, where that is possible. */
  readonly node?: boolean;
}

/** Where the programs are started by us. */
type Programmed = Extract<ClusterSource, { kind: 'assets' | 'debian' }>;

const CONTROL_PLANE = ['kube-apiserver', 'kube-controller-manager'] as const;
const NODE_PACKAGES = ['busybox-static', 'containerd', 'containernetworking-plugins', 'openssl', 'runc'];

export async function findSource(): Promise<ClusterSource> {
  const { env, arch } = process;
  const asked = (name: string) => (env[name] ?? '') !== '';
  const named = asked('TRUSS_SECRETS_TEST_KUBECONFIG') || asked('KUBEBUILDER_ASSETS');
  return chooseSource({ env, arch, hasKind: !named && (await hasKind()), debianRelease: debianRelease() });
}

/** Gets the cluster of `source`, saying what it does; the first time on Debian this builds Kubernetes. */
export async function openCluster(
  source: ClusterSource,
  { node: wantsNode = false, ...options }: OpenOptions = {},
): Promise<OpenCluster> {
  switch (source.kind) {
    case 'named':
      say(`using the cluster of ${source.kubeconfig}`);
      return {
        access: await accessOf(source.kubeconfig),
        kubeconfig: source.kubeconfig,
        ours: false,
        close: async () => {},
      };
    case 'kind': {
      const { kubeconfig, created } = await startKind();
      return {
        access: await accessOf(kubeconfig),
        kubeconfig,
        ours: created,
        importImages: KIND_IMPORTS_IMAGES,
        close: created ? deleteKind : async () => {},
      };
    }
    case 'assets':
    case 'debian': {
      const node = wantsNode ? await nodePrograms(source) : undefined;
      const programs = await controlPlanePrograms(source);
      say('starting etcd, kube-apiserver and kube-controller-manager');
      if (node === undefined) {
        const { access, kubeconfig, stop } = await startControlPlane(programs, options);
        return { access, kubeconfig, ours: true, programs, close: stop };
      }
      const plane = await startControlPlane(programs, { ...options, node });
      return { ...(await withNode(plane, node)), ours: true, programs };
    }
  }
}

async function withNode(
  plane: ControlPlane,
  programs: NodePrograms,
): Promise<Pick<OpenCluster, 'access' | 'kubeconfig' | 'importImages' | 'close'>> {
  const { access, kubeconfig, stop } = plane;
  try {
    say('starting the node: containerd and kubelet');
    const node = await startNode(plane, programs);
    const close = async (): Promise<void> => {
      await node.stop();
      await stop();
    };
    return { access, kubeconfig, importImages: node.importImages, close };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Gets what takes minutes the first time. */
export async function prepare(source: ClusterSource, { node = false }: OpenOptions): Promise<void> {
  if (source.kind !== 'debian') return;
  if (node) await nodePrograms(source);
  await controlPlanePrograms(source);
}

/** What a control plane is started from; the first time on Debian this builds it. */
export async function controlPlanePrograms(source: Programmed): Promise<Programs> {
  if (source.kind === 'assets') return assetPrograms(source.folder);
  return await orNoCluster(async () => {
    const folder = await kubernetesBinaries(CONTROL_PLANE);
    return {
      etcd: await etcdBinary(),
      apiserver: join(folder, 'kube-apiserver'),
      controllerManager: join(folder, 'kube-controller-manager'),
    };
  });
}

/** What a node is started from; undefined, with a line that says why, where there can be none. */
async function nodePrograms(source: Programmed): Promise<NodePrograms | undefined> {
  const obstacle = source.kind === 'assets' ? 'envtest has no kubelet' : await nodeObstacle();
  if (obstacle !== undefined) {
    say(`no node, and no pods: ${obstacle}`);
    return undefined;
  }
  return await orNoCluster(async () => {
    // all at once: they share most of what is compiled
    const folder = await kubernetesBinaries([...CONTROL_PLANE, 'kube-scheduler', 'kubelet']);
    return {
      scheduler: join(folder, 'kube-scheduler'),
      kubelet: join(folder, 'kubelet'),
      packages: await debianPackages(NODE_PACKAGES),
    };
  });
}

async function orNoCluster<T>(get: () => Promise<T>): Promise<T> {
  try {
    return await get();
  } catch (error) {
    if (error instanceof PackagesUnavailable) throw new NoCluster(error.message, { cause: error });
    throw error;
  }
}

function assetPrograms(folder: string): Programs {
  const etcd = join(folder, 'etcd');
  const apiserver = join(folder, 'kube-apiserver');
  const controllerManager = join(folder, 'kube-controller-manager');
  for (const program of [etcd, apiserver]) {
    if (!existsSync(program)) throw new NoCluster(`KUBEBUILDER_ASSETS=${folder} has no ${program}.`);
  }
  if (existsSync(controllerManager)) return { etcd, apiserver, controllerManager };
  say(
    `${folder} has no kube-controller-manager: no garbage collection, no tokens, namespaces are never removed`,
  );
  return { etcd, apiserver };
}
