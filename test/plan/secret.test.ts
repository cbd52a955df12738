import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plan } from '../../src/plan/plan.ts';
import {
  ABSENT,
  declared,
  delivered,
  model,
  planOf,
  priorSecret,
  priorStatus,
  snapshot,
  source,
  store,
  SURROUNDINGS,
  value,
  written,
} from './builders.ts';

const actionOf = (parts: Parameters<typeof planOf>[0]): string => planOf(parts).secret.action.kind;

describe('the delivered Secret', () => {
  it('is created with the values, and an empty one where every name is missing: the pods wait for its keys', () => {
    expect(written(planOf({}))).toEqual({ a: 'A' });
    expect(written(planOf({ stores: [store()] }))).toEqual({});
  });

  it('is left alone as long as it is right', () => {
    expect(actionOf({ delivered: delivered({ a: 'A' }) })).toBe('none');
  });

  it.each([
    ['a changed value', delivered({ a: 'edited' }), 'replace'],
    ['a key too many', delivered({ a: 'A', extra: 'x' }), 'replace'],
    ['a missing key', delivered({}), 'replace'],
    ['our label taken away', delivered({ a: 'A' }, { labelled: false }), 'replace'],
    ['a second owner, who would keep it', delivered({ a: 'A' }, { soleOwner: false }), 'replace'],
    ['the revision taken away', delivered({ a: 'A' }, { revision: undefined }), 'replace'],
    ['made immutable, or of another type', delivered({ a: 'A' }, { replaceable: false }), 'recreate'],
    ['on its way out', delivered({}, { deleting: true }), 'none'],
    ['deleted', ABSENT, 'create'],
  ])('after an edit is put right: %s', (_edit, live, action) => {
    expect(actionOf({ delivered: live })).toBe(action);
  });

  it.each([
    ['nothing is declared', { declaration: declared() }],
    ['the model is not trusted', { model: model({ trusted: false }) }],
  ])('is deleted when %s', (_why, parts) => {
    expect(actionOf({ ...parts, delivered: delivered({ a: 'A' }) })).toBe('delete');
    expect(actionOf(parts)).toBe('none');
  });

  it('nothing at all happens for a model that is being deleted', () => {
    const planned = plan(snapshot({ model: model({}, { deleting: true }) }), SURROUNDINGS);
    expect(planned).toEqual({ kind: 'leave' });
  });
});

describe('the revision rolls pods, so it changes only when a pod may have read something else', () => {
  const two = { declaration: declared('a', 'b'), stores: [store(source({ a: 'A', b: 'B' }))] };
  const revisionOf = (parts: Parameters<typeof planOf>[0]): string | undefined =>
    planOf(parts).secret.revision;

  it.each([
    ['nothing changed', { ...two, delivered: delivered({ a: 'A', b: 'B' }) }, 'r1'],
    ['a value changed', { ...two, delivered: delivered({ a: 'A', b: 'old' }) }, 'fresh'],
    ['a key went', { ...two, delivered: delivered({ a: 'A', b: 'B', c: 'C' }) }, 'fresh'],
    [
      'a required key arrived first: the pods wait for it',
      { ...two, delivered: delivered({ a: 'A' }) },
      'r1',
    ],
    [
      'an optional key arrived: pods run without it',
      { ...two, model: model({ onMissing: 'Skip' }), delivered: delivered({ a: 'A' }) },
      'fresh',
    ],
    ['it was created', { ...two, delivered: ABSENT }, 'fresh'],
    [
      'somebody deleted it, and it comes back as it was',
      { ...two, delivered: { kind: 'absent' as const, last: delivered({ a: 'A', b: 'B' }) as never } },
      'r1',
    ],
    [
      'somebody deleted it, and a value changed meanwhile',
      { ...two, delivered: { kind: 'absent' as const, last: delivered({ a: 'A', b: 'old' }) as never } },
      'fresh',
    ],
    [
      'only a label has to be put back',
      { ...two, delivered: delivered({ a: 'A', b: 'B' }, { labelled: false }) },
      'r1',
    ],
    [
      'only a second owner has to go',
      { ...two, delivered: delivered({ a: 'A', b: 'B' }, { soleOwner: false }) },
      'r1',
    ],
  ])('%s', (_what, parts, revision) => {
    expect(revisionOf(parts)).toBe(revision);
  });
});

describe('values that do not fit into one Secret', () => {
  const half = 'x'.repeat(600 * 1024);
  const big = { declaration: declared('a', 'b', 'c'), stores: [store(source({ a: half, b: half, c: 'C' }))] };

  it('nothing is added until they fit', () => {
    const planned = planOf({ ...big, delivered: delivered({ a: half }) });
    expect(planned.secret.tooLarge).toBe(true);
    expect(planned.secret.action.kind).toBe('none');
  });

  it('removals still go through, and change nothing else', () => {
    const { action } = planOf({ ...big, delivered: delivered({ a: half, gone: 'x' }) }).secret;
    expect(action.kind === 'patch' && [...action.changes]).toEqual([['gone', null]]);
  });

  it.each([
    ['of the same value stays', 'a', half, ['a']],
    ['whose value changed in the same Secret stays', 'a', 'old', ['a']],
    ['that comes from another Secret now goes: its owner withdrew it', 'elsewhere', 'old', []],
  ])('a key %s', (_what, sourceName, was, keys) => {
    const from = { namespace: 'models', name: sourceName, key: 'a', uid: `uid-models-${sourceName}` };
    const planned = planOf({
      ...big,
      stores: [store(source({ a: half, b: half, c: 'C' }, { name: 'a' }))],
      model: model({}, { prior: priorStatus(priorSecret('a', { source: from })) }),
      delivered: delivered({ a: was }),
    });
    expect([...planned.secret.keys]).toEqual(keys);
    expect(planned.secret.action.kind).toBe(keys.length > 0 ? 'none' : 'replace');
  });

  it('exactly 1 MiB fits', () => {
    const stores = [store(source({ a: 'x'.repeat(1024 * 1024) }))];
    expect(planOf({ stores }).secret.tooLarge).toBe(false);
  });
});

