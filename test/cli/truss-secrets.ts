import { execFile, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { afterAll, onTestFinished } from 'vitest';
import { eventually } from '../cluster/eventually.ts';

const ROOT = join(import.meta.dirname, '../..');

/** What ships is what is tested; and it starts twice as fast as the sources, which counts over hundreds of starts. */
const built = await mkdtemp(join(tmpdir(), 'truss-secrets-built-'));
await promisify(execFile)(process.execPath, ['build.ts', built], { cwd: ROOT });
afterAll(() => rm(built, { recursive: true, force: true }));

/** The program: `node MAIN ARGS`. */
export const MAIN = join(built, 'main.js');

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** stdout, byte for byte. */
  readonly bytes: Buffer;
}

export interface Surroundings {
  readonly stdin?: string | Uint8Array;
  /** On top of a bare PATH and HOME. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** The environment of a user with an empty home, so that no test depends on whose machine it runs on. */
const environment = (env: Surroundings['env'] = {}): NodeJS.ProcessEnv => ({
  PATH: process.env['PATH'],
  HOME: '/nonexistent',
  ...env,
});

/** Runs the command line as a process of its own, to its end. */
export async function trussSecrets(
  args: readonly string[],
  { stdin = '', env, cwd }: Surroundings = {},
): Promise<Finished> {
  const child = spawn(process.execPath, [MAIN, ...args], { env: environment(env), cwd });
  // A command that does not read stdin may be gone before all is written.
  child.stdin.on('error', () => {});
  child.stdin.end(stdin);
  const ended = new Promise<number | null>((resolve) => {
    child.once('close', resolve);
  });
  const [bytes, stderr, code] = await Promise.all([buffer(child.stdout), text(child.stderr), ended]);
  return { code, stdout: bytes.toString(), stderr, bytes };
}

/** A command line that runs while the test goes on; ended with the test. */
export interface Running {
  readonly signal: (signal: NodeJS.Signals) => void;
  /** What it has written to stdout so far. */
  readonly output: () => string;
  readonly exited: Promise<number | null>;
}

export function startTrussSecrets(args: readonly string[], { env, cwd }: Surroundings = {}): Running {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: environment(env),
    cwd,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  return {
    signal: (signal) => {
      child.kill(signal);
    },
    output: () => output,
    exited: new Promise((resolve) => {
      child.once('close', resolve);
    }),
  };
}

export interface Typed {
  /** Wait until this is on the screen. */
  readonly after: string;
  readonly type: string;
}

const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;

/** Runs the command line in a pseudo-terminal (util-linux's `script`) and types into it. */
export async function inTerminal(
  args: readonly string[],
  typed: readonly Typed[] = [],
  { env, cwd }: Surroundings = {},
): Promise<{ readonly code: number | null; readonly screen: string }> {
  // `exec`: or else the shell in between would get Ctrl-C too, and end first.
  const line = ['exec', ...[process.execPath, MAIN, ...args].map(quoted)].join(' ');
  const child = spawn('script', ['-qec', line, '/dev/null'], {
    env: environment({ SHELL: '/bin/sh', TERM: 'xterm', ...env }),
    cwd,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  let screen = '';
  child.stdout.on('data', (chunk: Buffer) => {
    screen += chunk.toString();
  });
  const ended = new Promise<number | null>((resolve) => {
    child.once('close', resolve);
  });
  for (const { after, type } of typed) {
    await eventually(() => {
      if (!screen.includes(after)) throw new Error(`not on the screen: ${after}\n${screen}`);
    });
    child.stdin.write(type);
  }
  const code = await ended;
  return { code, screen };
}

/** A folder for one test. */
export async function folder(files: Readonly<Record<string, string>> = {}): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'truss-secrets-cli-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    await mkdir(join(path, name, '..'), { recursive: true });
    await writeFile(join(path, name), content);
  }
  return path;
}
