import { describe, expect, it } from 'vitest';
import { NOTHING_FAILED } from '../../src/plan/outcome.ts';
import {
  MODEL,
  declared,
  delivered,
  model,
  planOf,
  priorSecret,
  priorStatus,
  source,
  statusOf,
  store,
  workload,
} from './builders.ts';

type Parts = Parameters<typeof planOf>[0];

const configValid = (parts: Parts): string => {
  const { conditions } = statusOf(planOf(parts), NOTHING_FAILED, 1);
  const found = conditions?.find(({ type }) => type === 'ConfigValid');
  return `${found?.status} ${found?.reason}: ${found?.message}`;
};

const names = (count: number, length: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => String(index).padStart(length, 'n'));

const containers = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ name: `c${index}`, init: false, mounts: [], env: [] }));

const all = { containers: ['*'] };

describe('how much a model may ask for', () => {
  it('1,024 names, and not one more', () => {
    expect(configValid({ declaration: declared(...names(1024, 8)) })).toMatch(/^True Valid: 1024 declared/);
    expect(configValid({ declaration: declared(...names(1025, 8)) })).toBe(
      'False TooMany: config.yaml declares 1025 secrets, at most 1024 are possible; what was delivered before stays',
    );
  });

  it.each([
    ['1,024 of the longest names in one container', names(1024, 253), 1, 'Mount', true],
    ['the same in two', names(1024, 253), 2, 'Mount', false],
    ['64 containers with 16 names of 256 bytes together', names(64, 64), 64, 'Env', true],
    ['one name more', names(65, 64), 64, 'Env', false],
    ['nothing is injected, however many containers there are', names(1024, 253), 64, 'None', true],
  ])('%s', (_what, list, count, delivery, fits) => {
    const parts = {
      model: model({ delivery }),
      declaration: declared(...list),
      workloads: [workload({ containers: containers(count) }, all)],
    };
    expect(configValid(parts)).toMatch(
      fits ? /^True Valid/ : /^False TooMany: the declared names times the containers/,
    );
  });

  it('beyond that nothing changes: what was delivered before stays as it is', () => {
    const prior = priorStatus(priorSecret('a'));
    const planned = planOf({
      model: model({}, { prior }),
      declaration: declared('a', ...names(1024, 8)),
      delivered: delivered({ a: 'A' }),
      stores: [store(source({ a: 'A', nnnnnnn1: 'x' }))],
    });
    expect(planned.secret.action).toEqual({ kind: 'none' });
    expect(planned.resolutions.map(({ name }) => name)).toEqual(['a']);
  });

  it('names that are delivered already do not get into more containers than they fit into', () => {
    const list = names(65, 64);
    const prior = priorStatus(...list.map((name) => priorSecret(name)));
    const planned = planOf({
      model: model({ delivery: 'Env' }, { prior }),
      declaration: declared(...list),
      workloads: [workload({ containers: containers(64), owned: 'in one container' }, all)],
    });
    expect(planned.workloads).toMatchObject([{ action: { kind: 'none' }, state: 'Conflict' }]);
  });

  it('removals still go through', () => {
    const prior = priorStatus(priorSecret('a'));
    const { secret } = planOf({
      model: model({}, { prior }),
      declaration: declared('a', ...names(1024, 8)),
      delivered: delivered({ a: 'A' }),
      stores: [store()],
    });
    expect(secret.action.kind).toBe('replace');
    expect([...secret.keys]).toEqual([]);
  });

  it('a name of 239 characters, as the names of its Secrets append to it', () => {
    const named = (length: number) => ({ model: model({}, { ...MODEL, name: 'm'.repeat(length) }) });
    expect(configValid(named(239))).toMatch(/^True Valid/);
    expect(configValid(named(240))).toMatch(
      /^False TooMany: the name of the ModelDeployment has 240 characters/,
    );
    const planned = planOf({ ...named(240), workloads: [workload()] });
    expect(planned.secret.action).toEqual({ kind: 'none' });
    expect(planned.workloads).toMatchObject([{ action: { kind: 'none' } }]);
  });
});
