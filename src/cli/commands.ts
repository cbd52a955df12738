import type { Command } from './command.ts';

/** One line of `--help`; the command itself is loaded only when it is called, as some are heavy. */
interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<Command>;
}

export const commands: readonly CommandEntry[] = [];
