import { listed, messages, shownName } from '../api/messages.ts';
import type { ModelDeploymentSpec, WorkloadRef } from '../api/model-deployment.ts';
import { type Approval, approvesWorkload, deniedEnv } from './approval.ts';
import { isSatisfied, type Resolution } from './resolve.ts';
import type { ModelIdentity } from './snapshot.ts';

/** What the condition Trusted says of the approval of a model whose `spec.trusted` is true. */
export type ApprovalVerdict =
  | { readonly kind: 'not-required' }
  | { readonly kind: 'approved' }
  | {
      readonly kind: 'awaiting';
      readonly message: string;
      /** Those that are not approved. */
      readonly workloads: readonly WorkloadRef[];
    }
  | { readonly kind: 'unknown'; readonly message: string };

/** A name that the model may do without is not waited for. */
export function judgeApproval(
  approval: Approval,
  { namespace, name }: ModelIdentity,
  spec: ModelDeploymentSpec,
  resolutions: readonly Resolution[],
): ApprovalVerdict {
  switch (approval.kind) {
    case 'not-required':
      return approval;
    case 'unknown':
      return { kind: 'unknown', message: messages.approvalUnreadable(approval.why) };
    case 'nothing':
      return { kind: 'awaiting', message: approval.why, workloads: spec.workloads };
    case 'listed': {
      const workloads = spec.workloads.filter((workload) => approvesWorkload(approval, workload) === 'no');
      const env = (spec.overrides ?? []).flatMap((override) => override.env ?? []);
      const open = [
        ...shownList('secrets', deniedSecrets(resolutions, spec)),
        ...shownList(
          'workloads',
          workloads.map(({ kind, name: workload }) => `${kind} ${workload}`),
        ),
        ...shownList('env', deniedEnv(approval, env)),
      ];
      return open.length === 0
        ? { kind: 'approved' }
        : { kind: 'awaiting', message: messages.awaitingApproval(namespace, name, open), workloads };
    }
  }
}

const shownList = (what: string, names: readonly string[]): readonly string[] =>
  names.length > 0 ? [`${what} ${listed(names)}`] : [];

function deniedSecrets(resolutions: readonly Resolution[], spec: ModelDeploymentSpec): readonly string[] {
  return resolutions
    .filter((one) => one.state === 'NotApproved' && !isSatisfied(one, spec.onMissing))
    .map(({ name }) => {
      const key = spec.overrides?.find((override) => override.name === name)?.from?.key ?? name;
      return key === name ? shownName(name) : messages.renamed(name, key);
    });
}
