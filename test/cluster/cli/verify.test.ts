import { beforeAll, describe, expect, test } from 'vitest';
import type { Finding } from '../../../src/verify/case.ts';
import type { Proof } from '../../../src/verify/prove.ts';
import { cluster } from '../cluster.ts';
import { eventually } from '../eventually.ts';
import { operatorIdentity, startOperator } from '../operator.ts';
import { declaring } from '../world.ts';
import { type ModelWorld, modelWorld, rule } from './model-world.ts';

const CANARY = 'canary-e55a90';

let world: ModelWorld;

type Report = Proof & { readonly proven: boolean };

const verify = (name: string, ...args: readonly string[]): Promise<Report> =>
  world.json(['verify', name, ...args]);

/** The findings, as `kind object: message`. */
const findings = async (name: string, ...args: readonly string[]): Promise<readonly string[]> =>
  (await verify(name, ...args)).findings.map(text);

const text = ({ kind, object, message }: Finding): string => `${kind} ${object}: ${message}`;

const base64 = (plain: string): string => Buffer.from(plain).toString('base64');

const b64 = { x: base64('x') };

interface Tampering {
  /** Also the name of the model. */
  readonly name: string;
  readonly spec?: Readonly<Record<string, unknown>>;
  /** What somebody does to the objects while no operator runs. */
  readonly tamper: (name: string) => Promise<unknown>;
  /** Findings that there must be; `NAME` stands for the model, `NS` for the namespace. No others may be there. */
  readonly says: readonly string[];
}

const patch = async (plural: Parameters<ModelWorld['path']>[0], name: string, body: object) =>
  await cluster().api.patch(world.path(plural, name), body);

const strategic = async (name: string, pod: object) =>
  await cluster().api.patch(
    world.path('deployments', name),
    { spec: { template: { spec: pod } } },
    'strategic-merge-patch',
  );

const container = (fields: object) => ({ containers: [{ name: 'model', ...fields }] });

const PULLING = {
  inline:
    'secrets: {a: null}\nbase_image: {docker_auth: {auth_method: REGISTRY_SECRET, registry: ghcr.io, secret_name: cred}}',
};

const S = 'NAME-truss-secrets';

