import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { codeOf } from './errors.ts';

export interface Folder {
  readonly path: string;
  /** False: on a disk, as there is no tmpfs here. */
  readonly inMemory: boolean;
  readonly remove: () => void;
}

/** `f_type` of tmpfs and ramfs: statfs(2). */
const MEMORY_FILE_SYSTEMS = new Set([0x0102_1994, 0x8584_58f6]);

/**
 * A folder like `/secrets` that only this user can enter (0700), in memory where there is a file system for
 * that. Everything is synchronous, so that no signal comes between its making and the duty to remove it.
 */
export function makeFolder(runtimeDir: string | undefined, files: ReadonlyMap<string, Uint8Array>): Folder {
  const { path, inMemory } = makeEmpty(runtimeDir);
  const remove = (): void => rmSync(path, { recursive: true, force: true });
  try {
    for (const [name, bytes] of files) writeFileSync(join(path, name), bytes, { mode: 0o400, flag: 'wx' });
  } catch (error) {
    remove();
    throw error;
  }
  return { path, inMemory, remove };
}

function makeEmpty(runtimeDir: string | undefined): { readonly path: string; readonly inMemory: boolean } {
  for (const parent of [runtimeDir, '/dev/shm']) {
    if (parent === undefined || parent === '') continue;
    try {
      if (!MEMORY_FILE_SYSTEMS.has(statfsSync(parent).type)) continue;
      return { path: makeIn(parent), inMemory: true };
    } catch (error) {
      // Not there, or not ours to write in: the next one.
      if (codeOf(error) === undefined) throw error;
    }
  }
  return { path: makeIn(tmpdir()), inMemory: false };
}

const makeIn = (parent: string): string => mkdtempSync(join(parent, 'truss-secrets-'));
