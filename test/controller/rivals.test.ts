import { beforeEach, describe, expect, it } from 'vitest';
import { createCaches, type Caches } from '../../src/controller/caches.ts';
import { Memory } from '../../src/controller/memory.ts';
import { connectWakes } from '../../src/controller/wake.ts';
import type { RawObject } from '../../src/kube/object.ts';

let version = 1;

const model = (name: string, metadata: object, workload = 'shared', more: object = {}): RawObject => ({
  metadata: {
    namespace: 'models',
    name,
    uid: `uid-${name}`,
    resourceVersion: String(version++),
    generation: 1,
    ...metadata,
  },
  spec: { trusted: true, config: { inline: '' }, workloads: [{ kind: 'Deployment', name: workload }] },
  ...more,
});

let caches: Caches;
let woken: Set<string>;

beforeEach(async () => {
  const discovery = { find: async () => undefined, serverVersion: async () => ({ major: 1, minor: 20 }) };
  caches = await createCaches(discovery);
  caches.models.set(model('first', {}));
  caches.models.set(model('second', {}));
  woken = new Set();
  connectWakes(caches, new Memory(), (keys) => {
    for (const key of keys) woken.add(key);
  });
});

describe('two models that ask for one workload', () => {
  it.each<[string, RawObject]>([
    ['no longer asks for it', model('first', { generation: 2 }, 'other')],
    ['is no longer trusted', model('first', { generation: 2 })],
    ['is being deleted', model('first', { deletionTimestamp: '2026-01-02T03:04:05Z', finalizers: ['x/y'] })],
    ['is another one by now', model('first', { uid: 'another' })],
  ])('the second is woken when the first %s', (_, now) => {
    const newer = { ...now, metadata: { ...now.metadata, resourceVersion: String(version++) } };
    caches.models.set(newer);
    expect(woken).toContain('models/second');
  });

  it('the second is woken when the first is gone', () => {
    caches.models.remove('models/first');
    expect(woken).toContain('models/second');
  });

  it('but not by every new status of the first', () => {
    caches.models.set(model('first', {}, 'shared', { status: { summary: '1/1' } }));
    expect([...woken]).toEqual(['models/first']);
  });
});

describe('a store Secret that is being deleted', () => {
  it('is gone, whatever finalizer holds it', () => {
    const secret = (metadata: object): RawObject => ({
      metadata: {
        namespace: 'models',
        name: 'org',
        uid: 'uid-org',
        resourceVersion: String(version++),
        labels: { 'truss-secrets.dev/store': 'default' },
        ...metadata,
      },
      data: { a: btoa('A') },
    });
    caches.sources.set(secret({}));
    caches.sources.set(secret({ deletionTimestamp: '2026-01-02T03:04:05Z', finalizers: ['x/y'] }));
    expect(caches.sources.get('models', 'org')).toBeUndefined();
    expect(woken).toContain('models/first');
  });
});
