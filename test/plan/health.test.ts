import { describe, expect, it } from 'vitest';
import { WORKLOAD_KINDS } from '../../src/api/model-deployment.ts';
import { NOTHING_FAILED } from '../../src/plan/outcome.ts';
import type { ActPlan } from '../../src/plan/plan.ts';
import type { LiveWorkload, PresentWorkload, PriorWorkload, Rollout } from '../../src/plan/snapshot.ts';
import type { WorkloadPlan } from '../../src/plan/workload.ts';
import {
  MODEL,
  NO_STATUS,
  ROLLED_OUT,
  delivered,
  liveWorkload,
  model,
  planOf,
  statusOf,
  store,
} from './builders.ts';

type Parts = Parameters<typeof planOf>[0];

interface Injected {
  readonly live?: Partial<LiveWorkload>;
  readonly rollout?: Partial<Rollout>;
  readonly view?: Partial<PresentWorkload>;
  readonly prior?: PriorWorkload['state'];
  readonly spec?: Record<string, unknown>;
}

/** The plan for a workload whose template has what it should have, unless `live` says otherwise. */
function planned(parts: Parts, { live, rollout, view, prior, spec }: Injected = {}): ActPlan {
  const kind = WORKLOAD_KINDS.find((one) => one === live?.workloadKind) ?? 'Deployment';
  const workloads = prior === undefined ? [] : [{ kind, name: MODEL.name, state: prior }];
  const of = (owned: string): Parts => ({
    ...parts,
    model: model(spec, { prior: { ...NO_STATUS, workloads } }),
    workloads: [
      {
        kind: 'present',
        ref: { kind: kind as 'Deployment', name: MODEL.name },
        live: liveWorkload({
          marker: `${MODEL.name}/${MODEL.uid}`,
          owned,
          rollout: { ...ROLLED_OUT, ...rollout },
          ...live,
        }),
        holder: undefined,
        ...view,
      },
    ],
  });
  const action = planOf(of('something else')).workloads[0]?.action;
  return planOf(of(action?.kind === 'apply' ? action.wanted : ''));
}

function only({ workloads: [first] }: ActPlan): WorkloadPlan {
  if (!first) throw new Error('no workload in the plan');
  return first;
}

const there = { delivered: delivered({ a: 'A' }) };
const gone = { stores: [store()], delivered: delivered({}) };

describe('Frozen: a required key went away while pods run', () => {
  it('names the key, and how to end it', () => {
    const { state, message, action } = only(planned(gone));
    expect({ state, action: action.kind }).toEqual({ state: 'Frozen', action: 'none' });
    expect(message).toMatch(/^a went away while pods run/);
    expect(message).toContain('store it again, or take it out of config.yaml');
    expect(message).toContain('kubectl -n models rollout restart deployment/gfpgan');
    expect(message).toMatch(/old ones that the update strategy keeps serving have to be deleted$/);
  });

  it.each([
    ['no pod of the present template runs yet: they wait', { rollout: { running: false } }, 'Injected'],
    [
      'the pods are those of an earlier template',
      { rollout: { running: false, outdated: true } },
      'Injected',
    ],
    [
      'the pods that were frozen are being replaced',
      { rollout: { running: false }, prior: 'Frozen' as const },
      'Frozen',
    ],
    [
      'all of those are gone',
      { rollout: { running: false, serving: false }, prior: 'Frozen' as const },
      'Injected',
    ],
    ['environment variables do not freeze', { spec: { delivery: 'Env' } }, 'Injected'],
    ['optional files do not freeze', { spec: { onMissing: 'Skip' } }, 'Injected'],
  ])('%s', (_what, injected, state) => {
    expect(only(planned(gone, injected)).state).toBe(state);
  });

  it('of a template that is about to change only what the pods have had counts', () => {
    const live = { owned: 'an earlier template' };
    const neverThere = { ...gone, delivered: delivered({}) };
    expect(only(planned(neverThere, { live }))).toMatchObject({
      state: 'Injected',
      action: { kind: 'apply' },
    });
    const leaves = { ...gone, delivered: delivered({ a: 'A' }) };
    expect(only(planned(leaves, { live }))).toMatchObject({ state: 'Frozen', action: { kind: 'apply' } });
  });

  it('a workload that never had the volume has nothing to freeze', () => {
    expect(only(planned(gone, { live: { owned: '' } })).state).toBe('Injected');
  });
});

