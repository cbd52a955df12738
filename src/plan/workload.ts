import type { WorkloadRef, WorkloadState } from '../api/model-deployment.ts';
import { messages, type Reason } from '../api/messages.ts';
import { afterUndo, podHealth } from './health.ts';
import { flattened, type JsonObject, objectAt } from './flatten.ts';
import { MAX_TEMPLATE_BYTES, namesTimes } from './bounds.ts';
import { chooseContainers } from './containers.ts';
import { applyBody, type Injection, refShown } from './injection.ts';
import { MENDED_MS } from './writes.ts';
import type {
  ContainerView,
  Fight,
  LiveWorkload,
  ModelIdentity,
  PresentWorkload,
  PriorWorkload,
  WorkloadView,
} from './snapshot.ts';

/** What to do with one workload, and the state that it has once that is done. */
export interface WorkloadPlan {
  /** The entry of the spec; undefined for a workload that is only cleaned up, which the status does not show. */
  readonly ref: WorkloadRef | undefined;
  readonly action: WorkloadAction;
  /** Undefined: nothing is injected and nothing is to be, so that there is nothing to say. */
  readonly state: WorkloadState | undefined;
  readonly message: string | undefined;
  /** Why it does not have the secrets: what the condition Injected says. */
  readonly reason?: Reason;
  /** When to look again although nothing changes. */
  readonly lookAgainMs?: number;
}

export type WorkloadAction =
  | { readonly kind: 'none' }
  /** `undo`: the apply takes out all that we own. */
  | {
      readonly kind: 'apply';
      readonly live: LiveWorkload;
      readonly body: JsonObject;
      readonly undo: boolean;
      /** Digest of what is written. */
      readonly wanted: string;
      /** It was injected before. */
      readonly again: boolean;
    };

/** What a plan for a workload depends on besides the workload and what it gets. */
export interface WorkloadContext {
  readonly model: ModelIdentity;
  readonly digest: (text: string) => string;
  /** Required names that the delivered Secret does not hold, once it is written. */
  readonly missing: readonly string[];
  /** Names that it held before, and not any more. */
  readonly lost: ReadonlySet<string>;
  readonly prior: readonly PriorWorkload[];
}

/** @param injection undefined: what was injected is taken out */
export function planWorkload(
  view: WorkloadView,
  injection: Injection | undefined,
  context: WorkloadContext,
): WorkloadPlan {
  if (view.kind === 'absent') {
    return {
      ...nothing(view.ref),
      state: 'Waiting',
      reason: 'WorkloadMissing',
      message: messages.workloadMissing(view.ref.kind, view.ref.name),
    };
  }
  if (view.kind === 'forbidden') {
    const { kind, name } = view.ref;
    return {
      ...nothing(view.ref),
      state: 'NotAuthorized',
      reason: 'NotAuthorized',
      message: messages.notAuthorized(`read ${kind} ${name}`),
    };
  }
  const { ref, live } = view;
  const prior = ref && context.prior.find(({ kind, name }) => kind === ref.kind && name === ref.name)?.state;
  if (live.deleting) {
    return {
      ...nothing(ref),
      state: 'Waiting',
      reason: 'WorkloadMissing',
      message: messages.workloadDeleting(live.workloadKind, live.name),
    };
  }
  if (!ref || !injection) return undo(context.model, view, prior);
  const wished = wishFor(ref, live, view.holder, injection);
  if (wished.kind === 'conflict') return conflict(ref, wished.message);
  const { body } = wished;
  const wanted = context.digest(ownedOnceApplied(body));
  const isRight = live.owned === wanted;
  const { fight } = view;
  if (fight?.wanted === wanted && fight.waitMs > 0) return standoff(ref, live, fight, context.model);
  const health = podHealth(live, {
    gone: injection.volume && live.owned !== '' ? goneFrom(isRight, context) : [],
    prior,
    blockedForMs: view.blockedForMs,
  });
  if (isRight) return { ref, action: { kind: 'none' }, ...health };
  const again = prior !== undefined && prior !== 'Waiting';
  return { ref, action: { kind: 'apply', live, body, undo: false, wanted, again }, ...health };
}

