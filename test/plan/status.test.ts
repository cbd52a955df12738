import { describe, expect, it } from 'vitest';
import type { Condition } from '../../src/api/model-deployment.ts';
import { declarationOf } from '../../src/plan/declaration.ts';
import { readTrussConfig } from '../../src/truss/config.ts';
import { readySays, statusEvents, writeEvents } from '../../src/plan/events.ts';
import { NOTHING_FAILED, type Outcome } from '../../src/plan/outcome.ts';
import { canonical } from '../../src/plan/flatten.ts';
import { dated } from '../../src/plan/status.ts';
import {
  NO_STATUS,
  SURROUNDINGS,
  declared,
  declaredSecrets,
  delivered,
  model,
  planOf,
  priorSecret,
  priorStatus,
  pullSecret,
  source,
  statusOf,
  store,
  workload,
} from './builders.ts';

const NOW = '2026-01-02T03:04:05Z';

function statusAfter(parts: Parameters<typeof planOf>[0], outcome: Outcome = NOTHING_FAILED) {
  return dated(statusOf(planOf(parts), outcome, 3), parts.model?.prior.conditions ?? [], NOW);
}

const conditions = (status: ReturnType<typeof statusAfter>): Record<string, string> =>
  Object.fromEntries(
    (status.conditions ?? []).map(({ type, status: is, reason }) => [type, `${is} ${reason}`]),
  );

const condition = (status: ReturnType<typeof statusAfter>, type: string): Condition | undefined =>
  status.conditions?.find((one) => one.type === type);

