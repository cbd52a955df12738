import { describe, expect, it } from 'vitest';
import { configMaps } from '../../../src/kube/resource.ts';
import { cluster, namespace } from '../cluster.ts';
import { eventually } from '../eventually.ts';
import { identityWith } from '../identity.ts';
import { rig, watchThrough } from './rig.ts';

const READ = { apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'list', 'watch'] };

const serviceAccount = (user: string): { namespace: string; name: string } => {
  const [, , own = '', name = ''] = user.split(':');
  return { namespace: own, name };
};

describe('a reflector without the right to read', () => {
  it('is unsynced, says why, and recovers by itself when the right is granted', async () => {
    const watchedNamespace = await namespace();
    const { access, user } = await identityWith({});
    const one = { ...(await rig(access)), namespace: watchedNamespace };
    const { freshness, store, names } = watchThrough(one);
    await eventually(() =>
      expect(store.freshness(watchedNamespace)).toMatchObject({ failure: { kind: 'forbidden' } }),
    );
    expect(store.freshness(watchedNamespace).kind).toBe('unsynced');
    await one.api.post(`/api/v1/namespaces/${watchedNamespace}/configmaps`, { metadata: { name: 'a' } });
    await identityWith({ serviceAccount: serviceAccount(user), rules: { [watchedNamespace]: [READ] } });
    await eventually(() => expect(names()).toEqual(['a']));
    expect(freshness.at(-1)).toBe('synced');
  });

  it('keeps what it knows when the right is taken away, and says that it is forbidden', async () => {
    const watchedNamespace = await namespace();
    const { access, user } = await identityWith({ rules: { [watchedNamespace]: [READ] } });
    const one = { ...(await rig(access)), namespace: watchedNamespace };
    await one.api.post(`/api/v1/namespaces/${watchedNamespace}/configmaps`, { metadata: { name: 'a' } });
    const { store, names, changes } = watchThrough(one, {
      timing: { watchSeconds: [1, 1], shortWatchMs: 100 },
    });
    await eventually(() => expect(names()).toEqual(['a']));
    const bindings = `/apis/rbac.authorization.k8s.io/v1/namespaces/${watchedNamespace}/rolebindings`;
    const { items } = await cluster().api.get<{ items: { metadata: { name: string } }[] }>(bindings);
    for (const { metadata } of items) await cluster().api.delete(`${bindings}/${metadata.name}`);
    await eventually(() => expect(store.freshness(watchedNamespace).kind).toBe('forbidden'));
    expect(names()).toEqual(['a']);
    await one.api.post(`/api/v1/namespaces/${watchedNamespace}/configmaps`, { metadata: { name: 'b' } });
    await identityWith({ serviceAccount: serviceAccount(user), rules: { [watchedNamespace]: [READ] } });
    await eventually(() => expect(names()).toEqual(['a', 'b']));
    expect(store.freshness(watchedNamespace).kind).toBe('synced');
    expect(changes).toEqual(['+a', '+b']);
    expect(one.proxy.count({ path: new RegExp(`${configMaps.plural}\\?limit`) })).toBe(1);
  });
});
