import { MANAGED_BY_LABEL, MANAGER } from '../../src/api/names.ts';
import { startBare } from './bare-process.ts';
import { base64 } from './fixture.ts';
import { Awaited, observe } from './observe.ts';
import { type Figure, percentile } from './report.ts';
import { withRestingOperator } from './rest.ts';
import type { Scene } from './scene.ts';
import { changeSource, RELAY, SINGLE_NAMESPACE, singles } from './single.ts';

const CHANGES = 200;

/** One source Secret changes under models that rest, and its copy is written: from one watch event to one write. */
export async function measureChange(scene: Scene): Promise<readonly Figure[]> {
  const { cluster, count } = scene;
  const { pool } = cluster;
  const heard = new Awaited();
  const selector = (label: string): string => `labelSelector=${encodeURIComponent(label)}&`;
  await observe(
    pool,
    `/api/v1/namespaces/${SINGLE_NAMESPACE}/secrets?${selector(`${MANAGED_BY_LABEL}=${MANAGER}`)}`,
    heard.hear,
  );
  await observe(
    pool,
    `/api/v1/namespaces/${RELAY.namespace}/secrets?${selector(`${RELAY.target}=true`)}`,
    heard.hear,
  );
  const bare = startBare(cluster.bare, { kind: 'relay' });
  await bare.heard('listed');

  const measure = async (namespace: string, change: number): Promise<number> => {
    const word = `${namespace}-${change}-${Date.now()}`;
    const single = singles[change % singles.length];
    if (single === undefined) throw new Error('unreachable');
    const delivered = heard.for([base64(word)]);
    const since = performance.now();
    await changeSource(pool, namespace, single, word);
    return (await delivered) - since;
  };
  const operator: number[] = [];
  const relay: number[] = [];
  await withRestingOperator(scene, async () => {
    // the API server has just served the lists of both
    await cluster.quiet();
    for (let change = 0; change < CHANGES; change++) {
      operator.push(await measure(SINGLE_NAMESPACE, change));
      relay.push(await measure(RELAY.namespace, change));
    }
  });
  await bare.stop();
  const row = 'one change';
  const figure = (percent: number, atMost: number): Figure => ({
    row,
    what: `p${percent} under ${count} quiet models, against a relay`,
    measured: percentile(operator, percent),
    yardstick: percentile(relay, percent),
    unit: 'ms',
    reach: { atMost },
  });
  return [figure(50, 1.5), figure(99, 2)];
}
