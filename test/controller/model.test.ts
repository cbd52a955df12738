import { describe, expect, it } from 'vitest';
import { type CachedModel, projectModel, withStatus } from '../../src/controller/model.ts';
import { statusDigest } from '../../src/controller/model-status.ts';
import type { RawObject } from '../../src/kube/object.ts';

const modelNamed = (name: string, workloads: readonly object[], status: object = {}): RawObject => ({
  metadata: { namespace: 'models', name, uid: `uid-${name}`, resourceVersion: '1', generation: 1 },
  spec: { trusted: true, config: { inline: 'secrets: {hf_access_token: null}' }, workloads },
  status,
});

const deployment = (name: string): object => ({ kind: 'Deployment', name });

const workloadsOf = (raw: RawObject): unknown => {
  const { spec } = projectModel(raw, undefined);
  return spec.kind === 'valid' ? spec.spec.workloads : spec;
};

/** Much of a model is put together when it is asked for: a comparison would not see it. */
const allOf = (model: CachedModel) => {
  const { resourceVersion, spec, prior, readiness, hasSecret, hasPullSecret } = model;
  return { ...model, resourceVersion, spec, prior, readiness, hasSecret, hasPullSecret };
};

describe('what is kept of a model', () => {
  it.each([
    ['one of its own name', [deployment('gfpgan')]],
    ['one of another name', [deployment('other')]],
    [
      'both, in their order',
      [deployment('other'), deployment('gfpgan'), { kind: 'CronJob', name: 'gfpgan' }],
    ],
    ['one with containers', [{ ...deployment('gfpgan'), containers: ['model'] }]],
    ['none', []],
  ])('has the workloads of the spec: %s', (_, workloads) => {
    expect(workloadsOf(modelNamed('gfpgan', workloads))).toEqual(workloads);
  });

  it('does not mix up models that differ in their names alone', () => {
    const [a, b] = ['a', 'b'].map((name) => projectModel(modelNamed(name, [deployment(name)]), undefined));
    expect(a?.spec).toMatchObject({ spec: { workloads: [{ name: 'a' }] } });
    expect(b?.spec).toMatchObject({ spec: { workloads: [{ name: 'b' }] } });
  });

  it('has the workloads of the last status, of its own name and others', () => {
    const workloads = [
      { kind: 'Deployment', name: 'gfpgan', state: 'Injected' },
      { kind: 'Deployment', name: 'other', state: 'Waiting' },
    ];
    const { prior } = projectModel(modelNamed('gfpgan', [], { workloads }), undefined);
    expect(prior.workloads).toEqual(workloads);
  });

  it('is what the API server has of it, once a status was written', () => {
    const workloads = [{ kind: 'Deployment', name: 'gfpgan', state: 'Injected' }] as const;
    const status = { secretName: 'gfpgan-truss-secrets', summary: '1/1', workloads: [...workloads] };
    const before = modelNamed('gfpgan', [deployment('gfpgan'), deployment('other')]);
    const written = { ...before, metadata: { ...before.metadata, resourceVersion: '7' }, status };
    const known = projectModel(before, undefined);
    const now = withStatus(known, '7', status, statusDigest(status));
    expect(allOf(now)).toEqual(allOf(projectModel(written, undefined)));
    expect(now.resourceVersion).toBe('7');
  });

  it('has the same spec when only the status has changed', () => {
    const before = projectModel(modelNamed('gfpgan', [deployment('gfpgan'), deployment('other')]), undefined);
    const raw = modelNamed('gfpgan', [], { secretName: 'gfpgan-truss-secrets' });
    const after = projectModel(raw, before);
    expect(after.spec).toEqual(before.spec);
    expect(after.inline).toEqual(before.inline);
    expect(after.hasSecret).toBe(true);
  });
});