const TAMPERINGS: readonly Tampering[] = [
  { name: 'untouched', tamper: async () => {}, says: [] },
  {
    name: 'untouched-env',
    spec: { delivery: 'Env', overrides: [{ name: 'a', env: ['HF_TOKEN'] }] },
    tamper: async () => {},
    says: [],
  },
  { name: 'untouched-pull', spec: { config: PULLING }, tamper: async () => {}, says: [] },
  {
    name: 'pull-extra',
    spec: { config: PULLING },
    tamper: (name) => {
      const config = base64(JSON.stringify({ auths: { 'ghcr.io': {}, 'other.io': {} } }));
      return patch('secrets', `${name}-truss-pull`, { data: { '.dockerconfigjson': config } });
    },
    says: ['difference Secret NAME-truss-pull: has a credential for other.io, which the model may not have'],
  },
  {
    name: 'pull-volume',
    spec: { config: PULLING },
    tamper: (name) =>
      strategic(name, { volumes: [{ name: 'v', secret: { secretName: `${name}-truss-pull` } }] }),
    says: ['difference Deployment NAME: hands Secret NAME-truss-pull to containers (volume v)'],
  },
  {
    name: 'secret-extra',
    tamper: (name) => patch('secrets', `${name}-truss-secrets`, { data: { sneaked: b64.x } }),
    says: [`difference Secret ${S}: has the key sneaked, which config.yaml does not declare`],
  },
  {
    name: 'secret-value',
    tamper: (name) => patch('secrets', `${name}-truss-secrets`, { data: { a: b64.x } }),
    says: [`difference Secret ${S}: has another value for a than NS/NAME-store`],
  },
  {
    name: 'secret-less',
    tamper: (name) => patch('secrets', `${name}-truss-secrets`, { data: { a: null } }),
    says: [
      `difference ModelDeployment NAME: its status says Delivered of a, which is not in the Secret`,
      `difference Secret ${S}: lacks a, which NS/NAME-store has for this model`,
    ],
  },
  {
    name: 'secret-gone',
    tamper: (name) => cluster().api.delete(world.path('secrets', `${name}-truss-secrets`)),
    says: [
      `difference ModelDeployment NAME: its status says Delivered of a, which is not in the Secret`,
      `difference ModelDeployment NAME: its status says Delivered of b, which is not in the Secret`,
      `difference Secret ${S}: is not there`,
    ],
  },
  {
    name: 'secret-owner',
    tamper: (name) => patch('secrets', `${name}-truss-secrets`, { metadata: { ownerReferences: [] } }),
    says: [`difference Secret ${S}: does not belong to this ModelDeployment (controller owner reference)`],
  },
  {
    name: 'config',
    tamper: (name) => patch('modeldeployments', name, { spec: { config: declaring('a') } }),
    says: [
      'difference ModelDeployment NAME: the operator has not looked at its present spec: the status is of an earlier one',
      `difference Secret ${S}: has the key b, which config.yaml does not declare`,
      `difference Deployment NAME: has b (volume truss-secrets), which config.yaml does not declare`,
    ],
  },
  {
    name: 'untrusted',
    tamper: (name) => patch('modeldeployments', name, { spec: { trusted: false } }),
    says: [
      'difference ModelDeployment NAME: the operator has not looked at its present spec: the status is of an earlier one',
      `difference Secret ${S}: is there although the model may have nothing`,
      `difference Secret ${S}: has the key a, which the model may not have: the model is not trusted`,
      `difference Secret ${S}: has the key b, which the model may not have: the model is not trusted`,
      `difference Deployment NAME: has a (volume truss-secrets), which the model may not have`,
      `difference Deployment NAME: has b (volume truss-secrets), which the model may not have`,
      'difference Deployment NAME: container model has the volume although it is none of those that may have the secrets',
      "difference Deployment NAME: is marked as the model's, and may have nothing",
    ],
  },
  {
    name: 'consent',
    tamper: (name) => {
      const annotations = { 'truss-secrets.dev/share-with': 'elsewhere' };
      return patch('secrets', `${name}-store`, { metadata: { annotations } });
    },
    says: [
      `difference Secret ${S}: has the key a, and no Secret that is for this model has it`,
      `difference Secret ${S}: has the key b, and no Secret that is for this model has it`,
    ],
  },
  {
    name: 'approval',
    tamper: (name) =>
      cluster().api.post(world.path('modeldeployments').replace('modeldeployments', 'modeltrusts'), {
        apiVersion: 'truss-secrets.dev/v1alpha1',
        kind: 'ModelTrust',
        metadata: { name },
        spec: { secrets: ['a'], workloads: [{ kind: 'Deployment', name }] },
      }),
    says: [
      `difference Secret ${S}: has the key b, which the model may not have: the ModelTrust does not list b`,
      `difference Deployment NAME: has b (volume truss-secrets), which the model may not have`,
    ],
  },
  {
    name: 'mount-writable',
    tamper: (name) =>
      strategic(
        name,
        container({ volumeMounts: [{ mountPath: '/secrets', name: 'truss-secrets', readOnly: false }] }),
      ),
    says: ['difference Deployment NAME: container model has the volume not read-only'],
  },
  {
    name: 'mount-other',
    tamper: (name) => {
      const volumeMounts = [{ mountPath: '/stolen', name: 'truss-secrets' }];
      const value = { name: 'sidecar', image: 'registry.invalid/x', volumeMounts };
      const add = { op: 'add', path: '/spec/template/spec/containers/-', value };
      return cluster().api.patch(world.path('deployments', name), [add], 'json-patch');
    },
    says: [
      'difference Deployment NAME: container sidecar has the volume although it is none of those that may have the secrets',
      'difference Deployment NAME: container sidecar has the volume at /stolen',
      'difference Deployment NAME: container sidecar has the volume not read-only',
    ],
  },
  {
    name: 'env-from',
    tamper: (name) =>
      strategic(name, container({ envFrom: [{ secretRef: { name: `${name}-truss-secrets` } }] })),
    says: [
      `difference Deployment NAME: hands out all of Secret ${S}, whatever comes into it (envFrom model)`,
    ],
  },
  {
    name: 'env-name',
    tamper: (name) =>
      strategic(
        name,
        container({
          env: [{ name: 'LEAK', valueFrom: { secretKeyRef: { name: `${name}-truss-secrets`, key: 'a' } } }],
        }),
      ),
    says: ['difference Deployment NAME: has a as the environment variable LEAK'],
  },
  {
    name: 'env-plain',
    tamper: (name) =>
      strategic(
        name,
        container({
          env: [
            { name: 'HARMLESS', value: `${CANARY}-a` },
            { name: 'TRUSS_SECRET_c', value: 'x' },
          ],
        }),
      ),
    says: [
      'difference Deployment NAME: container model has the value of a in plain text (env HARMLESS)',
      'difference Deployment NAME: container model has TRUSS_SECRET_c in plain text',
    ],
  },
  {
    name: 'volume-second',
    tamper: (name) =>
      strategic(name, { volumes: [{ name: 'again', secret: { secretName: `${name}-truss-secrets` } }] }),
    says: [`difference Deployment NAME: hands out all of Secret ${S}, whatever comes into it (volume again)`],
  },
  {
    name: 'marker',
    tamper: (name) =>
      patch('deployments', name, { metadata: { annotations: { 'truss-secrets.dev/model': 'other/u' } } }),
    says: ["difference Deployment NAME: is not marked as the model's (it says other/u)"],
  },
  {
    name: 'taken-out',
    tamper: (name) =>
      cluster().api.patch(
        world.path('deployments', name),
        [{ op: 'remove', path: '/spec/template/spec/containers/0/volumeMounts' }],
        'json-patch',
      ),
    says: [
      'difference Deployment NAME: container model lacks the file of a',
      'difference Deployment NAME: container model lacks the file of b',
    ],
  },
  {
    name: 'workload-gone',
    tamper: (name) => cluster().api.delete(world.path('deployments', name)),
    says: ['difference Deployment NAME: is not there'],
  },
  {
    name: 'stranger',
    tamper: (name) =>
      world.deployment(`${name}-2`, {
        containers: [{ name: 'x', image: 'registry.invalid/x' }],
        volumes: [{ name: 'v', projected: { sources: [{ secret: { name: `${name}-truss-secrets` } }] } }],
      }),
    says: [`difference Deployment NAME-2: refers to Secret ${S}, and is not of this model`],
  },
  {
    name: 'stranger-pod',
    tamper: (name) =>
      cluster().api.post(world.path('pods'), {
        metadata: { name, labels: { app: name } },
        spec: {
          containers: [
            {
              name: 'x',
              image: 'registry.invalid/x',
              envFrom: [{ secretRef: { name: `${name}-truss-secrets` } }],
            },
          ],
        },
      }),
    says: [`difference Pod NAME: refers to Secret ${S}, and is not of this model`],
  },
  {
    name: 'old-pod',
    tamper: async (name) => {
      const { kind, metadata } = await cluster().api.get(world.path('deployments', name));
      const owner = {
        apiVersion: 'apps/v1',
        kind: kind ?? 'Deployment',
        name,
        uid: metadata.uid,
        controller: true,
      };
      return cluster().api.post(world.path('pods'), {
        metadata: { name, ownerReferences: [owner] },
        spec: { containers: [{ name: 'model', image: 'registry.invalid/x' }] },
      });
    },
    says: ['difference Pod NAME: was started without a', 'difference Pod NAME: was started without b'],
  },
];

