import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { connect, type Connection } from '../../src/kube/connection.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'truss-test-'));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

const base64 = (text: string): string => Buffer.from(text).toString('base64');

interface Parts {
  readonly cluster?: object;
  readonly user?: object;
}

/** JSON is YAML. */
async function kubeconfig({ cluster = {}, user = {} }: Parts = {}): Promise<string> {
  const path = join(folder, 'config');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'one',
    clusters: [{ name: 'c', cluster: { server: 'https://example.test:6443', ...cluster } }],
    users: [{ name: 'u', user }],
    contexts: [
      { name: 'one', context: { cluster: 'c', user: 'u' } },
      { name: 'two', context: { cluster: 'c', user: 'u', namespace: 'models' } },
      { name: 'lost', context: { cluster: 'nowhere', user: 'u' } },
    ],
  };
  await writeFile(path, JSON.stringify(config));
  return path;
}

const open = async (parts: Parts, context?: string): Promise<Connection> =>
  connect({ kind: 'kubeconfig', path: await kubeconfig(parts), context });

/** An exec plugin that counts its calls and gives `credential` of the count. */
async function plugin(credential: string): Promise<{ command: string; calls: () => Promise<string[]> }> {
  const command = join(folder, 'plugin');
  const log = join(folder, 'calls');
  await writeFile(log, '');
  await writeFile(
    command,
    `#!/bin/sh\necho "$KUBERNETES_EXEC_INFO $EXTRA" >> ${log}\nn=$(wc -l < ${log})\n${credential}\n`,
  );
  await chmod(command, 0o755);
  const calls = async (): Promise<string[]> => (await readFile(log, 'utf8')).trimEnd().split('\n');
  return { command, calls };
}

const execUser = (command: string): object => ({
  exec: {
    apiVersion: 'client.authentication.k8s.io/v1beta1',
    command,
    env: [{ name: 'EXTRA', value: 'more' }],
  },
});

const tokenUntil = (expiry: string): string =>
  `echo '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1beta1","status":{"token":"t'$n'","expirationTimestamp":"${expiry}"}}'`;

describe('a kubeconfig’s connection', () => {
  it('is that of the current context', async () => {
    const { server, namespace, access } = await open({ user: { token: 'abc' } });
    expect([server.href, namespace]).toEqual(['https://example.test:6443/', 'default']);
    expect((await access()).headers).toEqual({ Authorization: 'Bearer abc' });
  });

  it('may be that of another context', async () => {
    expect((await open({}, 'two')).namespace).toBe('models');
  });

  it('takes the file that KUBECONFIG names', async () => {
    vi.stubEnv('KUBECONFIG', await kubeconfig({ user: { token: 'abc' } }));
    const { access } = await connect({ kind: 'kubeconfig' });
    expect((await access()).headers).toEqual({ Authorization: 'Bearer abc' });
  });

  it('carries certificates, the server’s name and what is not to be verified', async () => {
    const { access } = await open({
      cluster: {
        'certificate-authority-data': base64('CA'),
        'tls-server-name': 'inner',
        'insecure-skip-tls-verify': true,
      },
      user: { 'client-certificate-data': base64('CERT'), 'client-key-data': base64('KEY') },
    });
    expect((await access()).tls).toEqual({
      ca: 'CA',
      cert: 'CERT',
      key: 'KEY',
      serverName: 'inner',
      verify: false,
    });
  });

  it('verifies by default', async () => {
    expect((await (await open({})).access()).tls.verify).toBe(true);
  });

  it('knows users with a password, and whom they act as', async () => {
    const { access } = await open({ user: { username: 'me', password: 'pw', as: 'you' } });
    expect((await access()).headers).toEqual({
      Authorization: `Basic ${base64('me:pw')}`,
      'Impersonate-User': 'you',
    });
  });

  it('may be plain http, and have a path and a proxy', async () => {
    const { server, proxy } = await open({
      cluster: { server: 'http://127.0.0.1:8001/k8s/clusters/c-1', 'proxy-url': 'http://proxy.test:3128' },
    });
    expect([server.pathname, proxy?.host]).toEqual(['/k8s/clusters/c-1', 'proxy.test:3128']);
  });

  it('does not follow the proxies of the environment', async () => {
    vi.stubEnv('HTTPS_PROXY', 'http://proxy.test:3128');
    expect((await open({})).proxy).toBeUndefined();
  });

  it.each([
    ['a context that is not there', 'three', 'no context "three"; it has: one, two, lost'],
    ['a cluster that is not there', 'lost', 'cluster of context "lost"'],
  ])('says so for %s', async (_, context, message) => {
    await expect(open({}, context)).rejects.toThrow(message);
  });

  it('says so when there is no file at all', async () => {
    vi.stubEnv('KUBECONFIG', '');
    vi.stubEnv('HOME', folder);
    await expect(connect({ kind: 'kubeconfig' })).rejects.toThrow('there is no kubeconfig');
  });

  it('says so for a file that is not there, or is none', async () => {
    await expect(connect({ kind: 'kubeconfig', path: '/nowhere' })).rejects.toThrow('/nowhere can');
    await writeFile(join(folder, 'odd'), '{');
    await expect(connect({ kind: 'kubeconfig', path: join(folder, 'odd') })).rejects.toThrow('odd can');
  });

  it('reads a token that was refused again', async () => {
    const { access, renew } = await open({ user: { token: 'old' } });
    const refused = await access();
    await kubeconfig({ user: { token: 'new' } });
    expect((await renew(refused)).headers).toEqual({ Authorization: 'Bearer new' });
  });
});

