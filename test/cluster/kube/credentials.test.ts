import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { describe, expect, it, onTestFinished } from 'vitest';
import { connect } from '../../../src/kube/connection.ts';
import { isApiError } from '../../../src/kube/errors.ts';
import { inClusterConnection } from '../../../src/kube/in-cluster.ts';
import { startReflector } from '../../../src/kube/reflector.ts';
import { configMaps } from '../../../src/kube/resource.ts';
import { Store } from '../../../src/kube/store.ts';
import { cluster, namespace } from '../cluster.ts';
import { eventually } from '../eventually.ts';
import { identityWith } from '../identity.ts';
import { clientOf } from './rig.ts';

const READ = { apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'list', 'watch'] };

async function folder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'truss-test-'));
  onTestFinished(() => rm(made, { recursive: true }));
  return made;
}

/** A pod's folder of its ServiceAccount, and a connection from it; `now` is its clock. */
async function pod(own: string, token: string, now = () => performance.now()) {
  const mounted = await folder();
  const { server, ca = '' } = cluster().access;
  const { hostname, port } = new URL(server);
  const setToken = (text: string): Promise<void> => writeFile(join(mounted, 'token'), text);
  await setToken(token);
  await writeFile(join(mounted, 'namespace'), own);
  await writeFile(join(mounted, 'ca.crt'), ca);
  const environment = { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port };
  const setCa = (text: string): Promise<void> => writeFile(join(mounted, 'ca.crt'), text);
  return {
    setToken,
    setCa,
    ca,
    connection: await inClusterConnection({ folder: mounted, environment, now }),
  };
}

describe('in a pod', () => {
  it('a token that was rotated is used as soon as the old one is refused', async () => {
    const own = await namespace();
    const { access } = await identityWith({ rules: { [own]: [READ] } });
    const { connection, setToken } = await pod(own, 'no longer valid');
    const codes: number[] = [];
    const client = clientOf(connection, ({ code }) => codes.push(code));
    const key = { namespace: own, name: 'none' };
    await expect(client.get(configMaps, key)).rejects.toMatchObject({ status: 401 });
    await setToken(access.token ?? '');
    await eventually(async () => expect(await client.get(configMaps, key)).toBeUndefined());
    expect(codes.slice(-2)).toEqual([401, 404]);
  });

  it('a watch lives through the end of its token, and nobody notices', async () => {
    const own = await namespace();
    const [old, next] = [
      await identityWith({ rules: { [own]: [READ] } }),
      await identityWith({ rules: { [own]: [READ] } }),
    ];
    const { connection, setToken } = await pod(own, old.access.token ?? '');
    const codes: number[] = [];
    const client = clientOf(connection, ({ code }) => codes.push(code));
    const store = new Store<string>({ project: ({ metadata }) => metadata.name });
    const freshness: string[] = [];
    store.onFreshness(({ kind }) => freshness.push(kind));
    const timing = { watchSeconds: [1, 1], shortWatchMs: 100 } as const;
    const reflector = startReflector({ client, resource: configMaps, namespace: own, store, timing });
    onTestFinished(() => reflector.stop());
    await eventually(() => expect(freshness).toEqual(['synced']));
    await setToken(next.access.token ?? '');
    // Without its ServiceAccount a token is worth nothing.
    const [, , accountNamespace = '', account = ''] = old.user.split(':');
    await cluster().api.delete(`/api/v1/namespaces/${accountNamespace}/serviceaccounts/${account}`);
    await eventually(() => expect(codes).toContain(401), { within: 30_000 });
    await cluster().api.post(`/api/v1/namespaces/${own}/configmaps`, { metadata: { name: 'later' } });
    await eventually(() => expect([...store.values()]).toContain('later'));
    expect(freshness).toEqual(['synced']);
  });
});

describe('in a pod whose CA is rotated', () => {
  it('new connections trust the new CA, and a watch that is under way goes on', async () => {
    const own = await namespace();
    const { access } = await identityWith({ rules: { [own]: [READ] } });
    let now = 0;
    const { connection, setCa, ca } = await pod(own, access.token ?? '', () => now);
    const codes: number[] = [];
    const client = clientOf(connection, ({ code }) => codes.push(code));
    const store = new Store<string>({ project: ({ metadata }) => metadata.name });
    const reflector = startReflector({ client, resource: configMaps, namespace: own, store });
    onTestFinished(() => reflector.stop());
    await eventually(() => expect(reflector.state.kind).toBe('watching'));
    await setCa('no certificate');
    now = 60_000;
    const key = { namespace: own, name: 'none' };
    await expect(client.get(configMaps, key)).rejects.toMatchObject({ step: 'tls' });
    await setCa(`${ca}\n${ca}`);
    now = 120_000;
    expect(await client.get(configMaps, key)).toBeUndefined();
    await cluster().api.post(`/api/v1/namespaces/${own}/configmaps`, { metadata: { name: 'later' } });
    await eventually(() => expect([...store.values()]).toContain('later'));
    expect(reflector.state.kind).toBe('watching');
    // The list, the watch, the call that failed and the one that did not: nothing was begun again.
    expect(codes).toEqual([200, 200, 0, 404]);
  });
});

