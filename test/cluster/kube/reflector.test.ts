import { describe, expect, it } from 'vitest';
import { configMaps, secrets } from '../../../src/kube/resource.ts';
import { Store } from '../../../src/kube/store.ts';
import { eventually } from '../eventually.ts';
import { type Rig, rig, type Timing, watchThrough } from './rig.ts';

const expired = {
  kind: 'Status',
  apiVersion: 'v1',
  status: 'Failure',
  code: 410,
  reason: 'Expired',
  message: 'too old resource version',
};

const path = ({ namespace }: Rig, name = ''): string =>
  `/api/v1/namespaces/${namespace}/configmaps${name === '' ? '' : `/${name}`}`;

const add = (one: Rig, name: string): Promise<unknown> =>
  one.api.post(path(one), { metadata: { name }, data: { a: 'b' } });

const change = (one: Rig, name: string): Promise<unknown> =>
  one.api.patch(path(one, name), { data: { at: String(performance.now()) } });

const lists = ({ proxy }: Rig): number => proxy.count({ path: /configmaps\?limit/ });
const watches = ({ proxy }: Rig): number => proxy.count({ watch: true });

/** A rig whose reflector is synced with one object, and watches. */
async function synced(timing: Timing = {}, more: Parameters<typeof watchThrough>[1] = {}) {
  const one = await rig();
  await add(one, 'first');
  const watched = watchThrough(one, { timing, ...more });
  await eventually(() => expect(watched.reflector.state.kind).toBe('watching'));
  return { one, ...watched };
}