beforeAll(async () => {
  world = await modelWorld();
  const { kubeconfig } = await operatorIdentity([world.namespace]);
  const operator = await startOperator(kubeconfig, [world.namespace]);
  for (const { name, spec } of TAMPERINGS) {
    await world.storeSecret(
      `${name}-store`,
      { a: `${CANARY}-a`, b: `${CANARY}-b`, c: CANARY, cred: base64(`user:${CANARY}`) },
      { store: name },
    );
    await world.deployment(name);
    await world.model(name, { stores: [{ name }], config: declaring('a', 'b'), ...spec });
  }
  for (const { name } of TAMPERINGS) await world.ready(name);
  await operator.stop();
  // the controllers make the ServiceAccount of a namespace, which pods need, a moment after it
  await eventually(() => cluster().api.get(world.path('pods').replace('pods', 'serviceaccounts/default')));
}, 180_000);

describe('a model that has what it declares', () => {
  test('is proven, name by name', async () => {
    const { code, stdout } = await world.run(['verify', 'untouched']);
    expect({ code }, stdout).toEqual({ code: 0 });
    expect(stdout).toMatch(/^NAME +DECLARED +ALLOWED +WRITTEN +MOUNTED +PODS$/m);
    expect(stdout).toMatch(/^a +yes +yes +yes +Deployment untouched +0$/m);
    expect(stdout).toContain('Proven: declared = allowed = written = mounted, and nothing more.');
    expect(stdout).not.toContain(CANARY);
  });

  test('has the documented shape as JSON', async () => {
    expect(await verify('untouched')).toEqual({
      version: 1,
      namespace: world.namespace,
      model: 'untouched',
      proven: true,
      secrets: ['a', 'b'].map((name) => ({
        name,
        declared: 'yes',
        allowed: 'yes',
        written: true,
        mounted: ['Deployment untouched'],
        pods: 0,
      })),
      findings: [],
    });
  });

  test('without an approval that is demanded may have nothing', async () => {
    expect(await findings('untouched', '--require-approval')).toContain(
      'difference Secret untouched-truss-secrets: is there although the model may have nothing',
    );
  });
});