/** What is to be applied to a workload, or why nothing can be. */
export type Wish =
  | { readonly kind: 'apply'; readonly body: JsonObject }
  | { readonly kind: 'conflict'; readonly message: string };

/** @param holder name of another model that has the workload */
export function wishFor(
  ref: WorkloadRef,
  live: LiveWorkload,
  holder: string | undefined,
  injection: Injection,
): Wish {
  const because = (message: string): Wish => ({ kind: 'conflict', message });
  if (holder !== undefined) return because(messages.workloadHeld(holder));
  const chosen = chooseContainers(ref, live);
  if (chosen.unknown.length > 0) {
    const known = live.containers.map(({ name }) => name);
    return because(messages.unknownContainers(chosen.unknown, known));
  }
  const clash = findClash(live, injection, chosen.names);
  if (clash !== undefined) return because(clash);
  const bytes = namesTimes(injection.names, chosen.names.size);
  if (bytes > MAX_TEMPLATE_BYTES) return because(messages.tooManyBytes(bytes, MAX_TEMPLATE_BYTES));
  return { kind: 'apply', body: applyBody(live, injection, chosen.names) };
}

/** Of a template that is about to change only what the pods have had is known to have gone. */
const goneFrom = (isRight: boolean, { missing, lost }: WorkloadContext): readonly string[] =>
  isRight ? missing : missing.filter((name) => lost.has(name));

/** Nothing is written for a while: whoever undoes it, or refuses it, would only do so again. */
const standoff = (
  ref: WorkloadRef,
  live: LiveWorkload,
  fight: Fight,
  model: ModelIdentity,
): WorkloadPlan => ({
  ref,
  action: { kind: 'none' },
  ...(fight.refused === undefined
    ? {
        state: 'Reverted',
        reason: 'Reverted',
        message: messages.reverted(live.editor, model.namespace, model.name),
      }
    : { state: 'Conflict', reason: 'Conflict', message: fight.refused }),
  lookAgainMs: fight.refused === undefined ? fight.waitMs : Math.min(fight.waitMs, MENDED_MS),
});

const nothing = (ref: WorkloadRef | undefined): WorkloadPlan => ({
  ref,
  action: { kind: 'none' },
  state: undefined,
  message: undefined,
});

/** A conflict leaves everything as it is: what we injected before stays, and nothing is added. */
const conflict = (ref: WorkloadRef, message: string): WorkloadPlan => ({
  ...nothing(ref),
  state: 'Conflict',
  reason: 'Conflict',
  message,
});

/** Takes out what this model injected. A workload that another model marks is that model's business. */
function undo(
  model: ModelIdentity,
  { ref, live, holder }: PresentWorkload,
  prior: WorkloadState | undefined,
): WorkloadPlan {
  // of an earlier model of this name, too: with nobody else holding it, nobody else would clean up
  const mine = live.marker?.startsWith(`${model.name}/`) ?? true;
  if (holder !== undefined || !mine) return nothing(ref);
  const after = { ...nothing(ref), ...afterUndo(live, prior) };
  return live.owned === '' ? after : { ...after, action: undoing(live) };
}

/** An apply of nothing takes out all that we own. */
export const undoing = (live: LiveWorkload): WorkloadAction => ({
  kind: 'apply',
  live,
  body: applyBody(live, undefined, new Set()),
  undo: true,
  wanted: '',
  again: false,
});

/** What {@link ownedFields} would find afterwards. Identity is owned by nobody: managedFields never names it. */
function ownedOnceApplied({ metadata, spec }: JsonObject): string {
  return flattened({ metadata: { annotations: objectAt(metadata, 'annotations') }, spec });
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
