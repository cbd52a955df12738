import type { Finding } from '../verify/case.ts';
import { type Evidence, readEvidence } from '../verify/evidence.ts';
import { type Proof, prove, type Row } from '../verify/prove.ts';
import { withCluster } from './cluster.ts';
import { defineCommand } from './command.ts';
import { CommandError } from './errors.ts';
import { EXIT } from './exit-code.ts';
import type { Io } from './io.ts';
import { modelName } from './model-name.ts';
import { clusterOptions, outputOption } from './options.ts';
import { formatOf, printData, table } from './print.ts';
import { withProgress } from './progress.ts';
import { styled } from './style.ts';

export const verify = defineCommand({
  usage: 'verify MODEL [--require-approval] [OPTIONS]',
  description: [
    'Proves, from the live objects alone, that a model has what it declares and may have, and nothing more: declared = allowed = written = mounted. Every difference is reported, and the exit code is 1; what you may not read is not proven, and reported too.',
    'It shares no decision with the operator: the rules are written a second time. A ModelTrust counts if there is one; --require-approval demands one. No value is shown.',
  ],
  maxPositionals: 1,
  options: {
    'require-approval': { type: 'boolean', help: 'a model without a ModelTrust may have nothing' },
    ...outputOption,
    ...clusterOptions,
  },
  examples: [
    { does: 'one model', line: 'truss-secrets verify gfpgan -n models' },
    { does: 'for an audit', line: 'truss-secrets verify gfpgan --require-approval -o json' },
  ],
  run: async (io, { values, positionals }) => {
    const format = formatOf(values.output);
    const name = modelName(positionals);
    return withCluster(io, values, async ({ client, namespace }) => {
      const evidence = await withProgress(io, 'Reading the cluster', () =>
        readEvidence(client, namespace, name),
      );
      if (!evidence) throw new CommandError(`there is no ModelDeployment ${name} in namespace ${namespace}`);
      const proof = prove(evidence, values['require-approval'] ?? false);
      const proven = proof.findings.length === 0;
      if (format === 'table') printProof(io, evidence, proof);
      else {
        const { rows: secrets, findings } = proof;
        await printData(io, format, { version: 1, namespace, model: name, proven, secrets, findings });
      }
      return proven ? EXIT.done : EXIT.failed;
    });
  },
});

function printProof(io: Io, { model }: Evidence, { rows, findings }: Proof): void {
  const { namespace, name } = model.metadata;
  const out = (text: string): void => io.stdout.write(`${text}\n`);
  out(`ModelDeployment ${namespace}/${name}\n`);
  if (rows.length > 0) io.stdout.write(`${proofTable(io, rows)}\n`);
  if (findings.length > 0) io.stdout.write(`${findingTable(io, findings)}\n`);
  if (findings.length === 0)
    out(styled(io.stdout, 'green', 'Proven: declared = allowed = written = mounted, and nothing more.'));
  else
    out(
      styled(
        io.stdout,
        'red',
        `Not proven: ${findings.length === 1 ? '1 finding' : `${findings.length} findings`}.`,
      ),
    );
}

function proofTable(io: Io, rows: readonly Row[]): string {
  return table<Row>(
    io.stdout,
    [
      { title: 'NAME', cell: ({ name }) => name },
      { title: 'DECLARED', cell: ({ declared }) => declared },
      { title: 'ALLOWED', cell: ({ allowed }) => allowed },
      { title: 'WRITTEN', cell: ({ written }) => (written ? 'yes' : 'no') },
      { title: 'MOUNTED', cell: ({ mounted }) => mounted.join(', ') || 'no' },
      { title: 'PODS', cell: ({ pods }) => String(pods) },
    ],
    rows,
  );
}

function findingTable(io: Io, findings: readonly Finding[]): string {
  return table<Finding>(
    io.stdout,
    [
      {
        title: 'FINDING',
        cell: ({ kind }) => kind,
        style: ({ kind }) => (kind === 'difference' ? 'red' : 'yellow'),
      },
      { title: 'OBJECT', cell: ({ object }) => object },
      { title: 'WHAT', cell: ({ message }) => message },
    ],
    findings,
  );
}
