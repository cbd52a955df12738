import { setTimeout as delay } from 'node:timers/promises';

const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 250;

/**
 * Calls `check` until it returns without throwing, and gives what it returned. After `within` milliseconds it throws
 * the last failure: an assertion in `check` says what did not come true.
 */
export async function eventually<T>(
  check: () => T | Promise<T>,
  { within = 10_000 }: { readonly within?: number } = {},
): Promise<T> {
  const deadline = Date.now() + within;
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 1.5, LONGEST_PAUSE_MS)) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() + pause > deadline) {
        const reason = error instanceof Error ? error.message : String(error);
        throw new Error(`Not within ${within} ms: ${reason}`, { cause: error });
      }
    }
    await delay(pause);
  }
}
