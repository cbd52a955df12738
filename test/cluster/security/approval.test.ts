import { beforeAll, describe, expect, it } from 'vitest';
import type { ModelDeploymentStatus } from '../../../src/api/model-deployment.ts';
import { type Api, ApiError, type KubernetesObject } from '../api.ts';
import { cluster } from '../cluster.ts';
import { eventually } from '../eventually.ts';
import { type Identity, identityWith } from '../identity.ts';
import { operatorIdentity, operatorRules, startOperator } from '../operator.ts';
import { conditionOf, declaring, newWorld, orUndefined, type World } from '../world.ts';
import { editorIn, trusterIn, viewerIn } from './actors.ts';

let world: World;
let editor: Identity;
let truster: Identity;

beforeAll(async () => {
  world = await newWorld();
  [editor, truster] = await Promise.all([editorIn(world.namespace), trusterIn(world.namespace)]);
  const { kubeconfig } = await operatorIdentity([world.namespace]);
  await startOperator(kubeconfig, [world.namespace], ['--require-approval']);
  await world.storeSecret('org', { a: 'A', b: 'B', 'admin-token': 'X' });
});

/** What somebody with the rights of an editor writes: a model that asks for `a` and `b`. */
const askFor = async (name: string, spec: object = {}): Promise<KubernetesObject> => {
  await editor.api.post(world.path('deployments'), deploymentNamed(name));
  return await ask(name, spec);
};

const ask = (name: string, spec: object = {}): Promise<KubernetesObject> =>
  editor.api.post(world.path('modeldeployments'), {
    apiVersion: 'truss-secrets.dev/v1alpha1',
    kind: 'ModelDeployment',
    metadata: { name },
    spec: {
      trusted: true,
      config: declaring('a', 'b'),
      overrides: [{ name: 'a', env: ['HF_TOKEN'] }],
      workloads: [{ kind: 'Deployment', name }],
      ...spec,
    },
  });

const deploymentNamed = (name: string): object => ({
  metadata: { name },
  spec: {
    replicas: 0,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: { containers: [{ name: 'model', image: 'registry.invalid/model:1' }] },
    },
  },
});

const everything = (name: string): object => ({
  secrets: ['a', 'b'],
  workloads: [{ kind: 'Deployment', name }],
  env: ['HF_TOKEN'],
});

const approve = (
  name: string,
  spec: object = everything(name),
  by: Api = truster.api,
): Promise<KubernetesObject> =>
  by.post(world.path('modeltrusts'), {
    apiVersion: 'truss-secrets.dev/v1alpha1',
    kind: 'ModelTrust',
    metadata: { name },
    spec,
  });

const ready = (status: ModelDeploymentStatus): string => {
  const found = conditionOf(status.conditions, 'Ready');
  return `${found?.status} ${found?.reason}`;
};

const awaiting = (name: string): Promise<ModelDeploymentStatus> =>
  world.status(name, (status) => expect(ready(status)).toBe('False AwaitingApproval'));

const statesOf = ({ secrets }: ModelDeploymentStatus): Record<string, string> =>
  Object.fromEntries((secrets ?? []).map(({ name, state }) => [name, state]));

const texts = async (model: string): Promise<Record<string, string> | undefined> => {
  const data = await world.delivered(model);
  return data && Object.fromEntries(Object.entries(data).map(([key, value]) => [key, value.toString()]));
};

const gone = (plural: 'modeldeployments' | 'secrets', name: string): Promise<void> =>
  eventually(async () => {
    if (await orUndefined(cluster().api.get(world.path(plural, name)))) throw new Error(`${name} is there`);
  });

