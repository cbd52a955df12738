import { messages } from '../api/messages.ts';
import type { ModelDeploymentSpec } from '../api/model-deployment.ts';
import { ANY_MODEL } from '../api/model-trust.ts';
import type { ApprovalView, ModelIdentity, TrustView } from './snapshot.ts';

/**
 * What a second person approved for a model (DESIGN.md section 5.2, docs/decisions/0005-approval.md): where the
 * operator asks for approval, a model gets what it asks for and a ModelTrust lists, and nothing else.
 */
export type Approval =
  /** The operator asks for no approval. */
  | { readonly kind: 'not-required' }
  | {
      readonly kind: 'listed';
      /** The keys that values may be copied from. */
      readonly secrets: ReadonlySet<string>;
      /** `<kind>/<name>` */
      readonly workloads: ReadonlySet<string>;
      readonly env: ReadonlySet<string>;
    }
  | { readonly kind: 'nothing'; readonly why: string }
  /** Nobody knows at the moment: nothing is added, and nothing is taken away. */
  | { readonly kind: 'unknown'; readonly why: string };

export type Answer = 'yes' | 'no' | 'unknown';

export function approvalOf(model: ModelIdentity, view: ApprovalView): Approval {
  switch (view.kind) {
    case 'not-required':
      return view;
    case 'unknown':
      return { kind: 'unknown', why: view.why };
    case 'absent':
      return { kind: 'nothing', why: messages.noModelTrust(model.namespace, model.name) };
    case 'found':
      return approvalBy(view.trust, model);
  }
}

function approvalBy({ spec: view, notedUid }: TrustView, { namespace, name, uid }: ModelIdentity): Approval {
  if (view.kind === 'invalid') return { kind: 'nothing', why: messages.modelTrustInvalid(name, view.issues) };
  const { secrets, workloads, env, modelUid } = view.spec;
  // one that is for nobody yet is for the first model that is found: this one
  const approvedUid = modelUid ?? notedUid ?? uid;
  if (approvedUid !== uid && approvedUid !== ANY_MODEL)
    return { kind: 'nothing', why: messages.modelTrustOfAnother(namespace, name, uid) };
  return {
    kind: 'listed',
    secrets: new Set(secrets),
    workloads: new Set(workloads.map(workloadId)),
    env: new Set(env),
  };
}

/** Whether it has to be noted on the ModelTrust which model it is for, before that model gets anything by it. */
export const awaitsModel = ({ spec: view, notedUid }: TrustView): boolean =>
  view.kind === 'valid' && view.spec.modelUid === undefined && notedUid === undefined;

interface Workload {
  readonly kind: string;
  readonly name: string;
}

const workloadId = ({ kind, name }: Workload): string => `${kind}/${name}`;

/** Whether a value may be copied from this key, whatever the name that it is delivered under. */
export const approvesSecret = (approval: Approval, key: string): Answer =>
  answer(approval, ({ secrets }) => secrets.has(key));

export const approvesWorkload = (approval: Approval, workload: Workload): Answer =>
  answer(approval, ({ workloads }) => workloads.has(workloadId(workload)));

const approvesEnv = (approval: Approval, name: string): Answer =>
  answer(approval, ({ env }) => env.has(name));

function answer(
  approval: Approval,
  isListed: (lists: Extract<Approval, { kind: 'listed' }>) => boolean,
): Answer {
  switch (approval.kind) {
    case 'not-required':
      return 'yes';
    case 'listed':
      return isListed(approval) ? 'yes' : 'no';
    case 'nothing':
      return 'no';
    case 'unknown':
      return 'unknown';
  }
}

/** The plain environment variables that are asked for and not approved. */
export const deniedEnv = (approval: Approval, names: readonly string[]): readonly string[] =>
  names.filter((name) => approvesEnv(approval, name) === 'no');

/** The spec without the environment variables that are not approved. */
export function withApprovedEnv(spec: ModelDeploymentSpec, approval: Approval): ModelDeploymentSpec {
  if (approval.kind === 'not-required' || !spec.overrides) return spec;
  const overrides = spec.overrides.map(({ env, ...override }) =>
    env ? { ...override, env: env.filter((name) => approvesEnv(approval, name) !== 'no') } : override,
  );
  return { ...spec, overrides };
}
