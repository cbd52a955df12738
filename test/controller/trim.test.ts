import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { trimAtRest } from '../../src/controller/trim.ts';

const ROOT = join(import.meta.dirname, '../..');
const MIB = 2 ** 20;
const REST_MS = 2_000;

/** A heap whose space for new objects is so large until it is collected. */
function heap(newSpaceBytes: number) {
  return {
    collections: 0,
    newSpaceBytes: () => newSpaceBytes,
    collect() {
      this.collections += 1;
    },
  };
}

describe('the memory that a burst of work took', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['performance', 'setTimeout'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test('is given back once, two seconds after the last work', () => {
    const grown = heap(32 * MIB);
    const worked = trimAtRest(grown);
    for (let times = 0; times < 10; times += 1) {
      worked(false);
      vi.advanceTimersByTime(REST_MS - 1);
      expect(grown.collections).toBe(0);
    }
    vi.advanceTimersByTime(1);
    expect(grown.collections).toBe(1);
    vi.advanceTimersByTime(60 * REST_MS);
    expect(grown.collections).toBe(1);
    worked(false);
    vi.advanceTimersByTime(REST_MS);
    expect(grown.collections).toBe(2);
  });

  test('is given back at once when all of it is done, but not again within ten seconds', () => {
    const grown = heap(32 * MIB);
    const worked = trimAtRest(grown);
    worked(false);
    expect(grown.collections).toBe(0);
    worked(true);
    expect(grown.collections).toBe(1);
    for (let second = 1; second < 10; second += 1) {
      vi.advanceTimersByTime(1_000);
      worked(true);
      expect(grown.collections).toBe(1);
    }
    vi.advanceTimersByTime(1_000);
    worked(true);
    expect(grown.collections).toBe(2);
  });

  test('is left alone where it is not worth a pause', () => {
    const small = heap(MIB);
    trimAtRest(small)(true);
    vi.advanceTimersByTime(60 * REST_MS);
    expect(small.collections).toBe(0);
  });

  test('goes back to the system, as Node runs in the image', async () => {
    const trim = join(ROOT, 'src/controller/trim.ts');
    const script = `
      import { processHeap } from ${JSON.stringify(trim)};
      const heap = processHeap();
      const kept = [];
      for (let i = 0; i < 1e6; i++) { kept.push({ i }); if (kept.length > 3e5) kept.length = 0; }
      const before = heap.newSpaceBytes();
      const used = process.memoryUsage.rss();
      heap.collect();
      console.log(JSON.stringify({ before, after: heap.newSpaceBytes(), given: used - process.memoryUsage.rss() }));
    `;
    const entrypoint = /^ENTRYPOINT (.*)$/m.exec(readFileSync(join(ROOT, 'Dockerfile'), 'utf8'))?.[1] ?? '[]';
    const flags: readonly string[] = JSON.parse(entrypoint).slice(1, -1);
    const line = [...flags, '--input-type=module', '--eval', script];
    const { stdout } = await promisify(execFile)(process.execPath, line);
    const { before, after, given } = JSON.parse(stdout);
    expect(before).toBeGreaterThanOrEqual(8 * MIB);
    expect(after).toBeLessThan(8 * MIB);
    expect(given).toBeGreaterThan(8 * MIB);
  });
});