/** Path of a kubeconfig of one context, for the server of the run. */
async function kubeconfigOf({
  cluster: more = {},
  user,
  namespace: own = 'default',
}: {
  cluster?: object;
  user: object;
  namespace?: string;
}): Promise<string> {
  const path = join(await folder(), 'kubeconfig');
  const config = {
    'current-context': 'x',
    clusters: [{ name: 'x', cluster: { server: cluster().access.server, ...more } }],
    users: [{ name: 'x', user }],
    contexts: [{ name: 'x', context: { cluster: 'x', user: 'x', namespace: own } }],
  };
  await writeFile(path, JSON.stringify(config));
  return path;
}

/** What makes the server of the run trusted. */
const trust = () => ({
  'certificate-authority-data': Buffer.from(cluster().access.ca ?? '').toString('base64'),
});

/** A proxy as companies have them: it connects, and hears nothing of what goes through. */
async function connectProxy(): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = [];
  const proxy = createServer().on('connect', (request: IncomingMessage, client: Duplex) => {
    asked.push(request.url ?? '');
    const { hostname, port } = new URL(`http://${request.url}`);
    const server = createConnection(Number(port), hostname, () => {
      client.write('HTTP/1.1 200 OK\r\n\r\n');
      server.pipe(client).pipe(server);
    });
    client.on('error', () => server.destroy());
    server.on('error', () => client.destroy());
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  onTestFinished(() => void proxy.close());
  const address = proxy.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  return { url: `http://127.0.0.1:${address.port}`, asked };
}

describe('with a kubeconfig', () => {
  it('goes through the proxy that it names, calls and watches alike', async () => {
    const { server, token } = (await identityWith({})).access;
    const { url, asked } = await connectProxy();
    const path = await kubeconfigOf({ cluster: { ...trust(), 'proxy-url': url }, user: { token } });
    const client = clientOf(await connect({ kind: 'kubeconfig', path }));
    expect(await client.getJson('/version')).toMatchObject({ major: '1' });
    const { promise, resolve } = Promise.withResolvers<unknown>();
    const handler = { opened: () => {}, event: () => {}, progress: () => {}, ended: resolve };
    client.watch(configMaps, { resourceVersion: '1', timeoutSeconds: 1 }, handler);
    expect(await promise).toMatchObject({ status: 403 });
    expect(asked).toEqual([new URL(server).host, new URL(server).host]);
  });

  it('connects as its user', async () => {
    const own = await namespace();
    const { kubeconfig } = await identityWith({ rules: { [own]: [READ] } });
    const client = clientOf(await connect({ kind: 'kubeconfig', path: kubeconfig }));
    expect(await client.get(configMaps, { namespace: own, name: 'none' })).toBeUndefined();
    const error: unknown = await client.listPage(configMaps).catch((thrown: unknown) => thrown);
    expect(isApiError(error, 'Forbidden')).toBe(true);
  });

  it('asks an exec plugin again for a credential that the server refuses', async () => {
    const own = await namespace();
    const { access } = await identityWith({ rules: { [own]: [READ] } });
    const made = await folder();
    const [command, token] = [join(made, 'plugin'), join(made, 'token')];
    const apiVersion = 'client.authentication.k8s.io/v1';
    const credential = `{"kind":"ExecCredential","apiVersion":"${apiVersion}","status":{"token":"'$(cat ${token})'"}}`;
    await writeFile(command, `#!/bin/sh\necho '${credential}'\n`);
    await chmod(command, 0o755);
    await writeFile(token, 'revoked');
    const path = await kubeconfigOf({
      cluster: trust(),
      user: { exec: { apiVersion, command } },
      namespace: own,
    });
    const connection = await connect({ kind: 'kubeconfig', path });
    const client = clientOf(connection);
    const key = { namespace: connection.namespace, name: 'none' };
    await expect(client.get(configMaps, key)).rejects.toMatchObject({ status: 401 });
    await writeFile(token, access.token ?? '');
    await eventually(async () => expect(await client.get(configMaps, key)).toBeUndefined());
  });

  it('says so when its certificates are none', async () => {
    const garbage = Buffer.from('no certificate').toString('base64');
    const path = await kubeconfigOf({
      user: { 'client-certificate-data': garbage, 'client-key-data': garbage },
    });
    const client = clientOf(await connect({ kind: 'kubeconfig', path }));
    const said = { step: 'tls', message: expect.stringContaining("can't be used") };
    await expect(client.getText('/version')).rejects.toMatchObject(said);
  });

  it('does not trust a server that another authority vouches for', async () => {
    const path = await kubeconfigOf({ user: { token: 'secret' } });
    const client = clientOf(await connect({ kind: 'kubeconfig', path }));
    await expect(client.getText('/version')).rejects.toMatchObject({ step: 'tls' });
  });
});
