import { parseArgs } from 'node:util';
import { didYouMean } from './closest.ts';
import type { Command } from './command.ts';
import { commands } from './commands.ts';
import { CommandError, UsageError } from './errors.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import { commandHelp, generalHelp, generalUsage, usageLine } from './help.ts';
import type { Io } from './io.ts';
import { clusterOptions, globalOptions, outputOption } from './options.ts';
import { styled } from './style.ts';

/** Options that, as in kubectl, may also stand before the command. */
const leading = {
  ...globalOptions,
  ...clusterOptions,
  ...outputOption,
  version: { type: 'boolean', help: 'show the version' },
} as const;

interface Call {
  readonly name: string | undefined;
  readonly args: readonly string[];
  readonly help: boolean;
  readonly version: boolean;
  readonly debug: boolean;
}

/** Finds the command; everything else stays in order, for the command to parse. */
function readCall(argv: readonly string[]): Call {
  const end = argv.indexOf('--');
  const own = end === -1 ? [...argv] : argv.slice(0, end);
  const { tokens } = parseArgs({ args: own, options: leading, strict: false, tokens: true });
  const command = tokens.find((token) => token.kind === 'positional');
  const given = (option: string): boolean =>
    tokens.some((token) => token.kind === 'option' && token.name === option);
  return {
    name: command?.value,
    args: command === undefined ? argv : argv.toSpliced(command.index, 1),
    help: given('help'),
    version: given('version'),
    debug: given('debug'),
  };
}

/** Runs one command line to its end. Never throws: what goes wrong is printed, and in the exit code. */
export async function dispatch(io: Io, argv: readonly string[]): Promise<ExitCode> {
  const call = readCall(argv);
  const label = call.name === undefined ? io.program : `${io.program} ${call.name}`;
  let usage = generalUsage(io.program);
  try {
    if (call.name === undefined) return await withoutCommand(io, call);
    if (call.name === 'help') return await help(io, call.args);
    const command = await find(call.name);
    usage = usageLine(io.program, command.help.usage);
    if (call.help) {
      io.stdout.write(commandHelp(io.program, command.help));
      return EXIT.done;
    }
    return await command.run(io, call.args);
  } catch (error) {
    return report(io, label, usage, error, call.debug || Boolean(io.env['TRUSS_SECRETS_DEBUG']));
  }
}

async function withoutCommand(io: Io, call: Call): Promise<ExitCode> {
  if (call.version) {
    const { version } = await import('./version.ts');
    io.stdout.write(`truss-secrets ${version}\n`);
    return EXIT.done;
  }
  const option = call.args.find((arg) => arg !== '-h' && arg !== '--help' && arg !== '--debug');
  if (option !== undefined) {
    const known = Object.keys(leading).map((name) => `--${name}`);
    throw new UsageError(
      known.includes(option) ? 'no command given' : `unknown option ${option}${didYouMean(option, known)}`,
    );
  }
  io.stdout.write(generalHelp(io.program));
  return EXIT.done;
}

async function help(io: Io, args: readonly string[]): Promise<ExitCode> {
  const name = args.find((arg) => !arg.startsWith('-'));
  io.stdout.write(
    name === undefined ? generalHelp(io.program) : commandHelp(io.program, (await find(name)).help),
  );
  return EXIT.done;
}

async function find(name: string): Promise<Command> {
  const entry = commands.find((candidate) => candidate.name === name);
  if (entry !== undefined) return entry.load();
  const names = commands.map((candidate) => candidate.name);
  throw new UsageError(`unknown command ${JSON.stringify(name)}${didYouMean(name, names)}`);
}

function report(io: Io, label: string, usage: string, error: unknown, debug: boolean): ExitCode {
  const message = error instanceof Error ? error.message : String(error);
  io.stderr.write(`${styled(io.stderr, 'red', `${label}:`)} ${message}\n`);
  if (error instanceof UsageError) {
    io.stderr.write(usage);
    return EXIT.usage;
  }
  if (debug && error instanceof Error) io.stderr.write(`${error.stack ?? ''}\n${causes(error)}`);
  else if (!(error instanceof CommandError)) {
    io.stderr.write('This was not expected; --debug shows where it happened.\n');
  }
  return error instanceof CommandError ? error.exitCode : EXIT.failed;
}

function causes(error: Error): string {
  return error.cause instanceof Error
    ? `caused by ${error.cause.stack ?? error.cause.message}\n${causes(error.cause)}`
    : '';
}
