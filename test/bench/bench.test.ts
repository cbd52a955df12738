import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../cluster/process.ts';

const MAIN = join(import.meta.dirname, 'main.ts');
const ROWS = ['cold'];

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'truss-secrets-bench-test-'));
});
afterAll(async () => await rm(folder, { recursive: true, force: true }));

describe('the benchmark', () => {
  it('measures every row of its table on a small number of models', async () => {
    const json = join(folder, 'bench.json');
    const output = await run(process.execPath, [MAIN, '--models', '200', '--rounds', '1', '--json', json]);
    const { figures } = JSON.parse(await readFile(json, 'utf8'));
    for (const row of ROWS) {
      expect(output).toContain(row);
      const measured = figures.flatMap((figure: { row: string; measured: number | null }) =>
        figure.row === row ? [figure.measured] : [],
      );
      expect(measured).not.toEqual([]);
      expect(measured).not.toContain(null);
    }
  });
});
