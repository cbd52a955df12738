import type { WorkloadState } from '../api/model-deployment.ts';
import { messages } from '../api/messages.ts';
import type { LiveWorkload } from './snapshot.ts';

/** What a plan knows of the pods of a workload whose template is right. */
export interface PodFacts {
  /** Names that pods have to have as a file and that have no value; those that the running pods had, if it is known. */
  readonly gone: readonly string[];
  /** The state that the status had so far. */
  readonly prior: WorkloadState | undefined;
  /** Milliseconds since the template was last changed, while a pod holds up the others. */
  readonly blockedForMs: number | undefined;
}

export interface Health {
  readonly state: WorkloadState;
  readonly message: string | undefined;
  /** When to look again although nothing changes. */
  readonly lookAgainMs?: number;
}

/** A pod that is not ready yet has that long before it counts as one that never will be. */
const STUCK_AFTER_MS = 30_000;

/** How the pods of an injected workload fare, from what its status says (DESIGN.md section 4, workload states). */
export function podHealth(live: LiveWorkload, { gone, prior, blockedForMs }: PodFacts): Health {
  const { rollout, workloadKind: kind, namespace, name, oldPods } = live;
  const hasRun = rollout.running || (prior === 'Frozen' && rollout.serving);
  if (gone.length > 0 && hasRun)
    return { state: 'Frozen', message: messages.frozen(gone, namespace, kind, name) };
  if (rollout.held !== undefined && rollout.outdated) {
    return { state: 'PodsStale', message: staleMessage(live, rollout.held) };
  }
  if (rollout.blocked && blockedForMs !== undefined) {
    if (blockedForMs >= STUCK_AFTER_MS)
      return { state: 'Stuck', message: messages.stuck(namespace, oldPods ?? '') };
    return { state: 'Injected', message: undefined, lookAgainMs: STUCK_AFTER_MS - blockedForMs };
  }
  return { state: 'Injected', message: undefined };
}

/**
 * A workload from which everything was taken out: its pods keep what they have for as long as nothing replaces
 * them. Undefined: there is nothing to say, as for a workload that never had anything.
 */
export function afterUndo(live: LiveWorkload, prior: WorkloadState | undefined): Health | undefined {
  const { held, outdated, observed } = live.rollout;
  if (prior === undefined || held === undefined) return undefined;
  return live.owned !== '' || outdated || !observed
    ? { state: 'PodsStale', message: staleMessage(live, held) }
    : undefined;
}

function staleMessage(
  { namespace, workloadKind, name, oldPods = '' }: LiveWorkload,
  held: NonNullable<LiveWorkload['rollout']['held']>,
): string {
  switch (held) {
    case 'paused':
      return messages.podsPaused(namespace, name);
    case 'on-delete':
      return messages.podsOnDelete(namespace, oldPods);
    case 'partition':
      return messages.podsPartitioned(namespace, workloadKind, name);
  }
}
