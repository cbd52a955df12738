import { readFile } from 'node:fs/promises';
import { modelDeploymentSpec } from '../api/model-deployment.ts';
import { deliveredSecretName } from '../api/names.ts';
import type { RawObject } from '../kube/object.ts';
import { canonical } from '../plan/flatten.ts';
import { decodeYaml, MAX_CONFIG_SIZE } from '../truss/decode.ts';
import { lacksRight } from './api-problem.ts';
import { type Cluster, withCluster } from './cluster.ts';
import { defineCommand } from './command.ts';
import { CommandError, UsageError } from './errors.ts';
import { EXIT } from './exit-code.ts';
import { warn } from './io.ts';
import { type LiveSnapshot, readLiveSnapshot, unbornModel, withSpec } from './live-snapshot.ts';
import { type ModelFile, readModelFile } from './model-file.ts';
import { approvalOption, choice, clusterOptions } from './options.ts';
import { printPlan } from './plan-print.ts';
import { planned } from './plan-report.ts';
import { snippet } from './plan-snippet.ts';
import { printData } from './print.ts';
import { withProgress } from './progress.ts';

export const plan = defineCommand({
  usage: 'plan MODEL | -f FILE [--config FILE] [--exit-code] [OPTIONS]',
  description: [
    "Shows what the operator would do for a model, by the operator's own rules: which secrets it would deliver and from where, what is missing, and how the Secret, the pod templates and the status would change. Writes nothing, and shows no value.",
    'With -f it plans a file that need not have been applied; with --config it goes by a local config.yaml. It reads with your own rights: what you may not read is said, and the operator may know more.',
    '-o snippet prints what the operator puts into the pod templates, to merge into your own manifests: pods then wait for their secrets from the first start on.',
  ],
  maxPositionals: 1,
  options: {
    filename: {
      type: 'string',
      short: 'f',
      value: 'FILE',
      help: "a manifest with a ModelDeployment; '-' for stdin",
    },
    config: {
      type: 'string',
      value: 'FILE',
      help: 'a local config.yaml, instead of the one that the model has',
    },
    'exit-code': { type: 'boolean', help: 'exit with 3 if there are changes, with 0 if there are none' },
    ...approvalOption,
    output: {
      type: 'string',
      short: 'o',
      value: 'table|json|yaml|snippet',
      help: 'how to print; default table',
    },
    ...clusterOptions,
  },
  examples: [
    { does: 'what would happen?', line: 'truss-secrets plan gfpgan -n models' },
    {
      does: 'before anything is applied, in a pipeline',
      line: 'truss-secrets plan -f model.yaml --config config.yaml --exit-code',
    },
    { does: 'what to add to a manifest', line: 'truss-secrets plan gfpgan -o snippet' },
  ],
  run: async (io, { values, positionals }) => {
    const format = choice('--output', values.output, ['table', 'json', 'yaml', 'snippet']) ?? 'table';
    const [name] = positionals;
    if ((name === undefined) === (values.filename === undefined)) {
      throw new UsageError('give either the name of a model or -f FILE');
    }
    const file = values.filename === undefined ? undefined : await readModelFile(io, values.filename);
    const config = values.config === undefined ? undefined : await readConfigText(values.config);
    const model = name ?? file?.name ?? '';
    const namespace = values.namespace ?? file?.namespace;
    return withCluster(io, { ...values, namespace }, async (cluster) => {
      const requireApproval = values['require-approval'];
      const rewrite = file && { rewrite: (live: RawObject | undefined) => asInFile(live, file, cluster) };
      const question = { model, config, requireApproval, ...rewrite };
      const live = await withProgress(io, 'Reading the cluster', () => readLiveSnapshot(cluster, question));
      refuseBlind(live);
      const { report, acted } = planned(live, io.now());
      for (const right of report.unread) {
        warn(
          io,
          `you lack the right to: ${right}; what depends on it is not known to you, and the operator may know it`,
        );
      }
      if (!acted)
        io.stderr.write(`ModelDeployment ${model} is being deleted: nothing is written for it any more.\n`);
      if (format === 'snippet') {
        if (!acted) return EXIT.failed;
        if (acted.approval.kind === 'awaiting') warn(io, `this will change: ${acted.approval.message}`);
        io.stdout.write(snippet(live, acted));
      } else if (format === 'table') {
        printPlan(io, report);
      } else {
        await printData(io, format, report);
      }
      return values['exit-code'] && report.changes ? EXIT.differences : EXIT.done;
    });
  },
});

/** @throws CommandError */
async function readConfigText(file: string): Promise<string> {
  const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    throw new CommandError(`${file} can't be read: ${error.code ?? error.message}. Check --config.`, {
      cause: error,
    });
  });
  if (bytes.length > MAX_CONFIG_SIZE) throw new CommandError(`${file} is larger than a config.yaml may be`);
  const decoded = decodeYaml(bytes);
  if ('text' in decoded) return decoded.text;
  const { line, column, message } = decoded.error;
  throw new CommandError(`${file}:${line}:${column}: ${message}`);
}

/** The model as the file has it; the very model of the cluster, if the file says the same. */
function asInFile(live: RawObject | undefined, { name, spec }: ModelFile, { namespace }: Cluster): RawObject {
  if (live && isSameSpec(live['spec'], spec)) return live;
  return withSpec(live ?? unbornModel(namespace, name), spec);
}

/** What the API server fills in counts as said. */
function isSameSpec(live: unknown, file: unknown): boolean {
  const [a, b] = [modelDeploymentSpec.safeParse(live), modelDeploymentSpec.safeParse(file)];
  return a.success && b.success && canonical(a.data) === canonical(b.data);
}

/** Without these there is nothing to compare with. @throws CommandError */
function refuseBlind({ reads, model, snapshot }: LiveSnapshot): void {
  const needed = [
    `get secrets -n ${model.namespace}`,
    ...(snapshot.declaration.kind === 'unknown' ? [`get configmaps -n ${model.namespace}`] : []),
  ];
  const missing = needed.find((right) => reads.unread.has(right));
  if (missing !== undefined) {
    throw new CommandError(
      `${lacksRight(missing)}\nWithout it Secret ${deliveredSecretName(model.name)} and what the model declares can't be compared.`,
    );
  }
}
