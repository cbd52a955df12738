import type { SecretRole, SecretState } from '../api/model-deployment.ts';
import { messages } from '../api/messages.ts';
import { digest, digestOf } from '../controller/digest.ts';
import { statusDigest } from '../controller/model-status.ts';
import { type JsonObject, objectAt } from '../plan/flatten.ts';
import type { Outcome, WriteFailure } from '../plan/outcome.ts';
import type { SecretPlan } from '../plan/owned-secret.ts';
import { type ActPlan, plan } from '../plan/plan.ts';
import type { Resolution } from '../plan/resolve.ts';
import type { DeliveredView } from '../plan/snapshot.ts';
import { dated, statusOf } from '../plan/status.ts';
import type { WorkloadPlan } from '../plan/workload.ts';
import type { LiveSnapshot } from './live-snapshot.ts';
import { type StatusRow, statusRows } from './plan-status.ts';
import { templateDiff } from './template-diff.ts';

/** What `plan -o json` prints; the shape is in docs/cli.md. Names and states, never a value. */
export interface PlanReport {
  readonly version: 1;
  readonly namespace: string;
  readonly model: string;
  readonly changes: boolean;
  readonly requireApproval: boolean;
  /** Rights that the user lacks, and the operator may have. */
  readonly unread: readonly string[];
  readonly secrets: readonly SecretRow[];
  readonly objects: readonly ObjectRow[];
  readonly workloads: readonly WorkloadRow[];
  readonly status: readonly StatusRow[];
}

export type Change = 'add' | 'change' | 'remove' | 'keep' | 'none';

export interface SecretRow {
  readonly name: string;
  /** `null`: config.yaml does not declare it (any more). */
  readonly role: SecretRole | null;
  readonly state: SecretState | null;
  /** What becomes of its key in the delivered Secret; `none`: it is not there, before or after. */
  readonly change: Change;
  readonly source: { readonly namespace: string; readonly name: string; readonly key: string } | null;
  readonly message: string | null;
}

export interface ObjectRow {
  readonly name: string;
  readonly action: SecretPlan['action']['kind'];
  readonly keys: readonly string[];
  /** Why nothing is written although it should be. */
  readonly conflict: string | null;
}

export interface WorkloadRow {
  readonly kind: string;
  readonly name: string;
  readonly action: 'none' | 'apply' | 'undo';
  readonly restartsPods: boolean;
  readonly state: string | null;
  readonly message: string | null;
  /** All that is to be ours in the workload; `null`: nothing is written. */
  readonly fields: JsonObject | null;
  /** How our fields change, as YAML; each line with its sign. */
  readonly diff: readonly string[];
}

/** What is shown in place of a random id that nobody knows before it is written. */
export const NEW_REVISION = '<new id>';

export interface Planned {
  readonly report: PlanReport;
  /** Undefined: the model is being deleted, and nothing is written for it. */
  readonly acted: ActPlan | undefined;
}

/** Plans as the controller would, and says how that differs from what is there. */
export function planned(live: LiveSnapshot, now: Date): Planned {
  const { snapshot, model, requireApproval, reads } = live;
  const made = plan(snapshot, { digest, digestOf, freshRevision: NEW_REVISION });
  const base = {
    version: 1,
    namespace: model.namespace,
    model: model.name,
    requireApproval,
    unread: [...reads.unread].toSorted(),
  } as const;
  if (made.kind === 'leave') {
    const empty = { changes: false, secrets: [], objects: [], workloads: [], status: [] };
    return { report: { ...base, ...empty }, acted: undefined };
  }
  const outcome = foreseen(made, live);
  const time = now.toISOString().replace(/\.\d+Z$/, 'Z');
  const status = dated(statusOf(made, outcome, model.generation), model.prior.conditions, time);
  const isSaid = statusDigest(status) === model.statusDigest;
  const objects = [
    objectRow(made.secret, outcome.secret),
    ...(made.pull.referred || made.pull.action.kind !== 'none' ? [objectRow(made.pull, outcome.pull)] : []),
  ];
  const workloads = made.workloads.map((one) => workloadRow(one, outcome, live));
  const report = {
    ...base,
    changes:
      !isSaid ||
      objects.some(({ action, conflict }) => action !== 'none' && conflict === null) ||
      workloads.some(({ action }) => action !== 'none'),
    secrets: secretRows(made, live, outcome),
    objects,
    workloads,
    status: isSaid ? [] : statusRows(live.liveModel?.['status'], status),
  };
  return { report, acted: made };
}

/** What the API server would refuse, as far as it can be known without asking it to write. */
function foreseen(acted: ActPlan, { caches, model }: LiveSnapshot): Outcome {
  const { namespace, uid } = model;
  const taken = ({ name, action }: SecretPlan): WriteFailure | undefined => {
    const found = caches.delivered.get(namespace, name);
    return action.kind === 'create' && found && found.owner?.uid !== uid
      ? { reason: 'Conflict', message: messages.foreignSecret(name) }
      : undefined;
  };
  const [secret, pull] = [taken(acted.secret), taken(acted.pull)];
  const failure = secret ?? pull;
  const held = failure ? acted.workloads.filter(({ action }) => action.kind === 'apply' && !action.undo) : [];
  const workloads = new Map(
    held.flatMap(({ ref }) => (ref && failure ? [[`${ref.kind}/${ref.name}`, failure] as const] : [])),
  );
  return { secret, pull, workloads };
}

