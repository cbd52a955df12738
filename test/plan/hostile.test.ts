import { describe, expect, it } from 'vitest';
import { NOTHING_FAILED } from '../../src/plan/outcome.ts';
import { dated } from '../../src/plan/status.ts';
import { declared, planOf, source, states, statusOf, store, value } from './builders.ts';
import type { SourceSecret } from '../../src/plan/snapshot.ts';

/** On a busy machine; without care these take minutes. */
const BUSY_MS = 30_000;

/** The most that config.yaml may declare. */
const NAMES = 1_024;
/** Keys of one Secret, as many as etcd takes: their values may be empty, and only values count as its size. */
const KEYS = 60_000;

const names = Array.from({ length: NAMES }, (_, index) => `name-${index}`);
const empty = value('');
const hugeSecret = (name: string): SourceSecret => ({
  ...source({}, { name }),
  values: new Map(Array.from({ length: KEYS }, (_, index) => [`k${index}`, empty])),
});

const within = <T>(ms: number, work: () => T): T => {
  const start = performance.now();
  const result = work();
  expect(performance.now() - start).toBeLessThan(ms);
  return result;
};

describe('a model that asks for as much as it can', { timeout: 3 * BUSY_MS }, () => {
  // a minute, when each name was compared with each key
  it('1,024 missing names and Secrets with very many keys', () => {
    const secrets = Array.from({ length: 10 }, (_, index) => hugeSecret(`huge-${index}`));
    const planned = within(BUSY_MS, () =>
      planOf({ declaration: declared(...names), stores: [store(...secrets)] }),
    );
    expect(planned.resolutions.every(({ state }) => state === 'Missing')).toBe(true);
  });

  it('a second look at the same Secrets is quick', () => {
    const stores = [store(...Array.from({ length: 10 }, (_, index) => hugeSecret(`huge-${index}`)))];
    planOf({ declaration: declared(...names), stores });
    within(BUSY_MS / 10, () => planOf({ declaration: declared(...names), stores }));
  });

  // ten times as long, when each name was looked for in each Secret
  it('a thousand models that share a store of ten thousand Secrets', () => {
    const stores = [
      store(
        ...Array.from({ length: 10_000 }, (_, index) =>
          source({ [`k${index}`]: 'v' }, { name: `s${index}` }),
        ),
      ),
    ];
    within(BUSY_MS / 10, () => {
      for (let index = 0; index < 1000; index++) {
        const planned = planOf({ declaration: declared(`k${index}`, 'missing'), stores });
        expect(states(planned)).toEqual({ [`k${index}`]: 'Delivered', missing: 'Missing' });
      }
    });
  });

  it.each([
    ['invalid ones of any characters', (index: number) => `${index}-${'\u4E2D'.repeat(300)}`],
    ['emoji', (index: number) => `${index}-${'\u{1F600}'.repeat(300)}`],
    ['as long as they may be', (index: number) => `${index}-`.padEnd(253, 'n')],
  ])('its status stays far below what etcd takes: names %s', (_, nameOf) => {
    const long = Array.from({ length: NAMES }, (_unused, index) => nameOf(index));
    const planned = planOf({ declaration: declared(...long), stores: Array(16).fill(store()) });
    const status = dated(statusOf(planned, NOTHING_FAILED, 1), [], '2026-01-02T03:04:05Z');
    expect(Buffer.byteLength(JSON.stringify(status))).toBeLessThan(700_000);
    expect(new Set(status.secrets?.map(({ name }) => name)).size).toBe(NAMES);
  });
});

describe('names that no Secret can have as a key', () => {
  it.each([
    '../other',
    'models/org',
    '..',
    '.',
    '/etc/passwd',
    'a/../../b',
    '%2e%2e%2f'.replaceAll('%', '\u2024'),
    'a\0b',
    'a\nb',
    'a\u2024b',
    '\uFF41dmin',
    'admin\u200b',
    'admin ',
    ' admin',
    'a'.repeat(254),
    'TRUSS_SECRET_x',
    '*',
    '.*',
    'HF_*',
  ])('%j is refused, and is in no Secret and no template', (name) => {
    const values = new Map([[name, value('X')]]);
    const planned = planOf({ declaration: declared(name), stores: [store({ ...source({}), values })] });
    expect(Object.values(states(planned))).toEqual(['InvalidName']);
    expect(planned.secret.action.kind).toBe('none');
  });

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf'])(
    '%s is a name as any other: there when it is stored, missing when it is not',
    (name) => {
      const stored = { ...source({}), values: new Map([[name, value('X')]]) };
      expect(planOf({ declaration: declared(name), stores: [store(stored)] }).resolutions[0]?.state).toBe(
        'Delivered',
      );
      expect(planOf({ declaration: declared(name), stores: [store(source({}))] }).resolutions[0]?.state).toBe(
        'Missing',
      );
    },
  );
});
