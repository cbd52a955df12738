import type {
  Condition,
  ModelDeploymentStatus,
  WorkloadRef,
  WorkloadState,
} from '../api/model-deployment.ts';
import { bounded, listed, messages, type Reason } from '../api/messages.ts';
import type { ApprovalVerdict } from './approval-verdict.ts';
import type { Outcome, WriteFailure } from './outcome.ts';
import type { ActPlan } from './plan.ts';
import { counts, isSatisfied, type Resolution } from './resolve.ts';
import type { PriorCondition } from './snapshot.ts';
import { nameInStatus, secretEntries, workloadEntry } from './status-entries.ts';

/** A condition before it is known since when it holds. */
export type Finding = Omit<Condition, 'lastTransitionTime' | 'observedGeneration'> & {
  readonly reason: Reason;
};

interface Verdict {
  readonly finding: Finding;
  /** Not Ready: whether it mends itself, or the user has to do something. */
  readonly progress: 'ready' | 'waits' | 'stalled' | 'off';
}

/**
 * The status that follows from a plan and from what its writes came to (DESIGN.md section 6), but for the times of its
 * conditions, which are empty: {@link dated} puts them in. It is made for each look at a model, and hardly ever written.
 */
export function statusOf(acted: ActPlan, outcome: Outcome, generation: number): ModelDeploymentStatus {
  const { resolutions, secret, workloads } = acted;
  const verdicts = [
    configValid(acted),
    trusted(acted),
    secretsResolved(acted),
    delivered(acted, outcome.secret ?? outcome.pull),
    injected(acted, outcome.workloads),
  ];
  const counted = resolutions.filter(counts);
  const isWritten = ({ role }: Resolution): boolean =>
    (role === 'Pull' ? outcome.pull : outcome.secret) === undefined;
  const done = counted.filter((one) => one.state === 'Delivered' && isWritten(one)).length;
  const summary = `${done}/${counted.length}`;
  const findings = [...readiness(verdicts, summary), ...verdicts.map(({ finding }) => finding)];
  // here and below in the order of the API server: it is compared with what is there as it stands
  return {
    conditions: findings.map(({ message, reason, status, type }) => ({
      lastTransitionTime: '',
      message,
      observedGeneration: generation,
      reason,
      status,
      type,
    })),
    declared: counted.length,
    delivered: done,
    observedGeneration: generation,
    ...(secret.revision === undefined || outcome.secret ? {} : { secretName: secret.name }),
    secrets: secretEntries(resolutions),
    summary,
    workloads: workloads.flatMap((workload) => workloadEntry(workload, outcome.workloads)),
  };
}

const verdict = (
  type: string,
  status: Finding['status'],
  reason: Reason,
  message: string,
  progress: Verdict['progress'] = status === 'True' ? 'ready' : 'stalled',
): Verdict => ({ finding: { type, status, reason, message: bounded(message, 8192) }, progress });

function configValid({ config }: ActPlan): Verdict {
  return config.kind === 'valid'
    ? verdict('ConfigValid', 'True', 'Valid', config.message)
    : verdict('ConfigValid', 'False', config.reason, config.message, config.waits ? 'waits' : 'stalled');
}

function trusted({ trusted: isTrusted, approval, resolutions, config }: ActPlan): Verdict {
  if (!isTrusted) {
    const message = resolutions.length > 0 ? messages.untrustedModel : messages.untrustedEmpty;
    return verdict('Trusted', 'False', 'Untrusted', message, 'off');
  }
  if (config.kind === 'unusable' && config.reason === 'SpecInvalid') {
    return verdict('Trusted', 'Unknown', 'SpecInvalid', config.message);
  }
  switch (approval.kind) {
    case 'not-required':
      return verdict('Trusted', 'True', 'Trusted', messages.trusted);
    case 'approved':
      return verdict('Trusted', 'True', 'Trusted', messages.approved);
    case 'awaiting':
      return verdict('Trusted', 'False', 'AwaitingApproval', approval.message, 'off');
    case 'unknown':
      return verdict('Trusted', 'Unknown', 'ApprovalUnreadable', approval.message, 'waits');
  }
}

