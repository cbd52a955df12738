import { describe, expect, test } from 'vitest';
import { readDeclared } from '../../src/verify/declared.ts';

const names = (config: string): unknown => {
  const reading = readDeclared(config);
  return reading.kind === 'read'
    ? Object.fromEntries(
        [...reading.names].map(([name, { runtime, registry }]) => [
          name,
          registry === undefined ? runtime : [runtime, registry],
        ]),
      )
    : reading.kind;
};

describe('the names that a config.yaml may bring into pods', () => {
  test.for([
    { config: '', found: {} },
    { config: 'secrets:', found: {} },
    { config: 'secrets: {a: null, b: x, 1: y}', found: { a: true, b: true } },
    { config: 'secrets: {a: null}\nbuild: {secret_to_path_mapping: {b: /x}}', found: { a: true } },
    {
      config: 'secrets: {DOCKER_REGISTRY_ghcr.io: null}',
      found: { 'DOCKER_REGISTRY_ghcr.io': [false, 'ghcr.io'] },
    },
    {
      config: 'base_image: {docker_auth: {auth_method: registry_secret, registry: r.io, secret_name: p}}',
      found: { p: [false, 'r.io'] },
    },
    {
      config:
        'secrets: {p: null}\nbase_image: {docker_auth: {auth_method: REGISTRY_SECRET, registry: r.io, secret_name: p}}',
      found: { p: [true, 'r.io'] },
    },
    { config: 'base_image: {docker_auth: {auth_method: AWS_IAM, registry: r.io}}', found: {} },
    { config: 'model_cache: [{repo_id: x}]', found: { hf_access_token: true } },
    { config: 'model_cache: []\nhf_cache: [{runtime_secret_name: t}]', found: {} },
    { config: 'hf_cache: [{runtime_secret_name: t}]', found: { t: true } },
    { config: 'weights: [{auth_secret_name: w}]', found: {} },
    {
      config: 'secrets: {__proto__: null, constructor: null}',
      found: JSON.parse('{"__proto__": true, "constructor": true}'),
    },
    { config: 'secrets: [', found: 'unreadable' },
    { config: 'just text', found: 'unreadable' },
  ])('$config', ({ config, found }) => {
    expect(names(config)).toEqual(found);
  });
});
