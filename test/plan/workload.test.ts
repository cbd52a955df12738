import { describe, expect, it } from 'vitest';
import { canonical, flattened } from '../../src/plan/flatten.ts';
import type { ContainerView, LiveWorkload, WorkloadView } from '../../src/plan/snapshot.ts';
import type { WorkloadPlan } from '../../src/plan/workload.ts';
import { declared, delivered, liveWorkload, model, planOf, SECRET_NAME, workload } from './builders.ts';

const container = (more: Partial<ContainerView> = {}): ContainerView => ({
  name: 'model',
  init: false,
  mounts: [],
  env: [],
  ...more,
});

function only(parts: Parameters<typeof planOf>[0]): WorkloadPlan {
  const [first] = planOf(parts).workloads;
  if (!first) throw new Error('no workload in the plan');
  return first;
}

/** The body of the apply that a plan calls for. */
function body(parts: Parameters<typeof planOf>[0]): Record<string, unknown> {
  const { action } = only(parts);
  if (action.kind !== 'apply') throw new Error('the plan applies nothing');
  return action.body;
}

const podOf = (parts: Parameters<typeof planOf>[0]): unknown =>
  (body(parts)['spec'] as { template: { spec: unknown } }).template.spec;

describe('what goes into a pod template', () => {
  it('Mount: one projected volume, its required names in one source, the optional ones in another', () => {
    const pod = podOf({
      declaration: declared('a', 'b=Optional', 'c', '../bad', 'd=Build'),
      workloads: [workload()],
    });
    expect(pod).toEqual({
      containers: [
        { name: 'model', volumeMounts: [{ name: 'truss-secrets', mountPath: '/secrets', readOnly: true }] },
      ],
      volumes: [
        {
          name: 'truss-secrets',
          projected: {
            defaultMode: 0o444,
            sources: [
              {
                secret: {
                  name: SECRET_NAME,
                  items: [
                    { key: 'a', path: 'a' },
                    { key: 'c', path: 'c' },
                  ],
                },
              },
              { secret: { name: SECRET_NAME, items: [{ key: 'b', path: 'b' }], optional: true } },
            ],
          },
        },
      ],
    });
  });

  it('Mount: the sources of the volume have their fields in order, so that they are compared without being copied', () => {
    const { volumes } = podOf({ declaration: declared('a', 'b=Optional'), workloads: [workload()] }) as {
      volumes: readonly { projected: { sources: unknown } }[];
    };
    const sources = volumes[0]?.projected.sources;
    expect(sources).toHaveLength(2);
    expect(JSON.stringify(sources)).toBe(canonical(sources));
  });

  it('Env: one prefixed variable for each name, with its case, and never a value', () => {
    const pod = podOf({
      model: model({ delivery: 'Env', onMissing: 'UseDefault' }),
      declaration: declared('My-Key', 'b=Default'),
      workloads: [workload()],
    });
    expect(pod).toEqual({
      containers: [
        {
          name: 'model',
          env: [
            {
              name: 'TRUSS_SECRET_My-Key',
              valueFrom: { secretKeyRef: { name: SECRET_NAME, key: 'My-Key' } },
            },
            {
              name: 'TRUSS_SECRET_b',
              valueFrom: { secretKeyRef: { name: SECRET_NAME, key: 'b', optional: true } },
            },
          ],
        },
      ],
    });
  });

  it('plain names of overrides come besides, with either delivery', () => {
    const overrides = [{ name: 'a', env: ['HF_TOKEN'] }];
    const plain = { name: 'HF_TOKEN', valueFrom: { secretKeyRef: { name: SECRET_NAME, key: 'a' } } };
    for (const delivery of ['Mount', 'Env']) {
      const pod = podOf({ model: model({ delivery, overrides }), workloads: [workload()] });
      expect((pod as { containers: { env: unknown[] }[] }).containers[0]?.env).toContainEqual(plain);
    }
  });

  it('the uid is in the apply, so that it never creates; so is the marker of the model', () => {
    expect(body({ workloads: [workload()] })['metadata']).toEqual({
      name: 'gfpgan',
      namespace: 'models',
      uid: 'uid-deployment',
      annotations: { 'truss-secrets.dev/model': 'gfpgan/uid-gfpgan' },
    });
  });

  it.each([
    [{ delivery: 'Mount' }, undefined],
    [{ delivery: 'Env' }, 'r1'],
    [{ delivery: 'Mount', onChange: 'Restart' }, 'r1'],
    [{ delivery: 'Env', onChange: 'Keep' }, undefined],
    [{ delivery: 'Mount', overrides: [{ name: 'a', env: ['HF_TOKEN'] }] }, 'r1'],
  ])('%j: the revision in the template is %s', (spec, revision) => {
    const { template } = body({
      model: model(spec),
      delivered: delivered({ a: 'A' }),
      workloads: [workload()],
    })['spec'] as { template: { metadata?: { annotations: Record<string, string> } } };
    expect(template.metadata?.annotations['truss-secrets.dev/revision']).toBe(revision);
  });

  it('a CronJob keeps its pods in jobTemplate, and gets no revision: its next pods are new ones anyway', () => {
    const cron = { workloadKind: 'CronJob', apiVersion: 'batch/v1' };
    const { spec } = body({
      model: model({ delivery: 'Env' }),
      workloads: [workload(cron, { kind: 'CronJob' })],
    });
    expect(
      Object.keys((spec as { jobTemplate: { spec: { template: object } } }).jobTemplate.spec.template),
    ).toEqual(['spec']);
  });

  it.each([
    ['the first container by default', {}, {}, ['model']],
    ['the one that kubectl would choose', {}, { defaultContainer: 'side' }, ['side']],
    [
      'the first one, if the annotation names none that is there',
      {},
      { defaultContainer: 'gone' },
      ['model'],
    ],
    ['those of the spec', { containers: ['side', 'setup'] }, {}, ['side', 'setup']],
    ['all of them, init containers too', { containers: ['*'] }, {}, ['model', 'side', 'setup']],
  ])('the containers are %s', (_which, ref, live, expected) => {
    const containers = [container(), container({ name: 'side' }), container({ name: 'setup', init: true })];
    const pod = podOf({ workloads: [workload({ containers, ...live }, ref)] }) as Record<
      string,
      { name: string }[]
    >;
    const names = [...(pod['containers'] ?? []), ...(pod['initContainers'] ?? [])].map(({ name }) => name);
    expect(names).toEqual(expected);
  });

  it('a template that has it all already is not applied again', () => {
    const { metadata, spec } = body({ workloads: [workload()] });
    const { annotations } = metadata as { annotations: unknown };
    const owned = flattened({ metadata: { annotations }, spec });
    expect(only({ workloads: [workload({ owned, marker: 'gfpgan/uid-gfpgan' })] })).toMatchObject({
      action: { kind: 'none' },
      state: 'Injected',
    });
  });
});

