import { ApiError, TransportError } from '../kube/errors.ts';
import { normalise } from '../truss/names.ts';
import { type Cluster, withCluster } from './cluster.ts';
import { defineCommand } from './command.ts';
import { EXIT } from './exit-code.ts';
import { warn } from './io.ts';
import { clusterOptions } from './options.ts';
import { withProgress, WRITING } from './progress.ts';
import { checkName, givenName, nameOption, namePolicyOption } from './secret-name.ts';
import { listStore } from './store-secret.ts';
import { storeOptions, type Target, targetOf } from './store-target.ts';
import { writeKeys } from './store-write.ts';
import { readValue, valueOptions } from './value.ts';

export const set = defineCommand({
  usage: 'set NAME [--from-file FILE] [OPTIONS]',
  description: [
    'Sets one secret of the store: one key of the Secret truss-store-STORE, which is created when it is not there. Its other keys stay as they are, also when somebody changes them at the same time.',
    'The value comes from stdin, from a file, or from a prompt that does not show it.',
  ],
  maxPositionals: 1,
  options: { ...nameOption, ...valueOptions, ...storeOptions, ...namePolicyOption, ...clusterOptions },
  examples: [
    { does: 'ask for the value', line: 'truss-secrets set hf_access_token' },
    { does: 'take it from another program', line: 'pass show hf | truss-secrets set hf_access_token --trim' },
    { does: 'take a file as it is', line: 'truss-secrets set gcp_key --from-file key.json' },
    {
      does: 'for one environment only',
      line: 'truss-secrets set aws_key --environment production < aws_key.txt',
    },
  ],
  run: async (io, { values, positionals }) => {
    const name = givenName(values.name, positionals);
    checkName(io, values['name-policy'], name);
    const target = targetOf(values);
    const value = await readValue(io, name, values);
    return withCluster(io, values, async (cluster) => {
      const { before, warnings } = await withProgress(io, WRITING, () =>
        writeKeys(cluster, target, new Map([[name, value]])),
      );
      const verb = before?.data.has(name) ? 'Changed' : 'Created';
      io.stdout.write(`${verb} ${name} in Secret ${target.secret}, namespace ${cluster.namespace}.\n`);
      for (const warning of [...warnings, ...(await collisions(cluster, target, name))]) warn(io, warning);
      return EXIT.done;
    });
  },
});

/** What makes the name ambiguous for models, or is easily mistaken for it. Only advice, so silent where it can't be read. */
async function collisions(cluster: Cluster, target: Target, name: string): Promise<readonly string[]> {
  const store = await listStore(cluster, target.store).catch((error: unknown) => {
    if (error instanceof ApiError || error instanceof TransportError) return [];
    throw error;
  });
  const same = store.filter(
    (secret) =>
      secret.name !== target.secret && secret.environment === target.environment && secret.data.has(name),
  );
  const twins = new Set(
    store
      .flatMap(({ data }) => [...data.keys()])
      .filter((key) => key !== name && normalise(key) === normalise(name)),
  );
  return [
    ...same.map(
      (secret) =>
        `${name} is also in Secret ${secret.name} of store ${target.store}, so models find it ambiguous: delete one of the two (delete ${name} --secret ...)`,
    ),
    ...[...twins].map(
      (twin) =>
        `the store also has ${twin}, which differs from ${name} in "-", "_", "." or case only; a model gets exactly the name that it declares`,
    ),
  ];
}
