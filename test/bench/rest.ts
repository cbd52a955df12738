import { setTimeout as delay } from 'node:timers/promises';
import { type OperatorProcess, startOperator } from './operator-process.ts';
import type { Scene } from './scene.ts';

/** To show its metrics costs the operator some milliseconds. */
const LOOK_AGAIN_MS = 250;
const RECONCILES = 'controller_runtime_reconcile_total';

export async function reconciles(operator: OperatorProcess): Promise<number> {
  return (await operator.metrics()).get(RECONCILES) ?? 0;
}

/** Waits until so many reconciles are over and nothing is left to do. */
export async function untilAtRest(operator: OperatorProcess, atLeast = 0): Promise<void> {
  for (;;) {
    const metrics = await operator.metrics();
    const busy =
      (metrics.get('workqueue_depth') ?? 0) + (metrics.get('controller_runtime_active_workers') ?? 0);
    if (busy === 0 && (metrics.get(RECONCILES) ?? 0) >= atLeast) return;
    if (!operator.running()) throw new Error(`the operator ended: ${operator.output().slice(-4000)}`);
    await delay(LOOK_AGAIN_MS);
  }
}

/** Starts an operator, and hands it on as soon as it has looked at every model. */
export async function withRestingOperator<T>(
  { cluster, bundle, folder, count }: Scene,
  use: (operator: OperatorProcess) => Promise<T>,
): Promise<T> {
  const operator = await startOperator(bundle, cluster.operator, folder);
  try {
    await operator.said('caches are synced');
    await untilAtRest(operator, count);
    return await use(operator);
  } finally {
    await operator.stop();
  }
}
