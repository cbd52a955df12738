import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Access } from './api.ts';
import { etcdBinary, kubernetesBinaries } from './binaries.ts';
import type { ControlPlaneOptions, Programs } from './command-lines.ts';
import { startControlPlane } from './control-plane.ts';
import { PackagesUnavailable, debianRelease } from './debian.ts';
import { deleteKind, hasKind, startKind } from './kind.ts';
import { accessOf } from './kubeconfig.ts';
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
  /** Ends what was started; nothing for a cluster that was there. */
  readonly close: () => Promise<void>;
}

export async function findSource(): Promise<ClusterSource> {
  const { env, arch } = process;
  const asked = (name: string) => (env[name] ?? '') !== '';
  const named = asked('TRUSS_SECRETS_TEST_KUBECONFIG') || asked('KUBEBUILDER_ASSETS');
  return chooseSource({ env, arch, hasKind: !named && (await hasKind()), debianRelease: debianRelease() });
}

/** Gets the cluster of `source`, saying what it does; the first time on Debian this builds Kubernetes. */
export async function openCluster(
  source: ClusterSource,
  options: ControlPlaneOptions = {},
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
        close: created ? deleteKind : async () => {},
      };
    }
    case 'assets':
    case 'debian': {
      const programs = await controlPlanePrograms(source);
      say('starting etcd, kube-apiserver and kube-controller-manager');
      const { access, kubeconfig, stop } = await startControlPlane(programs, options);
      return { access, kubeconfig, ours: true, programs, close: stop };
    }
  }
}

/** What a control plane is started from; the first time on Debian this builds it. */
export async function controlPlanePrograms(
  source: Extract<ClusterSource, { kind: 'assets' | 'debian' }>,
): Promise<Programs> {
  if (source.kind === 'assets') return assetPrograms(source.folder);
  try {
    const folder = await kubernetesBinaries(['kube-apiserver', 'kube-controller-manager']);
    return {
      etcd: await etcdBinary(),
      apiserver: join(folder, 'kube-apiserver'),
      controllerManager: join(folder, 'kube-controller-manager'),
    };
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
