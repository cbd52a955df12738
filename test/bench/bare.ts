/**
 * The yardstick, a process of its own: a client without logic that leaves the same objects behind as the operator, by
 * the cheapest calls there are. It is told what to do by the process that started it, and does it at once.
 */
import process from 'node:process';
import { deliveredSecretName } from '../../src/api/names.ts';
import type { Access } from '../cluster/api.ts';
import { deliveredValues, MODELS, models, SHARED, OWN_STORE, isShared } from './fixture.ts';
import { type Collection, type Listed, listAndWatch } from './lists.ts';
import { observe } from './observe.ts';
import { barePool, type BarePool, forAll } from './pool.ts';
import { RELAY } from './single.ts';
import type { Templates } from './templates.ts';

export type BareTask =
  | { readonly kind: 'lists' }
  | { readonly kind: 'relay' }
  | { readonly kind: 'fan-out'; readonly models: number }
  | { readonly kind: 'converge'; readonly models: number; readonly templates: Templates };

export interface BareOrder {
  readonly access: Access;
  readonly task: BareTask;
}

/** What it says when lists and watches stand, and when it is through. */
export type BareNews = 'listed' | 'done';

const tell = (news: BareNews): void => {
  process.send?.(news);
};

process.once('message', (order: BareOrder) => void perform(order));

async function perform({ access, task }: BareOrder): Promise<void> {
  const pool = barePool(access);
  switch (task.kind) {
    case 'lists':
      await listAndWatch(pool);
      return tell('listed');
    case 'converge': {
      const lists = await listAndWatch(pool);
      tell('listed');
      await converge(pool, lists, task);
      return tell('done');
    }
    case 'relay':
      await relay(pool);
      return tell('listed');
    case 'fan-out':
      await fanOut(pool, await listAndWatch(pool), task.models);
      return tell('listed');
  }
}

/** What changes in one Secret is written into another one. */
async function relay(pool: BarePool): Promise<void> {
  const secrets = `/api/v1/namespaces/${RELAY.namespace}/secrets`;
  await observe(pool, `${secrets}?labelSelector=${RELAY.source}&`, (line) => {
    const { object } = JSON.parse(line);
    const name = deliveredSecretName(object.metadata.name);
    const body = { metadata: { name, labels: { [RELAY.target]: 'true' } }, data: object.data };
    void pool.send('PUT', `${secrets}/${name}`, body);
  });
}

/** What changes in the shared store is written into every Secret that has a copy. */
async function fanOut(
  pool: BarePool,
  lists: Readonly<Record<Collection, readonly Listed[]>>,
  count: number,
): Promise<void> {
  const delivered = byKey(lists.delivered);
  const copies = models(count)
    .filter(isShared)
    .map(({ namespace, name }) => delivered.get(`${namespace}/${deliveredSecretName(name)}`))
    .filter((copy) => copy !== undefined);
  await observe(pool, `/api/v1/namespaces/${SHARED.namespace}/secrets?`, (line) => {
    const { object } = JSON.parse(line);
    const value: string = object.data[SHARED.key];
    void forAll(copies, async ({ metadata, data }) => {
      // without the version it can be written again and again, at the same cost
      const { managedFields: _fields, resourceVersion: _version, ...kept } = metadata;
      const { namespace, name } = metadata;
      await pool.send('PUT', `/api/v1/namespaces/${namespace}/secrets/${name}`, {
        metadata: kept,
        type: 'Opaque',
        data: { ...data, [SHARED.key]: value },
      });
    });
  });
}

const byKey = (items: readonly Listed[]): ReadonlyMap<string, Listed> =>
  new Map(items.map((item) => [`${item.metadata.namespace}/${item.metadata.name}`, item]));

async function converge(
  pool: BarePool,
  lists: Readonly<Record<Collection, readonly Listed[]>>,
  { models: count, templates }: Extract<BareTask, { kind: 'converge' }>,
): Promise<void> {
  const known = byKey(lists.models);
  const deployments = byKey(lists.deployments);
  const sources = byKey(lists.sources);
  const sharedUid = sources.get(`${SHARED.namespace}/${SHARED.secret}`)?.metadata.uid ?? '';
  await forAll(models(count), async (model) => {
    const { namespace, name } = model;
    const live = known.get(`${namespace}/${name}`);
    const deployment = deployments.get(`${namespace}/${name}`);
    if (live === undefined || deployment === undefined) throw new Error(`${namespace}/${name} is not there`);
    const { uid } = live.metadata;
    const ownUid = sources.get(`${namespace}/${OWN_STORE}`)?.metadata.uid ?? '';
    const template = isShared(model) ? templates.shared : templates.own;
    const filled = (text: string): string =>
      text
        .replaceAll('{name}', name)
        .replaceAll('{namespace}', namespace)
        .replaceAll('{uid}', uid)
        .replaceAll('{own-uid}', ownUid)
        .replaceAll('{shared-uid}', sharedUid);

    await pool.send('POST', `/api/v1/namespaces/${namespace}/secrets`, {
      metadata: { ...JSON.parse(filled(template.secret)), name: deliveredSecretName(name) },
      type: 'Opaque',
      data: deliveredValues(model),
    });
    const { annotations, pod } = JSON.parse(filled(template.deployment));
    await pool.send('PUT', `/apis/apps/v1/namespaces/${namespace}/deployments/${name}`, {
      ...deployment,
      metadata: { ...deployment.metadata, annotations },
      spec: { ...deployment.spec, template: { ...deployment.spec?.template, spec: pod } },
    });
    await pool.send('PUT', `${MODELS}/namespaces/${namespace}/modeldeployments/${name}/status`, {
      ...live,
      status: JSON.parse(filled(template.status)),
    });
    await pool.send('POST', `/api/v1/namespaces/${namespace}/events`, filled(template.event));
  });
}