describe('a kubeconfig with an exec plugin', () => {
  it('runs it once as long as its credential is good, as client-go does', async () => {
    const { command, calls } = await plugin(tokenUntil('2999-01-01T00:00:00Z'));
    const { access } = await open({ user: execUser(command) });
    expect((await access()).headers).toEqual({ Authorization: 'Bearer t1' });
    await access();
    expect(await calls()).toEqual([
      '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1beta1","spec":{"interactive":false}} more',
    ]);
  });

  it('runs it again for a credential that the server refused', async () => {
    const { command } = await plugin(tokenUntil('2999-01-01T00:00:00Z'));
    const { access, renew } = await open({ user: execUser(command) });
    const refused = await access();
    expect((await renew(refused)).headers).toEqual({ Authorization: 'Bearer t2' });
  });

  it('runs it again once its credential is past', async () => {
    const { command } = await plugin(tokenUntil('2001-01-01T00:00:00Z'));
    vi.useFakeTimers({ toFake: ['performance'] });
    try {
      const { access } = await open({ user: execUser(command) });
      expect((await access()).headers).toEqual({ Authorization: 'Bearer t1' });
      vi.advanceTimersByTime(10_000);
      expect((await access()).headers).toEqual({ Authorization: 'Bearer t2' });
    } finally {
      vi.useRealTimers();
    }
  });

  it('takes certificates from it', async () => {
    const { command } = await plugin(
      `echo '{"status":{"clientCertificateData":"CERT","clientKeyData":"KEY"}}'`,
    );
    const { access } = await open({ user: execUser(command) });
    expect((await access()).tls).toMatchObject({ cert: 'CERT', key: 'KEY' });
  });

  it.each([
    ['fails', 'echo "log in first" >&2; exit 1', 'log in first'],
    ['prints something else', 'echo hello', 'no credentials for user "u"'],
  ])('says so when it %s', async (_, script, message) => {
    const { command } = await plugin(script);
    await expect(open({ user: execUser(command) })).rejects.toThrow(message);
  });

  it('says so when it is not installed', async () => {
    await expect(open({ user: execUser('/nowhere/plugin') })).rejects.toThrow('ENOENT');
  });
});
