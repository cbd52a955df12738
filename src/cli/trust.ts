import type { ModelDeploymentSpec } from '../api/model-deployment.ts';
import { digest, digestOf } from '../controller/digest.ts';
import { ApiError } from '../kube/errors.ts';
import { isRecord, type RawObject } from '../kube/object.ts';
import { plan } from '../plan/plan.ts';
import { missingRight } from './api-problem.ts';
import { type Cluster, withCluster } from './cluster.ts';
import { defineCommand } from './command.ts';
import { CommandError, UsageError } from './errors.ts';
import { EXIT } from './exit-code.ts';
import { type Io, warn } from './io.ts';
import { type LiveSnapshot, readLiveSnapshot, withSpec } from './live-snapshot.ts';
import { modelName } from './model-name.ts';
import { approvalOption, clusterOptions } from './options.ts';
import { NEW_REVISION } from './plan-report.ts';
import { withProgress } from './progress.ts';
import { confirm } from './prompt.ts';
import { approvalOfAsked, type Asked, askedFor, isSameApproval, printAsked } from './trust-asked.ts';
import {
  type ExistingTrust,
  isTrusted,
  operatorsAnswer,
  readTrust,
  setTrusted,
  writeTrust,
} from './trust-write.ts';

export const yesOption = { yes: { type: 'boolean', short: 'y', help: 'do not ask' } } as const;

export const trust = defineCommand({
  usage: 'trust MODEL [--yes] [OPTIONS]',
  description: [
    'Shows which secrets a model asks for, from where, and onto which workloads; asks; and sets spec.trusted.',
    'Where the operator asks for approval (controller --require-approval), it also writes the ModelTrust of exactly what it showed, for this very model. Who may do only one of the two does that one, and is told what is left.',
  ],
  maxPositionals: 1,
  options: { ...yesOption, ...approvalOption, ...clusterOptions },
  examples: [
    { does: 'look, and decide', line: 'truss-secrets trust gfpgan -n models' },
    { does: 'in a pipeline', line: 'truss-secrets trust gfpgan -n models --yes' },
  ],
  run: async (io, { values, positionals }) => {
    const name = modelName(positionals);
    checkAsks(io, values.yes);
    return withCluster(io, values, async (cluster) => {
      const [live, before] = await withProgress(io, 'Reading the cluster', () =>
        Promise.all([readAsTrusted(cluster, name), readTrust(cluster, name)]),
      );
      const { model } = live;
      const { spec } = model;
      const acted = plan(live.snapshot, { digest, digestOf, freshRevision: NEW_REVISION });
      if (acted.kind === 'leave') throw new CommandError(`ModelDeployment ${name} is being deleted`);
      if (spec.kind === 'invalid')
        throw new CommandError(`ModelDeployment ${name}: ${spec.issues.join(', ')}`);
      if (acted.config.kind === 'unusable') warn(io, unreadConfig(live) ?? acted.config.message);
      const needsApproval = values['require-approval'] ?? live.approvalFound;
      const asked = askedFor(spec.spec, acted);
      io.stdout.write(`ModelDeployment ${cluster.namespace}/${name} asks for\n\n`);
      printAsked(io, asked, needsApproval ? (before?.spec ?? NOTHING_APPROVED) : undefined);
      const steps = stepsFor(live, asked, needsApproval, before);
      if (!steps.trust && !steps.approve) {
        io.stdout.write('\nIt is trusted already: nothing to do.\n');
        return EXIT.done;
      }
      if (!values.yes && !(await confirm(io, '\nGive the model these secrets?'))) {
        throw new CommandError('not confirmed: nothing was changed');
      }
      await carryOut(io, cluster, live, asked, steps, before);
      return EXIT.done;
    });
  },
});

/** The plan says it of the operator's rights; here it is about the user's. */
function unreadConfig({ reads, model }: LiveSnapshot): string | undefined {
  const right = `get configmaps -n ${model.namespace}`;
  return reads.unread.has(right)
    ? `you lack the right to: ${right}; these are the names that the operator read last`
    : undefined;
}

const NOTHING_APPROVED = { secrets: [], workloads: [], env: [] };

/** @throws UsageError when there is nobody to ask */
export function checkAsks({ stdin }: Io, yes: boolean | undefined): void {
  if (!yes && !stdin.isTTY) throw new UsageError('stdin is no terminal to ask on: give --yes');
}

/** As if the model were trusted, and everything approved: what it would have then. */
const readAsTrusted = (cluster: Cluster, model: string): Promise<LiveSnapshot> =>
  readLiveSnapshot(cluster, {
    model,
    requireApproval: false,
    rewrite: (live) => {
      if (!live)
        throw new CommandError(`there is no ModelDeployment ${model} in namespace ${cluster.namespace}`);
      const spec: Partial<ModelDeploymentSpec> = isRecord(live['spec']) ? live['spec'] : {};
      return withSpec(live, { ...spec, trusted: true });
    },
  });

interface Steps {
  readonly trust: boolean;
  readonly approve: boolean;
}

function stepsFor(
  { liveModel, model }: LiveSnapshot,
  asked: Asked,
  needsApproval: boolean,
  before: ExistingTrust | undefined,
): Steps {
  const isApproved = before?.spec && isSameApproval(before.spec, approvalOfAsked(asked, model.uid));
  return { trust: !liveModel || !isTrusted(liveModel), approve: needsApproval && !isApproved };
}

async function carryOut(
  io: Io,
  cluster: Cluster,
  { liveModel, model }: LiveSnapshot,
  asked: Asked,
  steps: Steps,
  before: ExistingTrust | undefined,
): Promise<void> {
  if (!liveModel) return;
  const { name } = model;
  const left: string[] = [];
  const say = (text: string): void => io.stdout.write(`${text}\n`);
  const approve = async (): Promise<void> => {
    await writeTrust(cluster, name, approvalOfAsked(asked, model.uid), before);
    say(`Approved by ModelTrust ${cluster.namespace}/${name}.`);
  };
  if (steps.approve) left.push(...(await unlessForbidden(cluster, approve)));
  if (steps.trust) {
    left.push(
      ...(await unlessForbidden(cluster, async () => {
        const now = await setTrusted(cluster, liveModel, true);
        say(`ModelDeployment ${cluster.namespace}/${name} is trusted.`);
        if (!steps.approve) left.push(...(await approveIfAsked(io, cluster, now, approve)));
      })),
    );
  }
  if (left.length > 0) {
    throw new CommandError(
      `you lack the right to: ${left.join(', and to: ')}\nThe model gets its secrets when somebody who has it runs: truss-secrets trust ${name} -n ${cluster.namespace}`,
    );
  }
}

/** The operator may only now have had a reason to say that it asks for approval. */
async function approveIfAsked(
  io: Io,
  cluster: Cluster,
  model: RawObject,
  approve: () => Promise<void>,
): Promise<readonly string[]> {
  const reason = await withProgress(io, 'Waiting for the operator', () => operatorsAnswer(cluster, model));
  if (reason === undefined) {
    warn(io, 'the operator has not looked at it yet: does it run, and for this namespace?');
    return [];
  }
  return reason === 'AwaitingApproval' ? await unlessForbidden(cluster, approve) : [];
}

/** What could not be done for want of a right. */
export async function unlessForbidden(
  { namespace }: Cluster,
  work: () => Promise<void>,
): Promise<readonly string[]> {
  try {
    await work();
    return [];
  } catch (error) {
    if (error instanceof ApiError && error.status === 403) return [missingRight(error, namespace)];
    throw error;
  }
}
