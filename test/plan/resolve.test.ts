import { describe, expect, it } from 'vitest';
import { SecretValue } from '../../src/api/secret-value.ts';
import {
  declared,
  delivered,
  model,
  planOf,
  priorSecret,
  priorStatus,
  source,
  states,
  store,
  written,
} from './builders.ts';

const messageOf = (planned: ReturnType<typeof planOf>, name: string): string =>
  planned.resolutions.find((one) => one.name === name)?.message ?? '';

describe('finding a value', () => {
  it('delivers exactly the declared names that a store has, byte for byte', () => {
    const planned = planOf({
      declaration: declared('a', 'b'),
      stores: [store(source({ a: 'A\r\n', b: 'B', undeclared: 'x' }))],
    });
    expect(states(planned)).toEqual({ a: 'Delivered', b: 'Delivered' });
    expect(written(planned)).toEqual({ a: 'A\r\n', b: 'B' });
  });

  it('takes the first store that has the key', () => {
    const stores = [
      store(source({ b: 'first' })),
      store(source({ a: 'second', b: 'second' }, { name: 'other' })),
    ];
    const written2 = written(
      planOf({
        declaration: declared('a', 'b'),
        stores,
        model: model({ stores: [{ name: 'x' }, { name: 'y' }] }),
      }),
    );
    expect(written2).toEqual({ a: 'second', b: 'first' });
  });

  it.each([
    ['production', 'of production'],
    ['staging', 'of any'],
    [undefined, 'of any'],
  ])('in environment %s takes the value %s', (environment, expected) => {
    const stores = [
      store(
        source({ a: 'of production' }, { name: 'production', environment: 'production' }),
        source({ a: 'of any' }, { name: 'any' }),
      ),
    ];
    const planned = planOf({ stores, model: model(environment === undefined ? {} : { environment }) });
    expect(written(planned)).toEqual({ a: expected });
  });

  it('never uses a Secret that is labelled with another environment', () => {
    const stores = [store(source({ a: 'A' }, { environment: 'production' }))];
    expect(states(planOf({ stores, model: model({ environment: 'staging' }) }))).toEqual({ a: 'Missing' });
    expect(states(planOf({ stores }))).toEqual({ a: 'Missing' });
  });

  it('takes the value from the store and key of an override, and from nowhere else', () => {
    const stores = [
      { ...store(source({ hf: 'from default' })), ref: { name: 'default' } },
      { ...store(source({ HF_TOKEN: 'from shared' }, { name: 'shared' })), ref: { name: 'shared' } },
    ];
    const written2 = {
      stores: [{ name: 'default' }, { name: 'shared' }],
      overrides: [{ name: 'hf', from: { store: 'shared', key: 'HF_TOKEN' } }],
    };
    expect(written(planOf({ declaration: declared('hf'), stores, model: model(written2) }))).toEqual({
      hf: 'from shared',
    });
    const elsewhere = {
      ...written2,
      overrides: [{ name: 'hf', from: { store: 'default', key: 'HF_TOKEN' } }],
    };
    expect(states(planOf({ declaration: declared('hf'), stores, model: model(elsewhere) }))).toEqual({
      hf: 'Missing',
    });
  });

  it('two equally good Secrets make a name ambiguous: both are named, neither is delivered', () => {
    const stores = [store(source({ a: '1' }, { name: 'one' }), source({ a: '2' }, { name: 'two' }))];
    const planned = planOf({ stores });
    expect(states(planned)).toEqual({ a: 'Ambiguous' });
    expect(messageOf(planned, 'a')).toContain('both models/one and models/two have the key a');
    expect(written(planned)).toEqual({});
  });

  it('a second Secret with the key does not take a value away that is delivered already', () => {
    const stores = [store(source({ a: '1' }, { name: 'one' }), source({ a: '2' }, { name: 'two' }))];
    const two = { namespace: 'models', name: 'two', key: 'a', uid: 'uid-models-two' };
    const prior = priorStatus(priorSecret('a', { source: two }));
    const planned = planOf({ stores, model: model({}, { prior }), delivered: delivered({ a: '2' }) });
    expect(states(planned)).toEqual({ a: 'Delivered' });
    expect(planned.secret.action.kind).toBe('none');
  });

  it.each(['kubernetes.io/service-account-token', 'bootstrap.kubernetes.io/token', 'helm.sh/release.v1'])(
    'a Secret of type %s is never a source',
    (type) => {
      expect(states(planOf({ stores: [store(source({ a: 'A' }, { type }))] }))).toEqual({ a: 'Missing' });
    },
  );

  it('a delivered Secret is never a source, or it would keep itself alive', () => {
    expect(states(planOf({ stores: [store(source({ a: 'A' }, { delivered: true }))] }))).toEqual({
      a: 'Missing',
    });
  });

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])('%s is a name as any other', (name) => {
    const secret = { ...source({}), values: new Map([[name, new SecretValue(btoa('v'))]]) };
    expect(
      states(planOf({ declaration: declared(name), stores: [store(secret)] }))[name] ?? 'Delivered',
    ).toBe('Delivered');
    expect(planOf({ declaration: declared(name), stores: [store()] }).resolutions[0]?.state).toBe('Missing');
  });
});

