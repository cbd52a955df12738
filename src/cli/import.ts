import type { SecretValue } from '../api/secret-value.ts';
import { type Cluster, withCluster } from './cluster.ts';
import { defineCommand } from './command.ts';
import { CommandError, UsageError } from './errors.ts';
import { EXIT } from './exit-code.ts';
import { type Io, warn } from './io.ts';
import { type LocalSecret, localConfigPath, readLocalSecrets } from './local-secrets.ts';
import { clusterOptions, outputOption } from './options.ts';
import { type Format, formatOf, printData, table } from './print.ts';
import { READING, withProgress, WRITING } from './progress.ts';
import { confirm } from './prompt.ts';
import { namePolicyOption, policyProblem } from './secret-name.ts';
import { getSecret, type StoreSecret } from './store-secret.ts';
import { checkTarget, storeOptions, type Target, targetOf } from './store-target.ts';
import { writeKeys } from './store-write.ts';

type Action = 'create' | 'replace' | 'unchanged' | 'skip';

interface Step {
  readonly name: string;
  readonly action: Action;
  readonly value: SecretValue | undefined;
  readonly note: string | undefined;
  readonly line: number;
}

export const importSecrets = defineCommand({
  usage: 'import [FILE] [--dry-run | --yes] [OPTIONS]',
  description: [
    "Brings local secrets into the store: those under secrets: in FILE, by default Truss's own ~/.truss/config.yaml. Shows what it will do, and asks.",
    'A value that is not quoted is taken as the text that is written there. Empty ones, and names that can not be, are skipped.',
  ],
  maxPositionals: 1,
  options: {
    'dry-run': { type: 'boolean', help: 'only show what would be done' },
    yes: { type: 'boolean', short: 'y', help: 'do not ask' },
    ...storeOptions,
    ...namePolicyOption,
    ...outputOption,
    ...clusterOptions,
  },
  examples: [
    { does: 'what would happen?', line: 'truss-secrets import --dry-run' },
    {
      does: 'for one environment, without a question',
      line: 'truss-secrets import --environment staging --yes',
    },
  ],
  run: async (io, { values, positionals }) => {
    const format = formatOf(values.output);
    const dryRun = values['dry-run'] ?? false;
    const asks = !values.yes && !dryRun;
    if (asks && format !== 'table') throw new UsageError(`-o ${format} needs --yes or --dry-run`);
    if (asks && !io.stdin.isTTY) {
      throw new UsageError('stdin is no terminal to ask on: give --yes, or --dry-run to only look');
    }
    const target = targetOf(values);
    const file = positionals[0] ?? localConfigPath();
    const local = await readLocalSecrets(file);
    if (local === undefined) throw new CommandError(`${file} is not there: give the FILE to import`);
    const problem = policyProblem(io, values['name-policy']);

    return withCluster(io, values, async (cluster) => {
      const existing = await withProgress(io, READING, () => getSecret(cluster, target.secret));
      const warnings = existing === undefined ? [] : checkTarget(existing, target);
      const steps = local.map((secret) => plan(secret, existing, problem));
      const changes = changesOf(steps);
      if (format === 'table') showPlan(io, steps);
      for (const warning of warnings) warn(io, warning);
      const where = `Secret ${target.secret}, namespace ${cluster.namespace}`;
      const question = `Import ${count(changes.size)} into ${where}?`;
      if (asks && changes.size > 0 && !(await confirm(io, question))) {
        throw new CommandError('not confirmed: nothing was changed');
      }
      const applied = !dryRun && changes.size > 0;
      if (applied) await withProgress(io, WRITING, () => writeKeys(cluster, target, changes));
      if (format !== 'table') await printResult(io, format, file, cluster, target, applied, steps);
      else if (changes.size === 0) io.stdout.write('Nothing to import.\n');
      else
        io.stdout.write(`${applied ? 'Imported' : 'Would import'} ${count(changes.size)} into ${where}.\n`);
      return EXIT.done;
    });
  },
});

function plan(
  { name, value, note, line }: LocalSecret,
  existing: StoreSecret | undefined,
  problem: (name: string) => string | undefined,
): Step {
  const wrong = problem(name);
  if (value === undefined || wrong !== undefined) {
    return { name, action: 'skip', value: undefined, note: wrong ?? note, line };
  }
  const before = existing?.data.get(name);
  const action = before === undefined ? 'create' : before.equals(value) ? 'unchanged' : 'replace';
  return { name, action, value, note, line };
}

const changesOf = (steps: readonly Step[]): ReadonlyMap<string, SecretValue> =>
  new Map(
    steps.flatMap(({ name, action, value }) =>
      value !== undefined && action !== 'unchanged' ? [[name, value] as const] : [],
    ),
  );

const count = (secrets: number): string => (secrets === 1 ? '1 secret' : `${secrets} secrets`);

const STYLE = { create: 'green', replace: 'yellow', unchanged: 'dim', skip: 'red' } as const;

function showPlan(io: Io, steps: readonly Step[]): void {
  if (steps.length === 0) return;
  io.stdout.write(
    table<Step>(
      io.stdout,
      [
        { title: 'NAME', cell: ({ name }) => name },
        { title: 'ACTION', cell: ({ action }) => action, style: ({ action }) => STYLE[action] },
        { title: 'LINE', cell: ({ line }) => String(line) },
        { title: 'NOTE', cell: ({ note }) => note ?? '' },
      ],
      steps,
    ),
  );
}

function printResult(
  io: Io,
  format: Exclude<Format, 'table'>,
  file: string,
  { namespace }: Cluster,
  { secret, store, environment }: Target,
  applied: boolean,
  steps: readonly Step[],
): Promise<void> {
  return printData(io, format, {
    version: 1,
    file,
    namespace,
    secret,
    store,
    environment: environment ?? null,
    applied,
    secrets: steps.map(({ name, action, note, line }) => ({ name, action, line, note: note ?? null })),
  });
}
