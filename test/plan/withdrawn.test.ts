import { describe, expect, it } from 'vitest';
import type { ApprovalView, Snapshot, SourceSecret, StoreView } from '../../src/plan/snapshot.ts';
import { NOTHING_FAILED } from '../../src/plan/outcome.ts';
import {
  approvedBy,
  declaredSecrets,
  delivered,
  model,
  planOf,
  priorSecret,
  priorStatus,
  pullSecret,
  source,
  states,
  statusOf,
  store,
} from './builders.ts';

/** A store in a namespace that the operator does not watch: it stays unreadable for ever. */
const nowhere = { kind: 'unreadable', ref: { name: 'x', namespace: 'nowhere' }, why: 'store x' } as const;
const STORES = [
  { name: 'default', namespace: 'org' },
  { name: 'x', namespace: 'nowhere' },
];
const FROM_ORG = { namespace: 'org', name: 'org', key: 'a', uid: 'uid-org-org' };

const orgStore = (...secrets: readonly SourceSecret[]): StoreView => ({
  kind: 'readable',
  ref: { name: 'default', namespace: 'org' },
  secrets,
});
const shared = (values: Record<string, string>, options: Parameters<typeof source>[1] = {}): SourceSecret =>
  source(values, { namespace: 'org', shareWith: 'models', ...options });

/** `a` was delivered from Secret org/org before. */
const after = (
  stores: readonly StoreView[],
  {
    spec = {},
    from = FROM_ORG,
    ...more
  }: {
    readonly spec?: Record<string, unknown>;
    readonly from?: typeof FROM_ORG | undefined;
    readonly approval?: ApprovalView;
  } = {},
) => {
  const prior = priorStatus(priorSecret('a', { source: from }));
  const parts: Partial<Snapshot> = {
    model: model({ stores: STORES, ...spec }, { prior }),
    stores,
    delivered: delivered({ a: 'A' }),
    ...more,
  };
  return planOf(parts);
};

const keysAfter = (planned: ReturnType<typeof planOf>): readonly string[] => [...planned.secret.keys];

describe('what was withdrawn goes, although another store cannot be read', () => {
  it.each<[string, readonly StoreView[]]>([
    ['its owner shares it with nobody any more', [orgStore(source({ a: 'A' }, { namespace: 'org' }))]],
    ['its owner shares it with others only', [orgStore(shared({ a: 'A' }, { shareWith: 'else' }))]],
    ['the Secret was deleted, or is of another store', [orgStore()]],
    ['the Secret lacks the key', [orgStore(shared({ b: 'B' }))]],
    ['the value is empty', [nowhere, orgStore(shared({ a: '' }))]],
    ['the Secret is for another environment', [orgStore(shared({ a: 'A' }, { environment: 'production' }))]],
    ['only another Secret has the key', [nowhere, orgStore(shared({ a: 'B' }, { name: 'other' }))]],
  ])('%s', (_what, stores) => {
    const listed = stores.includes(nowhere) ? stores : [...stores, nowhere];
    const planned = after(listed);
    expect(states(planned)).toEqual({ a: 'Missing' });
    expect(keysAfter(planned)).toEqual([]);
    expect(planned.secret.action.kind).toBe('replace');
    expect(planned.secret.revision).toBe('fresh');
    const { conditions } = statusOf(planned, NOTHING_FAILED, 1);
    const resolved = conditions?.find(({ type }) => type === 'SecretsResolved');
    expect(`${resolved?.status} ${resolved?.reason}`).toBe('Unknown StoreUnreadable');
  });

  it('another key is asked for, of a store that cannot be read', () => {
    const overrides = [{ name: 'a', from: { store: 'x', key: 'approved' } }];
    const planned = after([orgStore(shared({ a: 'A' })), nowhere], {
      spec: { overrides },
      approval: approvedBy({ secrets: ['approved'] }),
    });
    expect(keysAfter(planned)).toEqual([]);
  });

  it('the same key is asked for, of a store that cannot be read', () => {
    const overrides = [{ name: 'a', from: { store: 'x', key: 'a' } }];
    expect(keysAfter(after([orgStore(shared({ a: 'A' })), nowhere], { spec: { overrides } }))).toEqual([]);
  });

  it('the store that it came from is not asked any more', () => {
    expect(keysAfter(after([nowhere], { spec: { stores: [STORES[1]] } }))).toEqual([]);
  });

  it('nobody knows what is approved', () => {
    const approval = { kind: 'unknown', why: 'no right' } as const;
    expect(keysAfter(after([orgStore(shared({ a: 'A' }))], { approval }))).toEqual(['a']);
    const planned = after([orgStore(source({ a: 'A' }, { namespace: 'org' }))], { approval });
    expect(keysAfter(planned)).toEqual([]);
    expect(states(planned)).toEqual({ a: 'NotApproved' });
  });

  it('where it came from is not known (a status that was lost), and no Secret that can be read has the key', () => {
    expect(keysAfter(after([orgStore(), nowhere], { from: undefined }))).toEqual([]);
    expect(keysAfter(after([nowhere, orgStore(shared({ a: 'A' }))], { from: undefined }))).toEqual(['a']);
  });

  it('with a credential for pulling images goes the file that it is in', () => {
    const use = { method: 'REGISTRY_SECRET', registry: 'ghcr.io' };
    const prior = priorStatus(priorSecret('a', { role: 'Pull', pull: use, source: FROM_ORG }));
    const planned = planOf({
      model: model({ stores: STORES }, { prior }),
      declaration: declaredSecrets(pullSecret('a', use.method, use.registry)),
      stores: [orgStore(), nowhere],
      pull: delivered({ '.dockerconfigjson': 'x' }, { revision: undefined }),
    });
    expect(planned.pull.action.kind).toBe('delete');
    expect(states(planned)).toEqual({ a: 'Missing' });
  });
});

