import type { Io } from './io.ts';

export const READING = 'Reading the store';
export const WRITING = 'Writing to the store';

const SHOWN_AFTER_MS = 500;
const CLEAR_LINE = '\r\u001B[K';

/** Says on a terminal what takes long, on one line that goes away at the end. Quick work shows nothing. */
export async function withProgress<T>(
  io: Io,
  text: string,
  work: (update: (text: string) => void) => Promise<T>,
): Promise<T> {
  if (!io.stderr.isTerminal) return work(() => {});
  let current = text;
  let shown = false;
  const show = (): void => {
    shown = true;
    io.stderr.write(`${CLEAR_LINE}${current} ...`);
  };
  const timer = setTimeout(show, SHOWN_AFTER_MS);
  try {
    return await work((next) => {
      current = next;
      if (shown) show();
    });
  } finally {
    clearTimeout(timer);
    if (shown) io.stderr.write(CLEAR_LINE);
  }
}