describe('a Secret that does not consent does not exist', () => {
  const foreign = { namespace: 'org' };

  it('a value of another namespace is delivered only with its consent', () => {
    const shared = source({ a: 'A' }, { ...foreign, shareWith: 'models/gfpgan' });
    expect(states(planOf({ stores: [store(shared)] }))).toEqual({ a: 'Delivered' });
    expect(states(planOf({ stores: [store(source({ a: 'A' }, foreign))] }))).toEqual({ a: 'Missing' });
  });

  it('the words are the same whether it exists or not', () => {
    const stores = [{ name: 'default', namespace: 'org' }];
    const secrets = [
      [],
      [source({ a: 'A' }, foreign)],
      [source({ A: 'near' }, { ...foreign, shareWith: 'else' })],
    ];
    const said = secrets.map((list) =>
      messageOf(
        planOf({
          model: model({ stores }),
          stores: [{ kind: 'readable', ref: { name: 'default', namespace: 'org' }, secrets: list }],
        }),
        'a',
      ),
    );
    expect(new Set(said).size).toBe(1);
    expect(said[0]).toContain('shared by truss-secrets.dev/share-with with models/gfpgan');
  });

  it('consent withdrawn takes the key out of the delivered Secret in the next write', () => {
    const planned = planOf({
      declaration: declared('a', 'b'),
      stores: [store(source({ b: 'B' }), source({ a: 'A' }, foreign))],
      delivered: delivered({ a: 'A', b: 'B' }),
    });
    expect(planned.secret.action.kind).toBe('replace');
    expect(written(planned)).toEqual({ b: 'B' });
  });

  it('it never makes a name ambiguous', () => {
    const planned = planOf({
      stores: [store(source({ a: 'A' }), source({ a: 'B' }, { name: 'x', shareWith: 'else' }))],
    });
    expect(states(planned)).toEqual({ a: 'Delivered' });
  });
});

