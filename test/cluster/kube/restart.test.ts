import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { connect } from '../../../src/kube/connection.ts';
import { startReflector } from '../../../src/kube/reflector.ts';
import { configMaps } from '../../../src/kube/resource.ts';
import type { Freshness } from '../../../src/kube/sink.ts';
import { Store } from '../../../src/kube/store.ts';
import { startProxy } from '../../chaos/proxy.ts';
import { type Api, apiOf } from '../api.ts';
import { type ControlPlane, startControlPlane } from '../control-plane.ts';
import { eventually } from '../eventually.ts';
import { LACKS } from '../features.ts';
import { controlPlanePrograms, findSource } from '../open.ts';
import { clientOf, connectionTo } from './rig.ts';

const PATH = '/api/v1/namespaces/default/configmaps';

let plane: ControlPlane | undefined;
let api: Api;

beforeAll(async () => {
  const source = await findSource();
  if (source.kind !== 'assets' && source.kind !== 'debian') return;
  plane = await startControlPlane(await controlPlanePrograms(source));
  api = apiOf(plane.access);
});
afterAll(() => plane?.stop());

/** A reflector, through a proxy, on the control plane that the test may break. */
async function watching({ access }: ControlPlane) {
  const proxy = await startProxy({ server: access.server, ca: access.ca });
  onTestFinished(() => proxy.close());
  const client = clientOf(connectionTo(proxy.url, access));
  const store = new Store<string>({
    project: ({ metadata }) => (metadata.name.startsWith('kube-') ? undefined : metadata.name),
  });
  const changes: string[] = [];
  store.onChange((_, old, now) => changes.push(now === undefined ? `-${old}` : `+${now}`));
  const freshness: Freshness['kind'][] = [];
  store.onFreshness(({ kind }) => freshness.push(kind));
  const reflector = startReflector({ client, resource: configMaps, namespace: 'default', store });
  onTestFinished(() => reflector.stop());
  await eventually(() => expect(reflector.state.kind).toBe('watching'));
  const lists = (): number => proxy.count({ path: /\?limit=/ });
  return { changes, freshness, lists, proxy };
}

describe('a reflector', () => {
  it('goes on after the API server was killed and started again', async (ctx) => {
    if (plane === undefined) return ctx.skip(LACKS.ownControlPlane);
    await api.post(PATH, { metadata: { name: 'before' } });
    const { changes, freshness } = await watching(plane);
    await plane.signal('kube-apiserver', 'SIGKILL');
    await eventually(() => expect(freshness.at(-1)).toBe('stale'));
    await plane.start('kube-apiserver');
    await api.post(PATH, { metadata: { name: 'after' } });
    await eventually(() => expect(changes).toEqual(['+before', '+after']), { within: 35_000 });
    expect(freshness.at(-1)).toBe('synced');
  });

  it('lists anew when etcd has forgotten where it was, and finds what was deleted meanwhile', async (ctx) => {
    if (plane === undefined) return ctx.skip(LACKS.ownControlPlane);
    await api.post(PATH, { metadata: { name: 'gone-soon' } });
    const { changes, freshness, lists, proxy } = await watching(plane);
    expect(changes).toContain('+gone-soon');
    await proxy.refuse();
    await api.delete(`${PATH}/gone-soon`);
    await api.post(PATH, { metadata: { name: 'new' } });
    await plane.compact();
    // A new API server has nothing in its cache of before the compaction.
    await plane.signal('kube-apiserver', 'SIGKILL');
    await plane.start('kube-apiserver');
    await proxy.accept();
    await eventually(() => expect(changes.slice(-2).toSorted()).toEqual(['+new', '-gone-soon']), {
      within: 35_000,
    });
    expect(freshness.at(-1)).toBe('synced');
    expect(lists()).toBe(2);
  });

  it('notices an API server that stands still', async (ctx) => {
    if (plane === undefined) return ctx.skip(LACKS.ownControlPlane);
    const client = clientOf(await connect({ kind: 'kubeconfig', path: plane.kubeconfig }));
    await plane.signal('kube-apiserver', 'SIGSTOP');
    const call = client.get(configMaps, { namespace: 'default', name: 'x' }, { timeoutMs: 500 });
    await expect(call).rejects.toMatchObject({ step: 'timeout' });
    await plane.signal('kube-apiserver', 'SIGCONT');
    expect(await client.get(configMaps, { namespace: 'default', name: 'x' })).toBeUndefined();
  });
});
