const started = performance.now();

/** One line a step on standard error, with the seconds since this process began. */
export function say(text: string): void {
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  process.stderr.write(`[cluster ${seconds.padStart(6)}s] ${text}\n`);
}

/** Repeats what `text` returns every 10 seconds while `work` runs, so that nobody takes a long step for a hung one. */
export async function withHeartbeat<T>(text: () => string, work: () => Promise<T>): Promise<T> {
  const heartbeat = setInterval(() => say(text()), 10_000);
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
  }
}
