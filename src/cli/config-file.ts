import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { codeOf, CommandError, UsageError } from './errors.ts';
import type { Io } from './io.ts';
import type { Options } from './options.ts';

export const fileOption = {
  file: { type: 'string', short: 'f', value: 'FILE', help: 'the config.yaml of the Truss; - for stdin' },
} as const satisfies Options;

interface ConfigFile {
  /** As the user named it, for messages. */
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** @throws UsageError, CommandError */
export async function readConfigFile(io: Io, path: string | undefined): Promise<ConfigFile> {
  if (path === undefined) throw new UsageError('-f FILE is missing: the config.yaml of the Truss');
  if (path === '-') return { path: '<stdin>', bytes: await buffer(io.stdin) };
  try {
    return { path, bytes: await readFile(path) };
  } catch (error) {
    const code = codeOf(error);
    if (code === undefined) throw error;
    const hint = code === 'EISDIR' ? `it is a folder; did you mean ${path}/config.yaml?` : code;
    throw new CommandError(`${path} can't be read (${hint})`, { cause: error });
  }
}