const objectRow = ({ name, action, keys }: SecretPlan, failure: WriteFailure | undefined): ObjectRow => ({
  name,
  action: action.kind,
  keys: failure ? [] : [...keys].toSorted(),
  conflict: failure?.message ?? null,
});

function secretRows(acted: ActPlan, { snapshot }: LiveSnapshot, outcome: Outcome): readonly SecretRow[] {
  const { resolutions } = acted;
  const inDelivered = changesOf(acted.secret, snapshot.delivered, resolutions, outcome.secret);
  const pull = outcome.pull ? 'none' : pullChange(acted.pull, snapshot.pull);
  const rows = resolutions.map(
    ({ name, role, state, message, source, credential }): SecretRow => ({
      name,
      role,
      state,
      change: role === 'Pull' ? (credential ? pull : 'none') : (inDelivered.get(name) ?? 'none'),
      source: source ? { namespace: source.namespace, name: source.name, key: source.key } : null,
      message: message ?? null,
    }),
  );
  const declared = new Set(resolutions.map(({ name }) => name));
  const others = [...inDelivered].filter(([name]) => !declared.has(name));
  return [
    ...rows,
    ...others.map(([name, change]) => ({
      name,
      role: null,
      state: null,
      change,
      source: null,
      message: null,
    })),
  ];
}

/** What becomes of each key that is in the delivered Secret before or after. */
function changesOf(
  { action, keys }: SecretPlan,
  before: DeliveredView,
  resolutions: readonly Resolution[],
  failure: WriteFailure | undefined,
): ReadonlyMap<string, Change> {
  if (failure) return new Map();
  const old = before.kind === 'ours' ? before.digests : new Map<string, string>();
  const after = action.kind === 'delete' ? new Set<string>() : keys;
  const values = new Map(resolutions.map(({ name, value }) => [name, value]));
  return new Map(
    [...new Set([...old.keys(), ...after])].map((key): readonly [string, Change] => {
      if (!after.has(key)) return [key, 'remove'];
      if (!old.has(key)) return [key, 'add'];
      const value = values.get(key);
      const differs = value !== undefined && digestOf(value) !== old.get(key);
      return [key, differs && action.kind !== 'none' ? 'change' : 'keep'];
    }),
  );
}

/** One file holds the credentials of all registries. */
function pullChange({ action }: SecretPlan, before: DeliveredView): Change {
  if (action.kind === 'none') return before.kind === 'ours' ? 'keep' : 'none';
  if (action.kind === 'delete') return 'remove';
  return before.kind === 'ours' ? 'change' : 'add';
}

function workloadRow(
  { ref, action, state, message }: WorkloadPlan,
  outcome: Outcome,
  live: LiveSnapshot,
): WorkloadRow {
  const failure = ref && outcome.workloads.get(`${ref.kind}/${ref.name}`);
  const target = action.kind === 'apply' ? { kind: action.live.workloadKind, name: action.live.name } : ref;
  const said = { kind: target?.kind ?? '', name: target?.name ?? '' };
  if (failure || action.kind === 'none') {
    const text = failure?.message ?? (isUnread(state, said, live) ? UNREAD : message);
    return {
      ...said,
      action: 'none',
      restartsPods: false,
      state: state ?? null,
      message: text ?? null,
      fields: null,
      diff: [],
    };
  }
  const cache = [...live.caches.workloads.values()].find(({ resource }) => resource.kind === said.kind);
  const raw =
    cache && live.reads.object(cache.resource, { namespace: live.model.namespace, name: said.name });
  const { lines, rolls } = templateDiff(raw, action.body);
  return {
    ...said,
    action: action.undo ? 'undo' : 'apply',
    restartsPods: rolls,
    state: state ?? null,
    message: message ?? null,
    fields: ownFields(action.body),
    diff: lines.map(({ sign, text }) => `${sign}${text}`),
  };
}

const ownFields = ({ metadata, spec }: JsonObject): JsonObject => {
  const annotations = objectAt(metadata, 'annotations');
  return { ...(annotations ? { metadata: { annotations } } : {}), ...(spec === undefined ? {} : { spec }) };
};

const UNREAD = 'you may not read it, so what becomes of it is not known to you';

const isUnread = (
  state: WorkloadPlan['state'],
  { kind, name }: { readonly kind: string; readonly name: string },
  { snapshot }: LiveSnapshot,
): boolean =>
  state === 'NotAuthorized' &&
  snapshot.workloads.some(
    (view) => view.kind === 'forbidden' && view.ref.kind === kind && view.ref.name === name,
  );
