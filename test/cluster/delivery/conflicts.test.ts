import { beforeAll, describe, expect, it } from 'vitest';
import { cluster } from '../cluster.ts';
import { eventually } from '../eventually.ts';
import { identityWith } from '../identity.ts';
import { operatorIdentity, operatorRules, startOperator } from '../operator.ts';
import { conditionOf, declaring, newWorld, type World } from '../world.ts';
import { injectedInto, makeWorkload, templateOf, workloadPath } from './workloads.ts';

let world: World;

beforeAll(async () => {
  world = await newWorld();
  const { kubeconfig } = await operatorIdentity([world.namespace]);
  await startOperator(kubeconfig, [world.namespace]);
  await world.storeSecret('org', { a: 'A', b: 'B' });
});

const image = 'registry.invalid/x:1';
const NOTHING = { required: [], optional: [], mounted: [], env: {} };
const podWith = (container: object, more: object = {}) => ({
  pod: { containers: [{ name: 'model', image, ...container }], ...more },
});
const volumes = [{ name: 'own', emptyDir: {} }];
const inEnv = { delivery: 'Env' };

describe('what a user has in the pod template is never overwritten', () => {
  it.each<[string, ReturnType<typeof podWith>, object, string | RegExp]>([
    [
      'a mount at /secrets',
      podWith({ volumeMounts: [{ name: 'own', mountPath: '/secrets' }] }, { volumes }),
      {},
      /^container model already mounts something at \/secrets \(field manager \S+\); remove that mount/,
    ],
    [
      'a mount at /secrets with a slash behind',
      podWith({ volumeMounts: [{ name: 'own', mountPath: '/secrets/' }] }, { volumes }),
      {},
      /^container model already mounts something at \/secrets /,
    ],
    [
      'an environment variable with a literal value',
      podWith({ env: [{ name: 'TRUSS_SECRET_a', value: 'mine' }] }),
      inEnv,
      /^container model already has an environment variable TRUSS_SECRET_a \(field manager \S+\); remove it there/,
    ],
    [
      'one with a fieldRef',
      podWith({ env: [{ name: 'TRUSS_SECRET_a', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }] }),
      inEnv,
      /already has an environment variable TRUSS_SECRET_a/,
    ],
    [
      'an empty one',
      podWith({ env: [{ name: 'TRUSS_SECRET_a' }] }),
      inEnv,
      /already has an environment variable TRUSS_SECRET_a/,
    ],
    [
      'a plain one that an override wants',
      podWith({ env: [{ name: 'HF_TOKEN', value: 'mine' }] }),
      { overrides: [{ name: 'a', env: ['HF_TOKEN'] }] },
      /already has an environment variable HF_TOKEN/,
    ],
    [
      'a volume of our name',
      podWith({}, { volumes: [{ name: 'truss-secrets', emptyDir: {} }] }),
      {},
      /^the pod template already has a volume truss-secrets \(field manager \S+\); rename it/,
    ],
    [
      'the same environment variable twice',
      podWith({
        env: [
          { name: 'X', value: '1' },
          { name: 'X', value: '2' },
        ],
      }),
      {},
      /has in container model the environment variable X twice, .*remove one of them/,
    ],
    [
      'the same image pull secret twice',
      podWith({}, { imagePullSecrets: [{ name: 'p' }, { name: 'p' }] }),
      {},
      /has image pull secret p twice/,
    ],
  ])('%s', async (what, options, spec, message) => {
    const name = what
      .replaceAll(/[^a-z]+/g, '-')
      .slice(0, 50)
      .replaceAll(/^-|-$/g, '');
    const before = await makeWorkload(world, 'Deployment', `c-${name}`, options);
    await world.model(`c-${name}`, { config: declaring('a'), ...spec });
    const { workloads: [entry] = [], conditions } = await world.status(`c-${name}`, ({ workloads }) =>
      expect(workloads?.[0]?.state).toBe('Conflict'),
    );
    expect(entry?.message).toMatch(message);
    expect(conditionOf(conditions, 'Injected')).toMatchObject({ status: 'False', reason: 'Conflict' });
    const after = await cluster().api.get(workloadPath(world, 'Deployment', `c-${name}`));
    expect(after.spec).toEqual(before.spec);
    expect(after.metadata.annotations?.['truss-secrets.dev/model']).toBe(undefined);
  });

  it('once it is out of the way the secrets are injected, with no need to touch the model', async () => {
    await makeWorkload(
      world,
      'Deployment',
      'mended',
      podWith({ env: [{ name: 'TRUSS_SECRET_a', value: 'mine' }] }),
    );
    await world.model('mended', { config: declaring('a'), ...inEnv });
    await world.status('mended', ({ workloads }) => expect(workloads?.[0]?.state).toBe('Conflict'));
    const remove = [{ op: 'remove', path: '/spec/template/spec/containers/0/env' }];
    await cluster().api.patch(workloadPath(world, 'Deployment', 'mended'), remove, 'json-patch');
    await world.ready('mended');
  });

  it('the manager that the message names is the one who wrote it', async () => {
    const manifest = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'argo' },
      spec: {
        replicas: 0,
        selector: { matchLabels: { app: 'argo' } },
        template: {
          metadata: { labels: { app: 'argo' } },
          spec: { containers: [{ name: 'model', image, env: [{ name: 'TRUSS_SECRET_a', value: 'mine' }] }] },
        },
      },
    };
    const path = `${workloadPath(world, 'Deployment', 'argo')}?fieldManager=argocd`;
    await cluster().api.patch(path, manifest, 'apply-patch');
    await world.model('argo', { config: declaring('a'), ...inEnv });
    const { workloads: [entry] = [] } = await world.status('argo', ({ workloads }) =>
      expect(workloads?.[0]?.state).toBe('Conflict'),
    );
    expect(entry?.message).toContain('(field manager argocd)');
  });

  it('the very fields that we would write may be in the manifest from the start', async () => {
    const projected = {
      defaultMode: 0o444,
      sources: [{ secret: { name: 'pasted-truss-secrets', items: [{ key: 'a', path: 'a' }] } }],
    };
    const volumeMounts = [{ name: 'truss-secrets', mountPath: '/secrets', readOnly: true }];
    const before = await makeWorkload(
      world,
      'Deployment',
      'pasted',
      podWith({ volumeMounts }, { volumes: [{ name: 'truss-secrets', projected }] }),
    );
    await world.model('pasted', { config: declaring('a') });
    await world.ready('pasted');
    expect((await cluster().api.get(workloadPath(world, 'Deployment', 'pasted'))).spec).toEqual(before.spec);
  });

  it('a conflict that comes later leaves what was injected as it is', async () => {
    await makeWorkload(world, 'Deployment', 'later');
    await world.model('later', { config: declaring('a') });
    await world.ready('later');
    const spec = {
      template: {
        spec: {
          containers: [{ name: 'model', volumeMounts: [{ name: 'own', mountPath: '/secrets/' }] }],
          volumes,
        },
      },
    };
    await cluster().api.patch(workloadPath(world, 'Deployment', 'later'), { spec }, 'strategic-merge-patch');
    await world.status('later', ({ workloads }) => expect(workloads?.[0]?.state).toBe('Conflict'));
    await world.patchModel('later', { config: declaring('a', 'b') });
    await world.status('later', ({ secrets }) => expect(secrets).toHaveLength(2));
    expect(injectedInto(await templateOf(world, 'Deployment', 'later')).required).toEqual(['a']);
  });
});

