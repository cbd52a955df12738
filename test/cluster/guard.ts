import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, rmdir } from 'node:fs/promises';
import { Socket } from 'node:net';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { eventually } from './eventually.ts';

/**
 * Kills the process groups, then removes the cgroups and folders that it was told of ("+ kill PGID", "+ rmdir CGROUP",
 * "+ remove FOLDER"; "-" takes back) once its standard input closes, which the kernel does however its owner ends, also by SIGKILL. It has a
 * session of its own, so that a ctrl-C does not reach it.
 */
const GUARD = `
trap '' INT TERM HUP
duties=
while read -r sign duty; do
  kept=$(printf '%s' "$duties" | grep -vxF -e "$duty")
  [ "$sign" = - ] || kept="$duty
$kept"
  duties=$kept
done
each() { printf '%s\\n' "$duties" | sed -n "s/^$1 //p"; }
each kill | while read -r group; do kill -s KILL -- "-$group" 2>/dev/null; done
each rmdir | while read -r group; do
  for attempt in 1 2 3 4 5 6 7 8; do
    [ -d "$group" ] || break
    find "$group" -depth -type d -exec rmdir {} + 2>/dev/null && break
    sleep 0.25
  done
done
each remove | while read -r folder; do rm -rf -- "$folder"; done
`;

let guard: ChildProcessByStdio<Writable, null, null> | undefined;

function tell(line: string): void {
  if (guard === undefined) {
    guard = spawn('/bin/sh', ['-c', GUARD], {
      cwd: '/',
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    guard.unref();
    if (guard.stdin instanceof Socket) guard.stdin.unref();
  }
  guard.stdin.write(`${line}\n`);
}

/** Has a process group killed if this process ends before {@link forgetGroup}. */
export function guardGroup(pgid: number): void {
  tell(`+ kill ${pgid}`);
}

export function forgetGroup(pgid: number): void {
  tell(`- kill ${pgid}`);
}

/** Has a cgroup, with those below it, removed if this process ends before {@link removeCgroup}. */
export function guardCgroup(path: string): void {
  tell(`+ rmdir ${path}`);
}

/** Removes a cgroup with those below it; its processes must have been killed. */
export async function removeCgroup(path: string): Promise<void> {
  // a killed process leaves its cgroup a moment later
  await eventually(() => removeBottomUp(path));
  tell(`- rmdir ${path}`);
}

async function removeBottomUp(path: string): Promise<void> {
  if (!existsSync(path)) return;
  for (const entry of await readdir(path, { withFileTypes: true })) {
    if (entry.isDirectory()) await removeBottomUp(join(path, entry.name));
  }
  await rmdir(path);
}

/** A new folder, its name begins with `prefix`; it is removed when disposed of, or when this process ends. */
export async function temporaryFolder(prefix: string): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(prefix);
  tell(`+ remove ${path}`);
  return {
    path,
    [Symbol.asyncDispose]: async () => {
      await rm(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
      tell(`- remove ${path}`);
    },
  };
}
