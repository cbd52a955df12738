import type { SecretRole } from '../api/model-deployment.ts';
import { chooseContainers } from './containers.ts';
import type { DeclaredSecret, WorkloadView } from './snapshot.ts';

/** Names times containers, in bytes: an object that goes far beyond is refused by etcd. */
export const MAX_TEMPLATE_BYTES = 256 * 1024;

/** How much the declared names come to in the pod template that they take most of. */
export function templateBytes(
  declared: readonly DeclaredSecret[],
  workloads: readonly WorkloadView[],
): number {
  const names = declared.filter(({ role }) => isForPods(role)).map(({ name }) => name);
  const containers = workloads.map((view) =>
    view.kind === 'present' && view.ref ? chooseContainers(view.ref, view.live).names.size : 0,
  );
  return namesTimes(names, Math.max(0, ...containers));
}

export const namesTimes = (names: readonly string[], containers: number): number =>
  containers * names.reduce((sum, name) => sum + name.length, 0);

function isForPods(role: SecretRole): boolean {
  switch (role) {
    case 'Required':
    case 'Default':
    case 'Optional':
      return true;
    case 'Pull':
    case 'Build':
    case 'Weights':
      return false;
  }
}
