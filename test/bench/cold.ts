import { setTimeout as delay } from 'node:timers/promises';
import type { Programs } from '../cluster/command-lines.ts';
import type { RequestCounts } from '../cluster/requests.ts';
import { type BareProcess, startBare } from './bare-process.ts';
import { type BenchCluster, startBenchCluster } from './bench-cluster.ts';
import type { Bundle } from './bundle.ts';
import { loadModels, models } from './fixture.ts';
import { COLLECTIONS, type Listed, listAll } from './lists.ts';
import { type OperatorProcess, startOperator } from './operator-process.ts';
import type { BarePool } from './pool.ts';
import { cpuMs } from './processes.ts';
import { type Figure, median, sayRound } from './report.ts';
import { eventWrites, requestsSince, singleReads, writes } from './request-counts.ts';
import { untilAtRest } from './rest.ts';
import type { Scene } from './scene.ts';
import { captureTemplates, type Templates } from './templates.ts';

const LOOK_AGAIN_MS = 25;
/** No model more in so long: something is wrong. */
const STUCK_MS = 60_000;

/** From the start of the process until the last model had its Secret, pod template, status and event. */
interface Convergence {
  readonly seconds: number;
  /** CPU time for one model, in milliseconds. */
  readonly clientCpu: number;
  readonly serverCpu: number;
}

interface OperatorConvergence extends Convergence {
  readonly requests: RequestCounts;
  /** Of live heap. */
  readonly bytesPerModel: number;
}

export interface Converged {
  readonly scene: Scene;
  readonly operator: OperatorProcess;
  /** Live heap of an operator that had nothing to do, in bytes. */
  readonly emptyHeap: number;
}

export interface Setting {
  readonly programs: Programs;
  readonly bundle: Bundle;
  /** For files of this run. */
  readonly folder: string;
}

export interface ColdResult {
  readonly figures: readonly Figure[];
  /** Of the operator, relative to the yardstick. */
  readonly rate: number;
  readonly bytesPerModel: number;
}

/**
 * Operator and yardstick in turn, each on a fresh API server. The last cluster that the operator brought to rest is
 * handed on to `afterwards`.
 */
export async function measureCold(
  setting: Setting,
  size: { readonly models: number; readonly rounds: number },
  afterwards: (converged: Converged) => Promise<void> = async () => {},
): Promise<ColdResult> {
  const operators: OperatorConvergence[] = [];
  const bares: Convergence[] = [];
  let templates: Templates | undefined;
  for (let round = 1; round <= size.rounds; round++) {
    await withOperator(setting, size.models, async (converged, result) => {
      operators.push(result);
      templates ??= await captureTemplates(converged.scene.cluster.pool);
      if (round === size.rounds) await afterwards(converged);
    });
    if (templates) bares.push(await withBare(setting.programs, size.models, templates));
    const seconds = (some: readonly Convergence[]): readonly number[] =>
      some.map(({ seconds: took }) => took);
    sayRound(`cold, ${size.models}`, { 'operator (s)': seconds(operators), 'yardstick (s)': seconds(bares) });
  }
  const of = <T>(some: readonly T[], read: (one: T) => number): number => median(some.map(read));
  return {
    figures: figures(size.models, operators, bares),
    rate: of(bares, ({ seconds }) => seconds) / of(operators, ({ seconds }) => seconds),
    bytesPerModel: of(operators, ({ bytesPerModel }) => bytesPerModel),
  };
}

async function withOperator(
  { programs, bundle, folder }: Setting,
  count: number,
  use: (converged: Converged, result: OperatorConvergence) => Promise<void>,
): Promise<void> {
  await using cluster = await startBenchCluster(programs);
  const emptyHeap = await heapOfEmpty(bundle, cluster, folder);
  await loadModels(cluster.pool, models(count));
  await cluster.quiet();
  const serverBefore = cluster.serverCpuMs();
  const since = await requestsSince(cluster);
  const operator = await startOperator(bundle, cluster.operator, folder);
  try {
    const measured = await convergence(cluster, operator, count, serverBefore);
    await untilAtRest(operator, count);
    const requests = await since();
    await verify(cluster.pool, count);
    const { heap = Number.NaN } = await operator.ask({ ask: 'heap' });
    const bytesPerModel = (heap - emptyHeap) / count;
    await use(
      { scene: { cluster, bundle, folder, count }, operator, emptyHeap },
      { ...measured, requests, bytesPerModel },
    );
  } catch (error) {
    throw new Error(`the operator said last:\n${operator.output().slice(-4000)}`, { cause: error });
  } finally {
    await operator.stop();
  }
}