/** Nothing to say of its own while the model is not trusted, or nobody knows what it declares. */
function withheld(type: string, acted: ActPlan): Verdict | undefined {
  const { trusted: isTrusted, approval, secret, config, resolutions } = acted;
  if (
    config.kind === 'unusable' &&
    (resolutions.length === 0 || (isTrusted && config.reason === 'SpecInvalid'))
  ) {
    return verdict(type, 'Unknown', config.reason, config.message, config.waits ? 'waits' : 'stalled');
  }
  if (!isTrusted) return verdict(type, 'False', 'Untrusted', messages.untrusted, 'off');
  return secret.revision === undefined && resolutions.length > 0 ? unapproved(type, approval) : undefined;
}

/** What a condition says that stands open for want of an approval. */
function unapproved(type: string, approval: ApprovalVerdict): Verdict | undefined {
  switch (approval.kind) {
    case 'not-required':
    case 'approved':
      return undefined;
    case 'awaiting':
      return verdict(type, 'False', 'AwaitingApproval', approval.message, 'off');
    case 'unknown':
      return verdict(type, 'Unknown', 'ApprovalUnreadable', approval.message, 'waits');
  }
}

const isDenied = (approval: ApprovalVerdict, ref: WorkloadRef | undefined): boolean =>
  approval.kind === 'awaiting' &&
  approval.workloads.some(({ kind, name }) => kind === ref?.kind && name === ref.name);

function secretsResolved(acted: ActPlan): Verdict {
  const type = 'SecretsResolved';
  const early = withheld(type, acted);
  if (early) return early;
  const { approval, resolutions, unreadableStores, onMissing } = acted;
  const open = resolutions.filter((resolution) => !isSatisfied(resolution, onMissing));
  const pending = approval.kind === 'unknown' || open.every(({ state }) => state === 'NotApproved');
  const waiting = open.length > 0 && pending ? unapproved(type, approval) : undefined;
  if (waiting) return waiting;
  if (resolutions.some(({ held }) => held)) {
    return verdict(type, 'Unknown', 'StoreUnreadable', messages.storeUnreadable(unreadableStores), 'waits');
  }
  if (open.length > 0) {
    const waits = open.every(({ state }) => state === 'Missing');
    const entries = grouped(open);
    return verdict(
      type,
      'False',
      'SecretsMissing',
      messages.unresolved(entries),
      waits ? 'waits' : 'stalled',
    );
  }
  const counted = resolutions.filter(counts);
  const found = counted.filter(({ state }) => state === 'Delivered').length;
  return verdict(type, 'True', 'Resolved', messages.resolved(found, counted.length));
}

/** `a, b: why`: what is the same for many names is said once. */
function grouped(open: readonly Resolution[]): readonly string[] {
  const names = new Map<string, string[]>();
  for (const { name, message = '' } of open) {
    const same = names.get(message);
    if (same) same.push(nameInStatus(name));
    else names.set(message, [nameInStatus(name)]);
  }
  return [...names].map(([message, same]) => `${listed(same)}: ${message}`);
}

function delivered(acted: ActPlan, failure: WriteFailure | undefined): Verdict {
  const type = 'Delivered';
  const early = withheld(type, acted);
  if (failure) return failed(type, failure);
  if (early) return early;
  const { secret, pull } = acted;
  const contested = [secret, pull].find(({ standoff }) => standoff);
  if (contested) {
    const message = messages.secretReverted(contested.name, contested.standoff?.editor);
    return verdict(type, 'False', 'Reverted', message);
  }
  if (secret.tooLarge) return verdict(type, 'False', 'TooLarge', messages.tooLarge);
  if (secret.revision === undefined && !pull.referred)
    return verdict(type, 'True', 'NothingDeclared', messages.nothingDeclared);
  const written = [
    ...(secret.revision === undefined ? [] : [messages.written(secret.name, secret.keys.size)]),
    ...(pull.referred ? [messages.pullWritten(pull.name, pull.keys.size > 0)] : []),
  ];
  return verdict(type, 'True', 'Written', written.join('; '));
}

