import { describe, expect, it } from 'vitest';
import { projectDelivered } from '../../src/controller/secret.ts';
import { projectWorkload } from '../../src/controller/workload.ts';
import type { RawObject } from '../../src/kube/object.ts';

/** On a busy machine; each of these took minutes when it was compared item by item. */
const BUSY_MS = 20_000;

/** As many as fit into an object that etcd takes. */
const MANY = 15_000;

const env = Array.from({ length: MANY }, (_, index) => ({ name: `A${index}`, value: '' }));
const envFields = Object.fromEntries(
  env.map(({ name }) => [`k:{"name":"${name}"}`, { '.': {}, 'f:name': {}, 'f:value': {} }]),
);

const managed = (manager: string, operation: string) => ({
  manager,
  operation,
  fieldsV1: {
    'f:spec': {
      'f:template': { 'f:spec': { 'f:containers': { 'k:{"name":"model"}': { 'f:env': envFields } } } },
    },
  },
});

/** One item each: a manager costs a few hundred bytes. */
const manyManagers = Array.from({ length: 1_000 }, (_, index) => ({
  manager: `manager-${index}`,
  operation: 'Apply',
  fieldsV1: {
    'f:spec': {
      'f:template': {
        'f:spec': { 'f:containers': { 'k:{"name":"model"}': { 'f:env': { 'k:{"name":"A0"}': {} } } } },
      },
    },
  },
}));

const deployment = (...managedFields: readonly object[]): RawObject => ({
  metadata: { name: 'huge', namespace: 'models', uid: 'u', resourceVersion: '1', managedFields },
  spec: { template: { spec: { containers: [{ name: 'model', env }] } } },
});

describe('a workload that somebody made as large as the API server allows', { timeout: 3 * BUSY_MS }, () => {
  it.each([
    ['of other managers', [managed('kubectl', 'Update'), managed('other', 'Apply')]],
    ["with somebody's fields under our manager's name", [managed('truss-secrets', 'Apply')]],
    ['of a thousand managers', manyManagers],
  ])('%s does not keep the operator busy', (_, managedFields) => {
    const start = performance.now();
    const { containers } = projectWorkload(deployment(...managedFields), 'apps/v1', 'Deployment');
    expect(performance.now() - start).toBeLessThan(BUSY_MS);
    expect(containers[0]?.env).toHaveLength(MANY);
  });
});

it('managed fields that nobody can read are passed over', () => {
  const broken = {
    manager: 'x',
    operation: 'Update',
    fieldsV1: { 'k:{': {}, 'k:1': {}, 'k:null': {}, 'f:spec': null },
  };
  expect(() => projectWorkload(deployment(broken), 'apps/v1', 'Deployment')).not.toThrow();
  expect(() =>
    projectWorkload(
      deployment({ ...broken, manager: 'truss-secrets', operation: 'Apply' }),
      'apps/v1',
      'Deployment',
    ),
  ).not.toThrow();
});

describe('a delivered Secret that somebody edited', () => {
  const edited = (revision: string): RawObject => ({
    metadata: {
      name: 'gfpgan-truss-secrets',
      namespace: 'models',
      uid: 'u',
      resourceVersion: '1',
      annotations: { 'truss-secrets.dev/revision': revision },
    },
    type: 'Opaque',
  });

  it.each([
    ['0123456789abcdef', true],
    ['', false],
    ['restart', false],
    ['0123456789abcdef\n', false],
    ['x'.repeat(200_000), false],
  ])('its revision goes into pod templates only if we could have written it', (revision, isOurs) => {
    expect(projectDelivered(edited(revision)).view.revision).toBe(isOurs ? revision : undefined);
  });
});
