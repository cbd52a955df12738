import { UsageError } from './errors.ts';
import type { ExitCode } from './exit-code.ts';
import type { Io } from './io.ts';
import { globalOptions, type Options, type ParsedArgs, parseOptions } from './options.ts';

interface Example {
  readonly does: string;
  /** Begins with `truss-secrets`. */
  readonly line: string;
}

export interface CommandHelp {
  /** What follows `truss-secrets`: `set NAME [--store STORE]`. */
  readonly usage: string;
  /** Paragraphs. */
  readonly description: readonly string[];
  readonly options: Options;
  readonly examples: readonly Example[];
}

interface Definition<O extends Options> extends CommandHelp {
  readonly options: O;
  /** How many arguments besides options; default none. */
  readonly maxPositionals?: number;
  /** Everything after `--` is kept apart, for a program that the command starts. */
  readonly passesOn?: boolean;
  readonly run: (io: Io, args: ParsedArgs<O>) => Promise<ExitCode>;
}

export interface Command {
  readonly help: CommandHelp;
  /** @throws UsageError, CommandError */
  readonly run: (io: Io, argv: readonly string[]) => Promise<ExitCode>;
}

/** A command from its table of options: `run` gets what was given, typed and checked. */
export function defineCommand<const O extends Options>(definition: Definition<O>): Command {
  const { maxPositionals = 0, passesOn = false } = definition;
  return {
    help: definition,
    run: async (io, argv) => {
      const args = parseOptions({ ...definition.options, ...globalOptions }, argv, passesOn);
      const extra = args.positionals[maxPositionals];
      if (extra !== undefined) throw new UsageError(`unexpected argument ${JSON.stringify(extra)}`);
      return definition.run(io, args);
    },
  };
}
