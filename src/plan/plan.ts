import { messages } from '../api/messages.ts';
import type { ModelDeploymentSpec } from '../api/model-deployment.ts';
import { type Approval, approvalOf, approvesWorkload, withApprovedEnv } from './approval.ts';
import { type ApprovalVerdict, judgeApproval } from './approval-verdict.ts';
import { injectionOf } from './injection.ts';
import { planInvalid } from './invalid.ts';
import { type ConfigVerdict, judgeConfig } from './judge-config.ts';
import type { SecretPlan } from './owned-secret.ts';
import { afterWithdrawal, type PullPlan, planPullSecret } from './pull-secret.ts';
import { needOf, type Resolution, resolveAll } from './resolve.ts';
import { planSecret } from './secret.ts';
import type { Snapshot, Surroundings, WorkloadView } from './snapshot.ts';
import { planWorkload, type WorkloadPlan } from './workload.ts';

/**
 * What is to be done for one model, and what is known about it: the result of all deciding.
 *
 * `plan` is a pure function: no I/O, clock, randomness or logger. The controller carries it out; the commands
 * `plan` and `explain` only show it, so that they can't disagree with the controller.
 */
export type Plan =
  /** The model is going away: nothing is written for it any more. */
  { readonly kind: 'leave' } | ({ readonly kind: 'act' } & ActPlan);

export interface ActPlan {
  readonly config: ConfigVerdict;
  readonly trusted: boolean;
  readonly approval: ApprovalVerdict;
  readonly onMissing: ModelDeploymentSpec['onMissing'];
  readonly delivery: ModelDeploymentSpec['delivery'];
  readonly resolutions: readonly Resolution[];
  readonly secret: SecretPlan;
  readonly pull: PullPlan;
  readonly workloads: readonly WorkloadPlan[];
  readonly unreadableStores: readonly string[];
}

export function plan(snapshot: Snapshot, surroundings: Surroundings): Plan {
  const { model } = snapshot;
  if (model.deleting) return { kind: 'leave' };
  if (model.spec.kind === 'invalid') {
    return { kind: 'act', ...planInvalid(snapshot, model.spec, surroundings.digest) };
  }
  const { spec } = model.spec;
  const { config, declared, guessed } = judgeConfig(snapshot, spec);
  const approval = approvalOf(model, snapshot.approval);
  const resolved = resolveAll(snapshot, spec, declared, approval);
  const resolutions = afterWithdrawal(model.prior.secrets, resolved);
  const secret = planSecret(model, spec, resolutions, snapshot.delivered, surroundings);
  const pull = planPullSecret(model, model.prior.secrets, resolutions, snapshot.pull, surroundings);
  const before = snapshot.delivered.kind === 'ours' ? [...snapshot.delivered.digests.keys()] : [];
  const context = {
    model,
    digest: surroundings.digest,
    missing: resolutions
      .filter((one) => needOf(one, spec.onMissing) === 'required' && !secret.keys.has(one.name))
      .map(({ name }) => name),
    lost: new Set(before.filter((key) => !secret.keys.has(key))),
    prior: model.prior.workloads,
  };
  const injection = injectionOf(model, withApprovedEnv(spec, approval), resolutions, secret, pull);
  return {
    kind: 'act',
    config,
    trusted: spec.trusted,
    approval: judgeApproval(approval, model, spec, resolutions),
    onMissing: spec.onMissing,
    delivery: spec.delivery,
    resolutions,
    secret,
    pull,
    workloads: snapshot.workloads.map((view) =>
      planApproved(view, spec.trusted ? approval : { kind: 'not-required' }, (granted) =>
        guessed && granted && spec.trusted
          ? held(view, config)
          : planWorkload(view, granted ? injection : undefined, context),
      ),
    ),
    unreadableStores: snapshot.stores.flatMap((store) => (store.kind === 'unreadable' ? [store.why] : [])),
  };
}

/** Nobody knows what its pod template should have: it stays as it is. */
const held = ({ ref }: WorkloadView, config: ConfigVerdict): WorkloadPlan => ({
  ref,
  action: { kind: 'none' },
  state: 'Waiting',
  reason: config.kind === 'unusable' ? config.reason : 'NotInjected',
  message: messages.declarationUnknown,
});

/** What was injected is taken out of a workload that is not approved; while nobody knows, it stays as it is. */
function planApproved(
  view: WorkloadView,
  approval: Approval,
  planned: (granted: boolean) => WorkloadPlan,
): WorkloadPlan {
  const { ref } = view;
  if (!ref) return planned(true);
  switch (approvesWorkload(approval, ref)) {
    case 'yes':
      return planned(true);
    case 'no': {
      const message = messages.workloadNotApproved(ref.kind, ref.name);
      return { ...planned(false), state: 'NotAuthorized', reason: 'AwaitingApproval', message };
    }
    case 'unknown':
      return {
        ref,
        action: { kind: 'none' },
        state: 'NotAuthorized',
        reason: 'ApprovalUnreadable',
        message: messages.approvalUnknown,
      };
  }
}
