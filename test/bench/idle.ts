import { setTimeout as delay } from 'node:timers/promises';
import { cpuMs } from './processes.ts';
import type { Figure } from './report.ts';
import { requestsSince, singleReads, writes, eventWrites } from './request-counts.ts';
import { withRestingOperator } from './rest.ts';
import type { Scene } from './scene.ts';

/** Nothing happens. */
export async function measureIdle(scene: Scene, seconds: number): Promise<readonly Figure[]> {
  const { cluster, count } = scene;
  return await withRestingOperator(scene, async (operator) => {
    await cluster.quiet();
    const since = await requestsSince(cluster);
    const before = cpuMs(operator.pid);
    await delay(seconds * 1000);
    const cpu = cpuMs(operator.pid) - before;
    const requests = await since();
    const row = 'idle';
    return [
      {
        row,
        what: `requests in ${seconds} s`,
        measured: writes(requests) + eventWrites(requests) + singleReads(requests),
        unit: '',
        reach: { atMost: 0 },
      },
      {
        row,
        what: `CPU of ${count} models at rest`,
        measured: (cpu / seconds / 1000) * 100,
        unit: '% of a core',
        reach: { atMost: 0.5 },
      },
    ];
  });
}
