/**
 * npm run bench -- [--models N] [--rounds N] [--idle SECONDS] [--events N] [--json FILE] [--bundle FOLDER] [--only ROW,...]
 *
 * Measures the operator against a bare client on an API server of its own, and prints one table.
 * docs/performance.md says what the figures mean.
 */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { temporaryFolder } from '../cluster/guard.ts';
import { controlPlanePrograms } from '../cluster/open.ts';
import { makeBundle } from './bundle.ts';
import { measureChange } from './change.ts';
import { type Converged, measureCold, type Setting } from './cold.ts';
import { measureFanOut } from './fan-out.ts';
import { measureIdle } from './idle.ts';
import { measureMemory } from './memory.ts';
import { type Figure, table, writeJson } from './report.ts';
import { measureRestart } from './restart.ts';
import { loadSingles } from './single.ts';
import { ownSource } from './source.ts';
import { measureStart } from './start.ts';
import { measureStorm } from './storm.ts';

const { values } = parseArgs({
  options: {
    models: { type: 'string', default: '2000' },
    rounds: { type: 'string', default: '5' },
    idle: { type: 'string', default: '120' },
    events: { type: 'string', default: '50000' },
    json: { type: 'string', default: 'bench.json' },
    bundle: { type: 'string' },
    only: { type: 'string' },
  },
});
const parameters = {
  models: Number(values.models),
  rounds: Number(values.rounds),
  idle: Number(values.idle),
  events: Number(values.events),
};
const wanted = (row: string): boolean => values.only === undefined || values.only.split(',').includes(row);

const figures: Figure[] = [];
const measure = async (row: string, measured: () => Promise<readonly Figure[]>): Promise<void> => {
  if (!wanted(row)) return;
  process.stderr.write(`measuring: ${row}\n`);
  const found = await measured();
  figures.push(...found);
  // a run takes an hour, and may be cut off
  process.stderr.write(`${table(found)}\n`);
};

await using files = await temporaryFolder(join(tmpdir(), 'truss-secrets-bench-'));
const setting: Setting = {
  programs: await controlPlanePrograms(ownSource()),
  bundle: await makeBundle(files.path, values.bundle),
  folder: files.path,
};

/** A tenth of the models, for how it grows. */
const small = wanted('growth')
  ? await measureCold(setting, { ...parameters, models: Math.ceil(parameters.models / 10) })
  : undefined;
const cold = await measureCold(setting, parameters, afterwards);
figures.unshift(...(small?.figures ?? []), ...cold.figures);
if (small) figures.push(...growth(small, cold));
process.stdout.write(`${table(figures)}\n`);
await writeJson(values.json, parameters, figures);

async function afterwards({ scene, operator, emptyHeap }: Converged): Promise<void> {
  const { rounds, idle, events } = parameters;
  await measure('memory', () => measureMemory(scene, operator, emptyHeap));
  await operator.stop();
  await measure('restart', () => measureRestart(scene, rounds));
  await measure('idle', () => measureIdle(scene, idle));
  await measure('start', () => measureStart(setting.bundle, scene.cluster, files.path));
  await measure('event storm', () => measureStorm(scene, events));
  await loadSingles(scene.cluster.pool);
  await measure('one change', () => measureChange(scene));
  await measure('fan-out', () => measureFanOut(scene, rounds));
}

function growth(few: typeof cold, many: typeof cold): readonly Figure[] {
  const row = 'growth';
  return [
    {
      row,
      what: 'rate, relative to bare, with a tenth of the models',
      measured: few.rate,
      yardstick: many.rate,
      unit: '',
      reach: { atMost: 1.2 },
    },
    {
      row,
      what: 'live heap for a model, against a tenth of the models',
      measured: many.bytesPerModel,
      yardstick: few.bytesPerModel,
      unit: 'bytes',
      reach: { atMost: 1.2 },
    },
  ];
}