describe('the status of a model', () => {
  it('has an entry for a name that is empty, which is no key of a list', () => {
    const { secrets } = statusAfter({ declaration: declared('', 'a') });
    expect(secrets).toMatchObject([{ name: '""', state: 'InvalidName' }, { name: 'a' }]);
  });

  it.each([
    { name: 'hf token!', said: 'hf token!: no key of a Kubernetes Secret: use' },
    { name: '../up', said: '../up: Truss takes the name as a path' },
    { name: '', said: '"": the name is empty: give' },
  ])('names $name once, and says what is wrong with it', ({ name, said }) => {
    const status = statusAfter({ declaration: declared(name) });
    const message = condition(status, 'SecretsResolved')?.message ?? '';
    expect(message).toContain(said);
    expect(message.split(name || '""')).toHaveLength(2);
  });

  it('names a registry that is none once', () => {
    const nowhere = pullSecret('DOCKER_REGISTRY_a b', 'DOCKER_REGISTRY', 'a b');
    const status = statusAfter({ declaration: declaredSecrets(nowhere) });
    expect(condition(status, 'SecretsResolved')?.message.split('DOCKER_REGISTRY_a b')).toEqual([
      expect.any(String),
      expect.stringMatching(/^: what follows DOCKER_REGISTRY_ must be a registry/),
    ]);
  });

  it('has its fields in the order of the API server, so that it is compared without being copied', () => {
    const missing = model({ overrides: [{ name: 'b', from: { store: 'default', key: 'x' } }] });
    const failure = { reason: 'WriteFailed', message: 'it is tried again' } as const;
    const workloads = [workload()];
    const failed = new Map([['Deployment/gfpgan', failure]]);
    const cases: readonly Parameters<typeof statusAfter>[] = [
      [{ workloads }],
      [{ declaration: declared('a', 'b=Default', 'c=Optional', ''), workloads }],
      [{ model: missing, declaration: declared('b') }],
      [{ declaration: declaredSecrets(pullSecret('p', 'REGISTRY_SECRET', 'ghcr.io')), workloads }],
      [{ workloads }, { secret: failure, pull: failure, workloads: failed }],
    ];
    for (const [parts, outcome] of cases) {
      const status = statusAfter(parts, outcome);
      expect(JSON.stringify(status)).toBe(canonical(status));
    }
  });

  it('is Ready when everything declared is delivered and injected', () => {
    const status = statusAfter({ workloads: [workload()] });
    expect(conditions(status)).toEqual({
      Ready: 'True Ready',
      ConfigValid: 'True Valid',
      Trusted: 'True Trusted',
      SecretsResolved: 'True Resolved',
      Delivered: 'True Written',
      Injected: 'True Injected',
    });
    expect(status).toMatchObject({
      observedGeneration: 3,
      secretName: 'gfpgan-truss-secrets',
      summary: '1/1',
    });
    expect(status.secrets).toEqual([
      {
        name: 'a',
        state: 'Delivered',
        source: { namespace: 'models', name: 'org', key: 'a', uid: 'uid-models-org' },
      },
    ]);
    expect(status.workloads).toEqual([{ kind: 'Deployment', name: 'gfpgan', state: 'Injected' }]);
  });

  it.each([
    ['a secret is missing', { stores: [store()] }, 'False SecretsMissing', 'Reconciling', '0/1'],
    [
      'a value is ambiguous',
      { stores: [store(source({ a: '1' }, { name: 'x' }), source({ a: '2' }, { name: 'y' }))] },
      'False SecretsMissing',
      'Stalled',
      '0/1',
    ],
    ['the model is not trusted', { model: model({ trusted: false }) }, 'False Untrusted', undefined, '0/1'],
    [
      'the ConfigMap is not there',
      { declaration: { kind: 'missing', what: 'ConfigMap' } as const },
      'False ConfigMapMissing',
      'Reconciling',
      '0/0',
    ],
    [
      'the config is broken',
      { declaration: { kind: 'malformed', errors: ['config.yaml:5:3: bad'] } as const },
      'False ConfigMalformed',
      'Stalled',
      '0/0',
    ],
    ['too much is declared', { declaration: declared(...many(1025)) }, 'False TooMany', 'Stalled', '0/0'],
    [
      'a workload is not there',
      { workloads: [{ kind: 'absent', ref: { kind: 'Deployment', name: 'x' } } as const] },
      'False WorkloadMissing',
      'Reconciling',
      '1/1',
    ],
    [
      'a store cannot be read',
      { stores: [{ kind: 'unreadable', ref: { name: 'default' }, why: 'store default' } as const] },
      'False StoreUnreadable',
      'Reconciling',
      '0/1',
    ],
    ['the spec breaks a rule', { model: model({ config: {} }) }, 'False SpecInvalid', 'Stalled', '0/0'],
  ])('when %s, Ready says so', (_what, parts, ready, progress, summary) => {
    const status = statusAfter(parts);
    const found = conditions(status);
    expect(found['Ready']).toBe(ready);
    expect(['Reconciling', 'Stalled'].filter((type) => type in found)).toEqual(progress ? [progress] : []);
    expect(status.summary).toBe(summary);
  });

  it('a name that some shells drop as an environment variable is a warning only where it becomes one', () => {
    const declaration = declarationOf(readTrussConfig('secrets: {a-b: null}'));
    const said = (delivery: string): string | undefined =>
      condition(statusAfter({ declaration, model: model({ delivery }) }), 'ConfigValid')?.message;
    expect(said('Mount')).toBe('1 declared');
    expect(said('Env')).toMatch(/^1 declared; a warning: config\.yaml:1:11: /);
  });

  it('what is the same for many names is said once', () => {
    const { conditions: found } = statusAfter({
      declaration: declared('a', 'b', 'c=Default'),
      stores: [store()],
    });
    expect(found?.find(({ type }) => type === 'SecretsResolved')?.message).toBe(
      'a, b, c: no Secret labelled truss-secrets.dev/store=default in namespace models has this key',
    );
  });

  it('1,024 declared names are possible', () => {
    expect(
      conditions(statusAfter({ declaration: declared(...many(1024)), stores: [store()] }))['ConfigValid'],
    ).toBe('True Valid');
  });

  it.each([
    ['Wait', 'a', false],
    ['Wait', 'a=Default', false],
    ['Wait', 'a=Optional', true],
    ['Wait', 'a=Build', true],
    ['Wait', 'a=Weights', true],
    ['UseDefault', 'a', false],
    ['UseDefault', 'a=Default', true],
    ['Skip', 'a', true],
    ['Skip', 'a=Default', true],
  ])('without a value, onMissing %s, %s: Ready is %s', (onMissing, name, ready) => {
    const status = statusAfter({
      model: model({ onMissing }),
      declaration: declared(name),
      stores: [store()],
    });
    expect(condition(status, 'Ready')?.status === 'True').toBe(ready);
  });

  it('an unreadable config leaves what was delivered as it is', () => {
    const prior = priorStatus(priorSecret('a'));
    const parts = {
      model: model({}, { prior }),
      declaration: { kind: 'malformed', errors: ['config.yaml:1:1: bad'] } as const,
      delivered: delivered({ a: 'A' }),
      workloads: [workload()],
    };
    expect(planOf(parts).secret.action.kind).toBe('none');
    const status = statusAfter(parts);
    expect(conditions(status)).toMatchObject({
      ConfigValid: 'False ConfigMalformed',
      Delivered: 'True Written',
      Ready: 'False ConfigMalformed',
    });
    expect(condition(status, 'Ready')?.message).toBe(
      'config.yaml:1:1: bad; correct config.yaml, until then what was delivered before stays',
    );
  });

  it('a model that was restored without its status keeps what it has while its config is unreadable', () => {
    const parts = {
      declaration: { kind: 'missing', what: 'ConfigMap' } as const,
      delivered: delivered({ a: 'A' }),
      workloads: [workload({ owned: 'what was injected', marker: 'gfpgan/uid-gfpgan' })],
    };
    expect(planOf(parts).secret.action.kind).toBe('none');
    expect(planOf(parts).workloads[0]?.action.kind).toBe('none');
    expect(conditions(statusAfter(parts))['Ready']).toBe('False ConfigMapMissing');
    expect(
      planOf({ ...parts, stores: [store()] }).secret.action.kind,
      'consent goes on being evaluated',
    ).toBe('replace');
    expect(planOf({ ...parts, model: model({ trusted: false }) }).secret.action.kind, 'and trust').toBe(
      'delete',
    );
  });

  it.each([
    [
      'what it declares is not known',
      { declaration: { kind: 'missing', what: 'ConfigMap' } as const, delivered: delivered({ a: 'A' }) },
      'ConfigMapMissing: Deployment gfpgan: it is not known what the model declares',
    ],
    [
      'it does not exist',
      { workloads: [{ kind: 'absent', ref: { kind: 'Deployment', name: 'gfpgan' } } as const] },
      'WorkloadMissing: Deployment gfpgan: Deployment gfpgan does not exist yet',
    ],
    [
      'it is being deleted',
      { workloads: [workload({ deleting: true })] },
      'WorkloadMissing: Deployment gfpgan: Deployment gfpgan is being deleted',
    ],
  ])('a workload waits, and Injected says why: %s', (_what, parts, expected) => {
    const status = statusAfter({ workloads: [workload()], ...parts });
    expect(status.workloads).toMatchObject([{ state: 'Waiting' }]);
    const injected = condition(status, 'Injected');
    expect(`${injected?.reason}: ${injected?.message}`).toContain(expected);
    expect(condition(status, 'Reconciling')?.status).toBe('True');
  });

  it('a write that failed is no workload that is missing', () => {
    const failure = { reason: 'WriteFailed', message: 'it is tried again' } as const;
    const workloads = new Map([['Deployment/gfpgan', failure]]);
    const status = statusAfter({ workloads: [workload()] }, { ...NOTHING_FAILED, workloads });
    expect(conditions(status)).toMatchObject({ Injected: 'False WriteFailed', Ready: 'False WriteFailed' });
  });

  it('a spec that breaks a rule changes nothing, and its names are not forgotten', () => {
    const prior = priorStatus(priorSecret('a', { role: 'Default' }));
    const parts = { model: model({ config: {} }, { prior }), delivered: delivered({ a: 'A' }) };
    expect(planOf(parts).secret.action.kind).toBe('none');
    const status = statusAfter(parts);
    expect(status.secrets).toMatchObject([{ name: 'a', role: 'Default', state: 'Delivered' }]);
    expect(conditions(status)).toMatchObject({
      Trusted: 'Unknown SpecInvalid',
      SecretsResolved: 'Unknown SpecInvalid',
    });
  });

  it('a spec that breaks a rule forgets neither where a value came from nor what images are pulled with', () => {
    const pull = { method: 'REGISTRY_SECRET', registry: 'ghcr.io' };
    const prior = priorStatus(priorSecret('a'), priorSecret('b', { role: 'Pull', pull }));
    const status = statusAfter({
      model: model({ config: {} }, { prior }),
      delivered: delivered({ a: 'A' }),
      pull: delivered({ '.dockerconfigjson': 'x' }),
    });
    expect(status.secretName).toBe('gfpgan-truss-secrets');
    expect(status.secrets).toMatchObject([
      { name: 'a', state: 'Delivered', source: { name: 'org', key: 'a' } },
      { name: 'b', state: 'Delivered', role: 'Pull', pull, source: { name: 'org', key: 'b' } },
    ]);
  });

  it('trusted: false takes everything away from a spec that breaks a rule, too', () => {
    const prior = {
      ...priorStatus(priorSecret('a')),
      workloads: [{ kind: 'Deployment', name: 'gfpgan', state: 'Injected' } as const],
    };
    const injected = { owned: 'what was injected', marker: 'gfpgan/uid-gfpgan' };
    const parts = {
      model: model({ config: {}, trusted: false }, { prior }),
      delivered: delivered({ a: 'A' }),
      pull: delivered({ '.dockerconfigjson': 'x' }),
      workloads: [workload(injected)],
    };
    const planned = planOf(parts);
    expect(planned.secret).toMatchObject({ name: 'gfpgan-truss-secrets', action: { kind: 'delete' } });
    expect(planned.pull).toMatchObject({ name: 'gfpgan-truss-pull', action: { kind: 'delete' } });
    expect(planned.workloads).toMatchObject([{ action: { kind: 'apply', undo: true } }]);
    const status = statusAfter(parts);
    expect(status.secrets).toMatchObject([{ name: 'a', state: 'Untrusted' }]);
    expect(conditions(status)).toMatchObject({
      Ready: 'False Untrusted',
      ConfigValid: 'False SpecInvalid',
      Trusted: 'False Untrusted',
      Delivered: 'False Untrusted',
      Injected: 'False Untrusted',
    });
    const trusted = planOf({ ...parts, model: model({ config: {} }, { prior }) });
    expect([trusted.secret.action.kind, trusted.pull.action.kind]).toEqual(['none', 'none']);
    expect(trusted.workloads).toMatchObject([{ action: { kind: 'none' }, state: 'Injected' }]);
  });

  it('a condition keeps its time until its status changes', () => {
    const old = '2020-01-01T00:00:00Z';
    const prior = {
      ...NO_STATUS,
      conditions: [
        { type: 'Ready', status: 'False', lastTransitionTime: old },
        { type: 'Trusted', status: 'True', lastTransitionTime: old },
      ],
    };
    const status = statusAfter({ model: model({}, { prior }) });
    expect(condition(status, 'Ready')?.lastTransitionTime).toBe(NOW);
    expect(condition(status, 'Trusted')?.lastTransitionTime).toBe(old);
  });

  it('a write that failed is said, and what depends on it does not count as delivered', () => {
    const failure = { reason: 'Conflict', message: 'Secret x belongs to somebody else' } as const;
    const status = statusAfter({ workloads: [workload()] }, { ...NOTHING_FAILED, secret: failure });
    expect(conditions(status)).toMatchObject({ Delivered: 'False Conflict', Ready: 'False Conflict' });
    expect(status).toMatchObject({ summary: '0/1' });
    expect(status).not.toHaveProperty('secretName');
  });

  it('names of any length and any characters stay bounded and distinct', () => {
    const status = statusAfter({
      declaration: declared(`${'x'.repeat(600)}1`, `${'x'.repeat(600)}2`, 'a\u202eb\n'),
    });
    const names = (status.secrets ?? []).map(({ name }) => name);
    expect(new Set(names).size).toBe(3);
    expect(Math.max(...names.map((name) => name.length))).toBeLessThan(270);
    expect(names.join('')).not.toMatch(/[\n\u202e]/);
  });
});

