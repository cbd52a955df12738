import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RawObject } from '../../src/kube/object.ts';
import { Store } from '../../src/kube/store.ts';

interface Thing {
  readonly name: string;
  readonly owner: string;
  readonly tags: readonly string[];
}

interface Spec {
  readonly owner?: string;
  readonly tags?: readonly string[];
  readonly namespace?: string;
}

const raw = (
  name: string,
  version: number,
  { owner = 'nobody', tags = [], namespace = 'ns' }: Spec = {},
): RawObject => ({
  metadata: { name, namespace, uid: `uid-${name}`, resourceVersion: String(version) },
  owner,
  tags,
});

/** Objects that are owned by "stranger" are of no interest. */
function project(object: RawObject): Thing | undefined {
  const { owner, tags } = object;
  if (typeof owner !== 'string' || owner === 'stranger' || !Array.isArray(tags)) return undefined;
  return { name: object.metadata.name, owner, tags: tags.filter((tag) => typeof tag === 'string') };
}

function newStore(same?: (old: Thing, now: Thing) => boolean) {
  const store = new Store<Thing, 'owner' | 'tag'>({
    project,
    indexes: { owner: (thing) => thing.owner, tag: (thing) => thing.tags },
    ...(same === undefined ? {} : { same }),
  });
  const changes: string[] = [];
  store.onChange((key, old, now) => changes.push(`${key} ${old?.owner ?? '-'} > ${now?.owner ?? '-'}`));
  return { store, sink: store.sink(), changes };
}