describe('a reflector', () => {
  it('lists in pages and then watches', async () => {
    const one = await rig();
    const names = Array.from({ length: 25 }, (_, at) => `c-${String(at).padStart(2, '0')}`);
    await Promise.all(names.map((name) => add(one, name)));
    const watched = watchThrough(one, { timing: { pageLimit: 10 } });
    await eventually(() => expect(watched.freshness).toEqual(['synced']));
    expect(watched.names()).toEqual(names);
    expect(lists(one)).toBeGreaterThanOrEqual(3);
    await add(one, 'later');
    await change(one, 'c-00');
    await one.api.delete(path(one, 'c-01'));
    await eventually(() => expect(watched.changes.slice(-3)).toEqual(['+later', '~c-00', '-c-01']));
    expect(watches(one)).toBe(1);
  });

  it('asks for bookmarks and an end, from the version of the list', async () => {
    const { one } = await synced();
    const query = new URL(one.proxy.seen.at(-1)?.path ?? '', 'http://server').searchParams;
    expect(query.get('allowWatchBookmarks')).toBe('true');
    expect(Number(query.get('timeoutSeconds'))).toBeGreaterThanOrEqual(300);
    expect(Number(query.get('resourceVersion'))).toBeGreaterThan(0);
  });

  it('lists anew, and never looks empty, after an HTTP 410', async () => {
    const { one, changes, names } = await synced();
    one.proxy.add({
      match: { watch: true },
      when: { kind: 'first', count: 1 },
      fault: { kind: 'respond', status: 410, body: expired },
    });
    await one.proxy.refuse();
    await one.api.delete(path(one, 'first'));
    await add(one, 'second');
    await one.proxy.accept();
    await eventually(() => expect(names()).toEqual(['second']));
    expect(lists(one)).toBe(2);
    expect(changes).toEqual(['+first', '+second', '-first']);
  });

  it('lists anew after a 410 that comes as an event', async () => {
    const { one, freshness } = await synced();
    const event = `${JSON.stringify({ type: 'ERROR', object: expired })}\n`;
    one.proxy.add({
      match: { watch: true },
      when: { kind: 'first', count: 1 },
      fault: { kind: 'respond', status: 200, body: event },
    });
    one.proxy.breakAll();
    await eventually(() => expect(lists(one)).toBe(2));
    await eventually(() => expect(freshness.at(-1)).toBe('synced'));
  });

  it('takes a watch up from where it was after a cut, and misses nothing', async () => {
    const { one, changes } = await synced();
    await add(one, 'second');
    await eventually(() => expect(changes).toEqual(['+first', '+second']));
    await one.proxy.refuse();
    await change(one, 'first');
    await one.api.delete(path(one, 'second'));
    await one.proxy.accept();
    await eventually(() => expect(changes).toEqual(['+first', '+second', '~first', '-second']));
    expect(lists(one)).toBe(1);
  });

  it('does not take an event that was cut in the middle for one', async () => {
    const { one, names } = await synced();
    one.proxy.add({
      match: { watch: true },
      when: { kind: 'first', count: 1 },
      fault: { kind: 'break-body', after: { bytes: 40 }, how: 'cut' },
    });
    one.proxy.breakAll();
    await eventually(() => expect(watches(one)).toBe(2));
    await add(one, 'second');
    await eventually(() => expect(names()).toEqual(['first', 'second']));
    expect(lists(one)).toBe(1);
  });

  it.each([429, 500, 503])('tries a watch again from the same version after a %i', async (status) => {
    const { one, reflector, names, freshness } = await synced();
    const rule = one.proxy.add({
      match: { watch: true },
      when: { kind: 'first', count: 3 },
      fault: { kind: 'respond', status, body: { kind: 'Status', code: status } },
    });
    one.proxy.breakAll();
    await add(one, 'second');
    await eventually(() => expect(names()).toEqual(['first', 'second']));
    expect(rule.applied).toBe(3);
    expect(lists(one)).toBe(1);
    expect(reflector.state.health.failures).toBeGreaterThanOrEqual(3);
    // First the broken connection, then what the server answers.
    expect(freshness).toEqual(['synced', 'stale', 'stale', 'synced']);
  });

  it('waits as long as Retry-After says', async () => {
    const { one } = await synced();
    one.proxy.add({
      match: { watch: true },
      when: { kind: 'first', count: 1 },
      fault: {
        kind: 'respond',
        status: 429,
        headers: { 'retry-after': '1' },
        body: { kind: 'Status', code: 429 },
      },
    });
    one.proxy.breakAll();
    await eventually(() => expect(watches(one)).toBe(3));
    const [, refused, again] = one.proxy.seen.filter(({ watch }) => watch);
    expect((again?.at ?? 0) - (refused?.at ?? 0)).toBeGreaterThanOrEqual(990);
  });

  it('asks again for the page that failed, not for those before', async () => {
    const one = await rig();
    await Promise.all(['a', 'b', 'c', 'd', 'e'].map((name) => add(one, name)));
    const rule = one.proxy.add({
      match: { path: /continue=/ },
      when: { kind: 'first', count: 2 },
      fault: { kind: 'respond', status: 500, body: { kind: 'Status', code: 500 } },
    });
    const { names } = watchThrough(one, { timing: { pageLimit: 2 } });
    await eventually(() => expect(names()).toEqual(['a', 'b', 'c', 'd', 'e']));
    expect(rule.applied).toBe(2);
    expect(one.proxy.count({ path: /configmaps\?limit=2$/ })).toBe(1);
  });

  it('asks again for a page of which an item is no object', async () => {
    const one = await rig();
    await Promise.all(['a', 'b'].map((name) => add(one, name)));
    const rule = one.proxy.add({
      match: { path: /limit=/ },
      when: { kind: 'first', count: 1 },
      fault: { kind: 'respond', status: 200, body: { metadata: { resourceVersion: '1' }, items: ['none'] } },
    });
    const { names, freshness } = watchThrough(one);
    await eventually(() => expect(freshness.at(-1)).toBe('synced'));
    expect(names()).toEqual(['a', 'b']);
    expect(rule.applied).toBe(1);
  });

  it('starts from the first page when the continue token has expired', async () => {
    const one = await rig();
    await Promise.all(['a', 'b', 'c'].map((name) => add(one, name)));
    one.proxy.add({
      match: { path: /continue=/ },
      when: { kind: 'first', count: 1 },
      fault: { kind: 'respond', status: 410, body: expired },
    });
    const { names, changes } = watchThrough(one, { timing: { pageLimit: 2 } });
    await eventually(() => expect(names()).toEqual(['a', 'b', 'c']));
    expect(one.proxy.count({ path: /configmaps\?limit=2$/ })).toBe(2);
    expect(changes.toSorted()).toEqual(['+a', '+b', '+c']);
  });

  it('connects again when a watch goes silent', async () => {
    const one = await rig();
    await add(one, 'first');
    one.proxy.add({
      match: { watch: true },
      when: { kind: 'first', count: 1 },
      fault: { kind: 'break-body', after: { lines: 1 }, how: 'stall' },
    });
    const { names, freshness, reflector } = watchThrough(one, { timing: { stallMs: 300 } });
    await eventually(() => expect(reflector.state.kind).toBe('watching'));
    await add(one, 'second');
    await add(one, 'third');
    await eventually(() => expect(names()).toEqual(['first', 'second', 'third']));
    expect(lists(one)).toBe(1);
    expect(freshness).toEqual(['synced']);
  });

  it('connects again when a watch is never answered', async () => {
    const one = await rig();
    one.proxy.add({ match: { watch: true }, when: { kind: 'first', count: 1 }, fault: { kind: 'hang' } });
    const { names } = watchThrough(one, { timing: { stallMs: 300 } });
    await eventually(() => expect(watches(one)).toBeGreaterThanOrEqual(2));
    await add(one, 'second');
    await eventually(() => expect(names()).toEqual(['second']));
  });

  it('renews a watch that the server has closed in good order, at once and with no list', async () => {
    const { one, freshness } = await synced({ watchSeconds: [1, 1], shortWatchMs: 0 });
    await eventually(() => expect(watches(one)).toBeGreaterThanOrEqual(3));
    expect(lists(one)).toBe(1);
    expect(freshness).toEqual(['synced']);
  });

  it('does not renew in a hot loop what ends as soon as it begins', async () => {
    const one = await rig();
    one.proxy.add({ match: { watch: true }, fault: { kind: 'break-body', after: { bytes: 0 }, how: 'end' } });
    const { reflector } = watchThrough(one, {
      timing: { backoff: { baseMs: 100, factor: 2, maxMs: 10_000, jitter: 0 } },
    });
    await eventually(() => expect(reflector.state.health.failure?.kind).toBe('short-watch'));
    await eventually(() => expect(reflector.state.health.failures).toBe(3));
    const [first, second, third] = one.proxy.seen.filter(({ watch }) => watch);
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(95);
    expect((third?.at ?? 0) - (second?.at ?? 0)).toBeGreaterThanOrEqual(195);
  });

  it('lists in full and watches metadata from there', async () => {
    const one = await rig();
    const collection = `/api/v1/namespaces/${one.namespace}/secrets`;
    await one.api.post(collection, { metadata: { name: 'a' }, stringData: { k: 'v' } });
    const came: string[] = [];
    const sink = new Store<string>({
      project: (raw) => `${raw.metadata.name} ${raw['data'] === undefined ? 'as metadata' : 'in full'}`,
    });
    sink.onChange((_, old, now) => came.push(`${old ?? 'nothing'} > ${now ?? 'nothing'}`));
    const { reflector } = watchThrough(one, {
      resource: secrets,
      store: sink,
      watchAs: 'metadata',
      fieldSelector: 'metadata.name=a',
    });
    await eventually(() => expect(reflector.state.kind).toBe('watching'));
    await one.api.patch(`${collection}/a`, { metadata: { labels: { x: 'y' } } });
    await one.api.delete(`${collection}/a`);
    await eventually(() =>
      expect(came).toEqual(['nothing > a in full', 'a in full > a as metadata', 'a as metadata > nothing']),
    );
  });

  it('makes pages smaller until they fit', async () => {
    const one = await rig();
    const large = 'x'.repeat(900_000);
    for (let at = 0; at < 20; at += 1) {
      await one.api.post(path(one), { metadata: { name: `large-${at}` }, data: { large } });
    }
    const { names, reflector } = watchThrough(one);
    await eventually(() => expect(names()).toHaveLength(20), { within: 30_000 });
    expect(one.proxy.count({ path: /limit=500/ })).toBe(1);
    expect(reflector.state.health.failures).toBe(0);
    const sizes: number[] = [];
    for await (const page of one.client.list(configMaps, { namespace: one.namespace }))
      sizes.push(page.length);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeGreaterThanOrEqual(20);
    expect(Math.max(...sizes)).toBeLessThan(20);
  });

  it('stops, and hears nothing more', async () => {
    const { one, reflector, changes } = await synced();
    const other = watchThrough(one);
    reflector.stop();
    expect(reflector.state.kind).toBe('stopped');
    await add(one, 'second');
    await eventually(() => expect(other.names()).toEqual(['first', 'second']));
    expect(changes).toEqual(['+first']);
  });
});
