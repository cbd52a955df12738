import { describe, expect, it } from 'vitest';
import { SecretValue } from '../../src/api/secret-value.ts';
import { declarationOf } from '../../src/plan/declaration.ts';
import type { ActPlan } from '../../src/plan/plan.ts';
import { NOTHING_FAILED } from '../../src/plan/outcome.ts';
import { readTrussConfig } from '../../src/truss/config.ts';
import {
  ABSENT,
  declaredSecrets,
  delivered,
  model,
  planOf,
  priorSecret,
  priorStatus,
  pullSecret,
  source,
  states,
  statusOf,
  store,
  workload,
} from './builders.ts';

const auth = (credential: string): string => btoa(credential);
const dockerConfig = (auths: Record<string, string>): string =>
  JSON.stringify({
    auths: Object.fromEntries(
      Object.entries(auths).map(([registry, text]) => [registry, { auth: auth(text) }]),
    ),
  });

const hub = pullSecret(
  'DOCKER_REGISTRY_https://index.docker.io/v1/',
  'DOCKER_REGISTRY',
  'https://index.docker.io/v1/',
);
const ghcr = pullSecret('ghcr', 'REGISTRY_SECRET', 'ghcr.io');
const gcp = pullSecret('gcp', 'GCP_SERVICE_ACCOUNT_JSON', 'europe-docker.pkg.dev');

const configSource = (auths: Record<string, string>, name = 'docker') =>
  source({ '.dockerconfigjson': dockerConfig(auths) }, { name, type: 'kubernetes.io/dockerconfigjson' });

/** `{registry: 'user:password'}` that the plan writes into the pull Secret. */
function written({ pull: { action } }: ActPlan): Record<string, string> | undefined {
  if (action.kind !== 'create' && action.kind !== 'replace' && action.kind !== 'recreate') return undefined;
  const config = action.data.get('.dockerconfigjson');
  if (!config) return undefined;
  const { auths } = JSON.parse(atob(SecretValue.reveal(config))) as {
    auths: Record<string, { auth: string }>;
  };
  return Object.fromEntries(Object.entries(auths).map(([registry, entry]) => [registry, atob(entry.auth)]));
}

/** What the pod templates name as the Secrets to pull with. */
function pullSecretsOf({ workloads }: ActPlan): unknown {
  const action = workloads[0]?.action;
  if (action?.kind !== 'apply') return 'no apply';
  const spec = action.body['spec'] as { template: { spec: { imagePullSecrets?: unknown } } };
  return spec.template.spec.imagePullSecrets;
}

describe('what config.yaml says about pulling images', () => {
  it('makes its names known as pull secrets, with the registry that each is for', () => {
    const text = `
secrets:
  DOCKER_REGISTRY_ghcr.io: null
  both: null
base_image:
  image: x
  docker_auth: {auth_method: gcp_service_account_json, secret_name: both, registry: gcr.io}
`;
    expect(declarationOf(readTrussConfig(text))).toMatchObject({
      secrets: [
        {
          name: 'DOCKER_REGISTRY_ghcr.io',
          role: 'Pull',
          pull: { method: 'DOCKER_REGISTRY', registry: 'ghcr.io' },
        },
        { name: 'both', role: 'Required', pull: { method: 'GCP_SERVICE_ACCOUNT_JSON', registry: 'gcr.io' } },
      ],
    });
  });

  it('declares nothing for OIDC, which has no secret', () => {
    const text = 'base_image: {docker_auth: {auth_method: AWS_OIDC, registry: x}}';
    expect(declarationOf(readTrussConfig(text))).toMatchObject({ secrets: [] });
  });
});

