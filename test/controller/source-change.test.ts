import { expect, it } from 'vitest';
import { createCaches } from '../../src/controller/caches.ts';
import { Memory } from '../../src/controller/memory.ts';
import { connectWakes } from '../../src/controller/wake.ts';
import type { RawObject } from '../../src/kube/object.ts';

let version = 1;
const metadata = (name: string, more: object = {}): RawObject['metadata'] => ({
  namespace: 'models',
  name,
  uid: `uid-${name}`,
  resourceVersion: String(version++),
  generation: 1,
  ...more,
});

const model = (name: string, config: object, more: object = {}, isValid = 'True'): RawObject => ({
  metadata: metadata(name),
  status: { conditions: [{ type: 'ConfigValid', status: isValid }] },
  spec: { trusted: true, config, ...more },
});
const declaring = (...names: readonly string[]): object => ({
  inline: `secrets: {${names.map((name) => `${name}: null`).join(', ')}}`,
});

const DATA = { a: btoa('1'), b: btoa('1'), TRUSS_SECRET_c: btoa('1') };
const secret = (more: object = {}, labels: object = {}, annotations: object = {}): RawObject => ({
  metadata: metadata('org', { labels: { 'truss-secrets.dev/store': 'default', ...labels }, annotations }),
  type: 'Opaque',
  data: DATA,
  ...more,
});

const ALL = ['reads-a', 'reads-b', 'twin-of-a', 'twin-of-c', 'renames-a', 'config-map', 'unread', 'too-many'];
const NEVER = ['other-store'];

/** Models that read the store, and the one Secret in it. */
async function world() {
  const discovery = { find: async () => undefined, serverVersion: async () => ({ major: 1, minor: 20 }) };
  const caches = await createCaches(discovery);
  const { models, configs, sources } = caches;
  models.set(model('reads-a', declaring('a', 'x')));
  models.set(model('reads-b', declaring('b')));
  models.set(model('twin-of-a', declaring('A')));
  models.set(model('twin-of-c', declaring('c')));
  const from = { store: 'default', key: 'a' };
  models.set(model('renames-a', declaring('x'), { overrides: [{ name: 'x', from }] }));
  models.set(model('config-map', { configMapRef: { name: 'config' } }));
  models.set(model('too-many', declaring('y'), {}, 'False'));
  models.set(model('unread', { configMapRef: { name: 'nowhere' } }));
  models.set(model('other-store', declaring('a'), { stores: [{ name: 'mine' }] }));
  configs.set({ metadata: metadata('config'), data: { 'config.yaml': 'secrets: {b: null}' } });
  sources.set(secret());
  const woken = new Set<string>();
  connectWakes(caches, new Memory(), (keys) => {
    for (const key of keys) woken.add(key);
  });
  return { sources, woken: () => [...woken].map((key) => key.replace('models/', '')).sort() };
}

it.each<[string, RawObject, readonly string[]]>([
  ['an annotation of somebody', secret({}, {}, { note: 'x' }), []],
  ['a label of somebody', secret({}, { team: 'x' }), []],
  [
    'a value',
    secret({ data: { ...DATA, a: btoa('2') } }),
    ['reads-a', 'twin-of-a', 'renames-a', 'unread', 'too-many'],
  ],
  ['a key that goes', secret({ data: { a: DATA.a, b: DATA.b } }), ['twin-of-c', 'unread', 'too-many']],
  [
    'a key that comes',
    secret({ data: { ...DATA, x: btoa('1') } }),
    ['reads-a', 'renames-a', 'unread', 'too-many'],
  ],
  [
    'a value of a ConfigMap`s model',
    secret({ data: { ...DATA, b: '' } }),
    ['reads-b', 'config-map', 'unread', 'too-many'],
  ],
  ['who may have it', secret({}, {}, { 'truss-secrets.dev/share-with': 'models/reads-a' }), ALL],
  ['its environment', secret({}, { 'truss-secrets.dev/environment': 'prod' }), ALL],
  ['its type', secret({ type: 'example.com/other' }), ALL],
  ['its store', secret({}, { 'truss-secrets.dev/store': 'mine' }), [...ALL, ...NEVER]],
  ['another Secret of its name', secret({ metadata: { ...secret().metadata, uid: 'other' } }), ALL],
])('a change of a store Secret wakes the models that it matters to: %s', async (_, change, expected) => {
  const { sources, woken } = await world();
  sources.set({ ...change, metadata: { ...change.metadata, resourceVersion: String(version++) } });
  expect(woken()).toEqual([...expected].sort());
});

it('a store Secret that goes wakes those that declare what was in it', async () => {
  const { sources, woken } = await world();
  sources.remove('models/org');
  expect(woken()).toEqual([...ALL].sort());
});