describe('a Secret that has to be made anew while a store cannot be read', () => {
  const unread = { kind: 'unreadable', ref: { name: 'x' }, why: 'store x' } as const;
  const parts = {
    declaration: declared('a', 'b'),
    stores: [store(source({ b: 'B' })), unread],
    model: model({ stores: [{ name: 'default' }, { name: 'x' }] }, { prior: priorStatus(priorSecret('a')) }),
  };

  const last = { revision: 'r1', digests: new Map([['a', 'digest-of-A']]) };

  it('has only the keys whose values are known', () => {
    const planned = planOf({ ...parts, delivered: { kind: 'absent', last } });
    expect(written(planned)).toEqual({ b: 'B' });
    expect([...planned.secret.keys]).toEqual(['b']);
  });

  it('has none where they do not fit, or where it is not made because somebody keeps deleting it', () => {
    const stores = [store(source({ a: 'x'.repeat(1024 * 1024 + 1) }))];
    const fight = { wanted: 'a=digest-of-A', waitMs: 1, refused: undefined };
    const absent = { kind: 'absent', last } as const;
    expect([...planOf({ stores, delivered: absent }).secret.keys]).toEqual([]);
    expect([...planOf({ delivered: { ...absent, fight } }).secret.keys]).toEqual([]);
  });

  it('has only those, too, where it is recreated', () => {
    const planned = planOf({ ...parts, delivered: delivered({ a: 'A', gone: 'x' }, { replaceable: false }) });
    expect(planned.secret.action.kind).toBe('recreate');
    expect(written(planned)).toEqual({ b: 'B' });
    expect([...planned.secret.keys]).toEqual(['b']);
  });
});

interface Facts {
  readonly names: readonly string[];
  readonly stored: Record<string, string>;
  readonly there: Record<string, string> | null;
  readonly trusted: boolean;
  readonly onMissing: string;
  readonly shareWith: string | undefined;
}

describe('for any cluster', () => {
  const names = fc.uniqueArray(fc.constantFrom<string[]>('a', 'b', 'c', 'd', 'TRUSS_SECRET_e', '../f'), {
    maxLength: 6,
  });
  const values = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), fc.constantFrom('', '1', '2'), {
    maxKeys: 4,
  });
  const cluster = fc.record({
    names,
    stored: values,
    there: fc.option(values),
    trusted: fc.boolean(),
    onMissing: fc.constantFrom('Wait', 'UseDefault', 'Skip'),
    shareWith: fc.constantFrom(undefined, 'models', 'elsewhere'),
  });
  const partsOf = ({ names: list, stored, there, trusted, onMissing, shareWith }: Facts) => ({
    declaration: declared(...list),
    stores: [store(source(stored, shareWith === undefined ? {} : { shareWith }))],
    delivered: there === null ? ABSENT : delivered(there),
    model: model({ trusted, onMissing }),
  });

  it('the Secret never holds more than what is declared, consented to and trusted', () => {
    fc.assert(
      fc.property(cluster, (facts) => {
        const keys = Object.keys(written(planOf(partsOf(facts))) ?? {});
        const allowed = facts.trusted && facts.shareWith !== 'elsewhere' ? facts.names : [];
        expect(keys.filter((key) => !allowed.includes(key))).toEqual([]);
        expect(keys.filter((key) => !(key in facts.stored))).toEqual([]);
      }),
    );
  });

  it('a plan that was carried out calls for nothing more', () => {
    fc.assert(
      fc.property(cluster, (facts) => {
        const parts = partsOf(facts);
        const first = planOf(parts);
        const after = written(first);
        const { action, revision } = first.secret;
        const live =
          action.kind === 'delete' ? ABSENT : after ? delivered(after, { revision }) : parts.delivered;
        expect(planOf({ ...parts, delivered: live }).secret.action).toEqual({ kind: 'none' });
      }),
    );
  });

  it('the order of the Secrets in a store does not matter', () => {
    const one = source({ a: '1' }, { name: 'one' });
    const two = source({ b: '2', a: '3' }, { name: 'two' });
    const plans = [store(one, two), store(two, one)].map((stores) =>
      planOf({ declaration: declared('a', 'b'), stores: [stores] }),
    );
    expect(plans[0]?.resolutions).toEqual(plans[1]?.resolutions);
    expect(value('x').toString()).toBe('[redacted]');
  });
});