describe('the pull Secret', () => {
  it('has the credential of each registry, whatever form the value has', () => {
    const planned = planOf({
      declaration: declaredSecrets(hub, ghcr, gcp),
      stores: [
        store(
          configSource({ 'index.docker.io': 'hub:1', 'other.io': 'x:y' }),
          source({ ghcr: auth('me:2'), gcp: '{"type":"service_account"}', unrelated: 'x' }),
        ),
      ],
      workloads: [workload()],
    });
    expect(planned.pull).toMatchObject({ name: 'gfpgan-truss-pull', type: 'kubernetes.io/dockerconfigjson' });
    expect(written(planned)).toEqual({
      'https://index.docker.io/v1/': 'hub:1',
      'ghcr.io': 'me:2',
      'europe-docker.pkg.dev': '_json_key:{"type":"service_account"}',
    });
    expect(Object.values(states(planned))).toEqual(['Delivered', 'Delivered', 'Delivered']);
    expect(pullSecretsOf(planned)).toEqual([{ name: 'gfpgan-truss-pull' }]);
  });

  it('nothing of it goes into the delivered Secret, into /secrets or into the environment', () => {
    const planned = planOf({
      declaration: declaredSecrets(ghcr),
      stores: [store(source({ ghcr: auth('me:2') }))],
      model: model({ delivery: 'Env', overrides: [{ name: 'ghcr', env: ['GHCR'] }] }),
      workloads: [workload()],
    });
    expect(planned.secret.action).toEqual({ kind: 'none' });
    expect(JSON.stringify(planned.workloads)).not.toContain('secretKeyRef');
    expect(JSON.stringify(planned.workloads)).not.toContain('/secrets');
  });

  it('a name that the model reads, too, is delivered both ways', () => {
    const planned = planOf({
      declaration: declaredSecrets({ ...ghcr, role: 'Required' }),
      stores: [store(source({ ghcr: auth('me:2') }))],
    });
    expect(written(planned)).toEqual({ 'ghcr.io': 'me:2' });
    expect([...planned.secret.keys]).toEqual(['ghcr']);
  });

  it('such a name is delivered to the model although nothing can be pulled with it, and that is said', () => {
    const planned = planOf({
      declaration: declaredSecrets({ ...ghcr, role: 'Required' }),
      stores: [store(source({ ghcr: 'a-bare-token' }))],
    });
    expect(planned.resolutions[0]).toMatchObject({
      state: 'Delivered',
      message: expect.stringContaining('user:password'),
    });
    expect(planned.pull.action).toEqual({ kind: 'none' });
  });

  it("an override's `from` says where the credential is", () => {
    const planned = planOf({
      declaration: declaredSecrets(hub),
      model: model({ overrides: [{ name: hub.name, from: { store: 'default', key: 'HUB' } }] }),
      stores: [store(configSource({ 'index.docker.io': 'other:1' }), source({ HUB: auth('hub:1') }))],
    });
    expect(written(planned)).toEqual({ 'https://index.docker.io/v1/': 'hub:1' });
    expect(planned.resolutions[0]?.source?.key).toBe('HUB');
  });

  it('a registry is looked for in consenting docker configs alone, the first store first', () => {
    const declaration = declaredSecrets(hub);
    const shared = source(
      { '.dockerconfigjson': dockerConfig({ 'index.docker.io': 'x:y' }) },
      { type: 'kubernetes.io/dockerconfigjson', shareWith: 'elsewhere' },
    );
    const opaque = source(
      { '.dockerconfigjson': dockerConfig({ 'index.docker.io': 'x:y' }) },
      { name: 'opaque' },
    );
    const planned = planOf({ declaration, stores: [store(shared, opaque)] });
    expect(planned.resolutions[0]).toMatchObject({
      state: 'Missing',
      message: expect.stringContaining(
        'no kubernetes.io/dockerconfigjson Secret labelled truss-secrets.dev/store=default',
      ),
    });
    const two = [
      store(configSource({ 'index.docker.io': 'first:1' })),
      store(configSource({ 'index.docker.io': 'second:2' })),
    ];
    expect(written(planOf({ declaration, stores: two }))).toEqual({
      'https://index.docker.io/v1/': 'first:1',
    });
  });

  it.each([
    ['AWS_IAM', pullSecret('aws', 'AWS_IAM', 'x.ecr'), {}, 'Unsupported', 'every 12 hours'],
    ['an unknown method', pullSecret('a', 'FOO', 'x.io'), {}, 'Unsupported', 'FOO is not known'],
    ['no registry', pullSecret('a', 'REGISTRY_SECRET', ''), {}, 'Unsupported', 'name the registry'],
    [
      'no registry after the prefix',
      pullSecret('DOCKER_REGISTRY_', 'DOCKER_REGISTRY', ''),
      {},
      'InvalidName',
      'must be a registry',
    ],
    [
      'a registry with a space',
      pullSecret('DOCKER_REGISTRY_a b', 'DOCKER_REGISTRY', 'a b'),
      {},
      'InvalidName',
      'must be a registry',
    ],
    ['a bare token', ghcr, { ghcr: 'token' }, 'Undeliverable', 'base64 of user:password'],
    ['no JSON', gcp, { gcp: 'token' }, 'Undeliverable', 'JSON of a service account'],
    ['an empty value', ghcr, { ghcr: '' }, 'Empty', 'is empty'],
    ['no value', ghcr, {}, 'Missing', 'has this key'],
  ] as const)('%s: %s', (_what, secret, values, state, says) => {
    const planned = planOf({
      declaration: declaredSecrets(secret),
      stores: [store(source(values))],
      workloads: [workload()],
    });
    expect(planned.resolutions[0]).toMatchObject({ state, message: expect.stringContaining(says) });
    expect(planned.pull.action).toEqual({ kind: 'none' });
    const refers = state === 'Undeliverable' || state === 'Empty' || state === 'Missing';
    expect(pullSecretsOf(planned)).toEqual(refers ? [{ name: 'gfpgan-truss-pull' }] : 'no apply');
  });

  it('is removed when the model is not trusted any more', () => {
    const planned = planOf({
      model: model({ trusted: false }),
      declaration: declaredSecrets(ghcr),
      stores: [store(source({ ghcr: auth('me:2') }))],
      pull: delivered({ '.dockerconfigjson': 'x' }, { revision: undefined }),
    });
    expect(planned.pull.action.kind).toBe('delete');
  });

  it('a plan that was carried out calls for nothing more; an edit is put right', () => {
    const parts = { declaration: declaredSecrets(ghcr), stores: [store(source({ ghcr: auth('me:2') }))] };
    const live = (config: string) => delivered({ '.dockerconfigjson': config }, { revision: undefined });
    expect(planOf({ ...parts, pull: live(dockerConfig({ 'ghcr.io': 'me:2' })) }).pull.action.kind).toBe(
      'none',
    );
    expect(planOf({ ...parts, pull: live(dockerConfig({ 'ghcr.io': 'old:1' })) }).pull.action.kind).toBe(
      'replace',
    );
    expect(planOf({ ...parts, pull: ABSENT }).pull.action.kind).toBe('create');
  });

  describe('while a store cannot be read', () => {
    const unreadable = { kind: 'unreadable', ref: { name: 'other' }, why: 'store other' } as const;
    const overrides = [
      { name: 'ghcr', from: { store: 'default', key: 'ghcr' } },
      { name: 'held', from: { store: 'other', key: 'held' } },
    ];
    const held = pullSecret('held', 'REGISTRY_SECRET', 'held.io');
    const parts = {
      declaration: declaredSecrets(ghcr, held),
      pull: delivered(
        { '.dockerconfigjson': dockerConfig({ 'ghcr.io': 'me:2', 'held.io': 'h:1' }) },
        { revision: undefined },
      ),
    };
    const withStores = (ghcrValues: Record<string, string>) =>
      planOf({
        ...parts,
        stores: [store(source(ghcrValues)), unreadable],
        model: model(
          { stores: [{ name: 'default' }, { name: 'other' }], overrides },
          {
            prior: priorStatus(
              priorSecret('ghcr', { role: 'Pull', pull: { method: 'REGISTRY_SECRET', registry: 'ghcr.io' } }),
              priorSecret('held', { role: 'Pull', pull: { method: 'REGISTRY_SECRET', registry: 'held.io' } }),
            ),
          },
        ),
      });

    it('it stays as it is: unknown is not gone', () => {
      const planned = withStores({ ghcr: auth('me:3') });
      expect(planned.pull.action).toEqual({ kind: 'none' });
      expect(states(planned)).toEqual({ ghcr: 'Delivered', held: 'Delivered' });
    });

    it('what is known to be gone goes all the same, with whatever else is not known', () => {
      const planned = withStores({});
      expect(planned.pull.action.kind).toBe('delete');
      expect(states(planned)).toEqual({ ghcr: 'Missing', held: 'Missing' });
    });
  });

  it('a config.yaml that cannot be read any more changes nothing: the registry is in the status', () => {
    const parts = { declaration: declaredSecrets(ghcr), stores: [store(source({ ghcr: auth('me:2') }))] };
    const { secrets } = statusOf(planOf(parts), NOTHING_FAILED, 1);
    expect(secrets).toMatchObject([
      { role: 'Pull', pull: { method: 'REGISTRY_SECRET', registry: 'ghcr.io' } },
    ]);
    const prior = priorStatus(
      priorSecret('ghcr', { role: 'Pull', pull: { method: 'REGISTRY_SECRET', registry: 'ghcr.io' } }),
    );
    const later = planOf({
      ...parts,
      declaration: { kind: 'malformed', errors: ['x'] },
      model: model({}, { prior }),
    });
    expect(written(later)).toEqual({ 'ghcr.io': 'me:2' });
  });
});

