import { createReadStream } from 'node:fs';
import { MAX_CONFIG_SIZE } from '../truss/decode.ts';
import { codeOf, CommandError, UsageError } from './errors.ts';
import type { Io } from './io.ts';
import type { Options } from './options.ts';

const STDIN = '-';

/** `--filename`, as kubectl has it. */
export const fileOption = {
  filename: { type: 'string', short: 'f', value: 'FILE', help: "the config.yaml; '-' for stdin" },
} as const satisfies Options;

interface ConfigFile {
  /** As the user named it, for messages. */
  readonly file: string;
  /** At most one byte more than a config may have, so that a huge file is refused and not read. */
  readonly bytes: Uint8Array;
}

/** @throws UsageError, CommandError */
export async function readConfigFile(io: Io, file: string | undefined): Promise<ConfigFile> {
  if (file === undefined) throw new UsageError('no file given: -f FILE');
  const stream: AsyncIterable<Uint8Array> =
    file === STDIN ? io.stdin : createReadStream(file, { end: MAX_CONFIG_SIZE });
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of stream) {
      chunks.push(chunk);
      length += chunk.length;
      if (length > MAX_CONFIG_SIZE) break;
    }
  } catch (error) {
    const code = codeOf(error);
    if (code === undefined) throw error;
    const hint =
      code === 'EISDIR'
        ? `is a folder: did you mean ${file}/config.yaml?`
        : `can't be read: ${code}. Check -f.`;
    throw new CommandError(`${file} ${hint}`, { cause: error });
  }
  return { file, bytes: Buffer.concat(chunks) };
}
