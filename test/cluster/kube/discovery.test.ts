import { describe, expect, it } from 'vitest';
import { createDiscovery } from '../../../src/kube/discovery.ts';
import { deployments, events, namespaces } from '../../../src/kube/resource.ts';
import { cluster } from '../cluster.ts';
import { rig } from './rig.ts';

describe('discovery', () => {
  it('finds kinds of the core, of groups, and without a namespace', async () => {
    const { client } = await rig();
    const discovery = createDiscovery(client);
    expect(await discovery.find('apps', 'Deployment')).toEqual(deployments);
    expect(await discovery.find('', 'Event')).toEqual(events);
    expect(await discovery.find('', 'Namespace')).toEqual(namespaces);
  });

  it('finds CronJobs at the version that this server has', async () => {
    const { client } = await rig();
    const found = await createDiscovery(client).find('batch', 'CronJob');
    expect(found).toEqual({
      group: 'batch',
      version: cluster().features.batchV1CronJob ? 'v1' : 'v1beta1',
      plural: 'cronjobs',
      kind: 'CronJob',
      namespaced: true,
    });
  });

  it('asks once for what it found, even when many ask at a time', async () => {
    const { client, proxy } = await rig();
    const discovery = createDiscovery(client);
    await Promise.all([1, 2, 3].map(() => discovery.find('apps', 'Deployment')));
    await discovery.find('apps', 'Deployment');
    expect(proxy.seen.map(({ path }) => path)).toEqual(['/apis/apps', '/apis/apps/v1']);
  });

  it('believes for half a minute that there is no such kind, and then looks again', async () => {
    const { client, proxy } = await rig();
    let now = 0;
    const discovery = createDiscovery(client, () => now);
    expect(await discovery.find('example.test', 'Nothing')).toBeUndefined();
    expect(await discovery.find('apps', 'Nothing')).toBeUndefined();
    const asked = proxy.seen.length;
    now = 29_999;
    expect(await discovery.find('example.test', 'Nothing')).toBeUndefined();
    expect(proxy.seen).toHaveLength(asked);
    now = 30_000;
    expect(await discovery.find('example.test', 'Nothing')).toBeUndefined();
    expect(proxy.seen).toHaveLength(asked + 1);
  });

  it('does not take a failure for an absence', async () => {
    const { client, proxy } = await rig();
    const discovery = createDiscovery(client);
    proxy.add({ match: {}, when: { kind: 'first', count: 1 }, fault: { kind: 'respond', status: 500 } });
    await expect(discovery.find('apps', 'Deployment')).rejects.toMatchObject({ status: 500 });
    expect(await discovery.find('apps', 'Deployment')).toEqual(deployments);
  });

  it('knows the version of the server', async () => {
    const { client } = await rig();
    expect(await createDiscovery(client).serverVersion()).toEqual(cluster().version);
  });
});
