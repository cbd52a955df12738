import { type Cluster, withCluster } from './cluster.ts';
import { defineCommand } from './command.ts';
import { CommandError } from './errors.ts';
import { EXIT } from './exit-code.ts';
import { type Io, warn } from './io.ts';
import { readModels } from './models.ts';
import { clusterOptions } from './options.ts';
import { READING, withProgress, WRITING } from './progress.ts';
import { givenName, nameOption } from './secret-name.ts';
import { findKey } from './store-find.ts';
import type { StoreSecret } from './store-secret.ts';
import { storeOptions, targetOf } from './store-target.ts';
import { writeKeys } from './store-write.ts';

export const deleteSecret = defineCommand({
  usage: 'delete NAME [--force] [OPTIONS]',
  description: [
    'Deletes one secret of the store: one key, the other ones of the Secret stay. Refuses while a model uses it.',
  ],
  maxPositionals: 1,
  options: {
    ...nameOption,
    force: { type: 'boolean', help: 'delete it even if models use it, or if that can not be seen' },
    ...storeOptions,
    ...clusterOptions,
  },
  examples: [
    { does: 'delete what no model uses', line: 'truss-secrets delete snowflake_user' },
    { does: 'of one environment', line: 'truss-secrets delete aws_key --environment staging' },
  ],
  run: async (io, { values, positionals }) => {
    const name = givenName(values.name, positionals);
    const target = targetOf(values);
    return withCluster(io, values, async (cluster) => {
      const secret = await withProgress(io, READING, () => findKey(cluster, target, name));
      if (!values.force) await checkUnused(io, cluster, secret, name);
      const at = { ...target, secret: secret.name, named: true };
      const { warnings } = await withProgress(io, WRITING, () =>
        writeKeys(cluster, at, new Map([[name, null]])),
      );
      for (const warning of warnings) warn(io, warning);
      io.stdout.write(`Deleted ${name} from Secret ${secret.name}, namespace ${cluster.namespace}.\n`);
      return EXIT.done;
    });
  },
});

/** Only models of its own namespace can use a Secret that is not shared. */
async function checkUnused(io: Io, cluster: Cluster, secret: StoreSecret, name: string): Promise<void> {
  const models = await readModels(io, cluster);
  const users = models.usersOf(secret, name).map((model) => `${model.namespace}/${model.name}`);
  if (users.length > 0) {
    throw new CommandError(
      `${name} is used by ${users.join(', ')}: take it out of their config.yaml or untrust them first, or delete it all the same with --force`,
    );
  }
  if (models.seen === 'none' || (models.seen === 'namespace' && secret.sharedWith !== undefined)) {
    const where = models.seen === 'none' ? `in namespace ${cluster.namespace}` : 'in all namespaces';
    throw new CommandError(
      `it can't be seen whether models use ${name}: you may not list modeldeployments.truss-secrets.dev ${where}. Ask for that right, or delete it all the same with --force`,
    );
  }
}
