import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { forgetGroup, guardGroup } from './guard.ts';

export interface ProcessOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Standard output and error go to the end of this file. */
  readonly log: string;
}

/** A process in a group of its own that never outlives this one. */
export interface GuardedProcess {
  readonly pid: number;
  /** False once it has ended. */
  readonly running: () => boolean;
  /** Signals the process alone, as a fault in it would. */
  readonly signal: (signal: NodeJS.Signals) => void;
  /** Kills the whole group and waits until the process is gone. */
  readonly kill: () => Promise<void>;
  readonly exited: Promise<Ended>;
}

/** How a process ended: with an exit code, or by a signal. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

function guarded(child: ChildProcess): number | undefined {
  const { pid } = child;
  if (pid === undefined) return undefined;
  guardGroup(pid);
  child.once('exit', () => {
    killGroup(pid);
    forgetGroup(pid);
  });
  return pid;
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // ESRCH: the group is empty, as it should be
  }
}

/** Starts a server process. Throws {@link CommandFailed} when the program can't be started. */
export async function startProcess(
  command: string,
  args: readonly string[],
  options: ProcessOptions,
): Promise<GuardedProcess> {
  const log = openSync(options.log, 'a', 0o600);
  const child = spawn(command, args, { ...options, detached: true, stdio: ['ignore', log, log] });
  closeSync(log);
  const exited = new Promise<Ended>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (error) => reject(new CommandFailed(command, error.message, { cause: error })));
  });
  const pid = guarded(child);
  if (pid === undefined) throw new CommandFailed(command, 'has no process id');
  const running = () => child.exitCode === null && child.signalCode === null;
  return {
    pid,
    running,
    exited,
    signal: (signal) => {
      child.kill(signal);
    },
    kill: async () => {
      if (running()) killGroup(pid);
      await exited;
    },
  };
}

/** What proc(5) tells of a process, or one of its threads; undefined when it is gone. */
export function statOf(
  pid: number,
  thread = pid,
): { readonly state: string; readonly startedAt: string } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8');
    // the program's name stands in brackets, and may hold anything
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state = '', startedAt = ''] = [fields[0], fields[19]];
    return state === 'Z' ? undefined : { state, startedAt };
  } catch {
    return undefined;
  }
}

export class CommandFailed extends Error {
  override readonly name = 'CommandFailed';

  constructor(command: string, reason: string, options?: ErrorOptions) {
    super(`${command} ${reason}`, options);
  }
}

export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Called with each line of output as it comes. */
  readonly onLine?: (line: string) => void;
}

const REPORTED_LINES = 25;

/**
 * Runs a command to its end and gives its standard output; it does not outlive this process.
 * A failure is a {@link CommandFailed} with the last lines of what it printed.
 */
export async function run(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const { onLine, ...place } = options;
  const child = spawn(command, args, { ...place, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const output: string[] = [];
  const last: string[] = [];
  const follow = async (stream: NodeJS.ReadableStream, keep: boolean): Promise<void> => {
    for await (const line of createInterface({ input: stream })) {
      if (keep) output.push(line);
      last.push(line);
      if (last.length > REPORTED_LINES) last.shift();
      onLine?.(line);
    }
  };
  const ended = new Promise<string | undefined>((resolve, reject) => {
    child.once('error', (error) => reject(new CommandFailed(command, error.message, { cause: error })));
    child.once('close', (code, signal) =>
      resolve(code === 0 ? undefined : signal === null ? `failed (${code})` : `was ended by ${signal}`),
    );
  });
  guarded(child);
  const [failure] = await Promise.all([ended, follow(child.stdout, true), follow(child.stderr, false)]);
  if (failure !== undefined) throw new CommandFailed(command, `${failure}:\n${last.join('\n')}`);
  return output.join('\n');
}