function injected(acted: ActPlan, failures: ReadonlyMap<string, WriteFailure>): Verdict {
  const type = 'Injected';
  const failure = failures.values().next().value;
  if (failure) return failed(type, failure);
  const early = withheld(type, acted);
  if (early) return early;
  const { approval, secret, pull, delivery, workloads } = acted;
  if (secret.revision === undefined && !pull.referred)
    return verdict(type, 'True', 'NothingDeclared', messages.nothingDeclared);
  if (delivery === 'None') return verdict(type, 'True', 'NoWorkloads', messages.deliveryNone(secret.name));
  const named = workloads.filter(({ ref }) => ref);
  if (named.length === 0) return verdict(type, 'True', 'NoWorkloads', messages.noWorkloads(secret.name));
  const open = named.filter(({ state }) => state === undefined || !HAVE_THEM.has(state));
  if (open.length === 0) {
    const said = named.flatMap(({ ref, message }) =>
      message ? [`${ref?.kind} ${ref?.name}: ${message}`] : [],
    );
    const message = listed([messages.injected(named.length), ...said], 4);
    return verdict(type, 'True', 'Injected', message);
  }
  if (approval.kind === 'unknown' || open.every(({ ref }) => isDenied(approval, ref))) {
    const waiting = unapproved(type, approval);
    if (waiting) return waiting;
  }
  const entries = open.map(({ ref, message }) => `${ref?.kind} ${ref?.name}: ${message ?? ''}`);
  const [reason = 'NotInjected', ...others] = new Set(open.map((one) => one.reason ?? 'NotInjected'));
  const { config } = acted;
  const awaited = config.kind === 'unusable' && config.waits ? config.reason : undefined;
  const waits = others.length === 0 && (reason === 'WorkloadMissing' || reason === awaited);
  return verdict(
    type,
    'False',
    others.length > 0 ? 'NotInjected' : reason,
    messages.unresolved(entries),
    waits ? 'waits' : 'stalled',
  );
}

/** States of workloads whose template has the secrets, however their pods fare: Ready does not wait for pods. */
const HAVE_THEM: ReadonlySet<WorkloadState> = new Set(['Injected', 'Frozen', 'PodsStale', 'Stuck']);

/** The API server may answer differently next time, but for somebody else's object, which somebody has to remove. */
const failed = (type: string, { reason, message }: WriteFailure): Verdict =>
  verdict(type, 'False', reason, message, reason === 'WriteFailed' ? 'waits' : 'stalled');

/**
 * Ready, in the words of the first thing that is not; with it Reconciling or Stalled, as kstatus reads them.
 *
 * @see https://github.com/kubernetes-sigs/cli-utils/blob/master/pkg/kstatus/README.md
 */
function readiness(verdicts: readonly Verdict[], summary: string): readonly Finding[] {
  const off = verdicts.find(({ progress }) => progress === 'off');
  const stalled = verdicts.find(({ progress }) => progress === 'stalled');
  const first = off ?? verdicts.find(({ progress }) => progress !== 'ready');
  if (!first) return [{ type: 'Ready', status: 'True', reason: 'Ready', message: messages.ready(summary) }];
  const { reason, message } = first.finding;
  const ready: Finding = { type: 'Ready', status: 'False', reason, message };
  if (stalled) return [ready, { ...stalled.finding, type: 'Stalled', status: 'True' }];
  if (off) return [ready];
  return [ready, { type: 'Reconciling', status: 'True', reason: 'Progressing', message }];
}

/** @param now RFC 3339 time for conditions whose status changed; the others keep the time that they have */
export function dated(
  status: ModelDeploymentStatus,
  prior: readonly PriorCondition[],
  now: string,
): ModelDeploymentStatus {
  const conditions = (status.conditions ?? []).map((condition) => {
    const before = prior.find(({ type }) => type === condition.type);
    return {
      ...condition,
      lastTransitionTime: before?.status === condition.status ? before.lastTransitionTime : now,
    };
  });
  return { ...status, conditions };
}
