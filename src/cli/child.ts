import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { constants } from 'node:os';
import { codeOf, CommandError } from './errors.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import type { Io } from './io.ts';

/** Exit codes of a shell for a program that it can't start. */
const NOT_FOUND = 127;
const NOT_EXECUTABLE = 126;

/** From a terminal these reach the whole foreground group, so the child has them already. */
const FROM_KEYBOARD: readonly NodeJS.Signals[] = ['SIGINT', 'SIGQUIT'];
const FORWARDED: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', ...FROM_KEYBOARD];

/**
 * Runs a program in our place: with our terminal, input and outputs, and with the signals that we get. While
 * it runs no signal ends this process, so that `cleanUp` always comes after it.
 *
 * @returns its exit code; 128 + n when signal n ended it.
 * @throws CommandError when it can't be started.
 */
export async function runChild(
  io: Io,
  command: string,
  args: readonly string[],
  prepare: () => { readonly env: NodeJS.ProcessEnv; readonly cleanUp: () => void },
): Promise<ExitCode> {
  const terminal = hasTerminal();
  let child: ChildProcess | undefined;
  const release = io.onSignals(FORWARDED, (signal) => {
    if (!(terminal && FROM_KEYBOARD.includes(signal))) child?.kill(signal);
  });
  try {
    const prepared = prepare();
    try {
      return await new Promise<ExitCode>((resolve, reject) => {
        const started = spawn(command, args, { stdio: 'inherit', env: prepared.env });
        child = started;
        // Also emitted when a signal can't be sent (to sudo, say): then it still runs.
        started.on('error', (error) => {
          if (started.pid === undefined) reject(error);
        });
        started.once('exit', (code, signal) =>
          resolve(code ?? (signal === null ? EXIT.failed : 128 + constants.signals[signal])),
        );
      });
    } catch (error) {
      throw notStarted(command, error);
    } finally {
      prepared.cleanUp();
    }
  } finally {
    release();
  }
}

function notStarted(command: string, error: unknown): CommandError {
  const code = codeOf(error);
  switch (code) {
    case 'ENOENT':
      return new CommandError(`${command}: command not found`, { cause: error, exitCode: NOT_FOUND });
    case 'E2BIG':
      return new CommandError(
        `${command} can't be started: its environment would be too large; deliver with --folder`,
        { cause: error, exitCode: NOT_EXECUTABLE },
      );
    default:
      return new CommandError(`${command} can't be started (${code ?? String(error)})`, {
        cause: error,
        exitCode: NOT_EXECUTABLE,
      });
  }
}

/** Whether Ctrl-C could come from a terminal; one may have it although all of stdio is redirected. */
function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return true;
  } catch {
    return false;
  }
}