describe('events', () => {
  const eventsAfter = (parts: Parameters<typeof planOf>[0]) => {
    const prior = parts.model?.prior ?? NO_STATUS;
    return statusEvents(statusAfter(parts), prior, SURROUNDINGS.digest);
  };

  it('one event says that a model became Ready', () => {
    expect(eventsAfter({})).toEqual([{ type: 'Normal', reason: 'Ready', message: '1/1 delivered' }]);
  });

  it('nothing is said twice', () => {
    const ready = readySays({ status: 'True', reason: 'Ready', message: '1/1 delivered' });
    expect(eventsAfter({ model: model({}, { prior: { ...NO_STATUS, ready } }) })).toEqual([]);
  });

  it('an untrusted model that has secrets gets a warning', () => {
    expect(eventsAfter({ model: model({ trusted: false }) })).toMatchObject([
      { type: 'Warning', reason: 'Untrusted' },
    ]);
  });

  describe('a value that ends in a newline gets a warning, when it is written', () => {
    const stores = [store(source({ a: 'A\n', b: 'B' }))];
    const warned = (parts: Parameters<typeof planOf>[0], outcome = NOTHING_FAILED) =>
      writeEvents(planOf({ declaration: declared('a', 'b'), stores, ...parts }), outcome).map(
        ({ type, reason, message }) => `${type} ${reason}: ${message.split(' end ')[0]}`,
      );
    const WARNING = ['Warning TrailingNewline: the values of a'];
    const last = { revision: 'r1', digests: new Map([['a', 'digest-of-A\n']]) };
    const unread = { kind: 'unreadable', ref: { name: 'x' }, why: 'store x' } as const;

    it.each([
      ['it is created', {}, WARNING],
      ['it is there already', { delivered: delivered({ a: 'A\n', b: 'B' }) }, []],
      ['a value without one becomes one with one', { delivered: delivered({ a: 'A', b: 'B' }) }, WARNING],
      ['another key changes', { delivered: delivered({ a: 'A\n', b: 'old' }) }, []],
      ['the Secret is made anew', { delivered: delivered({ a: 'A' }, { replaceable: false }) }, WARNING],
      ['the Secret is put back as it was', { delivered: { kind: 'absent', last } as const }, []],
      [
        'only some keys are known',
        {
          model: model(
            { stores: [{ name: 'default' }, { name: 'x' }] },
            { prior: priorStatus(priorSecret('c')) },
          ),
          declaration: declared('a', 'c'),
          stores: [...stores, unread],
          delivered: delivered({ a: 'A', c: 'C' }),
        },
        WARNING,
      ],
    ])('%s', (_what, parts, expected) => {
      expect(warned(parts)).toEqual(expected);
    });

    it('not when the write failed', () => {
      const secret = { reason: 'WriteFailed', message: 'no' } as const;
      expect(warned({}, { ...NOTHING_FAILED, secret })).toEqual([]);
    });
  });
});

function many(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `name-${index}`);
}
