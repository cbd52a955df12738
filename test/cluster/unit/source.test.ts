import { describe, expect, test } from 'vitest';
import { type ClusterSource, type Facts, NoCluster, chooseSource } from '../source.ts';

const bareDebian: Facts = { env: {}, hasKind: false, debianRelease: 'bookworm', arch: 'x64' };
const named = { TRUSS_SECRETS_TEST_KUBECONFIG: '/k' };
const assets = { KUBEBUILDER_ASSETS: '/a' };

describe('the cluster to test with', () => {
  const cases: readonly (readonly [title: string, facts: Partial<Facts>, chosen: ClusterSource])[] = [
    [
      'is the one that is named',
      { env: { ...named, ...assets }, hasKind: true },
      { kind: 'named', kubeconfig: '/k' },
    ],
    [
      "else is started from envtest's binaries",
      { env: assets, hasKind: true },
      { kind: 'assets', folder: '/a' },
    ],
    ['else is a kind cluster', { hasKind: true }, { kind: 'kind' }],
    ['else is built on Debian 12', {}, { kind: 'debian' }],
    ['else is built on Debian 12 for arm64', { arch: 'arm64' }, { kind: 'debian' }],
    ['is never the one of the ambient KUBECONFIG', { env: { KUBECONFIG: '/mine' } }, { kind: 'debian' }],
    ['takes an empty variable for none', { env: { TRUSS_SECRETS_TEST_KUBECONFIG: '' } }, { kind: 'debian' }],
  ];
  test.each(cases)('%s', (_, facts, chosen) => {
    expect(chooseSource({ ...bareDebian, ...facts })).toEqual(chosen);
  });

  test.each<Partial<Facts>>([{ debianRelease: undefined }, { debianRelease: 'trixie' }, { arch: 'riscv64' }])(
    'where none can be had (%j) the error says what would give one',
    (facts) => {
      const choose = () => chooseSource({ ...bareDebian, ...facts });
      expect(choose).toThrow(NoCluster);
      for (const remedy of [
        'TRUSS_SECRETS_TEST_KUBECONFIG',
        'KUBEBUILDER_ASSETS',
        'kind',
        'Debian 12',
        'test:unit',
      ]) {
        expect(choose).toThrow(remedy);
      }
    },
  );
});
