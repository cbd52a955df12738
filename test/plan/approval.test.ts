import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ApprovalView, Snapshot } from '../../src/plan/snapshot.ts';
import { NOTHING_FAILED } from '../../src/plan/outcome.ts';
import {
  MODEL,
  approvedBy,
  declared,
  delivered,
  liveWorkload,
  model,
  planOf,
  priorSecret,
  priorStatus,
  source,
  states,
  statusOf,
  store,
  workload,
  written,
} from './builders.ts';

const DEPLOYMENT = { kind: 'Deployment', name: MODEL.name };

/** A model that asks for two secrets, a workload and a plain environment variable. */
const asking = (approval: ApprovalView, more: Partial<Snapshot> = {}) =>
  planOf({
    model: model({ overrides: [{ name: 'a', env: ['HF_TOKEN'] }], workloads: [DEPLOYMENT] }),
    declaration: declared('a', 'b'),
    stores: [store(source({ a: 'A', b: 'B', 'admin-token': 'X' }))],
    workloads: [workload()],
    approval,
    ...more,
  });

const statusOfPlan = (planned: ReturnType<typeof planOf>) => statusOf(planned, NOTHING_FAILED, 1);

const said = (planned: ReturnType<typeof planOf>, type: string): string => {
  const found = statusOfPlan(planned).conditions?.find((condition) => condition.type === type);
  return `${found?.status} ${found?.reason}`;
};

const EVERYTHING = { secrets: ['a', 'b'], workloads: [DEPLOYMENT], env: ['HF_TOKEN'] };

describe('a model gets what it asks for and what is approved', () => {
  it('without --require-approval spec.trusted is enough', () => {
    const planned = asking({ kind: 'not-required' });
    expect(written(planned)).toEqual({ a: 'A', b: 'B' });
    expect(said(planned, 'Ready')).toBe('True Ready');
  });

  it('with all of it approved it is Ready', () => {
    const planned = asking(approvedBy(EVERYTHING));
    expect(written(planned)).toEqual({ a: 'A', b: 'B' });
    expect(said(planned, 'Ready')).toBe('True Ready');
    expect(said(planned, 'Trusted')).toBe('True Trusted');
  });

  it.each<[string, ApprovalView]>([
    ['there is no ModelTrust', { kind: 'absent' }],
    ['the ModelTrust is empty', approvedBy({})],
    ['the ModelTrust is for an earlier model of the name', approvedBy(EVERYTHING, 'uid-of-an-earlier-one')],
    ['the ModelTrust names another model', approvedBy({ ...EVERYTHING, modelUid: 'other' })],
    [
      'the ModelTrust names another model, whatever was noted',
      approvedBy({ ...EVERYTHING, modelUid: 'other' }, MODEL.uid),
    ],
    ['the ModelTrust breaks a rule of its schema', approvedBy({ ...EVERYTHING, secrets: 'a' })],
  ])('with nothing approved (%s) it gets nothing', (_, approval) => {
    const planned = asking(approval);
    expect(states(planned)).toEqual({ a: 'NotApproved', b: 'NotApproved' });
    expect(planned.secret.action.kind).toBe('none');
    expect(planned.workloads).toMatchObject([{ action: { kind: 'none' }, state: 'NotAuthorized' }]);
    for (const type of ['Ready', 'Trusted', 'SecretsResolved', 'Delivered', 'Injected'])
      expect(said(planned, type), type).toBe('False AwaitingApproval');
  });

  it.each<[string, ApprovalView]>([
    ['it is noted on it', approvedBy(EVERYTHING, MODEL.uid)],
    ['it names this one', approvedBy({ ...EVERYTHING, modelUid: MODEL.uid })],
    [
      'it names this one, and another was noted before',
      approvedBy({ ...EVERYTHING, modelUid: MODEL.uid }, 'other'),
    ],
    ['it is for every model of the name', approvedBy({ ...EVERYTHING, modelUid: '*' }, 'other')],
  ])('a ModelTrust counts for this model when %s', (_, approval) => {
    expect(states(asking(approval))).toEqual({ a: 'Delivered', b: 'Delivered' });
  });

  it('spec.trusted: false wins over every approval', () => {
    const planned = asking(approvedBy(EVERYTHING), { model: model({ trusted: false }) });
    expect(states(planned)).toEqual({ a: 'Untrusted', b: 'Untrusted' });
    expect(said(planned, 'Ready')).toBe('False Untrusted');
  });

  it('says per name what is not approved, and what to do', () => {
    const planned = asking(approvedBy({ ...EVERYTHING, secrets: ['a'] }));
    expect(states(planned)).toEqual({ a: 'Delivered', b: 'NotApproved' });
    expect(written(planned)).toEqual({ a: 'A' });
    const { secrets, conditions } = statusOfPlan(planned);
    expect(secrets?.[1]?.message).toBe(
      "b is not in spec.secrets of the model's ModelTrust; somebody who may write ModelTrusts has to approve it",
    );
    expect(conditions?.find(({ type }) => type === 'Trusted')?.message).toBe(
      'not approved by ModelTrust gfpgan: secrets b; somebody who may write ModelTrusts runs: kubectl truss-secrets trust gfpgan -n models',
    );
  });

  it('names the key that is to be approved, where it is not the declared name', () => {
    const overrides = [{ name: 'b', from: { store: 'default', key: 'admin-token' } }];
    const planned = asking(approvedBy({ ...EVERYTHING, secrets: ['a'] }), { model: model({ overrides }) });
    const { conditions } = statusOfPlan(planned);
    expect(conditions?.find(({ type }) => type === 'Trusted')?.message).toContain(
      'not approved by ModelTrust gfpgan: secrets b (key admin-token); ',
    );
  });

  it('a name that is not approved is left out of the pod template, so that pods do not wait for it', () => {
    const [planned] = asking(approvedBy({ ...EVERYTHING, secrets: ['a'] })).workloads;
    expect(JSON.stringify(planned)).toContain('"key":"a"');
    expect(JSON.stringify(planned)).not.toContain('"key":"b"');
  });

  it('a workload that is not approved gets nothing, and loses what it had', () => {
    const approval = approvedBy({ ...EVERYTHING, workloads: [{ kind: 'StatefulSet', name: MODEL.name }] });
    const injected = liveWorkload({ owned: 'something', marker: `${MODEL.name}/${MODEL.uid}` });
    const planned = asking(approval, { workloads: [workload(injected)] });
    expect(written(planned)).toEqual({ a: 'A', b: 'B' });
    expect(planned.workloads).toMatchObject([
      { action: { kind: 'apply', undo: true }, state: 'NotAuthorized' },
    ]);
    expect(said(planned, 'Injected')).toBe('False AwaitingApproval');
    expect(said(planned, 'Ready')).toBe('False AwaitingApproval');
  });

  it('an environment variable that is not approved is left out, and the secret says so', () => {
    const planned = asking(approvedBy({ ...EVERYTHING, env: [] }));
    expect(JSON.stringify(planned.workloads)).not.toContain('HF_TOKEN');
    expect(states(planned)).toEqual({ a: 'Delivered', b: 'Delivered' });
    expect(statusOfPlan(planned).secrets?.[0]?.message).toContain('HF_TOKEN');
    expect(said(planned, 'Ready')).toBe('False AwaitingApproval');
  });

  it('a value that no environment variable can hold does not matter where none is approved', () => {
    const binary = { stores: [store(source({ a: '\0', b: 'B' }))] };
    expect(states(asking(approvedBy({ ...EVERYTHING, env: [] }), binary))).toMatchObject({ a: 'Delivered' });
    expect(states(asking(approvedBy(EVERYTHING), binary))).toMatchObject({ a: 'Undeliverable' });
  });

  it('a name that the model may do without is not waited for', () => {
    const planned = asking(approvedBy({ ...EVERYTHING, secrets: ['a'] }), {
      declaration: declared('a', 'b=Optional'),
    });
    expect(states(planned)).toEqual({ a: 'Delivered', b: 'NotApproved' });
    expect(said(planned, 'Ready')).toBe('True Ready');
  });
});

