import { isApiError } from '../kube/errors.ts';
import type { RawObject } from '../kube/object.ts';
import { modelDeployments, modelTrusts } from '../kube/resource.ts';
import { listAt } from '../plan/flatten.ts';
import { type Cluster, withCluster } from './cluster.ts';
import { defineCommand } from './command.ts';
import { CommandError } from './errors.ts';
import { EXIT } from './exit-code.ts';
import type { Io } from './io.ts';
import { modelName } from './model-name.ts';
import { clusterOptions } from './options.ts';
import { printable } from './print.ts';
import { withProgress } from './progress.ts';
import { confirm } from './prompt.ts';
import { checkAsks, unlessForbidden, yesOption } from './trust.ts';
import { type ExistingTrust, isTrusted, readTrust, setTrusted } from './trust-write.ts';

export const untrust = defineCommand({
  usage: 'untrust MODEL [--yes] [OPTIONS]',
  description: [
    'Takes the secrets of a model back: sets spec.trusted to false, and deletes its ModelTrust if there is one. The operator then removes the delivered Secret and takes everything out of the pod templates; the workloads go on without secrets.',
  ],
  maxPositionals: 1,
  options: { ...yesOption, ...clusterOptions },
  examples: [{ does: 'at once, without a question', line: 'truss-secrets untrust gfpgan -n models --yes' }],
  run: async (io, { values, positionals }) => {
    const name = modelName(positionals);
    checkAsks(io, values.yes);
    return withCluster(io, values, async (cluster) => {
      const { client, namespace } = cluster;
      const [model, approval] = await withProgress(io, 'Reading the model', () =>
        Promise.all([client.get(modelDeployments, { namespace, name }), readTrust(cluster, name)]),
      );
      if (!model && !approval) {
        throw new CommandError(`there is no ModelDeployment ${name} in namespace ${namespace}`);
      }
      const trusted = model && isTrusted(model) ? model : undefined;
      if (!trusted && !approval) {
        io.stdout.write(`ModelDeployment ${namespace}/${name} is not trusted: nothing to do.\n`);
        return EXIT.done;
      }
      showLoss(io, cluster, name, model);
      if (!values.yes && !(await confirm(io, '\nTake them back?'))) {
        throw new CommandError('not confirmed: nothing was changed');
      }
      const left = await takeBack(io, cluster, name, trusted, approval);
      if (left.length > 0) throw new CommandError(`you lack the right to: ${left.join(', and to: ')}`);
      return EXIT.done;
    });
  },
});

function showLoss(io: Io, { namespace }: Cluster, name: string, model: RawObject | undefined): void {
  const status = model?.['status'];
  const secrets = listAt(status, 'secrets').filter(({ state }) => state === 'Delivered');
  const workloads = listAt(status, 'workloads').map((one) => `${String(one['kind'])} ${String(one['name'])}`);
  const names = secrets.map((one) => String(one['name']));
  io.stdout.write(`ModelDeployment ${namespace}/${name}\n`);
  io.stdout.write(`  has         ${printable(names.join(', ')) || 'no secret'}\n`);
  io.stdout.write(`  in pods of  ${printable(workloads.join(', ')) || 'no workload'}\n`);
}

/** The flag first: it wins over everything. Gives the rights that were missing. */
async function takeBack(
  io: Io,
  cluster: Cluster,
  name: string,
  trusted: RawObject | undefined,
  approval: ExistingTrust | undefined,
): Promise<readonly string[]> {
  const { client, namespace } = cluster;
  const flag = await unlessForbidden(cluster, async () => {
    if (!trusted) return;
    await setTrusted(cluster, trusted, false);
    io.stdout.write(`ModelDeployment ${namespace}/${name} is not trusted any more.\n`);
  });
  const deleted = await unlessForbidden(cluster, async () => {
    if (!approval) return;
    try {
      await client.delete(modelTrusts, { namespace, name }, { uid: approval.raw.metadata.uid });
    } catch (error) {
      if (!isApiError(error, 'Conflict')) throw error;
      throw new CommandError(`ModelTrust ${name} was replaced meanwhile: run this again`, { cause: error });
    }
    io.stdout.write(`ModelTrust ${namespace}/${name} is deleted.\n`);
  });
  return [...flag, ...deleted];
}
