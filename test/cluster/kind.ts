import { join } from 'node:path';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { cacheFolder } from './cache.ts';
import { CommandFailed, run } from './process.ts';
import { say, withHeartbeat } from './say.ts';

const NAME = 'truss-secrets-test';

/** Takes the path of an image archive. */
export const KIND_IMPORTS_IMAGES = ['kind', 'load', 'image-archive', '--name', NAME] as const;

/** True where both the program `kind` and a Docker engine answer. */
export async function hasKind(): Promise<boolean> {
  try {
    await run('kind', ['version']);
    await run('docker', ['info', '--format', '{{.ServerVersion}}']);
    return true;
  } catch (error) {
    if (error instanceof CommandFailed) return false;
    throw error;
  }
}

export interface KindCluster {
  readonly kubeconfig: string;
  /** False when it was running before: it stays. */
  readonly created: boolean;
}

/** A kind cluster of our own name; the user's kubeconfig is not touched. */
export async function startKind(): Promise<KindCluster> {
  const folder = join(cacheFolder(), 'kind');
  const kubeconfig = join(folder, 'kubeconfig');
  await mkdir(folder, { recursive: true });
  const running = (await run('kind', ['get', 'clusters'])).split('\n').includes(NAME);
  if (running) {
    say(`using the kind cluster ${NAME} that is running`);
    await writeFile(kubeconfig, await run('kind', ['get', 'kubeconfig', '--name', NAME]));
  } else {
    const create = ['create', 'cluster', '--name', NAME, '--kubeconfig', kubeconfig, '--wait', '120s'];
    say(`creating the kind cluster ${NAME}`);
    await withHeartbeat(
      () => 'kind is still creating the cluster (the first time it pulls an image)',
      () => run('kind', create),
    );
  }
  await chmod(kubeconfig, 0o600);
  return { kubeconfig, created: !running };
}

export async function deleteKind(): Promise<void> {
  await run('kind', ['delete', 'cluster', '--name', NAME]);
}