async function withBare(programs: Programs, count: number, templates: Templates): Promise<Convergence> {
  await using cluster = await startBenchCluster(programs);
  await loadModels(cluster.pool, models(count));
  await cluster.quiet();
  const serverBefore = cluster.serverCpuMs();
  const bare = startBare(cluster.bare, { kind: 'converge', models: count, templates });
  try {
    const result = await convergence(cluster, bare, count, serverBefore);
    await verify(cluster.pool, count);
    return result;
  } finally {
    await bare.stop();
  }
}

async function heapOfEmpty(bundle: Bundle, cluster: BenchCluster, folder: string): Promise<number> {
  const operator = await startOperator(bundle, cluster.operator, folder);
  try {
    await operator.said('caches are synced');
    const { heap } = await operator.ask({ ask: 'heap' });
    return heap ?? Number.NaN;
  } finally {
    await operator.stop();
  }
}

/** Waits for the last event, which comes last for each model: to count events is the cheapest question there is. */
async function convergence(
  cluster: BenchCluster,
  worker: OperatorProcess | BareProcess,
  count: number,
  serverBefore: number,
): Promise<Convergence> {
  let done = 0;
  for (let stuckAt = performance.now() + STUCK_MS; done < count; await delay(LOOK_AGAIN_MS)) {
    const now = await countEvents(cluster.pool);
    if (now > done) stuckAt = performance.now() + STUCK_MS;
    done = now;
    if (!worker.running() || performance.now() > stuckAt)
      throw new Error(`${done} of ${count} models are converged, and no more will be`);
  }
  return {
    seconds: (performance.now() - worker.startedAt) / 1000,
    clientCpu: cpuMs(worker.pid) / count,
    serverCpu: (cluster.serverCpuMs() - serverBefore) / count,
  };
}

async function countEvents(pool: BarePool): Promise<number> {
  const { items, metadata } = await pool.get<{
    readonly items: readonly unknown[];
    readonly metadata: { readonly remainingItemCount?: number };
  }>('/api/v1/events?limit=1');
  return items.length + (metadata.remainingItemCount ?? 0);
}

/** Throws unless every model is Ready, has its Secret, and its Deployment has the volume. */
async function verify(pool: BarePool, count: number): Promise<void> {
  const [{ items: all }, { items: secrets }, { items: deployments }] = await Promise.all([
    listAll(pool, COLLECTIONS.models),
    listAll(pool, COLLECTIONS.delivered),
    listAll(pool, COLLECTIONS.deployments),
  ]);
  const holds = (field: 'spec' | 'status', text: string) => (object: Listed) =>
    JSON.stringify(object[field] ?? {}).includes(text);
  const found = {
    ready: all.filter(holds('status', '"summary":"5/5"')).length,
    delivered: secrets.length,
    injected: deployments.filter(holds('spec', '"mountPath":"/secrets"')).length,
  };
  for (const [what, number] of Object.entries(found)) {
    if (number !== count) throw new Error(`${number} of ${count} models are ${what}`);
  }
}

function figures(
  count: number,
  operators: readonly OperatorConvergence[],
  bares: readonly Convergence[],
): readonly Figure[] {
  const row = `cold, ${count}`;
  const of = <T>(some: readonly T[], read: (one: T) => number): number => median(some.map(read));
  const perModel = (number: (counts: RequestCounts) => number): number =>
    of(operators, ({ requests }) => number(requests) / count);
  const compared = (what: string, read: (one: Convergence) => number): Figure => ({
    row,
    what,
    measured: of(operators, read),
    yardstick: of(bares, read),
    unit: 'ms',
  });
  return [
    {
      row,
      what: 'rate',
      measured: count / of(operators, ({ seconds }) => seconds),
      yardstick: count / of(bares, ({ seconds }) => seconds),
      unit: '/s',
      reach: { atLeast: 0.85 },
    },
    compared('CPU of client and servers for a model', ({ clientCpu, serverCpu }) => clientCpu + serverCpu),
    compared('of that the client', ({ clientCpu }) => clientCpu),
    { row, what: 'writes for a model', measured: perModel(writes), unit: '', reach: { atMost: 3 } },
    { row, what: 'events for a model', measured: perModel(eventWrites), unit: '', reach: { atMost: 1 } },
    {
      row,
      what: 'single reads for a model',
      measured: perModel(singleReads),
      unit: '',
      reach: { atMost: 0 },
    },
  ];
}