describe('PodsStale: pods are not replaced by themselves', () => {
  const rollout = { outdated: true, running: false };

  it.each([
    ['paused', {}, 'kubectl -n models rollout resume deployment/gfpgan'],
    [
      'on-delete',
      { workloadKind: 'DaemonSet', oldPods: 'app=x' },
      "kubectl -n models delete pods -l 'app=x'",
    ],
    ['partition', { workloadKind: 'StatefulSet' }, 'kubectl -n models patch statefulset gfpgan'],
  ] as const)('%s', (held, live, command) => {
    const { state, message } = only(planned(there, { live, rollout: { ...rollout, held } }));
    expect(state).toBe('PodsStale');
    expect(message).toContain(command);
  });

  it('is no matter once all pods are of the present template', () => {
    expect(only(planned(there, { rollout: { held: 'paused' } })).state).toBe('Injected');
  });

  describe('after trust was taken away', () => {
    const spec = { trusted: false };
    const untrusted = (injected: Injected) =>
      only(planned({ delivered: delivered({ a: 'A' }) }, { ...injected, spec }));

    it('pods of a paused Deployment still have what was delivered, until it goes on', () => {
      const before = untrusted({
        live: { owned: 'something' },
        rollout: { held: 'paused' },
        prior: 'Injected',
      });
      expect(before).toMatchObject({ state: 'PodsStale', action: { undo: true } });
      const unseen = { held: 'paused', observed: false } as const;
      expect(untrusted({ rollout: unseen, prior: 'PodsStale' }).state).toBe('PodsStale');
      const seen = { held: 'paused', outdated: true } as const;
      expect(untrusted({ rollout: seen, prior: 'PodsStale' }).state).toBe('PodsStale');
      expect(untrusted({ rollout: { held: 'paused' }, prior: 'PodsStale' }).state).toBe(undefined);
    });

    it('there is nothing to say of a workload that never had anything', () => {
      expect(untrusted({ rollout: { held: 'paused', outdated: true } }).state).toBe(undefined);
      expect(untrusted({ prior: 'Injected' }).state).toBe(undefined);
    });
  });
});

describe('Stuck: a pod of an earlier template holds up a StatefulSet', () => {
  const live = { workloadKind: 'StatefulSet', oldPods: 'app=x,controller-revision-hash!=x-7' };
  const rollout = { running: false, outdated: true, blocked: true };

  it('is said after a while, with the command that deletes pods that never started', () => {
    const { state, message } = only(planned(there, { live, rollout, view: { blockedForMs: 30_000 } }));
    expect(state).toBe('Stuck');
    expect(message).toContain(
      "kubectl -n models delete pods -l 'app=x,controller-revision-hash!=x-7' --field-selector=status.phase=Pending",
    );
  });

  it('a pod that has just been made has time to become ready', () => {
    expect(only(planned(there, { live, rollout, view: { blockedForMs: 10_000 } }))).toMatchObject({
      state: 'Injected',
      lookAgainMs: 20_000,
    });
  });
});

