import type { BarePool } from './pool.ts';

/** Calls back with each event of a watch, as the text that came: whoever counts only need not parse. */
export async function observe(
  pool: BarePool,
  collection: string,
  onEvent: (line: string) => void,
): Promise<void> {
  const { metadata } = await pool.get<{ readonly metadata: { readonly resourceVersion: string } }>(
    `${collection}limit=1`,
  );
  let rest = '';
  await pool.stream(`${collection}watch=1&resourceVersion=${metadata.resourceVersion}`, (chunk) => {
    const lines = `${rest}${chunk.toString('latin1')}`.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onEvent(line);
  });
}

const WITHIN_MS = 120_000;

/** Waits for events of a watch that hold some words. */
export class Awaited {
  readonly #waiting = new Set<{
    readonly words: readonly string[];
    left: number;
    readonly resolve: (at: number) => void;
  }>();

  readonly hear = (line: string): void => {
    for (const wait of this.#waiting) {
      if (!wait.words.every((word) => line.includes(word))) continue;
      wait.left -= 1;
      if (wait.left > 0) continue;
      this.#waiting.delete(wait);
      wait.resolve(performance.now());
    }
  };

  /** Resolves to the time of the last of so many events that hold all the words. */
  async for(words: readonly string[], times = 1): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const wait = { words, left: times, resolve };
    this.#waiting.add(wait);
    const timer = setTimeout(
      () => reject(new Error(`${wait.left} of ${times} events with ${words.join(' and ')} did not come`)),
      WITHIN_MS,
    );
    return await promise.finally(() => clearTimeout(timer));
  }
}
