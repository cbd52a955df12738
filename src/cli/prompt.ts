import { createInterface } from 'node:readline/promises';
import { CommandError } from './errors.ts';
import type { Io } from './io.ts';

const CANCELLED = 'cancelled: nothing was changed';
/** What a shell reports for a program that Ctrl-C ended: 128 + SIGINT. */
const INTERRUPTED = 130;

const ENTER = new Set([0x0a, 0x0d]);
const CTRL_C = 0x03;
const CTRL_D = 0x04;
const CTRL_U = 0x15;
const BACKSPACE = new Set([0x08, 0x7f]);

const cancelled = (): CommandError => new CommandError(CANCELLED, { exitCode: INTERRUPTED });

/**
 * Asks for one line on the terminal without showing it. A paste of several lines is refused: the terminal
 * would take the first one for the whole value.
 */
export async function askHidden(io: Io, question: string): Promise<Uint8Array> {
  const { stdin, stderr } = io;
  stdin.setRawMode(true);
  stderr.write(question);
  try {
    const line: number[] = [];
    for await (const chunk of stdin.iterator({ destroyOnReturn: false })) {
      if (take(line, chunk) === 'complete') return Uint8Array.from(line);
    }
    throw cancelled();
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
    stderr.write('\n');
  }
}

/** Edits the line by what was typed. */
function take(line: number[], typed: Uint8Array): 'complete' | 'more' {
  for (const [index, byte] of typed.entries()) {
    if (byte === CTRL_C || (byte === CTRL_D && line.length === 0)) throw cancelled();
    if (ENTER.has(byte)) {
      if (index + 1 < typed.length) {
        throw new CommandError(
          'the prompt takes one line only: give a value of several lines with --from-file or on stdin',
        );
      }
      return 'complete';
    }
    if (byte === CTRL_D) return 'complete';
    if (BACKSPACE.has(byte)) removeLast(line);
    else if (byte === CTRL_U) line.length = 0;
    else line.push(byte);
  }
  return 'more';
}

/** One character, which in UTF-8 is a first byte and its continuation bytes. */
function removeLast(line: number[]): void {
  while ((line.at(-1) ?? 0) >> 6 === 0b10) line.pop();
  line.pop();
}

/** Asks a yes-or-no question on the terminal; anything but yes is no. */
export async function confirm(io: Io, question: string): Promise<boolean> {
  const prompt = createInterface({ input: io.stdin });
  const ended = new Promise<string>((resolve) => {
    prompt.once('close', () => resolve(''));
  });
  io.stderr.write(`${question} [y/N] `);
  try {
    const answer = await Promise.race([prompt.question(''), ended]);
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    prompt.close();
    io.stdin.pause();
  }
}