describe('with --require-approval', () => {
  it('a model gets nothing because its owner says that it is trusted', async () => {
    await askFor('asks');
    const status = await awaiting('asks');
    expect(statesOf(status)).toEqual({ a: 'NotApproved', b: 'NotApproved' });
    const who = 'somebody who may write ModelTrusts has to approve it';
    expect(status.secrets?.[0]?.message).toBe(`a is not in spec.secrets of the model's ModelTrust; ${who}`);
    expect(status.workloads).toMatchObject([
      {
        state: 'NotAuthorized',
        message: `Deployment asks is not in spec.workloads of the model's ModelTrust; ${who}`,
      },
    ]);
    expect(conditionOf(status.conditions, 'Trusted')).toMatchObject({
      status: 'False',
      reason: 'AwaitingApproval',
      message: expect.stringContaining(`kubectl truss-secrets trust asks -n ${world.namespace}`),
    });
    expect(await world.delivered('asks')).toBeUndefined();
    expect((await world.podSpec('asks')).volumes).toBeUndefined();
  });

  it('it gets it once somebody else approves, and it is noted for which model that was', async () => {
    const model = await askFor('approved');
    await awaiting('approved');
    await approve('approved');
    await world.ready('approved');
    expect(await texts('approved')).toEqual({ a: 'A', b: 'B' });
    const [container] = (await world.podSpec('approved')).containers;
    expect(container?.env?.map(({ name }) => name)).toEqual(['HF_TOKEN']);
    const trust = await truster.api.get(world.path('modeltrusts', 'approved'));
    expect(trust.status).toEqual({ modelUid: model.metadata.uid });
  });

  it('what was approved is taken away by deleting the approval', async () => {
    await askFor('revoked');
    await approve('revoked');
    await world.ready('revoked');
    await truster.api.delete(world.path('modeltrusts', 'revoked'));
    await awaiting('revoked');
    expect(await world.delivered('revoked')).toBeUndefined();
    const { containers, volumes } = await world.podSpec('revoked');
    expect({ volumes, env: containers[0]?.env, mounts: containers[0]?.volumeMounts }).toEqual({});
  });

  it('an approval that is held by a finalizer is taken away all the same', async () => {
    await askFor('held');
    const trust = await approve('held');
    await world.ready('held');
    await truster.api.patch(world.path('modeltrusts', 'held'), {
      metadata: { finalizers: ['example.com/hold'] },
    });
    await truster.api.delete(world.path('modeltrusts', 'held'));
    await awaiting('held');
    expect(await world.delivered('held')).toBeUndefined();
    await truster.api.patch(world.path('modeltrusts', trust.metadata.name), {
      metadata: { finalizers: null },
    });
  });

  describe('no later edit by somebody who may not approve widens anything', () => {
    beforeAll(async () => {
      await world.storeSecret('other-store', { a: 'A of another store' }, { store: 'other' });
      await editor.api.post(world.path('configmaps'), {
        metadata: { name: 'wide' },
        data: { 'config.yaml': 'secrets: {a: null}\n' },
      });
      await askFor('wide', { config: { configMapRef: { name: 'wide' } }, overrides: [] });
      await editor.api.post(world.path('deployments'), deploymentNamed('wide-2'));
      await approve('wide', { secrets: ['a'], workloads: [{ kind: 'Deployment', name: 'wide' }] });
      await world.ready('wide');
    });

    it('of config.yaml', async () => {
      const config = (text: string) =>
        editor.api.patch(world.path('configmaps', 'wide'), { data: { 'config.yaml': text } });
      await config('secrets: {a: null, admin-token: null}\n');
      const status = await awaiting('wide');
      expect(statesOf(status)).toEqual({ a: 'Delivered', 'admin-token': 'NotApproved' });
      expect(await texts('wide')).toEqual({ a: 'A' });
      await config('secrets: {a: null}\n');
      await world.ready('wide');
    });

    it.each([
      [
        'of the key',
        { overrides: [{ name: 'a', from: { store: 'default', key: 'admin-token' } }] },
        undefined,
      ],
      [
        'of the workloads',
        { workloads: ['wide', 'wide-2'].map((name) => ({ kind: 'Deployment', name })) },
        { a: 'A' },
      ],
      ['of environment variables', { overrides: [{ name: 'a', env: ['DEPLOY_KEY'] }] }, { a: 'A' }],
    ])('%s', async (_, spec, expected) => {
      await editor.api.patch(world.path('modeldeployments', 'wide'), { spec });
      await awaiting('wide');
      expect(await texts('wide')).toEqual(expected);
      expect((await world.podSpec('wide-2')).volumes).toBeUndefined();
      expect(JSON.stringify(await world.podSpec('wide'))).not.toContain('DEPLOY_KEY');
      await editor.api.patch(world.path('modeldeployments', 'wide'), {
        spec: { overrides: [], workloads: [{ kind: 'Deployment', name: 'wide' }] },
      });
      await world.ready('wide');
    });
  });

  describe('a model that is deleted and made again under the same name', () => {
    const remake = async (name: string): Promise<KubernetesObject> => {
      await editor.api.delete(world.path('modeldeployments', name));
      await gone('modeldeployments', name);
      await gone('secrets', `${name}-truss-secrets`);
      return await ask(name);
    };

    it('inherits nothing of an approval that was written for the first', async () => {
      await askFor('again');
      await approve('again');
      await world.ready('again');
      const successor = await remake('again');
      const status = await awaiting('again');
      expect(conditionOf(status.conditions, 'Trusted')?.message).toContain(successor.metadata.uid);
      expect(await world.delivered('again')).toBeUndefined();
      await truster.api.patch(world.path('modeltrusts', 'again'), {
        spec: { modelUid: successor.metadata.uid },
      });
      await world.ready('again');
    });

    it('inherits nothing of an approval that was written before the first', async () => {
      await approve('gitops');
      const first = await askFor('gitops');
      await world.ready('gitops');
      expect((await truster.api.get(world.path('modeltrusts', 'gitops'))).status).toEqual({
        modelUid: first.metadata.uid,
      });
      await remake('gitops');
      await awaiting('gitops');
    });

    it('inherits what the approval says is for every model of the name', async () => {
      await approve('every', { ...everything('every'), modelUid: '*' });
      await askFor('every');
      await world.ready('every');
      await remake('every');
      await world.ready('every');
    });
  });

  it.each([
    ['of another name', 'elsewhere-2', {}],
    [
      'with a uid that is not the one of the model',
      'elsewhere',
      { modelUid: '11111111-2222-3333-4444-555555555555' },
    ],
    ['with patterns instead of names', 'elsewhere', { secrets: ['*', '.*', 'a*'] }],
  ])('an approval %s counts for nothing', async (_, name, more) => {
    if (!(await orUndefined(editor.api.get(world.path('modeldeployments', 'elsewhere')))))
      await askFor('elsewhere');
    await approve(name, { ...everything('elsewhere'), ...more });
    // an approval that is looked at and is for no model yet is noted to be for this one
    if ('secrets' in more) {
      await eventually(async () =>
        expect(await truster.api.get(world.path('modeltrusts', name))).toHaveProperty('status.modelUid'),
      );
    }
    const status = await awaiting('elsewhere');
    expect(statesOf(status)).toEqual({ a: 'NotApproved', b: 'NotApproved' });
    await truster.api.delete(world.path('modeltrusts', name));
  });
});

