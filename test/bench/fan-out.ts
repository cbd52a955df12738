import { setTimeout as delay } from 'node:timers/promises';
import { startBare } from './bare-process.ts';
import { base64, isShared, MODELS, models, SHARED } from './fixture.ts';
import { COLLECTIONS } from './lists.ts';
import { Awaited, observe } from './observe.ts';
import { cpuMs } from './processes.ts';
import { type Figure, median, percentile, sayRound } from './report.ts';
import { withRestingOperator } from './rest.ts';
import type { Scene } from './scene.ts';
import { SINGLE_NAMESPACE, type Single, singles } from './single.ts';

/** Between two edits. */
const PAUSE_MS = 25;
/**
 * In a round, and taken together: into some of them falls a garbage collection of the API server, which takes seconds, and
 * into others none.
 */
const FAN_OUTS = 6;
/** Makes the API server collect its garbage now, so that as many collections fall into the fan-outs of either. */
const COLLECT = '/debug/pprof/heap?gc=1';

/** What the fan-outs of a round came to; CPU time in milliseconds for a copy. */
interface Round {
  /** Copies in a second. */
  readonly rate: number;
  readonly clientCpu: number;
  readonly serverCpu: number;
}

/** One source that half of all models use changes; and meanwhile somebody edits other models. */
export async function measureFanOut(scene: Scene, rounds: number): Promise<readonly Figure[]> {
  const { cluster, count } = scene;
  const { pool } = cluster;
  const users = models(count).filter(isShared).length;
  const copies = new Awaited();
  await observe(pool, COLLECTIONS.delivered, copies.hear);
  const edited = new Awaited();
  await observe(pool, `${MODELS}/namespaces/${SINGLE_NAMESPACE}/modeldeployments?`, edited.hear);

  /** Resolves to the seconds that it took. */
  const fanOut = async (): Promise<number> => {
    const word = base64(`fan-out ${Date.now()}`);
    const all = copies.for([word], users);
    const since = performance.now();
    await pool.send(
      'PATCH',
      `/api/v1/namespaces/${SHARED.namespace}/secrets/${SHARED.secret}`,
      { data: { [SHARED.key]: word } },
      'application/merge-patch+json',
    );
    return ((await all) - since) / 1000;
  };
  const fanOuts = async (pid: number): Promise<Round> => {
    await pool.send('GET', COLLECT);
    let [seconds, clientCpu, serverCpu] = [0, 0, 0];
    for (let time = 0; time < FAN_OUTS; time++) {
      await cluster.quiet();
      clientCpu -= cpuMs(pid);
      serverCpu -= cluster.serverCpuMs();
      seconds += await fanOut();
      clientCpu += cpuMs(pid);
      serverCpu += cluster.serverCpuMs();
    }
    const made = users * FAN_OUTS;
    return { rate: made / seconds, clientCpu: clientCpu / made, serverCpu: serverCpu / made };
  };

  let edits = 0;
  const edit = async ({ model }: Single): Promise<number> => {
    const path = `${MODELS}/namespaces/${model.namespace}/modeldeployments/${model.name}`;
    const { metadata } = await pool.get<{ readonly metadata: { readonly generation: number } }>(path);
    // waited for before it is asked for: under load the operator's status may come before the answer does
    const observed = edited.for([
      `"name":"${model.name}"`,
      `"observedGeneration":${metadata.generation + 1},`,
    ]);
    const since = performance.now();
    edits += 1;
    await pool.send(
      'PATCH',
      path,
      { spec: { environment: `edit-${edits}` } },
      'application/merge-patch+json',
    );
    return (await observed) - since;
  };
  const editAll = async (): Promise<readonly number[]> => {
    const took: Promise<number>[] = [];
    for (const single of singles) {
      took.push(edit(single));
      await delay(PAUSE_MS);
    }
    return await Promise.all(took);
  };

  const row = 'fan-out';
  const operators: Round[] = [];
  const bares: Round[] = [];
  const quiet: number[] = [];
  const busy: number[] = [];
  for (let round = 0; round < rounds; round++) {
    await withRestingOperator(scene, async ({ pid }) => {
      quiet.push(...(await editAll()));
      operators.push(await fanOuts(pid));
      const all = fanOut();
      busy.push(...(await editAll()));
      await all;
    });
    await cluster.quiet();
    const bare = startBare(cluster.bare, { kind: 'fan-out', models: count });
    await bare.heard('listed');
    bares.push(await fanOuts(bare.pid));
    await bare.stop();
    const rates = (some: readonly Round[]): readonly number[] => some.map(({ rate }) => rate);
    sayRound(row, { 'operator (/s)': rates(operators), 'yardstick (/s)': rates(bares) });
  }
  const compared = (what: string, unit: string, read: (one: Round) => number): Figure => ({
    row,
    what,
    measured: median(operators.map(read)),
    yardstick: median(bares.map(read)),
    unit,
  });
  return [
    {
      ...compared(`rate, one source used by ${users} models`, '/s', ({ rate }) => rate),
      reach: { atLeast: 0.85 },
    },
    compared(
      'CPU of client and servers for a copy',
      'ms',
      ({ clientCpu, serverCpu }) => clientCpu + serverCpu,
    ),
    compared('of that the client', 'ms', ({ clientCpu }) => clientCpu),
    {
      row,
      what: 'p99 of edits of other models meanwhile, against quiet ones',
      measured: percentile(busy, 99),
      yardstick: percentile(quiet, 99),
      unit: 'ms',
      reach: { atMost: 10 },
    },
  ];
}
