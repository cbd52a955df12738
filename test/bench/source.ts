import { arch, env } from 'node:process';
import { debianRelease } from '../cluster/debian.ts';
import { type ClusterSource, chooseSource } from '../cluster/source.ts';

/**
 * Where API servers of its own come from: a cluster that is named, or one in Docker, is neither fresh nor measurable.
 * Throws NoCluster.
 */
export function ownSource(): Extract<ClusterSource, { kind: 'assets' | 'debian' }> {
  const { TRUSS_SECRETS_TEST_KUBECONFIG: _, ...rest } = env;
  const source = chooseSource({ env: rest, arch, hasKind: false, debianRelease: debianRelease() });
  if (source.kind === 'named' || source.kind === 'kind') throw new Error('unreachable');
  return source;
}