describe('a later edit of the model widens nothing', () => {
  const approval = approvedBy({ ...EVERYTHING, secrets: ['a'] }, MODEL.uid);
  const edited = (spec: Record<string, unknown>, ...names: readonly string[]) =>
    asking(approval, {
      model: model({ workloads: [DEPLOYMENT], ...spec }),
      declaration: declared('a', ...names),
    });

  it('another name in config.yaml', () => {
    expect(states(edited({}, 'admin-token'))).toEqual({ a: 'Delivered', 'admin-token': 'NotApproved' });
  });

  it('another key under an approved name: what counts is the key that the value is copied from', () => {
    const remapped = edited({ overrides: [{ name: 'a', from: { store: 'default', key: 'admin-token' } }] });
    expect(states(remapped)).toEqual({ a: 'NotApproved' });
    expect(written(remapped)).toBeUndefined();
  });

  it('an approved key under another name brings no other value', () => {
    const renamed = edited({ overrides: [{ name: 'b', from: { store: 'default', key: 'a' } }] }, 'b');
    expect(written(renamed)).toEqual({ a: 'A', b: 'A' });
  });

  it('another workload, or another kind of the same name', () => {
    const planned = edited({ workloads: [DEPLOYMENT, { kind: 'Deployment', name: 'other' }] });
    expect(said(planned, 'Trusted')).toBe('False AwaitingApproval');
  });

  it('more names of environment variables', () => {
    const planned = edited({ overrides: [{ name: 'a', env: ['HF_TOKEN', 'AWS_SECRET_ACCESS_KEY'] }] });
    expect(JSON.stringify(planned.workloads)).toContain('HF_TOKEN');
    expect(JSON.stringify(planned.workloads)).not.toContain('AWS_SECRET_ACCESS_KEY');
  });

  it('names that mean something to JavaScript are names like others', () => {
    const planned = edited({}, '__proto__', 'constructor', 'toString', 'hasOwnProperty');
    expect(Object.entries(states(planned)).filter(([, state]) => state === 'Delivered')).toEqual([
      ['a', 'Delivered'],
    ]);
  });

  it('whatever is asked for: no value is written whose key is not approved, and no template names it', () => {
    const name = fc.constantFrom('a', 'b', 'c', 'd');
    const some = fc.uniqueArray(name, { maxLength: 4 });
    const remap = fc.record({ name, key: name });
    fc.assert(
      fc.property(
        some,
        some,
        fc.uniqueArray(remap, { selector: (one) => one.name, maxLength: 4 }),
        (asked, approved, remaps) => {
          const planned = planOf({
            model: model({
              overrides: remaps.map(({ name: declaredName, key }) => ({
                name: declaredName,
                from: { store: 'default', key },
              })),
            }),
            declaration: declared(...asked),
            stores: [store(source({ a: 'a', b: 'b', c: 'c', d: 'd' }))],
            approval: approvedBy({ ...EVERYTHING, secrets: approved }),
          });
          const values = Object.values(written(planned) ?? {});
          expect(values.filter((value) => !new Set<string>(approved).has(value))).toEqual([]);
        },
      ),
    );
  });
});

