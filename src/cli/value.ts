import { open } from 'node:fs/promises';
import { SecretValue } from '../api/secret-value.ts';
import { codeOf, CommandError, UsageError } from './errors.ts';
import { type Io, warn } from './io.ts';
import type { Options } from './options.ts';
import { askHidden } from './prompt.ts';

/** All the data of a Secret together, and so any value; the API server refuses more. */
export const MAX_SECRET_BYTES = 1_048_576;

export const valueOptions = {
  'from-file': { type: 'string', value: 'FILE', help: 'read the value from a file, as it is' },
  value: { type: 'string', value: 'VALUE', help: "the value itself; it stays in the shell's history" },
  trim: { type: 'boolean', help: 'strip line ends at the end of the value' },
} as const satisfies Options;

interface ValueArgs {
  readonly 'from-file'?: string | undefined;
  readonly value?: string | undefined;
  readonly trim?: boolean | undefined;
}

/** The value from where the user wants it: an option, a file, stdin, or a hidden prompt when stdin is a terminal. */
export async function readValue(io: Io, name: string, args: ValueArgs): Promise<SecretValue> {
  const given = await readBytes(io, name, args);
  const bytes = args.trim ? trimmed(given) : given;
  if (bytes.length === 0) {
    throw new CommandError(
      `the value of ${name} is empty, and Truss takes an empty secret for none: to take it away, use delete`,
    );
  }
  if (bytes.at(-1) === 0x0a) {
    warn(io, `the value of ${name} ends in a newline, and Truss keeps it; --trim strips it`);
  }
  return new SecretValue(Buffer.from(bytes).toString('base64'));
}

async function readBytes(io: Io, name: string, args: ValueArgs): Promise<Uint8Array> {
  const { value, 'from-file': file } = args;
  if (value !== undefined && file !== undefined)
    throw new UsageError('give --value or --from-file, not both');
  if (value !== undefined) {
    warn(
      io,
      "--value shows the secret in the shell's history and in the list of processes; stdin, --from-file or the prompt do not",
    );
    return checked(Buffer.from(value), name);
  }
  if (file !== undefined && file !== '-') return readFile(file, name);
  if (io.stdin.isTTY && file === undefined) return askHidden(io, `Value of ${name}: `);
  return collect(io.stdin, name);
}

async function readFile(path: string, name: string): Promise<Uint8Array> {
  try {
    await using handle = await open(path);
    return await collect(handle.createReadStream(), name);
  } catch (error) {
    const code = codeOf(error);
    if (code === undefined) throw error;
    throw new CommandError(`${path} can't be read (${code}): check --from-file`, { cause: error });
  }
}

async function collect(stream: AsyncIterable<Uint8Array>, name: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.length;
    if (size > MAX_SECRET_BYTES) throw tooLarge(name);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function checked(bytes: Uint8Array, name: string): Uint8Array {
  if (bytes.length > MAX_SECRET_BYTES) throw tooLarge(name);
  return bytes;
}

const tooLarge = (name: string): CommandError =>
  new CommandError(
    `the value of ${name} is larger than 1 MiB, which is all that a Secret holds: keep it in a volume or an object store, and only its credentials here`,
  );

function trimmed(bytes: Uint8Array): Uint8Array {
  let end = bytes.length;
  while (bytes[end - 1] === 0x0a || bytes[end - 1] === 0x0d) end -= 1;
  return bytes.subarray(0, end);
}
