import type { WorkloadRef, WorkloadState } from '../api/model-deployment.ts';
import { messages } from '../api/messages.ts';
import { flattened, type JsonObject, objectAt } from './flatten.ts';
import { applyBody, type Injection, refShown } from './injection.ts';
import type {
  ContainerView,
  LiveWorkload,
  ModelIdentity,
  PresentWorkload,
  WorkloadView,
} from './snapshot.ts';

/** What to do with one workload, and the state that it has once that is done. */
export interface WorkloadPlan {
  /** The entry of the spec; undefined for a workload that is only cleaned up, which the status does not show. */
  readonly ref: WorkloadRef | undefined;
  readonly action: WorkloadAction;
  readonly state: WorkloadState;
  readonly message: string | undefined;
}

export type WorkloadAction =
  | { readonly kind: 'none' }
  /** `undo`: the apply takes out all that we own. */
  | {
      readonly kind: 'apply';
      readonly live: LiveWorkload;
      readonly body: JsonObject;
      readonly undo: boolean;
    };

export function planWorkload(
  model: ModelIdentity,
  view: WorkloadView,
  injection: Injection | undefined,
  digest: (text: string) => string,
): WorkloadPlan {
  if (view.kind === 'absent') {
    return {
      ...nothing(view.ref),
      state: 'Waiting',
      message: messages.workloadMissing(view.ref.kind, view.ref.name),
    };
  }
  if (view.kind === 'forbidden') {
    const { kind, name } = view.ref;
    return {
      ...nothing(view.ref),
      state: 'NotAuthorized',
      message: messages.notAuthorized(`read ${kind} ${name}`),
    };
  }
  const { ref, live } = view;
  if (live.deleting) return nothing(ref);
  if (!ref || !injection) return undo(model, view);
  if (view.holder !== undefined) return conflict(ref, messages.workloadHeld(view.holder));
  const chosen = chooseContainers(ref, live);
  if (chosen.unknown.length > 0) {
    const known = live.containers.map(({ name }) => name);
    return conflict(ref, messages.unknownContainers(chosen.unknown, known));
  }
  const clash = findClash(live, injection, chosen.names);
  if (clash !== undefined) return conflict(ref, clash);
  const body = applyBody(live, injection, chosen.names);
  if (live.owned === digest(ownedOnceApplied(body))) return nothing(ref);
  return { ref, state: 'Injected', message: undefined, action: { kind: 'apply', live, body, undo: false } };
}

const nothing = (ref: WorkloadRef | undefined): WorkloadPlan => ({
  ref,
  action: { kind: 'none' },
  state: 'Injected',
  message: undefined,
});

/** A conflict leaves everything as it is: what we injected before stays, and nothing is added. */
const conflict = (ref: WorkloadRef, message: string): WorkloadPlan => ({
  ...nothing(ref),
  state: 'Conflict',
  message,
});

/** Takes out what this model injected. A workload that another model marks is that model's business. */
function undo(model: ModelIdentity, { ref, live, holder }: PresentWorkload): WorkloadPlan {
  // of an earlier model of this name, too: with nobody else holding it, nobody else would clean up
  const mine = live.marker?.startsWith(`${model.name}/`) ?? true;
  if (live.owned === '' || holder !== undefined || !mine) return nothing(ref);
  return { ...nothing(ref), action: undoing(live) };
}

/** An apply of nothing takes out all that we own. */
export const undoing = (live: LiveWorkload): WorkloadAction => ({
  kind: 'apply',
  live,
  body: applyBody(live, undefined, new Set()),
  undo: true,
});

/** What {@link ownedFields} would find afterwards. Identity is owned by nobody: managedFields never names it. */
function ownedOnceApplied({ metadata, spec }: JsonObject): string {
  return flattened({ metadata: { annotations: objectAt(metadata, 'annotations') }, spec });
}

interface ChosenContainers {
  readonly names: ReadonlySet<string>;
  readonly unknown: readonly string[];
}

/** `containers` of the spec, "*" for all, init containers too; else the default container, else the first. */
function chooseContainers(
  { containers: asked }: WorkloadRef,
  { containers, defaultContainer }: LiveWorkload,
): ChosenContainers {
  const known = new Set(containers.map(({ name }) => name));
  if (asked?.includes('*')) return { names: known, unknown: [] };
  if (asked) return { names: new Set(asked), unknown: asked.filter((name) => !known.has(name)) };
  const ordinary = containers.filter(({ init }) => !init);
  const chosen = ordinary.find(({ name }) => name === defaultContainer) ?? ordinary[0];
  return { names: new Set(chosen ? [chosen.name] : []), unknown: [] };
}

/** The first thing of the user's own that is in the way, as a message; the same thing as ours is not. */
function findClash(live: LiveWorkload, injection: Injection, names: ReadonlySet<string>): string | undefined {
  if (live.duplicate !== undefined) return messages.duplicates(live.duplicate);
  const { volume } = injection;
  if (volume && live.volume && live.volume.content !== flattened(volume))
    return messages.volumeTaken(live.volume.manager);
  for (const container of live.containers) {
    if (!names.has(container.name)) continue;
    const clash = clashIn(container, injection);
    if (clash !== undefined) return clash;
  }
  return undefined;
}

function clashIn({ name, mounts, env }: ContainerView, injection: Injection): string | undefined {
  if (injection.volume) {
    const taken = mounts.find(({ ours, same }) => !ours && !same);
    if (taken) return messages.mountTaken(name, taken.manager);
  }
  const wanted = new Map(injection.env.map((entry) => [entry.name, refShown(entry.valueFrom.secretKeyRef)]));
  const taken = env.find(
    (entry) => !entry.ours && wanted.has(entry.name) && wanted.get(entry.name) !== entry.secretKeyRef,
  );
  return taken && messages.envTaken(name, taken.name, taken.manager);
}
