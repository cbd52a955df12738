import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { forgetGroup, guardGroup, temporaryFolder } from './guard.ts';
import { CommandFailed } from './process.ts';
import { say } from './say.ts';

/** Where everything that takes time to get is kept: `TRUSS_SECRETS_CACHE`, else below the user's cache folder. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  const named = env['TRUSS_SECRETS_CACHE'];
  if (named !== undefined && named !== '') return resolve(named);
  const base = env['XDG_CACHE_HOME'];
  return join(base !== undefined && base !== '' ? base : join(homedir(), '.cache'), 'truss-secrets');
}

/**
 * Makes a folder of the cache unless it is there. It is made beside and renamed at the end, under a lock: a crash
 * leaves no half folder, and of two callers, also in two processes, one makes it and the other one waits.
 */
export async function once(folder: string, make: (unfinished: string) => Promise<void>): Promise<string> {
  if (existsSync(folder)) return folder;
  await using _ = await lock(folder);
  if (existsSync(folder)) return folder;
  await using unfinished = await unfinishedFolder(folder);
  const made = join(unfinished.path, 'made');
  await mkdir(made);
  await make(made);
  await rename(made, folder);
  return folder;
}

/** A folder to work in while the lock of `path` is held; what a crash left of earlier ones is removed. */
export async function unfinishedFolder(path: string): Promise<Awaited<ReturnType<typeof temporaryFolder>>> {
  const prefix = `${path}.unfinished-`;
  for (const left of await readdir(dirname(path))) {
    const old = join(dirname(path), left);
    if (old.startsWith(prefix))
      await rm(old, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  }
  return await temporaryFolder(prefix);
}

/**
 * Holds `PATH.lock` until disposed of. The kernel gives a lock of flock(1) back when its process ends, and
 * that process ends with this one, so that no crash leaves a lock behind.
 */
export async function lock(path: string): Promise<AsyncDisposable> {
  await mkdir(dirname(path), { recursive: true });
  const holder = spawn('flock', ['--close', `${path}.lock`, 'sh', '-c', 'echo locked; read -r _'], {
    detached: true,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const { pid } = holder;
  if (pid !== undefined) guardGroup(pid);
  const ended = new Promise<void>((done) => {
    holder.once('close', () => {
      if (pid !== undefined) forgetGroup(pid);
      done();
    });
  });
  const waiting = setTimeout(() => say(`waiting for another process that works on ${basename(path)}`), 1_000);
  try {
    await new Promise<void>((locked, failed) => {
      holder.stdout.once('data', () => locked());
      holder.once('error', (error) => failed(new CommandFailed('flock', error.message, { cause: error })));
      holder.once('exit', (code) => failed(new CommandFailed('flock', `ended (${code}) without the lock`)));
    });
  } finally {
    clearTimeout(waiting);
  }
  return {
    [Symbol.asyncDispose]: async () => {
      holder.stdin.end();
      await ended;
    },
  };
}
