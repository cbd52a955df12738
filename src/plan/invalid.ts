import { messages } from '../api/messages.ts';
import { deliveredSecretName, PULL_SECRET_TYPE, pullSecretName, SECRET_TYPE } from '../api/names.ts';
import { approvalOf } from './approval.ts';
import { unusable } from './judge-config.ts';
import { NO_DIGESTS, removal, type SecretPlan } from './owned-secret.ts';
import type { ActPlan } from './plan.ts';
import type { Resolution } from './resolve.ts';
import type { DeliveredView, InvalidSpec, PriorSecret, PriorWorkload, Snapshot } from './snapshot.ts';
import { planWorkload, type WorkloadPlan } from './workload.ts';

/**
 * A spec that an older API server let through although it breaks a rule: nobody can say what it asks for, so
 * nothing changes until it is mended. But `trusted: false` wins over everything, and takes all away; so does an
 * approval that is gone, or its loss could be put off by a mistake made on purpose.
 */
export function planInvalid(
  snapshot: Snapshot,
  { issues, trusted }: InvalidSpec,
  digest: (text: string) => string,
): ActPlan {
  const { model, delivered, pull } = snapshot;
  const approval = approvalOf(model, snapshot.approval);
  const keeps = trusted && approval.kind !== 'nothing';
  const secretPlan = (name: string, type: string, live: DeliveredView): SecretPlan => {
    const known = live.kind === 'ours' ? live : live.last;
    return {
      name,
      type,
      action: keeps ? { kind: 'none' } : removal(live),
      digests: NO_DIGESTS,
      wanted: '',
      standoff: undefined,
      revision: keeps ? known?.revision : undefined,
      keys: new Set(keeps ? known?.digests.keys() : []),
      changed: new Set(),
      tooLarge: false,
    };
  };
  const context = { model, digest, missing: [], lost: new Set<string>(), prior: model.prior.workloads };
  return {
    config: unusable('SpecInvalid', messages.specInvalid(issues)),
    trusted,
    approval:
      approval.kind === 'nothing'
        ? { kind: 'awaiting', message: approval.why, workloads: [] }
        : { kind: 'not-required' },
    onMissing: 'Wait',
    delivery: 'None',
    // kept in the status, should the config.yaml be unreadable once the spec is mended
    resolutions: model.prior.secrets.map((secret) => resolutionOf(secret, snapshot, trusted, keeps)),
    secret: secretPlan(deliveredSecretName(model.name), SECRET_TYPE, delivered),
    pull: { ...secretPlan(pullSecretName(model.name), PULL_SECRET_TYPE, pull), referred: false },
    workloads: keeps
      ? model.prior.workloads.map(unchanged)
      : snapshot.workloads.map((view) => planWorkload(view, undefined, context)),
    unreadableStores: [],
  };
}

const unchanged = ({ kind, name, state }: PriorWorkload): WorkloadPlan => ({
  ref: { kind, name },
  action: { kind: 'none' },
  state,
  message: undefined,
});

function resolutionOf(
  { name, role, pull: use, source }: PriorSecret,
  { delivered, pull }: Snapshot,
  trusted: boolean,
  keeps: boolean,
): Resolution {
  const one = {
    name,
    role,
    message: undefined,
    source: undefined,
    pull: use,
    value: undefined,
    credential: undefined,
  };
  if (!trusted) return { ...one, state: 'Untrusted', held: false, message: messages.untrusted };
  if (!keeps) {
    return { ...one, state: 'NotApproved', held: false, message: messages.notApproved(source?.key ?? name) };
  }
  const isThere =
    role === 'Pull'
      ? pull.kind === 'ours' && source !== undefined
      : delivered.kind === 'ours' && delivered.digests.has(name);
  return {
    ...one,
    state: isThere ? 'Delivered' : 'Missing',
    held: true,
    source: isThere ? source : undefined,
  };
}
