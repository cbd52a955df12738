import { describe, expect, it } from 'vitest';
import type { WorkloadKind } from '../../src/api/model-deployment.ts';
import { projectRollout } from '../../src/controller/rollout.ts';
import type { Rollout } from '../../src/plan/snapshot.ts';

const project = (kind: WorkloadKind, spec: object, status: object, generation = 1) =>
  projectRollout(
    {
      metadata: { name: 'x', uid: 'u', resourceVersion: '1', generation },
      spec: { selector: { matchLabels: { app: 'x' } }, ...spec },
      status: { observedGeneration: 1, ...status },
    },
    kind,
  );

const truths = (rollout: Rollout): readonly string[] =>
  Object.entries(rollout).flatMap(([name, value]) => (value === false || value === undefined ? [] : [name]));

const onDelete = { updateStrategy: { type: 'OnDelete' } };
const partition = { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 2 } } };

describe('what the status of a workload says of its pods', () => {
  it.each<[string, WorkloadKind, object, object, readonly string[]]>([
    ['no pods', 'Deployment', {}, {}, ['observed']],
    [
      'all of the present template',
      'Deployment',
      {},
      { replicas: 2, updatedReplicas: 2, readyReplicas: 2 },
      ['observed', 'running', 'serving'],
    ],
    [
      'the first start: none is ready yet',
      'Deployment',
      {},
      { replicas: 2, updatedReplicas: 2 },
      ['observed'],
    ],
    [
      'a rollout whose new pod waits: only the old one is ready',
      'Deployment',
      {},
      { replicas: 2, updatedReplicas: 1, readyReplicas: 1 },
      ['observed', 'serving', 'outdated'],
    ],
    [
      'a rollout with a new pod that is ready for certain',
      'Deployment',
      {},
      { replicas: 3, updatedReplicas: 2, readyReplicas: 2 },
      ['observed', 'running', 'serving', 'outdated'],
    ],
    [
      'a paused Deployment with a changed template',
      'Deployment',
      { paused: true },
      { replicas: 1, readyReplicas: 1 },
      ['observed', 'serving', 'outdated', 'held'],
    ],
    [
      'a StatefulSet in the middle of a rollout',
      'StatefulSet',
      {},
      { replicas: 3, updatedReplicas: 1, readyReplicas: 2 },
      ['observed', 'serving', 'outdated'],
    ],
    [
      'a StatefulSet whose old pod is not ready (kubernetes#67250)',
      'StatefulSet',
      {},
      { replicas: 3, updatedReplicas: 0, readyReplicas: 2 },
      ['observed', 'serving', 'outdated', 'blocked'],
    ],
    [
      'the same with pods that do not wait for one another',
      'StatefulSet',
      { podManagementPolicy: 'Parallel' },
      { replicas: 3, updatedReplicas: 0, readyReplicas: 2 },
      ['observed', 'serving', 'outdated'],
    ],
    [
      'a StatefulSet with a partition',
      'StatefulSet',
      partition,
      { replicas: 3, updatedReplicas: 1, readyReplicas: 3 },
      ['observed', 'running', 'serving', 'outdated', 'held'],
    ],
    [
      'a DaemonSet',
      'DaemonSet',
      {},
      { currentNumberScheduled: 3, updatedNumberScheduled: 3, numberReady: 3 },
      ['observed', 'running', 'serving'],
    ],
    [
      'a DaemonSet with OnDelete',
      'DaemonSet',
      onDelete,
      { currentNumberScheduled: 3, updatedNumberScheduled: 0, numberReady: 3 },
      ['observed', 'serving', 'outdated', 'held'],
    ],
    ['a CronJob', 'CronJob', {}, { active: [{}] }, ['observed']],
  ])('%s', (_what, kind, spec, status, expected) => {
    expect(truths(project(kind, spec, status).rollout)).toEqual(expected);
  });

  it('says little while it is about an earlier template', () => {
    const status = { replicas: 2, updatedReplicas: 2, readyReplicas: 2 };
    expect(truths(project('Deployment', {}, status, 2).rollout)).toEqual(['serving']);
  });

  it('equal ones are one object: there may be very many workloads', () => {
    expect(project('Deployment', {}, { replicas: 5 }).rollout).toBe(
      project('Deployment', {}, { replicas: 7 }).rollout,
    );
  });
});

describe('the selector for pods that somebody has to delete', () => {
  const blocked = { replicas: 3, readyReplicas: 2, updateRevision: 'x-7' };

  it("is the workload's, without the pods of the present revision of a StatefulSet", () => {
    expect(project('StatefulSet', {}, blocked).oldPods).toBe('app=x,controller-revision-hash!=x-7');
    expect(project('DaemonSet', onDelete, {}).oldPods).toBe('app=x');
  });

  it('says expressions as kubectl takes them', () => {
    const selector = {
      matchLabels: { app: 'x' },
      matchExpressions: [
        { key: 'a', operator: 'In', values: ['1', '2'] },
        { key: 'b', operator: 'NotIn', values: ['3'] },
        { key: 'c', operator: 'Exists' },
        { key: 'd', operator: 'DoesNotExist' },
      ],
    };
    expect(project('DaemonSet', { ...onDelete, selector }, {}).oldPods).toBe(
      'app=x,a in (1,2),b notin (3),c,!d',
    );
  });

  it('is not kept where nobody needs it', () => {
    expect(project('StatefulSet', {}, { replicas: 3, updatedReplicas: 3, readyReplicas: 3 }).oldPods).toBe(
      undefined,
    );
  });
});
