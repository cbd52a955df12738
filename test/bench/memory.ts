import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../cluster/eventually.ts';
import { SHARED, OWN_STORE, namespaces, values } from './fixture.ts';
import type { OperatorProcess } from './operator-process.ts';
import { forAll } from './pool.ts';
import { rss } from './processes.ts';
import type { Figure } from './report.ts';
import { requestsSince } from './request-counts.ts';
import { untilAtRest } from './rest.ts';
import type { Scene } from './scene.ts';

const ROTATIONS = 10;
/** The last ones of them, which must no longer grow. */
const LAST = 5;
const GOAL_BYTES = 2048;
const GOAL_RSS = 3;
/** The operator gives back what a burst took after two seconds without work. */
const REST_MS = 5_000;

/** All values change, again and again, under the operator that converged the models. */
export async function measureMemory(
  scene: Scene,
  operator: OperatorProcess,
  emptyHeap: number,
): Promise<readonly Figure[]> {
  const { count } = scene;
  await untilAtRest(operator, count);
  let most = rss(operator.pid);
  await delay(REST_MS);
  let atRest = rss(operator.pid);
  let underWay = most;
  const heaps = [await heapOf(operator)];
  for (let round = 1; round <= ROTATIONS; round++) {
    underWay = Math.max(underWay, await rotate(scene, operator, round));
    most = Math.max(most, rss(operator.pid));
    await delay(REST_MS);
    atRest = Math.max(atRest, rss(operator.pid));
    heaps.push(await heapOf(operator));
  }
  const bare = (await bareNodeRss()) / 2 ** 20;
  const last = heaps.slice(-LAST);
  const row = 'memory';
  return [
    {
      row,
      what: 'live heap for a model, after cold convergence',
      measured: ((heaps[0] ?? Number.NaN) - emptyHeap) / count,
      unit: 'bytes',
      reach: { atMost: GOAL_BYTES },
    },
    {
      row,
      what: `live heap for a model, after ${ROTATIONS} rotations of all`,
      measured: ((heaps.at(-1) ?? Number.NaN) - emptyHeap) / count,
      unit: 'bytes',
      reach: { atMost: GOAL_BYTES },
    },
    {
      row,
      what: 'most of it against least in the last 5 rotations',
      measured: Math.max(...last),
      yardstick: Math.min(...last),
      unit: 'bytes',
      reach: { atMost: 1.05 },
    },
    {
      row,
      what: 'RSS right after any of them, at most, against a bare node',
      measured: most / 2 ** 20,
      yardstick: bare,
      unit: 'MiB',
      reach: { atMost: GOAL_RSS },
    },
    {
      row,
      what: 'RSS while any of them is under way, at most',
      measured: underWay / 2 ** 20,
      yardstick: bare,
      unit: 'MiB',
    },
    {
      row,
      what: `RSS after any of them and ${REST_MS / 1000} s of rest, at most`,
      measured: atRest / 2 ** 20,
      yardstick: bare,
      unit: 'MiB',
      reach: { atMost: GOAL_RSS },
    },
    { row, what: 'empty operator, live heap', measured: emptyHeap / 2 ** 20, unit: 'MiB' },
  ];
}

async function heapOf(operator: OperatorProcess): Promise<number> {
  return (await operator.ask({ ask: 'heap' })).heap ?? Number.NaN;
}

/**
 * Changes every source, and waits until every delivered Secret was written at least once since. Resolves to the most resident
 * memory meanwhile.
 */
async function rotate({ cluster, count }: Scene, operator: OperatorProcess, round: number): Promise<number> {
  let most = 0;
  const since = await requestsSince(cluster);
  await forAll(namespaces(), async (namespace) => {
    const name = namespace === SHARED.namespace ? SHARED.secret : OWN_STORE;
    const all = values(namespace, round);
    const data = namespace === SHARED.namespace ? { [SHARED.key]: all[SHARED.key] } : all;
    await cluster.pool.send(
      'PATCH',
      `/api/v1/namespaces/${namespace}/secrets/${name}`,
      { data },
      'application/merge-patch+json',
    );
  });
  await eventually(
    async () => {
      most = Math.max(most, rss(operator.pid));
      const replaced = (await since())['PUT secrets'] ?? 0;
      if (replaced < count) throw new Error(`${replaced} of ${count} are replaced`);
    },
    { within: 600_000 },
  );
  await untilAtRest(operator);
  return most;
}

async function bareNodeRss(): Promise<number> {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e6); process.stdout.write("up")'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const ended = once(child, 'exit');
  await once(child.stdout, 'data');
  const bytes = rss(child.pid ?? 0);
  child.kill('SIGKILL');
  await ended;
  return bytes;
}
