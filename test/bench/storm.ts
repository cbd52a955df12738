import { STORE_LABEL } from '../../src/api/names.ts';
import { base64, deploymentBody, namespaceOf } from './fixture.ts';
import { forAll } from './pool.ts';
import type { Figure } from './report.ts';
import { requestsSince } from './request-counts.ts';
import { reconciles, withRestingOperator } from './rest.ts';
import type { Scene } from './scene.ts';

/** Objects of each kind, which then change again and again. */
const OBJECTS = 50;

/** Events that matter to no model, as fast as the API server can make them. */
export async function measureStorm(scene: Scene, events: number): Promise<readonly Figure[]> {
  const { cluster } = scene;
  const { pool } = cluster;
  const irrelevant = Array.from({ length: OBJECTS }, (_, index) => ({
    index,
    namespace: namespaceOf(index),
    name: `irrelevant-${index}`,
  }));
  const labels = { [STORE_LABEL]: 'nobody-uses-it' };
  const paths = (namespace: string): readonly (readonly [string, (name: string) => object])[] => [
    [`/api/v1/namespaces/${namespace}/secrets`, (name) => ({ metadata: { name, labels } })],
    [`/api/v1/namespaces/${namespace}/configmaps`, (name) => ({ metadata: { name } })],
    [
      `/apis/apps/v1/namespaces/${namespace}/deployments`,
      (name) => deploymentBody({ index: 0, namespace, name }),
    ],
  ];
  const objects = irrelevant.flatMap(({ namespace, name }) =>
    paths(namespace).map(([path, body]) => ({ path, name, body: body(name) })),
  );
  await forAll(objects, async ({ path, body }) => void (await pool.send('POST', path, body)));

  return await withRestingOperator(scene, async (operator) => {
    await cluster.quiet();
    const before = await reconciles(operator);
    const since = await requestsSince(cluster);
    await operator.ask({ ask: 'delay-begin' });
    const changes = Array.from({ length: events }, (_, index) => index);
    await forAll(changes, async (change) => {
      const { path, name } = objects[change % objects.length] ?? { path: '', name: '' };
      const patch = path.endsWith('/deployments')
        ? { metadata: { annotations: { change: `${change}` } } }
        : { data: { change: path.endsWith('/secrets') ? base64(`${change}`) : `${change}` } };
      await pool.send('PATCH', `${path}/${name}`, patch, 'application/merge-patch+json');
    });
    const { delayP99 = Number.NaN } = await operator.ask({ ask: 'delay-end' });
    const requests = Object.values(await since()).reduce((sum, number) => sum + number, 0);
    const row = 'event storm';
    return [
      {
        row,
        what: `reconciles for ${events} events`,
        measured: (await reconciles(operator)) - before,
        unit: '',
        reach: { atMost: 0 },
      },
      // less those that made the events
      { row, what: 'API calls', measured: requests - events, unit: '', reach: { atMost: 0 } },
      { row, what: 'event loop delay, p99', measured: delayP99, unit: 'ms', reach: { atMost: 20 } },
    ];
  });
}
