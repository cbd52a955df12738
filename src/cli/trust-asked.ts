import { MOUNT_PATH } from '../api/names.ts';
import type { ModelDeploymentSpec, WorkloadRef } from '../api/model-deployment.ts';
import type { ModelTrustSpec } from '../api/model-trust.ts';
import type { ActPlan } from '../plan/plan.ts';
import type { Resolution } from '../plan/resolve.ts';
import type { Io } from './io.ts';
import { table } from './print.ts';

/** What a model asks for: what trusting it gives away. */
export interface Asked {
  readonly secrets: readonly AskedSecret[];
  readonly workloads: readonly WorkloadRef[];
  /** Plain names of environment variables. */
  readonly env: readonly string[];
  readonly delivery: ModelDeploymentSpec['delivery'];
}

interface AskedSecret {
  readonly name: string;
  /** The key that the value is copied from: what an approval is about (docs/decisions/0005-approval.md). */
  readonly key: string;
  readonly from: string;
}

/** @param acted planned as if it were trusted, with everything approved */
export function askedFor(spec: ModelDeploymentSpec, { resolutions }: ActPlan): Asked {
  const keys = new Map((spec.overrides ?? []).map(({ name, from }) => [name, from?.key]));
  return {
    secrets: resolutions.flatMap((one) =>
      isCopied(one) ? [{ name: one.name, key: keys.get(one.name) ?? one.name, from: fromText(one) }] : [],
    ),
    workloads: spec.workloads,
    env: (spec.overrides ?? []).flatMap(({ env }) => env ?? []),
    delivery: spec.delivery,
  };
}

/** Nothing is ever copied for the others. */
const isCopied = ({ role, state }: Resolution): boolean =>
  role !== 'Build' && role !== 'Weights' && state !== 'InvalidName';

function fromText({ source, held, message }: Resolution): string {
  if (source) return `Secret ${source.namespace}/${source.name}, key ${source.key}`;
  return held ? 'not known: you may not read the store' : (message ?? 'nowhere yet');
}

/** The ModelTrust that approves exactly this, for exactly this model. */
export const approvalOfAsked = ({ secrets, workloads, env }: Asked, uid: string): ModelTrustSpec => ({
  secrets: [...new Set(secrets.map(({ key }) => key))].toSorted(),
  workloads: workloads.map(({ kind, name }) => ({ kind, name })),
  env: env.toSorted(),
  modelUid: uid,
});

/** Whether two approvals say the same, in whatever order. */
export function isSameApproval(a: ModelTrustSpec, b: ModelTrustSpec): boolean {
  const sorted = ({ secrets, workloads, env, modelUid }: ModelTrustSpec): string =>
    JSON.stringify([
      secrets.toSorted(),
      workloads.map(({ kind, name }) => `${kind}/${name}`).toSorted(),
      env.toSorted(),
      modelUid,
    ]);
  return sorted(a) === sorted(b);
}

const HOW: Readonly<Record<ModelDeploymentSpec['delivery'], string>> = {
  Mount: `as files in ${MOUNT_PATH}`,
  Env: 'as environment variables',
  None: 'not by the operator: the Secret is written, and may be mounted',
};

/** Shows what trusting gives away; with `before` also what of it is approved already, and what is not asked for any more. */
export function printAsked(io: Io, asked: Asked, before: ModelTrustSpec | undefined): void {
  const { secrets, workloads, env, delivery } = asked;
  const write = (text: string): void => io.stdout.write(text);
  const mark = (isKnown: boolean) => (isKnown ? 'yes' : 'new');
  if (secrets.length === 0) write('config.yaml declares no secret.\n');
  else {
    write(
      table(
        io.stdout,
        [
          { title: 'SECRET', cell: ({ name }: AskedSecret) => name },
          { title: 'FROM', cell: ({ from }) => from },
          ...approvedColumn(before, ({ key }: AskedSecret) => mark(before?.secrets.includes(key) ?? false)),
        ],
        secrets,
      ),
    );
  }
  write(workloads.length === 0 ? '\nNo workload is named.\n' : '\n');
  if (workloads.length > 0) {
    const isKnown = ({ kind, name }: WorkloadRef): boolean =>
      before?.workloads.some((one) => one.kind === kind && one.name === name) ?? false;
    write(
      table(
        io.stdout,
        [
          { title: 'WORKLOAD', cell: ({ kind, name }: WorkloadRef) => `${kind} ${name}` },
          { title: 'CONTAINERS', cell: ({ containers }) => containers?.join(', ') ?? '(default)' },
          { title: 'HOW', cell: () => HOW[delivery] },
          ...approvedColumn(before, (one: WorkloadRef) => mark(isKnown(one))),
        ],
        workloads,
      ),
    );
  }
  if (env.length > 0) write(`\nAlso as environment variables ${env.join(', ')}.\n`);
  const dropped = before ? notAsked(asked, before) : [];
  if (dropped.length > 0) write(`\nApproved so far, and not asked for any more: ${dropped.join(', ')}.\n`);
}

const approvedColumn = <T>(before: ModelTrustSpec | undefined, cell: (row: T) => string) =>
  before ? [{ title: 'APPROVED', cell }] : [];

const notAsked = ({ secrets, workloads, env }: Asked, before: ModelTrustSpec): readonly string[] => [
  ...before.secrets.filter((key) => !secrets.some((one) => one.key === key)),
  ...before.workloads
    .filter(({ kind, name }) => !workloads.some((one) => one.kind === kind && one.name === name))
    .map(({ kind, name }) => `${kind} ${name}`),
  ...before.env.filter((name) => !env.includes(name)),
];