describe('a store', () => {
  it('holds projections by namespace and name', () => {
    const { store, sink } = newStore();
    sink.apply(raw('a', 1, { owner: 'x' }));
    expect(store.get('ns', 'a')).toEqual({ name: 'a', owner: 'x', tags: [] });
    expect(store.get('other', 'a')).toBeUndefined();
    expect([...store.keys()]).toEqual(['ns/a']);
    expect([...store.values()]).toHaveLength(1);
  });

  it('keeps out what is of no interest, and lets go of what has become so', () => {
    const { store, sink, changes } = newStore();
    sink.apply(raw('a', 1, { owner: 'stranger' }));
    sink.apply(raw('b', 2, { owner: 'x' }));
    sink.apply(raw('b', 3, { owner: 'stranger' }));
    expect(store.size).toBe(0);
    expect(changes).toEqual(['ns/b - > x', 'ns/b x > -']);
  });

  it('tells of what is new, changed and gone, with old and new', () => {
    const { sink, changes } = newStore();
    sink.apply(raw('a', 1, { owner: 'x' }));
    sink.apply(raw('a', 2, { owner: 'y' }));
    sink.remove(raw('a', 3));
    expect(changes).toEqual(['ns/a - > x', 'ns/a x > y', 'ns/a y > -']);
  });

  it('tells nobody of a change that is the same, and keeps the newer one', () => {
    const { store, sink, changes } = newStore((old, now) => old.owner === now.owner);
    sink.apply(raw('a', 1, { owner: 'x' }));
    sink.apply(raw('a', 2, { owner: 'x', tags: ['new'] }));
    expect(changes).toEqual(['ns/a - > x']);
    expect(store.get('ns', 'a')?.tags).toEqual(['new']);
    expect(store.keysBy('tag', 'new')).toEqual(['ns/a']);
  });

  it('is up to date, with its indexes, when it tells', () => {
    const { store, sink } = newStore();
    const seen: unknown[] = [];
    store.onChange((key, _, now) => seen.push([store.getByKey(key) === now, store.keysBy('owner', 'y')]));
    sink.apply(raw('a', 1, { owner: 'x' }));
    sink.apply(raw('a', 2, { owner: 'y' }));
    expect(seen).toEqual([
      [true, []],
      [true, ['ns/a']],
    ]);
  });

  describe('indexes', () => {
    it('find one, many and none', () => {
      const { store, sink } = newStore();
      sink.apply(raw('a', 1, { owner: 'x', tags: ['t', 'u'] }));
      sink.apply(raw('b', 2, { owner: 'x', tags: ['t'] }));
      expect(store.keysBy('owner', 'x')).toEqual(['ns/a', 'ns/b']);
      expect(store.byIndex('tag', 't').map((thing) => thing.name)).toEqual(['a', 'b']);
      expect(store.keysBy('tag', 'u')).toEqual(['ns/a']);
      expect(store.byIndex('owner', 'nobody')).toEqual([]);
    });

    it('find what has its own key for a value, and another beside it', () => {
      const { store, sink } = newStore();
      sink.apply(raw('a', 1, { tags: ['ns/a'] }));
      expect(store.keysBy('tag', 'ns/a')).toEqual(['ns/a']);
      sink.apply(raw('b', 2, { tags: ['ns/a'] }));
      sink.remove(raw('a', 3));
      expect(store.keysBy('tag', 'ns/a')).toEqual(['ns/b']);
    });

    it('forget values that went away', () => {
      const { store, sink } = newStore();
      sink.apply(raw('a', 1, { tags: ['t', 't', 'u'] }));
      sink.apply(raw('b', 2, { tags: ['t'] }));
      sink.apply(raw('a', 3, { tags: ['u'] }));
      sink.remove(raw('b', 4));
      expect(store.keysBy('tag', 't')).toEqual([]);
      expect(store.keysBy('tag', 'u')).toEqual(['ns/a']);
    });
  });

  describe('read-your-writes', () => {
    it('projects what is here anew when it is told to, unless something newer is here', () => {
      let owner = 'first look';
      const store = new Store<string>({ project: () => owner });
      const changes: unknown[] = [];
      store.set(raw('a', 3));
      store.onChange((...change) => changes.push(change));
      owner = 'second look';
      store.set(raw('a', 3));
      expect(store.get('ns', 'a')).toBe('first look');
      store.setAnew(raw('a', 3));
      expect(store.get('ns', 'a')).toBe('second look');
      expect(changes).toEqual([['ns/a', 'first look', 'second look']]);
      owner = 'third look';
      store.setAnew(raw('a', 2));
      expect(store.get('ns', 'a')).toBe('second look');
    });

    it('does not let an older event overwrite our own write', () => {
      const { store, sink, changes } = newStore();
      sink.apply(raw('a', 5, { owner: 'x' }));
      store.set(raw('a', 9, { owner: 'ours' }));
      sink.apply(raw('a', 7, { owner: 'late' }));
      sink.apply(raw('a', 9, { owner: 'ours' }));
      expect(changes).toEqual(['ns/a - > x', 'ns/a x > ours']);
      sink.apply(raw('a', 10, { owner: 'newer' }));
      expect(store.get('ns', 'a')?.owner).toBe('newer');
    });

    it('does not let the late news of a deletion take away what was created since', () => {
      const { store, sink } = newStore();
      sink.apply(raw('a', 5));
      store.remove('ns/a');
      store.set(raw('a', 9, { owner: 'ours' }));
      sink.remove(raw('a', 8));
      expect(store.get('ns', 'a')?.owner).toBe('ours');
    });

    it('does not let an answer that overtook a deletion bring the object back', () => {
      const { store, sink } = newStore();
      sink.apply(raw('a', 5));
      sink.remove(raw('a', 9));
      store.set(raw('a', 7));
      expect(store.size).toBe(0);
      store.set(raw('a', 10));
      expect(store.size).toBe(1);
    });

    it('takes what only left the selector, when it is read by its name', () => {
      const { store, sink } = newStore();
      sink.apply(raw('a', 5));
      sink.remove(raw('a', 6));
      store.set(raw('a', 6));
      expect(store.size).toBe(1);
    });

    it('does not let a late event bring back what we deleted', () => {
      const { store, sink } = newStore();
      sink.apply(raw('a', 5));
      store.remove('ns/a');
      sink.apply(raw('a', 5));
      expect(store.size).toBe(0);
    });

    it('keeps what was written while a list came in', () => {
      const { store, sink } = newStore();
      sink.begin();
      store.set(raw('new', 20, { owner: 'ours' }));
      store.set(raw('old', 21, { owner: 'ours' }));
      sink.page([raw('old', 10, { owner: 'listed' })]);
      sink.end();
      expect(store.get('ns', 'new')?.owner).toBe('ours');
      expect(store.get('ns', 'old')?.owner).toBe('ours');
    });

    it('needs no news of what the answer to a write of ours has told, once', () => {
      const { store, sink } = newStore();
      sink.apply(raw('a', 5, { owner: 'x' }));
      store.set(raw('a', 7, { owner: 'ours' }));
      expect(['5', '7', '7', '8'].map((version) => sink.isAnswered?.(version))).toEqual([
        false,
        true,
        false,
        false,
      ]);
    });

    it('needs it again after a new list, before which a restored backup may have counted versions anew', () => {
      const { store, sink } = newStore();
      store.set(raw('a', 7, { owner: 'ours' }));
      sink.begin();
      expect(sink.isAnswered?.('7')).toBe(false);
    });

    it('needs the news of what it did not keep, or keeps no more', () => {
      const { store, sink } = newStore();
      store.set(raw('a', 7, { owner: 'stranger' }));
      store.set(raw('b', 8, { owner: 'ours' }));
      store.retain(() => false);
      expect(['7', '8'].map((version) => sink.isAnswered?.(version))).toEqual([false, false]);
    });

    it('has read the news already where the answer came later', () => {
      const { store, sink } = newStore();
      sink.apply(raw('a', 7, { owner: 'ours' }));
      store.set(raw('a', 7, { owner: 'ours' }));
      expect(sink.isAnswered?.('7')).toBe(false);
    });

    it('takes over what a write of ours is known to have left, with its indexes, and needs no news of it', () => {
      const { store, sink, changes } = newStore();
      sink.apply(raw('a', 5, { owner: 'x', tags: ['t'] }));
      store.amend('ns/a', '7', (old) => ({ ...old, owner: 'ours' }));
      expect(store.get('ns', 'a')).toEqual({ name: 'a', owner: 'ours', tags: ['t'] });
      expect(store.keysBy('owner', 'ours')).toEqual(['ns/a']);
      expect(changes).toEqual(['ns/a - > x', 'ns/a x > ours']);
      expect(sink.isAnswered?.('7')).toBe(true);
    });

    it.each([
      ['is newer', '9'],
      ['came as news before', '7'],
    ])('does not take it over where what is here %s', (_, version) => {
      const { store, sink } = newStore();
      sink.apply(raw('a', Number(version), { owner: 'x' }));
      store.amend('ns/a', '7', (old) => ({ ...old, owner: 'ours' }));
      expect(store.get('ns', 'a')?.owner).toBe('x');
      expect(sink.isAnswered?.('7')).toBe(false);
    });

    it('does not bring back by it what was deleted meanwhile', () => {
      const { store, sink } = newStore();
      sink.apply(raw('a', 5));
      sink.remove(raw('a', 8));
      store.amend('ns/a', '7', (old) => old);
      expect(store.size).toBe(0);
    });

    it('leaves to the news what nobody can say', () => {
      const { store, sink } = newStore();
      sink.apply(raw('a', 5, { owner: 'x' }));
      store.amend('ns/a', '7', () => undefined);
      expect(sink.isAnswered?.('7')).toBe(false);
      sink.apply(raw('a', 7, { owner: 'ours' }));
      expect(store.get('ns', 'a')?.owner).toBe('ours');
    });

    it('knows which versions it has', () => {
      const { store, sink } = newStore();
      sink.apply(raw('a', 5));
      expect([4, 5, 6].map((version) => store.isCurrent(raw('a', version)))).toEqual([true, true, false]);
      expect(store.isCurrent(raw('b', 1))).toBe(false);
    });
  });

  describe('a new list', () => {
    it('removes by difference at its end, with no moment of emptiness', () => {
      const { store, sink, changes } = newStore();
      sink.begin();
      sink.page([raw('a', 1), raw('b', 2)]);
      sink.end();
      changes.length = 0;
      sink.begin();
      expect(store.size).toBe(2);
      sink.page([raw('b', 2)]);
      sink.page([raw('c', 4)]);
      expect(store.size).toBe(3);
      sink.end();
      expect(changes).toEqual(['ns/c - > nobody', 'ns/a nobody > -']);
    });

    it('forgets the unfinished one before it', () => {
      const { store, sink } = newStore();
      sink.begin();
      sink.page([raw('a', 1)]);
      sink.begin();
      sink.page([raw('b', 2)]);
      sink.end();
      expect([...store.keys()]).toEqual(['ns/b']);
    });

    it('forgets deletions of before, which a restored backup may have undone', () => {
      const { store, sink } = newStore();
      sink.apply(raw('a', 899));
      sink.remove(raw('a', 900));
      sink.begin();
      sink.end();
      sink.apply(raw('a', 5));
      expect(store.size).toBe(1);
    });

    it('is the truth even where it is older, as after a restored backup', () => {
      const { store, sink } = newStore();
      sink.apply(raw('a', 900, { owner: 'future' }));
      sink.begin();
      sink.page([raw('a', 3, { owner: 'restored' })]);
      sink.end();
      expect(store.get('ns', 'a')?.owner).toBe('restored');
    });
  });

  describe('with a reflector for each namespace', () => {
    it('removes only what is missing in the namespace that was listed', () => {
      const { store } = newStore();
      const [red, blue] = [store.sink('red'), store.sink('blue')];
      for (const [sink, namespace] of [[red, 'red'] as const, [blue, 'blue'] as const]) {
        sink.begin();
        sink.page([raw('a', 1, { namespace })]);
        sink.end();
      }
      red.begin();
      red.end();
      expect([...store.keys()]).toEqual(['blue/a']);
    });

    it('answers for the freshness of each', () => {
      const { store } = newStore();
      const heard: unknown[] = [];
      store.onFreshness((value, namespace) => heard.push([value.kind, namespace]));
      store.sink('red').freshness({ kind: 'synced' });
      expect(store.freshness('red').kind).toBe('synced');
      expect(store.freshness('blue').kind).toBe('unsynced');
      expect(heard).toEqual([['synced', 'red']]);
    });
  });

  it('answers for every namespace with the one reflector for all', () => {
    const { store, sink } = newStore();
    expect(store.freshness()).toEqual({ kind: 'unsynced', failure: undefined });
    sink.freshness({ kind: 'synced' });
    expect(store.freshness().kind).toBe('synced');
    expect(store.freshness('any').kind).toBe('synced');
  });
});

