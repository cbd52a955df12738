import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Access } from '../api.ts';
import { temporaryFolder } from '../guard.ts';
import { accessOf } from '../kubeconfig.ts';

const SERVER = 'https://api.test:6443';
const base64 = (text: string) => Buffer.from(text).toString('base64');

describe('the access that a kubeconfig gives', () => {
  const cases: readonly (readonly [
    title: string,
    cluster: object,
    user: object,
    access: Omit<Access, 'server'>,
  ])[] = [
    [
      'by client certificate, as of kind',
      { 'certificate-authority-data': base64('CA') },
      { 'client-certificate-data': base64('CERT'), 'client-key-data': base64('KEY') },
      { ca: 'CA', certificate: 'CERT', key: 'KEY' },
    ],
    [
      'by token',
      { 'certificate-authority-data': base64('CA') },
      { token: 'TOKEN' },
      { ca: 'CA', token: 'TOKEN' },
    ],
    [
      'without verification',
      { 'insecure-skip-tls-verify': true },
      { token: 'TOKEN' },
      { token: 'TOKEN', insecure: true },
    ],
  ];
  test.each(cases)('is read: %s', async (_, cluster, user, access) => {
    await using folder = await temporaryFolder(join(tmpdir(), 'truss-test-'));
    const path = join(folder.path, 'kubeconfig');
    const config = {
      'current-context': 'it',
      clusters: [{ name: 'c', cluster: { server: SERVER, ...cluster } }],
      users: [{ name: 'u', user }],
      contexts: [{ name: 'it', context: { cluster: 'c', user: 'u' } }],
    };
    await writeFile(path, JSON.stringify(config));
    expect(await accessOf(path)).toEqual({ server: SERVER, ...access });
  });

  test('is none without a current context', async () => {
    await using folder = await temporaryFolder(join(tmpdir(), 'truss-test-'));
    const path = join(folder.path, 'kubeconfig');
    await writeFile(path, JSON.stringify({ clusters: [], users: [], contexts: [] }));
    await expect(accessOf(path)).rejects.toThrow('has no current context with a cluster');
  });
});
