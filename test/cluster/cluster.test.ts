import { describe, expect, test } from 'vitest';
import { ApiError } from './api.ts';
import { cluster, namespace } from './cluster.ts';
import { identityWith } from './identity.ts';

describe('the cluster that tests run on', () => {
  test('is a real API server, 1.20 or newer', async () => {
    const { version, api } = cluster();
    expect(version.major).toBe(1);
    expect(version.minor).toBeGreaterThanOrEqual(20);
    expect(await api.text('/readyz')).toBe('ok');
  });

  test('gives an identity exactly the rights asked for', async () => {
    const [own, other] = [await namespace(), await namespace()];
    const reader = await identityWith({
      rules: { [own]: [{ apiGroups: [''], resources: ['secrets'], verbs: ['list'] }] },
    });
    await reader.api.get(`/api/v1/namespaces/${own}/secrets`);
    const forbidden = [
      () => reader.api.get(`/api/v1/namespaces/${other}/secrets`),
      () => reader.api.get(`/api/v1/namespaces/${own}/configmaps`),
      () => reader.api.post(`/api/v1/namespaces/${own}/secrets`, { metadata: { name: 'a' } }),
    ];
    for (const attempt of forbidden) {
      await expect(attempt()).rejects.toThrow(expect.objectContaining({ name: ApiError.name, code: 403 }));
    }
  });
});
