import type { WorkloadKind } from '../api/model-deployment.ts';
import type { RawObject } from '../kube/object.ts';
import { isObject, listAt, objectAt, textAt } from '../plan/flatten.ts';
import type { Rollout } from '../plan/snapshot.ts';

interface Counts {
  readonly all: number;
  readonly updated: number;
  readonly ready: number;
}

/** What a workload's own status says of its pods: pods themselves are not read. */
export function projectRollout(
  raw: RawObject,
  kind: WorkloadKind,
): { readonly rollout: Rollout; readonly oldPods: string | undefined } {
  const spec = objectAt(raw, 'spec');
  const status = objectAt(raw, 'status');
  const counts = countsOf(kind, status);
  const held = heldBy(kind, spec);
  const observed = numberAt(status, 'observedGeneration') >= (raw.metadata.generation ?? 0);
  const old = counts.all - counts.updated;
  const outdated = observed && old > 0;
  // that many are not ready, and that few are of the present template: one of an earlier template is among them
  const blocked =
    outdated && isOrdered(kind, spec) && held === undefined && counts.all - counts.ready > counts.updated;
  const rollout = shared({
    observed,
    running: observed && counts.ready > old,
    serving: counts.ready > 0,
    outdated,
    held,
    blocked,
  });
  const isNamed = blocked || held === 'on-delete';
  return { rollout, oldPods: isNamed ? oldPods(kind, spec, status) : undefined };
}

function countsOf(kind: WorkloadKind, status: unknown): Counts {
  switch (kind) {
    case 'Deployment':
    case 'StatefulSet':
      return {
        all: numberAt(status, 'replicas'),
        updated: numberAt(status, 'updatedReplicas'),
        ready: numberAt(status, 'readyReplicas'),
      };
    case 'DaemonSet':
      return {
        all: numberAt(status, 'currentNumberScheduled'),
        updated: numberAt(status, 'updatedNumberScheduled'),
        ready: numberAt(status, 'numberReady'),
      };
    case 'CronJob':
      // each of its pods is a new one
      return { all: 0, updated: 0, ready: 0 };
  }
}

function heldBy(kind: WorkloadKind, spec: unknown): Rollout['held'] {
  if (kind === 'CronJob') return undefined;
  if (kind === 'Deployment') return isObject(spec) && spec['paused'] === true ? 'paused' : undefined;
  const strategy = objectAt(spec, 'updateStrategy');
  if (textAt(strategy, 'type') === 'OnDelete') return 'on-delete';
  return numberAt(objectAt(strategy, 'rollingUpdate'), 'partition') > 0 ? 'partition' : undefined;
}

/** One pod after the other, and none before the one that is not ready. */
const isOrdered = (kind: WorkloadKind, spec: unknown): boolean =>
  kind === 'StatefulSet' && textAt(spec, 'podManagementPolicy') !== 'Parallel';

/** A label selector for the pods of earlier templates, as kubectl takes it. */
function oldPods(kind: WorkloadKind, spec: unknown, status: unknown): string {
  const selector = objectAt(spec, 'selector');
  const revision = textAt(status, 'updateRevision');
  return [
    ...Object.entries(objectAt(selector, 'matchLabels') ?? {}).map(
      ([key, value]) => `${key}=${String(value)}`,
    ),
    ...listAt(selector, 'matchExpressions').map(expression),
    ...(kind === 'StatefulSet' && revision !== undefined ? [`controller-revision-hash!=${revision}`] : []),
  ].join(',');
}

function expression(requirement: unknown): string {
  const key = textAt(requirement, 'key') ?? '';
  const values = isObject(requirement) && Array.isArray(requirement['values']) ? requirement['values'] : [];
  switch (textAt(requirement, 'operator')) {
    case 'In':
      return `${key} in (${values.join(',')})`;
    case 'NotIn':
      return `${key} notin (${values.join(',')})`;
    case 'DoesNotExist':
      return `!${key}`;
    default:
      return key;
  }
}

function numberAt(value: unknown, key: string): number {
  const found = isObject(value) ? value[key] : undefined;
  return typeof found === 'number' ? found : 0;
}

const rollouts = new Map<string, Rollout>();

/** There are few of them, and many workloads. */
function shared(rollout: Rollout): Rollout {
  const key = Object.values(rollout).join();
  const known = rollouts.get(key);
  if (known) return known;
  rollouts.set(key, rollout);
  return rollout;
}