describe('what is in the way is found before anything is written, and nothing is forced', () => {
  const mount = { same: false, ours: false, manager: 'kubectl' };
  const env = { name: 'TRUSS_SECRET_a', ours: false, manager: 'argocd', secretKeyRef: undefined };
  const asEnv = { model: model({ delivery: 'Env' }) };
  const cases: [string, Partial<LiveWorkload>, Record<string, unknown>, object, string][] = [
    [
      'a mount at /secrets of the user',
      { containers: [container({ mounts: [mount] })] },
      {},
      {},
      'container model already mounts something at /secrets (field manager kubectl); remove that mount, or use delivery: Env',
    ],
    [
      'a volume of our name',
      { volume: { manager: 'helm', content: 'else' } },
      {},
      {},
      'the pod template already has a volume truss-secrets (field manager helm); rename it',
    ],
    [
      'an environment variable of that name',
      { containers: [container({ env: [env] })] },
      {},
      asEnv,
      'container model already has an environment variable TRUSS_SECRET_a (field manager argocd); remove it there',
    ],
    [
      'a container that is not there',
      {},
      { containers: ['model', 'gone'] },
      {},
      'no container gone; the pod template has model',
    ],
    [
      'something twice in a list',
      { duplicate: 'volume data' },
      {},
      {},
      'the pod template has volume data twice, which server-side apply cannot handle; remove one of them',
    ],
  ];

  it.each(cases)('%s', (_what, live, ref, parts, message) => {
    const planned = only({ ...parts, workloads: [workload(live, ref)] });
    expect(planned).toMatchObject({ state: 'Conflict', action: { kind: 'none' }, message });
  });

  it('the same thing as ours is not in the way: it can be pasted into a manifest', () => {
    const volume = {
      manager: 'kubectl',
      content: flattened((podOf({ workloads: [workload()] }) as { volumes: unknown[] }).volumes[0]),
    };
    const containers = [container({ mounts: [{ ...mount, same: true }] })];
    expect(only({ workloads: [workload({ volume, containers })] }).action.kind).toBe('apply');
    const ref = { ...env, secretKeyRef: `${SECRET_NAME}/a/false` };
    expect(
      only({ ...asEnv, workloads: [workload({ containers: [container({ env: [ref] })] })] }).action.kind,
    ).toBe('apply');
  });

  it('what is in the way in a container that gets nothing does not matter', () => {
    const containers = [container(), container({ name: 'side', mounts: [mount] })];
    expect(only({ workloads: [workload({ containers })] }).action.kind).toBe('apply');
  });

  it('a workload of another model is left alone, and the message says whose it is', () => {
    const held: WorkloadView = {
      kind: 'present',
      ref: { kind: 'Deployment', name: 'gfpgan' },
      live: liveWorkload({ owned: 'x', marker: 'other/uid' }),
      holder: 'other',
    };
    expect(only({ workloads: [held] })).toMatchObject({ state: 'Conflict', action: { kind: 'none' } });
    expect(only({ workloads: [held] }).message).toContain('belongs to ModelDeployment other');
    expect(only({ model: model({ trusted: false }), workloads: [held] }).action.kind).toBe('none');
  });
});

