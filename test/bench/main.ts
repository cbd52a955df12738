/**
 * npm run bench -- [--models N] [--rounds N] [--json FILE] [--bundle FOLDER]
 *
 * Measures the operator against a bare client on an API server of its own, and prints one table.
 * docs/performance.md says what the figures mean.
 */
import { parseArgs } from 'node:util';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { controlPlanePrograms, findSource } from '../cluster/open.ts';
import { temporaryFolder } from '../cluster/guard.ts';
import { makeBundle } from './bundle.ts';
import { measureCold } from './cold.ts';
import { type Figure, table, writeJson } from './report.ts';

const { values } = parseArgs({
  options: {
    models: { type: 'string', default: '2000' },
    rounds: { type: 'string', default: '5' },
    json: { type: 'string', default: 'bench.json' },
    bundle: { type: 'string' },
  },
});
const size = { models: Number(values.models), rounds: Number(values.rounds) };

const source = await findSource();
if (source.kind !== 'assets' && source.kind !== 'debian')
  throw new Error('needs a control plane of its own: see CONTRIBUTING.md');
await using files = await temporaryFolder(join(tmpdir(), 'truss-secrets-bench-'));
const folder = files.path;
const at = {
  programs: await controlPlanePrograms(source),
  bundle: await makeBundle(folder, values.bundle),
  folder,
};

const figures: Figure[] = [];
figures.push(...(await measureCold(at, size, async () => {})));
process.stdout.write(`${table(figures)}\n`);
await writeJson(values.json, size, figures);
