import { readTrussConfig, type TrussConfig } from '../truss/config.ts';
import { decodeYaml } from '../truss/decode.ts';
import type { Diagnostic } from '../truss/diagnostic.ts';
import { defineCommand } from './command.ts';
import { fileOption, readConfigFile } from './config-file.ts';
import { EXIT } from './exit-code.ts';
import type { Io } from './io.ts';
import { outputOption } from './options.ts';
import { formatOf, printData, table } from './print.ts';
import { namePolicy, namePolicyOption } from './secret-name.ts';

/** What `inspect -o json` prints (DESIGN.md section 7). */
export interface InspectReport extends TrussConfig {
  readonly version: 1;
  readonly file: string;
}

/** What the bytes of a config.yaml declare. */
export function inspectReport(
  file: string,
  bytes: Uint8Array,
  options: { readonly naming?: 'jfrog' } = {},
): InspectReport {
  const decoded = decodeYaml(bytes);
  const config = 'text' in decoded ? readTrussConfig(decoded.text, options) : unreadable(decoded.error);
  const { secrets, build, pull, weights, optional, warnings, errors } = config;
  return { version: 1, file, secrets, build, pull, weights, optional, warnings, errors };
}

const unreadable = (error: TrussConfig['errors'][number]): TrussConfig => ({
  secrets: [],
  build: [],
  pull: [],
  weights: [],
  optional: [],
  warnings: [],
  errors: [error],
});

interface Row {
  readonly name: string;
  readonly use: string;
  readonly detail: string;
  readonly line: number;
  readonly column: number;
}

function rowsOf({ secrets, build, pull, weights, optional }: TrussConfig): readonly Row[] {
  return [
    ...secrets.map((secret) => ({
      ...secret,
      use: 'model',
      detail: secret.default === 'none' ? 'no default' : 'has a default',
    })),
    ...optional.map((secret) => ({ ...secret, use: 'model, optional', detail: secret.field })),
    ...pull.map(({ names, method, registry, ...place }) => ({
      ...place,
      name: names.join(', '),
      use: 'image pull',
      detail: method === 'DOCKER_REGISTRY' ? registry : `${method} ${registry}`,
    })),
    ...build.map((secret) => ({ ...secret, use: 'image build', detail: secret.path })),
    ...weights.map((secret) => ({ ...secret, use: 'weights', detail: secret.field })),
  ];
}

/** `config.yaml:5:3: message [Code]`, as editors and CI systems understand it. */
function printDiagnostics(io: Io, file: string, kind: '' | 'warning: ', found: readonly Diagnostic[]): void {
  for (const { line, column, message, code } of found) {
    io.stderr.write(`${file}:${line}:${column}: ${kind}${message} [${code}]\n`);
  }
}

function printTable(io: Io, report: InspectReport): void {
  const rows = rowsOf(report);
  if (rows.length === 0) {
    if (report.errors.length === 0) io.stderr.write(`${report.file} declares no secrets.\n`);
    return;
  }
  io.stdout.write(
    table<Row>(
      io.stdout,
      [
        { title: 'NAME', cell: ({ name }) => name },
        { title: 'USE', cell: ({ use }) => use },
        { title: 'DETAIL', cell: ({ detail }) => detail },
        { title: 'LINE', cell: ({ line, column }) => `${line}:${column}` },
      ],
      rows,
    ),
  );
}

export const inspect = defineCommand({
  usage: 'inspect -f FILE [OPTIONS]',
  description: [
    'Shows what a config.yaml declares: the secrets of the model, of its image, its build and its weights, each with its line and column. Needs no cluster.',
    'The file is read as PyYAML, and so Truss, reads it. Errors and warnings go to stderr; docs/config-yaml.md says what each means. With an error the exit code is 1.',
  ],
  options: {
    ...fileOption,
    ...namePolicyOption,
    ...outputOption,
  },
  examples: [
    { does: 'what a model needs', line: 'truss-secrets inspect -f config.yaml' },
    {
      does: 'the names only',
      line: "truss-secrets inspect -f config.yaml -o json | jq -r '.secrets[].name'",
    },
  ],
  maxPositionals: 1,
  run: async (io, { values, positionals }) => {
    const format = formatOf(values.output);
    const naming = namePolicy(io, values['name-policy']);
    const { file, bytes } = await readConfigFile(io, values.filename ?? positionals[0]);
    const report = inspectReport(file, bytes, naming === 'jfrog' ? { naming } : {});
    if (format === 'table') {
      printTable(io, report);
      printDiagnostics(io, file, 'warning: ', report.warnings);
    } else {
      await printData(io, format, report);
    }
    printDiagnostics(io, file, '', report.errors);
    return report.errors.length === 0 ? EXIT.done : EXIT.failed;
  },
});