describe('a workload that is not rolled out by itself', () => {
  it('a paused Deployment: its template has the secrets, and the status says that its pods do not', async (ctx) => {
    ctx.skip(!cluster().features.controllers, 'needs the Deployment controller');
    await makeWorkload(world, 'Deployment', 'paused', { spec: { replicas: 1 } });
    await eventually(async () => {
      const { status } = await cluster().api.get(workloadPath(world, 'Deployment', 'paused'));
      expect(status).toMatchObject({ updatedReplicas: 1 });
    });
    await cluster().api.patch(workloadPath(world, 'Deployment', 'paused'), { spec: { paused: true } });
    await world.model('paused', { config: declaring('a') });
    const status = await world.status('paused', ({ workloads }) =>
      expect(workloads?.[0]?.state).toBe('PodsStale'),
    );
    expect(status.workloads?.[0]?.message).toBe(
      `the rollout is paused, so pods keep what they have; kubectl -n ${world.namespace} rollout resume deployment/paused`,
    );
    expect(conditionOf(status.conditions, 'Ready')?.status).toBe('True');
    expect(injectedInto(await templateOf(world, 'Deployment', 'paused')).required).toEqual(['a']);

    await world.patchModel('paused', { trusted: false });
    await world.status('paused', ({ workloads, conditions }) => {
      expect(conditionOf(conditions, 'Trusted')?.status).toBe('False');
      expect(workloads?.[0]?.state).toBe(undefined);
    });
    expect(injectedInto(await templateOf(world, 'Deployment', 'paused'))).toEqual(NOTHING);
    await world.patchModel('paused', { trusted: true });
    await world.status('paused', ({ workloads }) => expect(workloads?.[0]?.state).toBe('PodsStale'));

    await cluster().api.patch(workloadPath(world, 'Deployment', 'paused'), { spec: { paused: false } });
    await world.status('paused', ({ workloads }) => expect(workloads?.[0]?.state).toBe('Injected'));
  });
});

describe('what the operator may not do', () => {
  /** The operator's rules without one verb on Deployments. */
  const without = (verb: string) =>
    operatorRules().map((rule) =>
      rule.resources.includes('deployments')
        ? { ...rule, verbs: rule.verbs.filter((one) => one !== verb) }
        : rule,
    );

  it('write the workload: NotAuthorized, with what it lacks; the Secret is written all the same', async () => {
    const own = await newWorld();
    const { kubeconfig } = await identityWith({ rules: { [own.namespace]: without('patch') } });
    await startOperator(kubeconfig, [own.namespace]);
    await own.storeSecret('org', { a: 'A' });
    await makeWorkload(own, 'Deployment', 'forbidden');
    await own.model('forbidden', { config: declaring('a') });
    const { workloads: [entry] = [], conditions } = await own.status('forbidden', ({ workloads }) =>
      expect(workloads?.[0]?.state).toBe('NotAuthorized'),
    );
    expect(entry?.message).toContain('the operator may not write Deployment forbidden');
    expect(conditionOf(conditions, 'Injected')).toMatchObject({ status: 'False', reason: 'NotAuthorized' });
    expect(Object.keys((await own.delivered('forbidden')) ?? {})).toEqual(['a']);
  });
});
