import { parseArgs } from 'node:util';
import { didYouMean } from './closest.ts';
import { UsageError } from './errors.ts';

interface Option {
  readonly type: 'string' | 'boolean';
  readonly short?: string;
  /** Placeholder of the value in the help: `FILE`. */
  readonly value?: string;
  readonly help: string;
}

export type Options = Readonly<Record<string, Option>>;

/** What `parseArgs` makes of a table of options: a key that is absent was not given. */
export type Values<O extends Options> = ReturnType<
  typeof parseArgs<{ readonly options: O; readonly strict: true; readonly allowPositionals: true }>
>['values'];

export interface ParsedArgs<O extends Options> {
  readonly values: Values<O>;
  readonly positionals: readonly string[];
  /** What follows `--`; undefined without one. Only for a command that passes it on, else it is in `positionals`. */
  readonly rest: readonly string[] | undefined;
}

/** Options of every command; the dispatcher acts on them. */
export const globalOptions = {
  help: { type: 'boolean', short: 'h', help: 'show this help' },
  debug: { type: 'boolean', help: 'show the stack of an unexpected error (or TRUSS_SECRETS_DEBUG=1)' },
} as const satisfies Options;

export const outputOption = {
  output: { type: 'string', short: 'o', value: 'table|json|yaml', help: 'how to print; default table' },
} as const satisfies Options;

/** As in kubectl, on every command that talks to a cluster. */
export const clusterOptions = {
  namespace: {
    type: 'string',
    short: 'n',
    value: 'NAMESPACE',
    help: 'namespace; default: that of the context',
  },
  context: { type: 'string', value: 'CONTEXT', help: 'context of the kubeconfig; default: the current one' },
  kubeconfig: {
    type: 'string',
    value: 'FILE',
    help: 'kubeconfig; default: $KUBECONFIG, else ~/.kube/config',
  },
} as const satisfies Options;

/** `-o=json`, as kubectl takes it, is `-ojson` to `parseArgs`. */
const withoutEquals = (argument: string): string =>
  /^-[a-zA-Z]=/.test(argument) ? argument.slice(0, 2) + argument.slice(3) : argument;

/** `--wait=false`, as kubectl takes it, is `--no-wait` to `parseArgs`. */
function asFlag(options: Options, argument: string): string {
  const [, name = '', value] = /^--([^=]+)=(true|false)$/.exec(argument) ?? [];
  if (!Object.hasOwn(options, name) || options[name]?.type !== 'boolean') return argument;
  return value === 'true' ? `--${name}` : `--no-${name}`;
}

/** @throws UsageError for an option that is unknown or lacks its value. */
export function parseOptions<const O extends Options>(
  options: O,
  argv: readonly string[],
  passesOn: boolean,
): ParsedArgs<O> {
  const end = argv.indexOf('--');
  const before = end === -1 ? argv : argv.slice(0, end);
  const own = before.map(withoutEquals).map((argument) => asFlag(options, argument));
  const behind = end === -1 ? undefined : argv.slice(end + 1);
  refuseUnknown(options, own);
  try {
    const { values, positionals } = parseArgs({
      args: own,
      options,
      strict: true,
      allowPositionals: true,
      allowNegative: true,
    });
    return passesOn
      ? { values, positionals, rest: behind }
      : { values, positionals: [...positionals, ...(behind ?? [])], rest: undefined };
  } catch (error) {
    throw new UsageError(error instanceof Error ? firstSentence(error.message) : String(error), {
      cause: error,
    });
  }
}

function refuseUnknown(options: Options, args: readonly string[]): void {
  const { tokens } = parseArgs({
    args: [...args],
    options,
    strict: false,
    allowNegative: true,
    tokens: true,
  });
  for (const token of tokens) {
    if (token.kind !== 'option' || Object.hasOwn(options, token.name)) continue;
    throw new UsageError(
      `unknown option ${token.rawName}${didYouMean(
        token.rawName,
        Object.keys(options).map((name) => `--${name}`),
      )}`,
    );
  }
}

const firstSentence = (message: string): string => {
  const line = message.split('\n', 1)[0] ?? message;
  return line.charAt(0).toLowerCase() + line.slice(1);
};

/** On the commands that go by the operator's rules: it says in the status of its models whether it asks for approval. */
export const approvalOption = {
  'require-approval': {
    type: 'boolean',
    help: 'the operator asks for approval by a ModelTrust; default: found out',
  },
} as const satisfies Options;

/** One of the words that an option takes; undefined when it was not given. */
export function choice<const T extends string>(
  option: string,
  value: string | undefined,
  words: readonly T[],
): T | undefined {
  if (value === undefined) return undefined;
  const found = words.find((word) => word === value);
  if (found !== undefined) return found;
  throw new UsageError(
    `${option} ${JSON.stringify(value)} is none of ${words.join(', ')}${didYouMean(value, words)}`,
  );
}
