import { styled } from './style.ts';

/** Where a command writes: stdout or stderr, with what is known about the other end. */
export interface Output {
  readonly isTerminal: boolean;
  /** A terminal that wants colours (NO_COLOR, TERM=dumb). */
  readonly colour: boolean;
  write(chunk: string | Uint8Array): void;
}

/** All that a command sees of the process that it runs in; `src/main.ts` makes the real one. */
export interface Io {
  /** How the user called us, for usage lines: `truss-secrets` or `kubectl truss-secrets`. */
  readonly program: string;
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly now: () => Date;
  /** The listener replaces what the signal does by default, until the returned function is called. */
  onSignals(signals: readonly NodeJS.Signals[], listener: (signal: NodeJS.Signals) => void): () => void;
  /** The listener is called at the very end of the process, whatever ends it but a SIGKILL. */
  onExit(listener: () => void): void;
  /** Ends the process at once, whatever is under way. */
  exit(code: number): void;
}

/** A line on stderr that does not stop the command. */
export const warn = ({ stderr }: Io, message: string): void =>
  stderr.write(`${styled(stderr, 'yellow', 'warning:')} ${message}\n`);
