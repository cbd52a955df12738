import { withCluster } from './cluster.ts';
import { defineCommand } from './command.ts';
import { entriesOf, printEntries } from './entries.ts';
import { EXIT } from './exit-code.ts';
import { readModels } from './models.ts';
import { clusterOptions, outputOption } from './options.ts';
import { formatOf } from './print.ts';
import { READING, withProgress } from './progress.ts';
import { listStore } from './store-secret.ts';
import { storeOptions, targetOf } from './store-target.ts';

export const list = defineCommand({
  usage: 'list [--store STORE] [--environment ENVIRONMENT] [OPTIONS]',
  description: [
    'Lists the secrets of all stores of the namespace, and which models use them. AGE is that of the Secret which holds them.',
  ],
  options: {
    store: { ...storeOptions.store, help: 'only this store' },
    environment: { ...storeOptions.environment, help: 'only this environment' },
    ...outputOption,
    ...clusterOptions,
  },
  examples: [
    { does: 'everything in the namespace', line: 'truss-secrets list -n models' },
    { does: 'the names only', line: "truss-secrets list -o json | jq -r '.secrets[].name'" },
  ],
  run: async (io, { values }) => {
    const format = formatOf(values.output);
    targetOf(values);
    return withCluster(io, values, async (cluster) => {
      const found = await withProgress(io, READING, () => listStore(cluster, values.store));
      const entries = entriesOf(
        found.filter(
          ({ environment }) => values.environment === undefined || environment === values.environment,
        ),
      );
      if (entries.length === 0 && format === 'table') {
        io.stderr.write(`No secrets found in namespace ${cluster.namespace}.\n`);
        return EXIT.done;
      }
      await printEntries(io, format, cluster, entries, await readModels(io, cluster));
      return EXIT.done;
    });
  },
});
