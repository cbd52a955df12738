import { describe, expect, it } from 'vitest';
import { digest } from '../../src/controller/digest.ts';
import { projectWorkload } from '../../src/controller/workload.ts';
import type { ManagedFields, RawObject } from '../../src/kube/object.ts';
import { plan } from '../../src/plan/plan.ts';
import type { Snapshot, WorkloadView } from '../../src/plan/snapshot.ts';
import {
  declaredSecrets,
  delivered,
  digestOf,
  model,
  pullSecret,
  snapshot,
  source,
  store,
} from '../plan/builders.ts';

/** A Deployment as a cluster shows it, with what we applied and who owns what. */
const deployment = (pod: object, more: object, managedFields: readonly ManagedFields[]): RawObject => ({
  metadata: { name: 'gfpgan', namespace: 'models', uid: 'u', resourceVersion: '1', managedFields, ...more },
  spec: { template: { metadata: { annotations: { 'truss-secrets.dev/revision': 'r1' } }, spec: pod } },
});

const ref = { name: 'gfpgan-truss-secrets', key: 'a' };
const pod = {
  containers: [
    {
      name: 'model',
      image: 'x',
      terminationMessagePath: '/dev/termination-log',
      env: [
        { name: 'OWN', value: 'x' },
        { name: 'TRUSS_SECRET_a', valueFrom: { secretKeyRef: ref } },
        { name: 'HF_TOKEN', valueFrom: { secretKeyRef: ref } },
      ],
    },
  ],
  imagePullSecrets: [{ name: 'mine' }, { name: 'gfpgan-truss-pull' }],
};
const annotations = { 'truss-secrets.dev/model': 'gfpgan/uid-gfpgan', other: 'x' };

/** What server-side apply records, in the manner of one version or another. */
const ownedBy = (fields: { readonly secretKeyRef: object; readonly pullSecret: object }): ManagedFields => {
  const entry = { '.': {}, 'f:name': {}, 'f:valueFrom': { 'f:secretKeyRef': fields.secretKeyRef } };
  return {
    manager: 'truss-secrets',
    operation: 'Apply',
    fieldsV1: {
      'f:metadata': { 'f:annotations': { 'f:truss-secrets.dev/model': {} } },
      'f:spec': {
        'f:template': {
          'f:metadata': { 'f:annotations': { 'f:truss-secrets.dev/revision': {} } },
          'f:spec': {
            'f:containers': {
              'k:{"name":"model"}': {
                '.': {},
                'f:name': {},
                'f:env': { 'k:{"name":"TRUSS_SECRET_a"}': entry, 'k:{"name":"HF_TOKEN"}': entry },
              },
            },
            'f:imagePullSecrets': { 'k:{"name":"gfpgan-truss-pull"}': fields.pullSecret },
          },
        },
      },
    },
  };
};

const VERSIONS = {
  '1.20': ownedBy({ secretKeyRef: { 'f:key': {}, 'f:name': {} }, pullSecret: { '.': {}, 'f:name': {} } }),
  '1.36, where references are atomic': ownedBy({ secretKeyRef: {}, pullSecret: {} }),
};

const planned = (live: RawObject) => {
  const view: WorkloadView = {
    kind: 'present',
    ref: { kind: 'Deployment', name: 'gfpgan' },
    live: projectWorkload(live, 'apps/v1', 'Deployment'),
    holder: undefined,
  };
  const parts: Partial<Snapshot> = {
    model: model({ delivery: 'Env', overrides: [{ name: 'a', env: ['HF_TOKEN'] }] }),
    declaration: declaredSecrets(
      { name: 'a', role: 'Required' },
      pullSecret('p', 'REGISTRY_SECRET', 'ghcr.io'),
    ),
    stores: [store(source({ a: 'A', p: 'me:1' }))],
    delivered: delivered({ a: 'A' }),
    workloads: [view],
  };
  const acted = plan(snapshot(parts), { digest, digestOf, freshRevision: 'fresh' });
  return acted.kind === 'act' ? acted.workloads[0] : undefined;
};

describe('what is kept of a workload', () => {
  it.each(Object.entries(VERSIONS))(
    'as server-side apply records it on %s: it is right, and stays',
    (_version, ours) => {
      const kubectl = {
        manager: 'kubectl',
        operation: 'Update',
        time: '2026-01-01T00:00:00Z',
        fieldsV1: { 'f:spec': { 'f:template': {} } },
      };
      expect(planned(deployment(pod, { annotations }, [ours, kubectl]))).toMatchObject({
        action: { kind: 'none' },
        state: 'Injected',
      });
    },
  );

  it.each([
    ['an entry taken out', { ...pod, imagePullSecrets: [{ name: 'mine' }] }, annotations],
    [
      'another key',
      {
        ...pod,
        containers: [
          {
            name: 'model',
            env: [{ name: 'TRUSS_SECRET_a', valueFrom: { secretKeyRef: { ...ref, key: 'b' } } }],
          },
        ],
      },
      annotations,
    ],
    ['the marker taken away', pod, {}],
  ])('%s is put right', (_what, edited, noted) => {
    expect(planned(deployment(edited, { annotations: noted }, [VERSIONS['1.20']]))?.action.kind).toBe(
      'apply',
    );
  });

  it('names who else last wrote the template; who wrote the status, or its replicas, does not count', () => {
    const template = { 'f:spec': { 'f:template': {} } };
    const live = projectWorkload(
      deployment(pod, {}, [
        VERSIONS['1.20'],
        { manager: 'helm', time: '2026-01-02T00:00:00Z', fieldsV1: template },
        { manager: 'argocd', time: '2026-01-03T00:00:00Z', fieldsV1: template },
        { manager: 'hpa', time: '2026-01-04T00:00:00Z', fieldsV1: { 'f:spec': { 'f:replicas': {} } } },
        { manager: 'kube-controller-manager', time: '2026-01-05T00:00:00Z', fieldsV1: { 'f:status': {} } },
      ]),
      'apps/v1',
      'Deployment',
    );
    expect(live.editor).toBe('argocd');
  });

  it.each([
    ['its own', 'gfpgan/uid-gfpgan'],
    ['that of an earlier model of the name', 'gfpgan/uid-before'],
    ['that of another model', 'other/uid-other'],
    ['one that nobody of us wrote', 'gfpgan'],
    ['none', undefined],
  ])('beside the model of its name, a workload has the marker that is there: %s', (_, marker) => {
    const annotated = marker === undefined ? {} : { annotations: { 'truss-secrets.dev/model': marker } };
    const raw = deployment(pod, annotated, []);
    const namesake = { namespace: 'models', name: 'gfpgan', uid: 'uid-gfpgan' };
    const live = projectWorkload(raw, 'apps/v1', 'Deployment', namesake);
    expect([live.name, live.marker]).toEqual(['gfpgan', marker]);
  });
});
