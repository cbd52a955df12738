import { reveal } from '../api/secret-value.ts';
import { withCluster } from './cluster.ts';
import { defineCommand } from './command.ts';
import { printEntries } from './entries.ts';
import { UsageError } from './errors.ts';
import { EXIT } from './exit-code.ts';
import { readModels } from './models.ts';
import { clusterOptions, outputOption } from './options.ts';
import { formatOf } from './print.ts';
import { READING, withProgress } from './progress.ts';
import { givenName, nameOption } from './secret-name.ts';
import { findKey } from './store-find.ts';
import { storeOptions, targetOf } from './store-target.ts';

export const get = defineCommand({
  usage: 'get NAME [--reveal] [OPTIONS]',
  description: [
    'Shows where a secret of the store is and which models use it; with --reveal its value, byte for byte, and nothing else.',
  ],
  maxPositionals: 1,
  options: {
    ...nameOption,
    reveal: { type: 'boolean', help: 'print the value, and nothing else' },
    ...storeOptions,
    ...outputOption,
    ...clusterOptions,
  },
  examples: [
    { does: 'who uses it?', line: 'truss-secrets get hf_access_token' },
    { does: 'the value, for another program', line: 'truss-secrets get hf_access_token --reveal > token' },
  ],
  run: async (io, { values, positionals }) => {
    const name = givenName(values.name, positionals);
    const target = targetOf(values);
    const format = formatOf(values.output);
    if (values.reveal && values.output !== undefined) {
      throw new UsageError('--reveal prints the bare value: leave --output away');
    }
    return withCluster(io, values, async (cluster) => {
      const secret = await withProgress(io, READING, () => findKey(cluster, target, name));
      const value = secret.data.get(name);
      if (values.reveal && value !== undefined) io.stdout.write(Buffer.from(reveal(value), 'base64'));
      else await printEntries(io, format, cluster, [{ name, secret }], await readModels(io, cluster));
      return EXIT.done;
    });
  },
});
