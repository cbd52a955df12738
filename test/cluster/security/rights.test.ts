import { readFileSync } from 'node:fs';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { cluster } from '../cluster.ts';
import { eventually } from '../eventually.ts';
import { type Identity, identityWith, type PolicyRule } from '../identity.ts';
import { operatorIdentity, operatorRules, startOperator } from '../operator.ts';
import { conditionOf, declaring, newWorld, type World } from '../world.ts';
import { userRoles } from './actors.ts';

const NAMESPACED_ROLE = new URL('../../../deploy/rbac/namespaced/role.yaml', import.meta.url);

/** `patch apps/deployments` */
const shown = (verb: string, group: string, resource: string): string => `${verb} ${group}/${resource}`;

const granted = (rules: readonly PolicyRule[]): readonly string[] =>
  rules.flatMap(({ apiGroups, resources, verbs }) =>
    apiGroups.flatMap((group) =>
      resources.flatMap((resource) => verbs.map((verb) => shown(verb, group, resource))),
    ),
  );

const AuditEvent = z.object({
  stage: z.string(),
  verb: z.string(),
  user: z.object({ username: z.string() }),
  objectRef: z
    .object({
      resource: z.string(),
      apiGroup: z.string().default(''),
      subresource: z.string().optional(),
    })
    .optional(),
  responseStatus: z.object({ code: z.number() }).optional(),
});

/** What the user did by the API server's own record, and what he was refused. */
function deedsOf(user: string): { readonly used: ReadonlySet<string>; readonly refused: readonly string[] } {
  const used = new Set<string>();
  const refused: string[] = [];
  for (const line of readFileSync(cluster().auditLog ?? '', 'utf8').split('\n')) {
    if (!line.includes(user)) continue;
    const { verb, user: who, objectRef, responseStatus } = AuditEvent.parse(JSON.parse(line));
    if (who.username !== user || !objectRef) continue;
    const { resource, subresource, apiGroup } = objectRef;
    const deed = shown(verb, apiGroup, subresource === undefined ? resource : `${resource}/${subresource}`);
    if (responseStatus?.code === 403) refused.push(deed);
    else used.add(deed);
  }
  return { used, refused };
}

describe("the operator's rights", () => {
  const rules = operatorRules();

  it('have no wildcard', () => {
    expect(JSON.stringify(rules)).not.toContain('*');
  });

  it('are no rights to get more of them, nor to reach into pods', () => {
    const resources = rules.flatMap((rule) => rule.resources);
    expect(
      resources.filter((name) => /role|token|exec|pods|nodes|serviceaccounts|webhook|admission/.test(name)),
    ).toEqual([]);
    const verbs = new Set(rules.flatMap((rule) => rule.verbs));
    for (const verb of ['escalate', 'bind', 'impersonate', 'deletecollection'])
      expect(verbs).not.toContain(verb);
  });

  it('are the same in one namespace as in all', () => {
    expect(parse(readFileSync(NAMESPACED_ROLE, 'utf8')).rules).toEqual(rules);
  });
});

