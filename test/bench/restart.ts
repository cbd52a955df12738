import type { Scene } from './scene.ts';
import { startBare } from './bare-process.ts';
import { startOperator } from './operator-process.ts';
import { type Figure, median, sayRound } from './report.ts';
import { requestsSince, singleReads, writes } from './request-counts.ts';
import { untilAtRest } from './rest.ts';

/** The operator starts where everything is as it should be. */
export async function measureRestart(scene: Scene, rounds: number): Promise<readonly Figure[]> {
  const { cluster, bundle, folder, count } = scene;
  const row = 'restart';
  const ready: number[] = [];
  const verified: number[] = [];
  const listed: number[] = [];
  let written = 0;
  let read = 0;
  for (let round = 0; round < rounds; round++) {
    await cluster.quiet();
    const since = await requestsSince(cluster);
    const operator = await startOperator(bundle, cluster.operator, folder);
    try {
      await operator.said('caches are synced');
      ready.push(performance.now() - operator.startedAt);
      await untilAtRest(operator, count);
      verified.push(performance.now() - operator.startedAt);
      const requests = await since();
      written += writes(requests);
      read += singleReads(requests);
    } finally {
      await operator.stop();
    }
    await cluster.quiet();
    const bare = startBare(cluster.bare, { kind: 'lists' });
    await bare.heard('listed');
    listed.push(performance.now() - bare.startedAt);
    await bare.stop();
    sayRound(row, { 'ready (ms)': ready, 'verified (ms)': verified, 'yardstick (ms)': listed });
  }
  const yardstick = median(listed);
  return [
    { row, what: 'writes', measured: written, unit: '', reach: { atMost: 0 } },
    { row, what: 'single reads', measured: read, unit: '', reach: { atMost: 0 } },
    {
      row,
      what: 'caches ready, against lists',
      measured: median(ready),
      yardstick,
      unit: 'ms',
      reach: { atMost: 1.3 },
    },
    {
      row,
      what: `${count} models verified, against lists`,
      measured: median(verified),
      yardstick,
      unit: 'ms',
      reach: { atMost: 2 },
    },
  ];
}
