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
import { type Figure, median } from './report.ts';
import { captureTemplates, type Templates } from './templates.ts';

const LOOK_AGAIN_MS = 25;

/** From the start of the process until the last model had its Secret, pod template, status and event. */
interface Convergence {
  readonly seconds: number;
  /** CPU time for one model, in milliseconds. */
  readonly clientCpu: number;
  readonly serverCpu: number;
}

interface OperatorConvergence extends Convergence {
  /** By `VERB resource`, for one model. */
  readonly requests: RequestCounts;
}

/** A cluster on which a running operator has brought all models to where they should be. */
export interface Converged {
  readonly cluster: BenchCluster;
  readonly operator: OperatorProcess;
  /** Bytes in use by an operator that had nothing to do. */
  readonly emptyHeap: number;
}

/**
 * Operator and yardstick in turn, each on a fresh API server. The last one that the operator brought to rest is handed
 * on to `afterwards`.
 */
export async function measureCold(
  at: { readonly programs: Programs; readonly bundle: Bundle; readonly folder: string },
  size: { readonly models: number; readonly rounds: number },
  afterwards: (converged: Converged) => Promise<void>,
): Promise<readonly Figure[]> {
  const operators: OperatorConvergence[] = [];
  const bares: Convergence[] = [];
  let templates: Templates | undefined;
  for (let round = 1; round <= size.rounds; round++) {
    await withOperator(at, size.models, async (converged, result) => {
      operators.push(result);
      templates ??= await captureTemplates(converged.cluster.pool);
      if (round === size.rounds) await afterwards(converged);
    });
    if (templates === undefined) throw new Error('unreachable');
    bares.push(await withBare(at.programs, size.models, templates));
  }
  return figures(size.models, operators, bares);
}

async function withOperator(
  {
    programs,
    bundle,
    folder,
  }: { readonly programs: Programs; readonly bundle: Bundle; readonly folder: string },
  count: number,
  use: (converged: Converged, result: OperatorConvergence) => Promise<void>,
): Promise<void> {
  await using cluster = await startBenchCluster(programs);
  const emptyHeap = await heapOfEmpty(bundle, cluster, folder);
  await loadModels(cluster.pool, models(count));
  await cluster.quiet();
  const cpuBefore = cluster.serverCpuMs();
  const before = await cluster.requests();
  const operator = await startOperator(bundle, cluster.operator, folder);
  try {
    const measured = await convergence(cluster, operator, count, cpuBefore);
    const requests = perModel(before, await cluster.requests(), count);
    await verify(cluster.pool, count);
    await use({ cluster, operator, emptyHeap }, { ...measured, requests });
  } catch (error) {
    throw new Error(`the operator said:\n${operator.output().slice(-4000)}`, { cause: error });
  } finally {
    await operator.stop();
  }
}

async function withBare(programs: Programs, count: number, templates: Templates): Promise<Convergence> {
  await using cluster = await startBenchCluster(programs);
  await loadModels(cluster.pool, models(count));
  await cluster.quiet();
  const cpuBefore = cluster.serverCpuMs();
  const bare = startBare(cluster.bare, { kind: 'converge', models: count, templates });
  try {
    const result = await convergence(cluster, bare, count, cpuBefore);
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
  serverCpuBefore: number,
): Promise<Convergence> {
  while ((await countEvents(cluster.pool)) < count) {
    if (!worker.running()) throw new Error('it ended before the models were converged');
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
  }
  return {
    seconds: (performance.now() - worker.startedAt) / 1000,
    clientCpu: cpuMs(worker.pid) / count,
    serverCpu: (cluster.serverCpuMs() - serverCpuBefore) / count,
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

/** What the controllers ask for on their own at such a time is left out by the kinds that count. */
const COUNTED =
  /(secrets|deployments|modeldeployments|modeldeployments\/status|events|configmaps|namespaces|modeltrusts)$/;
const WRITE = /^(POST|PUT|PATCH|APPLY|DELETE) /;

export function perModel(before: RequestCounts, now: RequestCounts, count: number): RequestCounts {
  return Object.fromEntries(
    Object.entries(now)
      .map(([key, total]) => [key, (total - (before[key] ?? 0)) / count] as const)
      .filter(([key, number]) => number > 0 && COUNTED.test(key)),
  );
}

const sumOf = (counts: RequestCounts, belongs: (key: string) => boolean): number =>
  Object.entries(counts).reduce((sum, [key, number]) => (belongs(key) ? sum + number : sum), 0);

function figures(
  count: number,
  operators: readonly OperatorConvergence[],
  bares: readonly Convergence[],
): readonly Figure[] {
  const row = 'cold';
  const of = <T>(some: readonly T[], read: (one: T) => number): number => median(some.map(read));
  const isEvent = (key: string): boolean => key.endsWith(' events');
  const requests = (belongs: (key: string) => boolean): number =>
    of(operators, (one) => sumOf(one.requests, belongs));
  const cpu = (one: Convergence): number => one.clientCpu + one.serverCpu;
  return [
    {
      row,
      what: `${count} models, rate`,
      measured: count / of(operators, ({ seconds }) => seconds),
      yardstick: count / of(bares, ({ seconds }) => seconds),
      unit: '/s',
      reach: { atLeast: 0.85 },
    },
    {
      row,
      what: 'CPU time of client, API server and etcd for a model',
      measured: of(operators, cpu),
      yardstick: of(bares, cpu),
      unit: 'ms',
    },
    {
      row,
      what: 'of that the client',
      measured: of(operators, ({ clientCpu }) => clientCpu),
      yardstick: of(bares, ({ clientCpu }) => clientCpu),
      unit: 'ms',
    },
    {
      row,
      what: 'writes for a model',
      measured: requests((key) => WRITE.test(key) && !isEvent(key)),
      unit: '',
      reach: { atMost: 3 },
    },
    {
      row,
      what: 'events for a model',
      measured: requests((key) => WRITE.test(key) && isEvent(key)),
      unit: '',
      reach: { atMost: 1 },
    },
    {
      row,
      what: 'single reads for a model',
      measured: requests((key) => key.startsWith('GET ')),
      unit: '',
      reach: { atMost: 0 },
    },
  ];
}