describe('the rights of people', () => {
  const labelsOf = (name: string): readonly string[] => {
    const role = userRoles().find(({ metadata }) => metadata.name === name);
    return Object.keys(role?.metadata.labels ?? {}).map((label) => label.replace(/^.*aggregate-to-/, ''));
  };

  it('add to what Kubernetes has, but for the right to approve', () => {
    expect(labelsOf('truss-secrets-viewer')).toEqual(['view', 'edit', 'admin']);
    expect(labelsOf('truss-secrets-editor')).toEqual(['edit', 'admin']);
    expect(labelsOf('truss-secrets-truster')).toEqual([]);
  });

  it('only a truster may write ModelTrusts, and nobody a status', () => {
    const writing = userRoles()
      .filter(({ rules }) => granted(rules).includes('create truss-secrets.dev/modeltrusts'))
      .map(({ metadata }) => metadata.name);
    expect(writing).toEqual(['truss-secrets-truster']);
    expect(
      userRoles()
        .flatMap(({ rules }) => granted(rules))
        .filter((right) => right.includes('/status')),
    ).toEqual([]);
    expect(
      userRoles()
        .flatMap(({ rules }) => granted(rules))
        .filter((right) => right.includes('*')),
    ).toEqual([]);
  });

  it('reach the built-in roles by aggregation', async () => {
    const { api, run } = cluster();
    for (const role of userRoles().filter(({ metadata }) => metadata.labels)) {
      const name = `${role.metadata.name}-${run}`;
      await api.post('/apis/rbac.authorization.k8s.io/v1/clusterroles', {
        ...role,
        metadata: { name, labels: { ...role.metadata.labels, 'truss-test-run': run } },
      });
    }
    const rightsOf = async (name: string): Promise<readonly string[]> => {
      const role = await api.get<{ rules: PolicyRule[] }>(
        `/apis/rbac.authorization.k8s.io/v1/clusterroles/${name}`,
      );
      return granted(role.rules.filter(({ apiGroups }) => apiGroups?.includes('truss-secrets.dev')));
    };
    await eventually(async () => {
      expect(await rightsOf('edit')).toContain('create truss-secrets.dev/modeldeployments');
      expect(await rightsOf('view')).toContain('get truss-secrets.dev/modeltrusts');
    });
    for (const name of ['view', 'edit', 'admin']) {
      const writes = (await rightsOf(name)).filter(
        (right) => /modeltrusts/.test(right) && !/^(get|list|watch) /.test(right),
      );
      expect(writes, name).toEqual([]);
    }
  });
});

describe('everything that the operator does', () => {
  let world: World;
  let operator: Identity;

  beforeEach((ctx) =>
    ctx.skip(cluster().auditLog === undefined, 'this cluster keeps no audit log that a test could read'),
  );

  beforeAll(async () => {
    world = await newWorld();
    operator = await operatorIdentity([world.namespace]);
  });

  const pod = { containers: [{ name: 'model', image: 'registry.invalid/model:1' }] };
  const template = (name: string): object => ({ metadata: { labels: { app: name } }, spec: pod });

  /** Each kind of workload, there before the model asks for it. */
  async function workloads(name: string): Promise<readonly object[]> {
    const { api, features } = cluster();
    const spec = { selector: { matchLabels: { app: name } }, template: template(name) };
    await api.post(world.path('deployments'), { metadata: { name }, spec: { ...spec, replicas: 0 } });
    await api.post(world.path('statefulsets'), {
      metadata: { name },
      spec: { ...spec, replicas: 0, serviceName: name },
    });
    await api.post(world.path('daemonsets'), { metadata: { name }, spec });
    const version = features.batchV1CronJob ? 'v1' : 'v1beta1';
    await api.post(`/apis/batch/${version}/namespaces/${world.namespace}/cronjobs`, {
      metadata: { name },
      spec: {
        schedule: '0 0 1 1 *',
        suspend: true,
        jobTemplate: { spec: { template: { spec: { ...pod, restartPolicy: 'Never' } } } },
      },
    });
    // a change later on would bring them in by the watch, and nobody would have to ask for them
    if (features.controllers) {
      await eventually(async () => {
        for (const plural of ['deployments', 'statefulsets', 'daemonsets'] as const)
          expect(await api.get(world.path(plural, name))).toHaveProperty('status.observedGeneration');
      });
    }
    return ['Deployment', 'StatefulSet', 'DaemonSet', 'CronJob'].map((kind) => ({ kind, name }));
  }

  it('it has the right to, and it uses every right that it has', async () => {
    const { api } = cluster();
    const { metadata } = await api.get(`/api/v1/namespaces/${world.namespace}`);
    await startOperator(operator.kubeconfig, [world.namespace], ['--require-approval']);
    const large = 'x'.repeat(600_000);
    const annotations = { 'truss-secrets.dev/share-with': `${world.namespace}@${metadata.uid}` };
    await world.storeSecret('org', { a: large, b: 'B' }, { annotations });
    await world.storeSecret('org-2', { c: large });
    await world.configMap('config', 'secrets: {a: null, b: null}\n');
    const refs = await workloads('tour');
    await api.post(world.path('modeltrusts'), {
      apiVersion: 'truss-secrets.dev/v1alpha1',
      kind: 'ModelTrust',
      metadata: { name: 'tour' },
      spec: { secrets: ['a', 'b', 'c'], workloads: refs },
    });
    await world.model('tour', { config: { configMapRef: { name: 'config' } }, workloads: refs });
    await world.ready('tour');
    // another value: the Secret is replaced
    await api.patch(world.path('secrets', 'org'), { data: { b: Buffer.from('rotated').toString('base64') } });
    await eventually(async () => expect((await world.delivered('tour'))?.['b']?.toString()).toBe('rotated'));
    // more than fits: what leaves is taken out by a patch
    await api.patch(world.path('configmaps', 'config'), {
      data: { 'config.yaml': 'secrets: {a: null, c: null}\n' },
    });
    await eventually(async () => expect(Object.keys((await world.delivered('tour')) ?? {})).toEqual(['a']));
    await api.patch(world.path('configmaps', 'config'), { data: { 'config.yaml': 'secrets: {a: null}\n' } });
    await world.ready('tour');
    // the same is said twice
    for (const trusted of [false, true, false]) {
      await world.patchModel('tour', { trusted });
      await world.status('tour', ({ conditions }) =>
        expect(conditionOf(conditions, 'Ready')?.reason).toBe(trusted ? 'Ready' : 'Untrusted'),
      );
    }
    // somebody else's Secret is in the way
    await api.post(world.path('secrets'), { metadata: { name: 'blocked-truss-secrets' } });
    await api.post(world.path('modeltrusts'), {
      apiVersion: 'truss-secrets.dev/v1alpha1',
      kind: 'ModelTrust',
      metadata: { name: 'blocked' },
      spec: { secrets: ['b'] },
    });
    await world.model('blocked', { config: declaring('b'), workloads: [] });
    await world.status('blocked', ({ conditions }) =>
      expect(conditionOf(conditions, 'Delivered')?.reason).toBe('Conflict'),
    );
    await eventually(() => {
      const { used, refused } = deedsOf(operator.user);
      expect(refused).toEqual([]);
      expect(granted(operatorRules()).filter((right) => !used.has(right))).toEqual([]);
      const rights = new Set(granted(operatorRules()));
      expect([...used].filter((deed) => !rights.has(deed))).toEqual([]);
    });
  });
});

