import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../cluster/process.ts';
import { NoCluster } from '../cluster/source.ts';
import { ownSource } from './source.ts';

const MAIN = join(import.meta.dirname, 'main.ts');
const ROWS = [
  'cold, 200',
  'cold, 20',
  'restart',
  'one change',
  'fan-out',
  'idle',
  'memory',
  'event storm',
  'growth',
  'start',
];
/** A harness is tested here, no speed. */
const SMALL = ['--models', '200', '--rounds', '1', '--idle', '5', '--events', '1000'];

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'truss-secrets-bench-test-'));
});
afterAll(async () => await rm(folder, { recursive: true, force: true }));

function canRun(): boolean {
  try {
    ownSource();
    return true;
  } catch (error) {
    if (error instanceof NoCluster) return false;
    throw error;
  }
}

describe('the benchmark', () => {
  it('measures every row of its table on a small number of models', async (context) => {
    context.skip(!canRun(), 'there is no control plane that this could start');
    const json = join(folder, 'bench.json');
    const output = await run(process.execPath, [MAIN, ...SMALL, '--json', json]);
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