describe('an operator that may not read ModelTrusts', () => {
  it('delivers nothing, takes nothing away, and says which right it lacks', async () => {
    const place = await newWorld();
    await place.storeSecret('org', { a: 'A', b: 'B' });
    await place.deployment('running');
    await place.model('running', { config: declaring('a') });
    const rules = operatorRules();
    const trusting = await identityWith({ rules: { [place.namespace]: rules } });
    const before = await startOperator(trusting.kubeconfig, [place.namespace]);
    await place.ready('running');
    await before.stop();

    const without = rules.filter(({ resources }) => !resources.includes('modeltrusts'));
    const blind = await identityWith({ rules: { [place.namespace]: without } });
    await startOperator(blind.kubeconfig, [place.namespace], ['--require-approval']);
    await place.deployment('new');
    await place.model('new', { config: declaring('b') });
    for (const name of ['running', 'new']) {
      const status = await place.status(name, (found) =>
        expect(conditionOf(found.conditions, 'Trusted')).toMatchObject({
          status: 'Unknown',
          reason: 'ApprovalUnreadable',
        }),
      );
      expect(conditionOf(status.conditions, 'Ready')?.message).toContain('ModelTrusts');
    }
    expect(Object.keys((await place.delivered('running')) ?? {})).toEqual(['a']);
    expect((await place.podSpec('running')).volumes).toHaveLength(1);
    expect(await place.delivered('new')).toBeUndefined();
    expect((await place.podSpec('new')).volumes).toBeUndefined();
  });
});

describe('who may approve', () => {
  const trust = {
    apiVersion: 'truss-secrets.dev/v1alpha1',
    kind: 'ModelTrust',
    metadata: { name: 'x' },
    spec: {},
  };
  const path = (subresource = '') => `${world.path('modeltrusts', 'x')}${subresource}`;

  it.each<[string, (api: Api) => Promise<unknown>]>([
    ['create', (api) => api.post(world.path('modeltrusts'), trust)],
    ['replace', (api) => api.put(path(), trust)],
    ['merge patch', (api) => api.patch(path(), { spec: { secrets: ['a'] } })],
    [
      'JSON patch',
      (api) => api.patch(path(), [{ op: 'add', path: '/spec/secrets', value: ['a'] }], 'json-patch'),
    ],
    ['server-side apply', (api) => api.patch(`${path()}?fieldManager=x&force=true`, trust, 'apply-patch')],
    ['delete', (api) => api.delete(path())],
    ['say which model it is for', (api) => api.patch(path('/status'), { status: { modelUid: 'x' } })],
  ])('an editor may not %s', async (_, attempt) => {
    await expect(attempt(editor.api)).rejects.toThrow(
      expect.objectContaining({ name: ApiError.name, code: 403 }),
    );
  });

  it('whoever approves can neither change the model nor read a Secret', async () => {
    await askFor('seen');
    await truster.api.get(world.path('modeldeployments', 'seen'));
    const forbidden: readonly (() => Promise<unknown>)[] = [
      () => truster.api.patch(world.path('modeldeployments', 'seen'), { spec: { trusted: true } }),
      () => truster.api.patch(`${world.path('modeldeployments', 'seen')}/status`, { status: {} }),
      () => truster.api.patch(path('/status'), { status: { modelUid: 'x' } }),
      () => truster.api.get(world.path('secrets')),
    ];
    for (const attempt of forbidden)
      await expect(attempt()).rejects.toThrow(expect.objectContaining({ name: ApiError.name, code: 403 }));
  });

  it('a viewer sees models and approvals, and may change neither', async () => {
    const viewer = await viewerIn(world.namespace);
    await viewer.api.get(world.path('modeldeployments'));
    await viewer.api.get(world.path('modeltrusts'));
    const forbidden: readonly (() => Promise<unknown>)[] = [
      () => viewer.api.post(world.path('modeltrusts'), trust),
      () => viewer.api.patch(world.path('modeldeployments', 'seen'), { spec: { trusted: true } }),
      () => viewer.api.delete(world.path('modeldeployments', 'seen')),
      () => viewer.api.get(world.path('secrets')),
    ];
    for (const attempt of forbidden)
      await expect(attempt()).rejects.toThrow(expect.objectContaining({ name: ApiError.name, code: 403 }));
  });
});