describe('every tampering is found, and nothing else', () => {
  test.for(TAMPERINGS)('$name', async ({ name, tamper, says }) => {
    await tamper(name);
    const shown = (said: string): string => said.replaceAll('NAME', name).replaceAll('NS', world.namespace);
    const { code, stdout } = await world.run(['verify', name, '-o', 'json']);
    const report: Report = JSON.parse(stdout);
    expect(report.findings.map(text).toSorted()).toEqual(says.map(shown).toSorted());
    expect({ code, proven: report.proven }).toEqual(
      says.length === 0 ? { code: 0, proven: true } : { code: 1, proven: false },
    );
    expect(stdout).not.toContain(CANARY);
  });
});

describe('what could not be looked at', () => {
  test('is not proven', async () => {
    const env = await world.as(
      rule('truss-secrets.dev', 'modeldeployments', 'get'),
      rule('', 'secrets', 'get', 'list'),
    );
    const { code, stdout } = await world.run(['verify', 'untouched'], { env });
    expect(code).toBe(1);
    expect(stdout).toMatch(
      new RegExp(`unproven +your rights +you lack the right to: list pods -n ${world.namespace}`),
    );
  });

  test('nor what a config declares that cannot be read', async () => {
    await world.model('broken', { config: { inline: 'secrets: [' }, workloads: [] });
    expect((await findings('broken'))[0]).toMatch(
      /^unproven ModelDeployment broken: config\.yaml can't be read/,
    );
  });

  test('a model that is not there fails', async () => {
    const { code, stderr } = await world.run(['verify', 'gone']);
    expect(code).toBe(1);
    expect(stderr).toContain('there is no ModelDeployment gone');
  });
});
