import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CredentialsError } from '../../src/kube/connection.ts';
import { inClusterConnection } from '../../src/kube/in-cluster.ts';

const environment = { KUBERNETES_SERVICE_HOST: '10.96.0.1', KUBERNETES_SERVICE_PORT: '443' };

let folder: string;
let now: number;

beforeEach(async () => {
  now = 0;
  folder = await mkdtemp(join(tmpdir(), 'truss-test-'));
  for (const [name, text] of Object.entries({ token: 'first\n', 'ca.crt': 'CA', namespace: 'operators\n' })) {
    await write(name, text);
  }
});
afterEach(() => rm(folder, { recursive: true }));

const write = (name: string, text: string): Promise<void> => writeFile(join(folder, name), text);
const connection = () => inClusterConnection({ folder, environment, now: () => now });

describe('a pod’s connection', () => {
  it('comes from the environment and the mounted ServiceAccount', async () => {
    const { server, namespace, access } = await connection();
    expect(server.href).toBe('https://10.96.0.1/');
    expect(namespace).toBe('operators');
    expect(await access()).toEqual({
      headers: { Authorization: 'Bearer first' },
      tls: { ca: 'CA', cert: undefined, key: undefined, serverName: undefined, verify: true },
    });
  });

  it('may be IPv6', async () => {
    const { server } = await inClusterConnection({
      folder,
      environment: { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '6443' },
    });
    expect(server.href).toBe('https://[fd00::1]:6443/');
  });

  it.each([
    ['outside of a pod', { KUBERNETES_SERVICE_PORT: '443' }, 'no pod: use --kubeconfig'],
    ['without a port', { KUBERNETES_SERVICE_HOST: '10.96.0.1' }, 'no pod: use --kubeconfig'],
  ])('%s says what to do', async (_, given, message) => {
    await expect(inClusterConnection({ folder, environment: given })).rejects.toThrow(message);
  });

  it('without a token says what to do', async () => {
    await rm(join(folder, 'token'));
    await expect(connection()).rejects.toThrow('automountServiceAccountToken');
  });

  it('keeps a token for a minute and then reads it again', async () => {
    const { access } = await connection();
    const first = await access();
    await write('token', 'second');
    now = 59_999;
    expect(await access()).toBe(first);
    now = 60_000;
    const second = await access();
    expect(second.headers).toEqual({ Authorization: 'Bearer second' });
    expect(second.tls).toBe(first.tls);
  });

  it('changes its TLS identity when the CA was rotated', async () => {
    const { access } = await connection();
    const first = await access();
    await write('ca.crt', 'NEW CA');
    now = 60_000;
    const second = await access();
    expect(second.tls).not.toBe(first.tls);
    expect(second.tls.ca).toBe('NEW CA');
  });

  it('reads a token that was refused again at once', async () => {
    const { access, renew } = await connection();
    const first = await access();
    await write('token', 'second');
    const [one, two] = await Promise.all([renew(first), renew(first)]);
    expect(one.headers).toEqual({ Authorization: 'Bearer second' });
    expect(two).toBe(one);
    // Who was refused with the first one and asks later gets what is there by now.
    expect(await renew(first)).toBe(one);
  });

  it('gives the same access when there is no other, so that nobody tries it again', async () => {
    const { access, renew } = await connection();
    const first = await access();
    now = 2_000;
    expect(await renew(first)).toBe(first);
  });

  it('fails when the token can no longer be read, and recovers', async () => {
    const { access } = await connection();
    await rm(join(folder, 'token'));
    now = 60_000;
    await expect(access()).rejects.toThrow(CredentialsError);
    await write('token', 'second');
    expect((await access()).headers).toEqual({ Authorization: 'Bearer second' });
  });
});