const unnamed = (live: Partial<LiveWorkload>): WorkloadView => ({
  kind: 'present',
  ref: undefined,
  live: liveWorkload(live),
  holder: undefined,
});

describe('taking out what was injected', () => {
  const mine = { owned: 'something', marker: 'gfpgan/uid-gfpgan' };

  it.each([
    ['the model is not trusted', { model: model({ trusted: false }) }],
    ['only the Secret is wanted', { model: model({ delivery: 'None' }) }],
    ['nothing is declared any more', { declaration: declared() }],
  ])('%s: an apply of nothing', (_why, parts) => {
    expect(body({ ...parts, workloads: [workload(mine)] })).toEqual({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'gfpgan', namespace: 'models', uid: 'uid-deployment' },
    });
  });

  it('a workload that the spec does not name any more', () => {
    const leftover = unnamed({ ...mine, name: 'old' });
    expect(only({ workloads: [leftover] }).action).toMatchObject({ kind: 'apply', undo: true });
  });

  it('what an earlier model of this name left behind', () => {
    const leftover = unnamed({ ...mine, marker: 'gfpgan/uid-before' });
    expect(only({ workloads: [leftover] }).action).toMatchObject({ kind: 'apply', undo: true });
  });

  it.each([
    ['where nothing was injected', { owned: '' }],
    ['where the marker is another one', { owned: 'x', marker: 'other/uid' }],
    ['from what is being deleted', { ...mine, deleting: true }],
  ])('nothing is taken %s', (_where, live) => {
    expect(only({ model: model({ trusted: false }), workloads: [workload(live)] }).action.kind).toBe('none');
  });
});

describe('a workload that cannot be written', () => {
  const ref = { kind: 'Deployment' as const, name: 'gfpgan' };

  it('is waited for when it does not exist', () => {
    expect(only({ workloads: [{ kind: 'absent', ref }] })).toMatchObject({
      state: 'Waiting',
      action: { kind: 'none' },
    });
  });

  it('is said when the operator may not read it', () => {
    expect(only({ workloads: [{ kind: 'forbidden', ref }] }).state).toBe('NotAuthorized');
  });
});