describe('an operator that lacks a right in a namespace', () => {
  const without = (resource: string, verb?: string): readonly PolicyRule[] =>
    operatorRules().flatMap((rule) => {
      const resources = rule.resources.filter((name) => name !== resource);
      const verbs = verb === undefined ? [] : rule.verbs.filter((one) => one !== verb);
      return [
        ...(resources.length > 0 ? [{ ...rule, resources }] : []),
        ...(rule.resources.includes(resource) && verbs.length > 0
          ? [{ ...rule, resources: [resource], verbs }]
          : []),
      ];
    });

  it.each<[string, readonly PolicyRule[], string, string, string]>([
    ['on Secrets', without('secrets'), 'SecretsResolved', 'StoreUnreadable', 'may not list Secrets'],
    ['to create Secrets', without('secrets', 'create'), 'Delivered', 'NotAuthorized', 'may not write Secret'],
    ['on ConfigMaps', without('configmaps'), 'ConfigValid', 'NotAuthorized', 'may not read ConfigMap'],
    [
      'to patch workloads',
      without('deployments', 'patch'),
      'Injected',
      'NotAuthorized',
      'cannot patch resource "deployments"',
    ],
    ['to read workloads', without('deployments'), 'Injected', '', 'may not read Deployment'],
  ])('%s says so in a condition', async (_, rules, type, reason, words) => {
    const world = await newWorld();
    await world.storeSecret('org', { a: 'A' });
    await world.configMap('config', 'secrets: {a: null}\n');
    await world.deployment('model');
    await world.model('model', { config: { configMapRef: { name: 'config' } } });
    const { kubeconfig } = await identityWith({ rules: { [world.namespace]: rules } });
    await startOperator(kubeconfig, [world.namespace]);
    await world.status('model', ({ conditions }) => {
      const found = conditionOf(conditions, type);
      expect(found?.message).toContain(words);
      if (reason !== '') expect(found?.reason).toBe(reason);
      expect(conditionOf(conditions, 'Ready')?.status).toBe('False');
    });
  });
});
