import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

/** A pod's folder of its ServiceAccount, and a connection from it. */
async function pod(own: string, token: string) {
  const mounted = await folder();
  const { server, ca = '' } = cluster().access;
  const { hostname, port } = new URL(server);
  const setToken = (text: string): Promise<void> => writeFile(join(mounted, 'token'), text);
  await setToken(token);
  await writeFile(join(mounted, 'namespace'), own);
  await writeFile(join(mounted, 'ca.crt'), ca);
  const environment = { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port };
  return { setToken, connection: await inClusterConnection({ folder: mounted, environment }) };
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

describe('with a kubeconfig', () => {
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
    const [plugin, token, kubeconfig] = ['plugin', 'token', 'kubeconfig'].map((name) => join(made, name));
    if (plugin === undefined || token === undefined || kubeconfig === undefined) throw new Error('no paths');
    const credential =
      '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"token":"\'$(cat TOKEN)\'"}}';
    await writeFile(plugin, `#!/bin/sh\necho '${credential.replace('TOKEN', token)}'\n`);
    await chmod(plugin, 0o755);
    await writeFile(token, 'revoked');
    const { server, ca = '' } = cluster().access;
    await writeFile(
      kubeconfig,
      JSON.stringify({
        'current-context': 'x',
        clusters: [
          {
            name: 'x',
            cluster: { server, 'certificate-authority-data': Buffer.from(ca).toString('base64') },
          },
        ],
        users: [
          { name: 'x', user: { exec: { apiVersion: 'client.authentication.k8s.io/v1', command: plugin } } },
        ],
        contexts: [{ name: 'x', context: { cluster: 'x', user: 'x', namespace: own } }],
      }),
    );
    const connection = await connect({ kind: 'kubeconfig', path: kubeconfig });
    const client = clientOf(connection);
    const key = { namespace: connection.namespace, name: 'none' };
    await expect(client.get(configMaps, key)).rejects.toMatchObject({ status: 401 });
    await writeFile(token, access.token ?? '');
    await eventually(async () => expect(await client.get(configMaps, key)).toBeUndefined());
  });

  it('does not trust a server that another authority vouches for', async () => {
    const made = await folder();
    const kubeconfig = join(made, 'kubeconfig');
    const { server } = cluster().access;
    await writeFile(
      kubeconfig,
      JSON.stringify({
        'current-context': 'x',
        clusters: [{ name: 'x', cluster: { server } }],
        users: [{ name: 'x', user: { token: 'secret' } }],
        contexts: [{ name: 'x', context: { cluster: 'x', user: 'x' } }],
      }),
    );
    const client = clientOf(await connect({ kind: 'kubeconfig', path: kubeconfig }));
    await expect(client.getText('/version')).rejects.toMatchObject({ step: 'tls' });
  });
});
