import { describe, expect, it } from 'vitest';
import { modelDeploymentSpec } from '../../src/api/model-deployment.ts';

const messagesOf = (spec: object): readonly string[] => {
  const parsed = modelDeploymentSpec.safeParse({ config: { inline: '' }, ...spec });
  return parsed.success
    ? []
    : parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
};

describe('the spec of a ModelDeployment', () => {
  it('has defaults for everything but the config', () => {
    expect(modelDeploymentSpec.parse({ config: { configMapRef: { name: 'x' } } })).toEqual({
      trusted: false,
      config: { configMapRef: { name: 'x', key: 'config.yaml' } },
      stores: [{ name: 'default' }],
      delivery: 'Mount',
      onMissing: 'Wait',
      workloads: [],
    });
  });

  it.each([
    [{ config: {} }, 'config: give exactly one of'],
    [{ config: { inline: '', configMapRef: { name: 'x' } } }, 'config: give exactly one of'],
    [
      { stores: [{ name: 'a' }, { name: 'a', namespace: 'b' }] },
      'stores: each entry of spec.stores needs a name',
    ],
    [{ overrides: [{ name: 'a', env: ['LD_PRELOAD'] }] }, 'must not name a variable that decides which code'],
    [{ overrides: [{ name: 'a', env: ['PATH'] }] }, 'must not name a variable that decides which code'],
    [{ overrides: [{ name: 'a', env: ['TRUSS_SECRET_b'] }] }, 'must not start with TRUSS_SECRET_'],
    [
      {
        overrides: [
          { name: 'a', env: ['X'] },
          { name: 'b', env: ['X'] },
        ],
      },
      'may be named by one entry',
    ],
    [
      { overrides: [{ name: 'a', from: { store: 'x', key: 'k' } }] },
      'must be the name of an entry of spec.stores',
    ],
    [
      { overrides: [{ name: 'a', from: { store: 'default', key: '../k' } }] },
      'overrides.0.from.key: Invalid',
    ],
    [{ stores: [{ name: 'default', namespace: '../x' }] }, 'stores.0.namespace: Invalid'],
    [{ workloads: [{ kind: 'Pod', name: 'x' }] }, 'workloads.0.kind: Invalid'],
    [{ delivery: 'mount' }, 'delivery: Invalid'],
  ])('%j is refused with words that say what to do', (spec, message) => {
    expect(messagesOf(spec).join('\n')).toContain(message);
  });

  it.each([
    [{ overrides: [{ name: 'DOCKER_REGISTRY_https://index.docker.io/v1/' }] }],
    [{ overrides: [{ name: 'a', env: ['HF_TOKEN', 'PATHS'] }] }],
    [{ workloads: [{ kind: 'CronJob', name: 'a.b', containers: ['*'] }] }],
  ])('%j is accepted', (spec) => {
    expect(messagesOf(spec)).toEqual([]);
  });
});
