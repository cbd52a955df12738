import type { ModelDeploymentSpec } from '../api/model-deployment.ts';
import type { ActPlan } from '../plan/plan.ts';
import type { PodsOf } from './explain-pods.ts';
import type { LiveSnapshot } from './live-snapshot.ts';

/** What explaining goes by. */
export interface Facts {
  readonly live: LiveSnapshot;
  readonly acted: ActPlan;
  /** How the user calls us: `truss-secrets`, or `kubectl truss-secrets`. */
  readonly program: string;
  /** The pods of each workload, by `<kind>/<name>`. */
  readonly pods: ReadonlyMap<string, PodsOf>;
}

/** A kubectl command in the namespace of the model. */
export const kubectl = ({ live }: Facts, rest: string): string =>
  `kubectl -n ${live.model.namespace} ${rest}`;

/** A command of ours about the model. */
export const ours = ({ live, program }: Facts, command: string, rest = ''): string =>
  `${program} ${command} ${live.model.name} -n ${live.model.namespace}${rest}`;

export const specOf = ({ live }: Facts): ModelDeploymentSpec | undefined =>
  live.model.spec.kind === 'valid' ? live.model.spec.spec : undefined;
