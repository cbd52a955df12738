import { describe, expect, it, onTestFinished } from 'vitest';
import { fetchingSink } from '../../../src/kube/fetching.ts';
import { startReflector } from '../../../src/kube/reflector.ts';
import { configMaps } from '../../../src/kube/resource.ts';
import { Store } from '../../../src/kube/store.ts';
import { eventually } from '../eventually.ts';
import { type Rig, rig } from './rig.ts';

const path = ({ namespace }: Rig, name = ''): string =>
  `/api/v1/namespaces/${namespace}/configmaps${name === '' ? '' : `/${name}`}`;

const add = (one: Rig, name: string, value: string): Promise<unknown> =>
  one.api.post(path(one), { metadata: { name }, data: { value } });

const change = (one: Rig, name: string, value: string): Promise<unknown> =>
  one.api.patch(path(one, name), { data: { value } });

const gets = ({ proxy }: Rig): number => proxy.count({ path: /configmaps\/[^?]+$/, method: 'GET' });

/** Keeps the values of ConfigMaps whose names begin with `model`, and lists and watches as the controller does. */
async function fetching() {
  const one = await rig();
  await add(one, 'model-a', '1');
  const store = new Store<string>({
    project: (raw) => (raw.metadata.name.startsWith('model') ? JSON.stringify(raw['data']) : undefined),
  });
  const changes: string[] = [];
  store.onChange((_, old, now) => changes.push(`${old ?? '-'} > ${now ?? '-'}`));
  const abort = new AbortController();
  const { client, namespace } = one;
  const sink = fetchingSink({
    client,
    resource: configMaps,
    store,
    namespace,
    interesting: ({ name }) => name.startsWith('model'),
    signal: abort.signal,
  });
  const reflector = startReflector({
    client,
    resource: configMaps,
    namespace,
    sink,
    watchAs: 'metadata',
    signal: abort.signal,
  });
  onTestFinished(() => abort.abort());
  await eventually(() => expect(reflector.state.kind).toBe('watching'));
  const value = (name: string): string | undefined => store.get(namespace, name);
  return { one, store, changes, value };
}

describe('a sink that fetches', () => {
  it('takes the list as it is, and gets one object for each change of interest', async () => {
    const { one, value } = await fetching();
    expect(value('model-a')).toBe('{"value":"1"}');
    expect(gets(one)).toBe(0);
    await add(one, 'other', '1');
    await change(one, 'model-a', '2');
    await eventually(() => expect(value('model-a')).toBe('{"value":"2"}'));
    expect(gets(one)).toBe(1);
  });

  it('spares the GET for what the store has already, as after our own write', async () => {
    const { one, store, value } = await fetching();
    // The answer to a write, which often comes after the event, comes before it here.
    await one.proxy.refuse();
    await change(one, 'model-a', 'ours');
    const written = await one.direct.get(configMaps, { namespace: one.namespace, name: 'model-a' });
    if (written !== undefined) store.set(written);
    await add(one, 'model-b', '1');
    await one.proxy.accept();
    await eventually(() => expect(value('model-b')).toBeDefined());
    expect(value('model-a')).toBe('{"value":"ours"}');
    expect(gets(one)).toBe(1);
  });

  it('lets go of what is deleted, also while it is being fetched', async () => {
    const { one, value, changes } = await fetching();
    one.proxy.add({ match: { path: /model-a$/, method: 'GET' }, fault: { kind: 'delay', ms: 200 } });
    await change(one, 'model-a', '2');
    await eventually(() => expect(gets(one)).toBe(1));
    await one.api.delete(path(one, 'model-a'));
    await eventually(() => expect(changes.at(-1)).toBe('{"value":"1"} > -'));
    await add(one, 'model-b', '1');
    await eventually(() => expect(value('model-b')).toBeDefined());
    expect(value('model-a')).toBeUndefined();
  });

  it('tries again what it could not get, and says meanwhile that it is not up to date', async () => {
    const { one, store, value } = await fetching();
    const rule = one.proxy.add({
      match: { path: /model-a$/, method: 'GET' },
      fault: { kind: 'respond', status: 500, body: { kind: 'Status', code: 500 } },
    });
    await change(one, 'model-a', '2');
    await eventually(() => expect(store.freshness().kind).toBe('unsynced'));
    await eventually(() => expect(store.freshness(one.namespace).kind).toBe('stale'));
    rule.remove();
    await eventually(() => expect(value('model-a')).toBe('{"value":"2"}'));
    await eventually(() => expect(store.freshness(one.namespace).kind).toBe('synced'));
  });
});