describe('an approval that is taken back', () => {
  const running = {
    delivered: delivered({ a: 'A', b: 'B' }),
    workloads: [workload({ owned: 'something', marker: `${MODEL.name}/${MODEL.uid}` })],
  };

  it('takes everything away when the ModelTrust is deleted', () => {
    const planned = asking({ kind: 'absent' }, running);
    expect(planned.secret.action.kind).toBe('delete');
    expect(planned.workloads).toMatchObject([{ action: { kind: 'apply', undo: true } }]);
  });

  it('takes one name away when it leaves the list', () => {
    const planned = asking(approvedBy({ ...EVERYTHING, secrets: ['b'] }), running);
    expect(written(planned)).toEqual({ b: 'B' });
    expect(planned.secret.revision).toBe('fresh');
  });

  it('takes everything away also while the spec breaks a rule that an older API server let through', () => {
    const broken = { stores: [{ name: 'default' }, { name: 'default' }], workloads: [DEPLOYMENT] };
    const planned = (approval: ApprovalView) => asking(approval, { ...running, model: model(broken) });
    expect(planned(approvedBy(EVERYTHING)).secret.action.kind).toBe('none');
    expect(planned({ kind: 'unknown', why: '' }).secret.action.kind).toBe('none');
    expect(planned({ kind: 'absent' }).secret.action.kind).toBe('delete');
    expect(planned({ kind: 'absent' }).workloads).toMatchObject([{ action: { kind: 'apply', undo: true } }]);
  });

  it('is acted upon while config.yaml cannot be read', () => {
    const prior = priorStatus(priorSecret('a'), priorSecret('b'));
    const planned = asking(approvedBy({ ...EVERYTHING, secrets: ['b'] }), {
      ...running,
      model: model({ workloads: [DEPLOYMENT] }, { prior }),
      declaration: { kind: 'malformed', errors: ['config.yaml:1:1: no'] },
    });
    expect(written(planned)).toEqual({ b: 'B' });
  });
});

describe('while nobody knows what is approved', () => {
  const unknown: ApprovalView = { kind: 'unknown', why: 'ModelTrusts in namespace models cannot be read' };

  it('nothing is added', () => {
    const planned = asking(unknown);
    expect(states(planned)).toEqual({ a: 'NotApproved', b: 'NotApproved' });
    expect(planned.secret.action.kind).toBe('none');
    expect(planned.workloads).toMatchObject([{ action: { kind: 'none' } }]);
    expect(said(planned, 'Ready')).toBe('False ApprovalUnreadable');
    expect(said(planned, 'Trusted')).toBe('Unknown ApprovalUnreadable');
  });

  it('nothing is taken away, and nothing is rotated', () => {
    const planned = asking(unknown, {
      delivered: delivered({ a: 'old', b: 'B' }),
      workloads: [workload({ owned: 'something', marker: `${MODEL.name}/${MODEL.uid}` })],
    });
    expect(states(planned)).toEqual({ a: 'Delivered', b: 'Delivered' });
    expect(planned.secret.action.kind).toBe('none');
    expect(planned.workloads).toMatchObject([{ action: { kind: 'none' }, state: 'NotAuthorized' }]);
  });

  it('spec.trusted: false still takes everything away', () => {
    const planned = asking(unknown, {
      model: model({ trusted: false }),
      delivered: delivered({ a: 'A' }),
    });
    expect(planned.secret.action.kind).toBe('delete');
  });
});
