import { describe, expect, test } from 'vitest';
import { templateDiff } from '../../src/cli/template-diff.ts';
import type { RawObject } from '../../src/kube/object.ts';

const body = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'm', uid: 'u', annotations: { 'truss-secrets.dev/model': 'm/u' } },
  spec: {
    template: {
      spec: {
        containers: [
          { name: 'model', env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 's', key: 'a' } } }] },
        ],
      },
    },
  },
};

/** The same, as the API server keeps it among what others wrote. */
const live: RawObject = {
  metadata: {
    name: 'm',
    uid: 'u',
    resourceVersion: '1',
    annotations: { 'truss-secrets.dev/model': 'm/u', theirs: 'x' },
    managedFields: [
      { manager: 'kubectl', operation: 'Apply', fieldsV1: { 'f:spec': {} } },
      {
        manager: 'truss-secrets',
        operation: 'Apply',
        fieldsV1: {
          'f:metadata': { 'f:annotations': { 'f:truss-secrets.dev/model': {} } },
          'f:spec': {
            'f:template': {
              'f:spec': {
                'f:containers': {
                  'k:{"name":"model"}': {
                    '.': {},
                    'f:name': {},
                    'f:env': {
                      'k:{"name":"A"}': {
                        '.': {},
                        'f:name': {},
                        'f:valueFrom': { 'f:secretKeyRef': { 'f:key': {}, 'f:name': {} } },
                      },
                    },
                  },
                },
              },
            },
          },
        },
      },
    ],
  },
  spec: {
    replicas: 3,
    template: {
      spec: {
        containers: [
          { name: 'sidecar', image: 'x' },
          {
            image: 'y',
            name: 'model',
            env: [
              { name: 'THEIRS', value: 'hunter2' },
              { valueFrom: { secretKeyRef: { key: 'a', name: 's' } }, name: 'A' },
            ],
          },
        ],
      },
    },
  },
};

const shown = (from: RawObject | undefined, to: object) => {
  const { lines, rolls } = templateDiff(from, { ...to });
  return {
    rolls,
    lines: lines.filter(({ sign }) => sign !== ' ').map(({ sign, text }) => sign + text.trim()),
  };
};

describe('the diff of a pod template', () => {
  test('is empty when we own what we want, whatever the order of fields and whatever others wrote', () => {
    expect(shown(live, body)).toEqual({ rolls: false, lines: [] });
  });

  test('shows only our fields, when they come and when they go', () => {
    const fields = [
      'metadata:',
      'annotations:',
      'truss-secrets.dev/model: m/u',
      'spec:',
      'template:',
      'spec:',
    ];
    const rest = [
      'containers:',
      '- name: model',
      'env:',
      '- name: A',
      'valueFrom:',
      'secretKeyRef:',
      'name: s',
      'key: a',
    ];
    const all = [...fields, ...rest];
    expect(shown(undefined, body)).toEqual({ rolls: true, lines: all.map((line) => `+${line}`) });
    const nothing = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'm', uid: 'u' } };
    expect(shown(live, nothing)).toEqual({ rolls: true, lines: all.map((line) => `-${line}`) });
  });

  test('a marker alone replaces no pods, nor does anything on a CronJob', () => {
    const other = { ...body, metadata: { annotations: { 'truss-secrets.dev/model': 'other/u' } } };
    expect(shown(live, other)).toMatchObject({ rolls: false });
    expect(shown(undefined, { ...body, kind: 'CronJob' })).toMatchObject({ rolls: false });
  });
});