describe('the status of pull secrets', () => {
  it('counts them as declared and delivered, and says what was written', () => {
    const status = statusOf(
      planOf({
        declaration: declaredSecrets(ghcr, { name: 'a', role: 'Required' }),
        stores: [store(source({ ghcr: auth('me:2') }))],
      }),
      NOTHING_FAILED,
      1,
    );
    expect(status).toMatchObject({ declared: 2, delivered: 1, summary: '1/2' });
    expect(status.conditions?.find(({ type }) => type === 'Delivered')?.message).toBe(
      'Secret gfpgan-truss-secrets has 0 keys; Secret gfpgan-truss-pull has the credentials for pulling images',
    );
  });

  it('a pull Secret that belongs to somebody else is a conflict, and its names are not delivered', () => {
    const failure = { reason: 'Conflict', message: 'Secret gfpgan-truss-pull exists' } as const;
    const planned = planOf({
      declaration: declaredSecrets(ghcr),
      stores: [store(source({ ghcr: auth('me:2') }))],
    });
    const status = statusOf(planned, { ...NOTHING_FAILED, pull: failure }, 1);
    expect(status.summary).toBe('0/1');
    expect(status.conditions?.find(({ type }) => type === 'Delivered')).toMatchObject({ reason: 'Conflict' });
  });
});