describe('Reverted: somebody keeps taking our fields out', () => {
  const wantedBy = (parts: Parts): string => {
    const { action } = only(planned(parts, { live: { owned: '' } }));
    return action.kind === 'apply' ? action.wanted : '';
  };
  const fight = { wanted: wantedBy(there), waitMs: 60_000, refused: undefined };

  it('nothing is written for a while, and the message names him', () => {
    const plan = only(planned(there, { live: { owned: '', editor: 'kubectl-replace' }, view: { fight } }));
    expect(plan).toMatchObject({ state: 'Reverted', action: { kind: 'none' }, lookAgainMs: 60_000 });
    expect(plan.message).toContain('(field manager kubectl-replace) keeps taking the secrets out');
  });

  it('stays so after a try, until it is known to have held', () => {
    expect(only(planned(there, { view: { fight } })).state).toBe('Reverted');
    expect(only(planned(there, { view: { fight: { ...fight, waitMs: 0 } } })).state).toBe('Injected');
  });

  it('another template is written at once', () => {
    const other = { ...fight, wanted: 'what was wanted before' };
    expect(only(planned(there, { live: { owned: '' }, view: { fight: other } })).action.kind).toBe('apply');
  });

  it('what the API server keeps refusing stays a conflict, in its words', () => {
    const refused = { ...fight, refused: 'the API server finds the result invalid' };
    expect(only(planned(there, { live: { owned: '' }, view: { fight: refused } }))).toMatchObject({
      state: 'Conflict',
      message: 'the API server finds the result invalid',
      lookAgainMs: 15_000,
    });
  });

  it('a Secret that somebody keeps changing is left alone for a while, and its revision with it', () => {
    const action = planOf({ delivered: delivered({ a: 'edited' }) }).secret;
    const { secret } = planOf({
      delivered: delivered(
        { a: 'edited' },
        { editor: 'kubectl-edit', fight: { wanted: action.wanted, waitMs: 5, refused: undefined } },
      ),
    });
    expect(secret).toMatchObject({
      action: { kind: 'none' },
      revision: 'r1',
      standoff: { editor: 'kubectl-edit', waitMs: 5 },
    });
  });

  it('so is one that somebody keeps deleting', () => {
    const last = delivered({ a: 'A' });
    if (last.kind !== 'ours') throw new Error('not ours');
    const { wanted } = planOf({ delivered: { kind: 'absent', last } }).secret;
    const fought = { wanted, waitMs: 5, refused: undefined };
    const { secret } = planOf({ delivered: { kind: 'absent', last, fight: fought } });
    expect(secret).toMatchObject({
      action: { kind: 'none' },
      revision: 'r1',
      standoff: { editor: undefined },
    });
  });
});

describe('conditions do not wait for pods', () => {
  const conditionsOf = (plan: ActPlan): Record<string, string> =>
    Object.fromEntries(
      (statusOf(plan, NOTHING_FAILED, 1).conditions ?? []).map(({ type, status, reason, message }) => [
        type,
        `${status} ${reason}: ${message}`,
      ]),
    );

  it('PodsStale and Stuck are said, and the model is Ready: its templates have the secrets', () => {
    const rollout = { outdated: true, running: false, held: 'paused' } as const;
    const conditions = conditionsOf(planned(there, { rollout }));
    expect(conditions['Ready']).toMatch(/^True Ready/);
    expect(conditions['Injected']).toMatch(
      /^True Injected: 1 workload has the secrets, Deployment gfpgan: the rollout is paused/,
    );
  });

  it('Frozen is said in Injected; what is missing makes the model not Ready', () => {
    const conditions = conditionsOf(planned(gone));
    expect(conditions['Ready']).toMatch(/^False SecretsMissing/);
    expect(conditions['Injected']).toMatch(/^True Injected: .*a went away while pods run/);
  });

  it('Reverted makes it not Ready, with that reason', () => {
    const { action } = only(planned(there, { live: { owned: '' } }));
    const wanted = action.kind === 'apply' ? action.wanted : '';
    const conditions = conditionsOf(
      planned(there, { live: { owned: '' }, view: { fight: { wanted, waitMs: 1, refused: undefined } } }),
    );
    expect(conditions['Injected']).toMatch(/^False Reverted/);
    expect(conditions['Ready']).toMatch(/^False Reverted/);
    expect(conditions['Stalled']).toMatch(/^True/);
  });
});
