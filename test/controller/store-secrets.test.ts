import { describe, expect, it } from 'vitest';
import { STORE_LABEL } from '../../src/api/names.ts';
import { createCaches } from '../../src/controller/caches.ts';
import { storeSecrets } from '../../src/controller/store-secrets.ts';
import type { RawObject } from '../../src/kube/object.ts';

let version = 1;
const secret = (name: string, store: string, value = 'MQ=='): RawObject => ({
  metadata: {
    namespace: 'models',
    name,
    uid: `uid-${name}`,
    resourceVersion: String(version++),
    labels: { [STORE_LABEL]: store },
  },
  type: 'Opaque',
  data: { k: value },
});

/** Two Secrets in the store `one`, one in the store `other`. */
async function world() {
  const discovery = { find: async () => undefined, serverVersion: async () => ({ major: 1, minor: 20 }) };
  const { sources } = await createCaches(discovery);
  for (const [name, store] of Object.entries({ a: 'one', b: 'one', c: 'other' }))
    sources.set(secret(name, store));
  const list = (store: string) => storeSecrets(sources, 'models', store);
  return { sources, list, names: (store: string) => list(store).map(({ name }) => name) };
}

describe('the Secrets of a store', () => {
  it('are the very same list for as long as nothing in it changes', async () => {
    const { sources, list } = await world();
    const before = list('one');
    sources.set(secret('c', 'other', 'Mg=='));
    expect(list('one')).toBe(before);
    sources.set(secret('a', 'one', 'Mg=='));
    expect(list('one')).not.toBe(before);
    expect(list('one')[0]?.values.get('k')?.is('Mg==')).toBe(true);
  });

  it('are those that are there: one that is new, deleted or in another store by now', async () => {
    const { sources, names } = await world();
    expect([names('one'), names('other'), names('none')]).toEqual([['a', 'b'], ['c'], []]);
    sources.set(secret('d', 'none'));
    sources.remove('models/a');
    sources.set(secret('b', 'other'));
    expect([names('one'), names('other'), names('none')]).toEqual([[], ['c', 'b'], ['d']]);
  });
});