describe('an outage of a store takes nothing away that came from it', () => {
  const unread = { kind: 'unreadable', ref: { name: 'default', namespace: 'org' }, why: 'store' } as const;

  it.each<[string, readonly StoreView[], typeof FROM_ORG | undefined]>([
    ['the store that it came from', [unread], FROM_ORG],
    ['the store that it came from, after one that can be read', [store(), unread], FROM_ORG],
    ['all stores, and where it came from is not known', [unread, nowhere], undefined],
    ['a store before the one that it is still in', [nowhere, orgStore(shared({ a: 'rotated' }))], FROM_ORG],
  ])('%s', (_what, stores, from) => {
    const planned = after(stores, { from });
    expect(states(planned)).toEqual({ a: 'Delivered' });
    expect(planned.secret.action).toEqual({ kind: 'none' });
  });
});

describe('where a value came from is not forgotten', () => {
  it('while its store cannot be read', () => {
    const planned = after([{ ...nowhere, ref: { name: 'default', namespace: 'org' } }]);
    expect(statusOf(planned, NOTHING_FAILED, 1).secrets).toMatchObject([
      { name: 'a', state: 'Delivered', source: FROM_ORG },
    ]);
  });

  it('while nobody knows what is approved', () => {
    const approval = { kind: 'unknown', why: 'no right' } as const;
    const planned = after([orgStore(shared({ a: 'A' }))], { approval });
    expect(statusOf(planned, NOTHING_FAILED, 1).secrets).toMatchObject([{ source: FROM_ORG }]);
  });

  it('so that credentials for pulling images stay delivered for as long as the store cannot be read', () => {
    const use = { method: 'REGISTRY_SECRET', registry: 'ghcr.io' };
    const secret = pullSecret('a', use.method, use.registry);
    const unread = { kind: 'unreadable', ref: { name: 'default', namespace: 'org' }, why: 'store' } as const;
    const pull = delivered({ '.dockerconfigjson': 'x' }, { revision: undefined });
    let prior = priorStatus(priorSecret('a', { role: 'Pull', pull: use, source: FROM_ORG }));
    for (let pass = 0; pass < 3; pass++) {
      const planned = planOf({
        model: model({ stores: STORES }, { prior }),
        declaration: declaredSecrets(secret),
        stores: [unread, nowhere],
        pull,
      });
      expect(states(planned)).toEqual({ a: 'Delivered' });
      expect(planned.pull.action.kind).toBe('none');
      const [entry] = statusOf(planned, NOTHING_FAILED, 1).secrets ?? [];
      prior = priorStatus(priorSecret('a', { role: 'Pull', pull: use, source: entry?.source }));
    }
  });
});