describe('the store against a model', () => {
  const name = fc.constantFrom('a', 'b', 'c', 'd');
  const owner = fc.constantFrom('x', 'y', 'stranger');
  const tags = fc.array(fc.constantFrom('t', 'u', 'v'), { maxLength: 3 });
  const command = fc.oneof(
    fc.record({
      do: fc.constant('write' as const),
      name,
      owner,
      tags,
      answer: fc.constantFrom('none', 'read', 'known'),
    }),
    fc.record({ do: fc.constant('delete' as const), name }),
    fc.record({ do: fc.constant('deliver' as const), count: fc.integer({ min: 1, max: 5 }) }),
    fc.record({ do: fc.constant('relist' as const), pages: fc.integer({ min: 1, max: 3 }) }),
  );

  it('is what the server has once all news came, whatever came late, twice or by a list', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 60 }), (commands) => {
        const { store, sink } = newStore();
        const mirror = new Map<string, Thing>();
        store.onChange((key, old, now) => {
          expect(mirror.get(key)).toBe(old);
          if (now === undefined) mirror.delete(key);
          else mirror.set(key, now);
        });
        const server = new Map<string, RawObject>();
        let news: { object: RawObject; gone: boolean }[] = [];
        let version = 0;
        const deliver = (count: number): void => {
          for (const { object, gone } of news.splice(0, count)) {
            if (gone) sink.remove(object);
            else if (sink.isAnswered?.(object.metadata.resourceVersion) !== true) sink.apply(object);
          }
        };
        for (const one of commands) {
          switch (one.do) {
            case 'write': {
              const object = raw(one.name, ++version, one);
              server.set(one.name, object);
              news.push({ object, gone: false });
              if (one.answer === 'read') store.set(object);
              if (one.answer === 'known')
                store.amend(`ns/${one.name}`, String(version), () => project(object));
              break;
            }
            case 'delete':
              if (!server.delete(one.name)) break;
              news.push({ object: raw(one.name, ++version), gone: true });
              break;
            case 'deliver':
              deliver(one.count);
              break;
            case 'relist': {
              news = [];
              const all = [...server.values()];
              sink.begin();
              const size = Math.ceil(all.length / one.pages) || 1;
              for (let at = 0; at < all.length; at += size) sink.page(all.slice(at, at + size));
              sink.end();
            }
          }
        }
        deliver(news.length);
        const expected = [...server.values()].flatMap((object) => project(object) ?? []);
        expect([...store.values()].sort(byName)).toEqual(expected.sort(byName));
        expect([...mirror.values()].sort(byName)).toEqual(expected.sort(byName));
        for (const tag of ['t', 'u', 'v']) {
          const tagged = expected.filter((thing) => thing.tags.includes(tag));
          expect([...store.byIndex('tag', tag)].sort(byName)).toEqual(tagged);
        }
      }),
    );
  });
});

const byName = (a: Thing, b: Thing): number => (a.name < b.name ? -1 : 1);