describe('states of a declared name', () => {
  it('a missing one says where it was looked for, and the closest key', () => {
    const planned = planOf({
      declaration: declared('hf_access_token'),
      stores: [store(source({ 'hf-access-token': 'x' }))],
    });
    expect(messageOf(planned, 'hf_access_token')).toBe(
      'no Secret labelled truss-secrets.dev/store=default in namespace models has this key; closest: hf-access-token',
    );
  });

  it.each([
    ['Mount', '', 'Empty'],
    ['Env', '', 'Empty'],
    ['Mount', 'a\0b', 'Delivered'],
    ['Env', 'a\0b', 'Undeliverable'],
    ['Mount', '\xff', 'Delivered'],
    ['Env', '\xff', 'Undeliverable'],
    ['Env', 'x'.repeat(128 * 1024), 'Undeliverable'],
    ['Mount', 'x'.repeat(128 * 1024), 'Delivered'],
    ['Env', 'multi\nline\n', 'Delivered'],
  ])('with delivery %s the value %j is %s', (delivery, text, state) => {
    const planned = planOf({ stores: [store(source({ a: text }))], model: model({ delivery }) });
    expect(states(planned)).toEqual({ a: state });
  });

  it.each([
    ['../x', 'InvalidName'],
    ['a/b', 'InvalidName'],
    ['..', 'InvalidName'],
    ['TRUSS_SECRET_a', 'InvalidName'],
    ['x'.repeat(254), 'InvalidName'],
    ['with space', 'InvalidName'],
    ['a.b-c_D', 'Missing'],
  ])('the name %j is %s', (name, state) => {
    expect(states(planOf({ declaration: declared(name), stores: [store()] }))).toEqual({ [name]: state });
  });

  it('an untrusted model gets nothing, whatever is stored', () => {
    const planned = planOf({ model: model({ trusted: false }), delivered: delivered({ a: 'A' }) });
    expect(states(planned)).toEqual({ a: 'Untrusted' });
    expect(planned.secret.action.kind).toBe('delete');
  });

  it.each([
    ['Wait', 'a', 'Missing', false],
    ['Wait', 'a=Default', 'Missing', false],
    ['UseDefault', 'a', 'Missing', false],
    ['UseDefault', 'a=Default', 'UsingDefault', true],
    ['Skip', 'a', 'Missing', true],
    ['Skip', 'a=Default', 'Missing', true],
    ['Wait', 'a=Optional', 'Missing', true],
    ['Wait', 'a=Build', 'BuildOnly', true],
    ['Wait', 'a=Weights', 'Unsupported', true],
  ])('without a value, onMissing %s: %s is %s, resolved %s', (onMissing, name, state, _resolved) => {
    expect(
      states(planOf({ model: model({ onMissing }), declaration: declared(name), stores: [store()] })),
    ).toEqual({
      a: state,
    });
  });
});

describe('a store that cannot be read is unknown, not empty', () => {
  const unreadable = {
    kind: 'unreadable',
    ref: { name: 'default' },
    why: 'store default in namespace models',
  } as const;

  it('what was delivered stays', () => {
    const planned = planOf({ stores: [unreadable], delivered: delivered({ a: 'A' }) });
    expect(states(planned)).toEqual({ a: 'Delivered' });
    expect(planned.secret.action).toEqual({ kind: 'none' });
  });

  it('it might have had what a later store has, so that nothing is taken from there', () => {
    const planned = planOf({
      model: model({ stores: [{ name: 'x' }, { name: 'y' }] }),
      stores: [unreadable, store(source({ a: 'B' }))],
      delivered: delivered({ a: 'A' }),
    });
    expect(planned.secret.action).toEqual({ kind: 'none' });
  });

  it('names that do not depend on it go on being kept right', () => {
    const planned = planOf({
      declaration: declared('a', 'b', 'c'),
      model: model(
        {
          stores: [{ name: 'x' }, { name: 'y' }],
          overrides: ['b', 'c'].map((name) => ({ name, from: { store: 'y', key: name } })),
        },
        { prior: priorStatus(priorSecret('a')) },
      ),
      stores: [
        { ...unreadable, ref: { name: 'x' } },
        { ...store(source({ b: 'new' })), ref: { name: 'y' } },
      ],
      delivered: delivered({ a: 'A', b: 'old', c: 'gone' }),
    });
    const { action } = planned.secret;
    expect(action.kind).toBe('patch');
    if (action.kind === 'patch') {
      expect([...action.changes.keys()].sort()).toEqual(['b', 'c']);
      expect(action.changes.get('c')).toBeNull();
    }
  });
});
