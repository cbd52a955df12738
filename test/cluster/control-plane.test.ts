import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Api, type KubernetesObject, ApiError, apiOf } from './api.ts';
import { cluster, ownControlPlane, skipUnless } from './cluster.ts';
import type { ControlPlane } from './control-plane.ts';
import { eventually } from './eventually.ts';
import { accessOf } from './kubeconfig.ts';

const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps';

describe('a control plane of its own', { timeout: 120_000 }, () => {
  let plane: ControlPlane | undefined;
  let api: Api;

  beforeAll(async () => {
    if (!cluster().features.ownControlPlane) return;
    plane = await ownControlPlane({
      audit: true,
      // without its cache, watches read etcd's history
      apiserverArgs: ['--watch-cache=false'],
      controllerManagerArgs: ['--controllers=*,-deployment'],
    });
    api = apiOf(plane.access);
  });
  beforeEach((context) => skipUnless(context, 'ownControlPlane'));
  afterAll(async () => await plane?.stop());

  const started = (): ControlPlane => {
    if (plane === undefined) throw new Error('not started');
    return plane;
  };

  const answerWithin = (milliseconds: number): Promise<unknown> =>
    Promise.race([
      api.text('/readyz'),
      delay(milliseconds).then(() => Promise.reject(new Error(`no answer in ${milliseconds} ms`))),
    ]);

  test('is reached with its kubeconfig', async () => {
    const access = await accessOf(started().kubeconfig);
    expect(access).toEqual(started().access);
  });

  test('keeps address and data when its API server is killed and started again', async () => {
    await api.post(CONFIG_MAPS, { metadata: { name: 'before' } });
    await started().signal('kube-apiserver', 'SIGKILL');
    await expect(api.text('/readyz')).rejects.toThrow('fetch failed');
    await started().start('kube-apiserver');
    const { metadata } = await api.get(`${CONFIG_MAPS}/before`);
    expect(metadata.name).toBe('before');
  });

  test('does not answer while its API server is stopped, and does when it goes on', async () => {
    await started().signal('kube-apiserver', 'SIGSTOP');
    try {
      await expect(answerWithin(500)).rejects.toThrow('no answer');
    } finally {
      await started().signal('kube-apiserver', 'SIGCONT');
    }
    expect(await answerWithin(10_000)).toBe('ok');
  });

  test('answers 410 Gone to a watch from before a compaction', async () => {
    const old = await api.post(CONFIG_MAPS, { metadata: { name: 'old' } });
    for (const name of ['newer', 'newest']) await api.post(CONFIG_MAPS, { metadata: { name } });
    await started().compact();
    const watch = `${CONFIG_MAPS}?watch=true&timeoutSeconds=5&resourceVersion=${old.metadata.resourceVersion}`;
    // the watch begins with 200 and carries the error as an event, or fails as a whole
    const outcome = await api
      .text(watch)
      .catch((error: unknown) => (error instanceof ApiError ? `${error.code}` : ''));
    expect(outcome).toMatch(/410/);
  });

  test('starts its controllers with the arguments given', async (context) => {
    skipUnless(context, 'controllers');
    const labels = { app: 'x' };
    const template = { metadata: { labels }, spec: { containers: [{ name: 'a', image: 'a' }] } };
    const spec = { replicas: 1, selector: { matchLabels: labels }, template };
    await api.post('/apis/apps/v1/namespaces/default/deployments', { metadata: { name: 'idle' }, spec });
    await api.post('/apis/apps/v1/namespaces/default/replicasets', { metadata: { name: 'busy' }, spec });
    await eventually(async () => {
      const pods = await api.get<{ items: KubernetesObject[] }>('/api/v1/namespaces/default/pods');
      expect(pods.items.map(({ metadata }) => metadata.ownerReferences?.[0]?.['name'])).toEqual(['busy']);
    });
  });

  test('logs every request when asked to', async () => {
    await api.get(`${CONFIG_MAPS}?limit=7`);
    await eventually(() => {
      expect(readFileSync(`${started().folder}/audit.log`, 'utf8')).toContain('limit=7');
    });
  });

  test('leaves nothing behind when it is stopped', async () => {
    const own = started();
    await own.stop();
    expect(existsSync(own.folder)).toBe(false);
    await expect(api.text('/readyz')).rejects.toThrow('fetch failed');
  });
});
