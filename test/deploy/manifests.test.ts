import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { deployFiles } from '../../deploy/generate.ts';
import manifest from '../../package.json' with { type: 'json' };
import { controllerOptions, controllerSettings } from '../../src/cli/controller-options.ts';
import { parseOptions } from '../../src/cli/options.ts';
import { kustomize, type Manifest, objectsOf } from './kustomize.ts';

const DEPLOY = join(import.meta.dirname, '../../deploy');
const SETS = [
  '.',
  'overlays/approval',
  'overlays/namespaced',
  'overlays/kubernetes-1.25',
  'overlays/kubernetes-1.20',
] as const;

const named = (objects: readonly Manifest[], kind: string, name = 'truss-secrets'): Manifest => {
  const found = objects.filter((one) => one.kind === kind && one.metadata.name === name);
  expect(found, `${kind} ${name}`).toHaveLength(1);
  const [one] = found;
  if (!one) throw new Error(`no ${kind} ${name}`);
  return one;
};

const Deployment = z.looseObject({
  spec: z.looseObject({
    replicas: z.number(),
    selector: z.looseObject({ matchLabels: z.record(z.string(), z.string()) }),
    template: z.looseObject({
      metadata: z.looseObject({ labels: z.record(z.string(), z.string()) }),
      spec: z.looseObject({
        serviceAccountName: z.string(),
        containers: z.array(
          z.looseObject({
            image: z.string(),
            args: z.array(z.string()),
            ports: z.array(z.looseObject({ name: z.string(), containerPort: z.number() })),
            securityContext: z.looseObject({}),
          }),
        ),
      }),
    }),
  }),
});

const identity = ({ kind, metadata }: Manifest): string =>
  `${kind} ${metadata.namespace ?? ''}/${metadata.name}`;
const sorted = (objects: readonly Manifest[]): readonly Manifest[] =>
  objects.toSorted((a, b) => (identity(a) < identity(b) ? -1 : 1));

function kubectlHasKustomize(): boolean {
  try {
    return execFileSync('kubectl', ['version', '--client'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).includes('Kustomize Version: v5');
  } catch {
    return false;
  }
}

describe('deploy/', () => {
  it.each([...deployFiles()])('%s is up to date (else: npm run generate)', (name, content) => {
    expect(readFileSync(join(DEPLOY, name), 'utf8')).toBe(content);
  });

  it('install.yaml holds what `kubectl apply -k deploy` applies', () => {
    const installed = objectsOf(readFileSync(join(DEPLOY, 'install.yaml'), 'utf8'));
    expect(sorted(installed)).toEqual(sorted(kustomize(DEPLOY)));
  });

  it.for(SETS)('%s: kubectl makes the same of it as these tests do', (set, { skip }) => {
    skip(!kubectlHasKustomize(), 'needs a kubectl with kustomize 5');
    const text = execFileSync('kubectl', ['kustomize', join(DEPLOY, set)], { encoding: 'utf8' });
    expect(sorted(objectsOf(text))).toEqual(sorted(kustomize(join(DEPLOY, set))));
  });

  it.each(SETS)('%s: runs twice, spread, probed, bounded, and as little privileged as can be', (set) => {
    const objects = kustomize(join(DEPLOY, set));
    const deployment = named(objects, 'Deployment');
    const app = { 'app.kubernetes.io/name': 'truss-secrets' };
    expect(deployment).toMatchObject({
      spec: {
        replicas: 2,
        selector: { matchLabels: app },
        template: {
          metadata: { labels: app },
          spec: {
            securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
            affinity: {
              podAntiAffinity: {
                preferredDuringSchedulingIgnoredDuringExecution: [
                  {
                    podAffinityTerm: {
                      topologyKey: 'kubernetes.io/hostname',
                      labelSelector: { matchLabels: app },
                    },
                  },
                ],
              },
            },
            containers: [
              {
                ports: [
                  { name: 'metrics', containerPort: 8080 },
                  { name: 'probes', containerPort: 8081 },
                ],
                livenessProbe: { httpGet: { path: '/livez', port: 'probes' } },
                readinessProbe: { httpGet: { path: '/readyz', port: 'probes' } },
                resources: { requests: { cpu: expect.any(String), memory: expect.any(String) } },
                securityContext: {
                  allowPrivilegeEscalation: false,
                  readOnlyRootFilesystem: true,
                  capabilities: { drop: ['ALL'] },
                },
              },
            ],
          },
        },
      },
    });
    expect(named(objects, 'PodDisruptionBudget')).toMatchObject({
      spec: { maxUnavailable: 1, selector: { matchLabels: app } },
    });
    expect(named(objects, 'NetworkPolicy')).toMatchObject({
      spec: { podSelector: { matchLabels: app }, policyTypes: ['Ingress', 'Egress'] },
    });
    expect(named(objects, 'Namespace', 'truss-secrets-system')).toMatchObject({
      metadata: { labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
    });
  });

  it('has no file that no kustomization names', () => {
    const files = readdirSync(DEPLOY, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.yaml'),
    );
    const mentioned = new Set(
      files
        .filter((name) => name.endsWith('kustomization.yaml'))
        .flatMap((name) => {
          const text = readFileSync(join(DEPLOY, name), 'utf8');
          const entries = text.matchAll(/^ {2}- (?:path: )?(\S+\.yaml)$/gm);
          return [...entries].map(([, file = '']) => join(name, '..', file));
        }),
    );
    const left = files.filter((name) => !name.endsWith('kustomization.yaml') && name !== 'install.yaml');
    expect(left.filter((name) => !mentioned.has(name))).toEqual([]);
  });
});

describe.each(SETS)('the set %s', (set) => {
  const objects = kustomize(join(DEPLOY, set));

  it('has each object once', () => {
    const identities = objects.map(identity);
    expect(identities).toEqual([...new Set(identities)]);
  });

  it('lies in one namespace, but for the rights in others', () => {
    const namespaced = objects.filter(({ metadata }) => metadata.namespace !== undefined);
    const elsewhere = namespaced.filter(({ metadata }) => metadata.namespace !== 'truss-secrets-system');
    expect(new Set(elsewhere.map(({ kind }) => kind))).toEqual(
      new Set(set === 'overlays/namespaced' ? ['Role', 'RoleBinding'] : []),
    );
    named(objects, 'Namespace', 'truss-secrets-system');
  });

  it('binds roles that exist to the ServiceAccount of the pods', () => {
    const Binding = z.looseObject({
      roleRef: z.looseObject({ kind: z.string(), name: z.string() }),
      subjects: z.array(z.looseObject({ kind: z.string(), name: z.string(), namespace: z.string() })),
    });
    const { serviceAccountName } = Deployment.parse(named(objects, 'Deployment')).spec.template.spec;
    named(objects, 'ServiceAccount', serviceAccountName);
    const bindings = objects.filter(({ kind }) => kind.endsWith('RoleBinding'));
    expect(bindings.length).toBeGreaterThan(1);
    for (const binding of bindings) {
      const { roleRef, subjects } = Binding.parse(binding);
      const there = objects.filter(
        ({ kind, metadata }) =>
          kind === roleRef.kind &&
          metadata.name === roleRef.name &&
          (kind === 'ClusterRole' || metadata.namespace === binding.metadata.namespace),
      );
      expect(there, identity(binding)).toHaveLength(1);
      expect(subjects).toEqual([
        { kind: 'ServiceAccount', name: serviceAccountName, namespace: 'truss-secrets-system' },
      ]);
    }
  });

  it('selects the pods of the Deployment everywhere', () => {
    const { spec } = Deployment.parse(named(objects, 'Deployment'));
    const labels = spec.template.metadata.labels;
    const PodSelector = z.looseObject({ matchLabels: z.record(z.string(), z.string()) });
    const selectors = [
      spec.selector,
      z
        .looseObject({ spec: z.looseObject({ podSelector: PodSelector }) })
        .parse(named(objects, 'NetworkPolicy')).spec.podSelector,
      z
        .looseObject({ spec: z.looseObject({ selector: PodSelector }) })
        .parse(named(objects, 'PodDisruptionBudget')).spec.selector,
    ];
    for (const { matchLabels } of selectors) expect(labels).toMatchObject(matchLabels);
  });

  it('runs the operator of this version with arguments that it takes', () => {
    const { spec } = Deployment.parse(named(objects, 'Deployment'));
    expect(spec.replicas).toBe(2);
    const [container] = spec.template.spec.containers;
    expect(container?.image).toBe(`truss-secrets:${manifest.version}`);
    const [command, ...args] = container?.args ?? [];
    expect(command).toBe('controller');
    const { values } = parseOptions(controllerOptions, args, false);
    const settings = controllerSettings(values, { KUBERNETES_SERVICE_HOST: '10.0.0.1' });
    expect(settings.requireApproval).toBe(set === 'overlays/approval');
    expect(settings.namespaces).toEqual(
      set === 'overlays/namespaced' ? ['models', 'org-secrets'] : undefined,
    );
    const ports = Object.fromEntries(
      (container?.ports ?? []).map(({ name, containerPort }) => [name, containerPort]),
    );
    expect(ports).toEqual({ metrics: settings.metrics?.port, probes: settings.probes?.port });
  });

  it('may change its own Lease, and no other', () => {
    const { rules } = z
      .looseObject({
        rules: z.array(
          z.looseObject({ verbs: z.array(z.string()), resourceNames: z.array(z.string()).optional() }),
        ),
      })
      .parse(named(objects, 'Role', 'truss-secrets-leader-election'));
    const { election } = controllerSettings({}, { KUBERNETES_SERVICE_HOST: '10.0.0.1' });
    const unnamed = rules.filter(({ resourceNames }) => resourceNames === undefined);
    expect(unnamed.map(({ verbs }) => verbs)).toEqual([['create']]);
    expect(rules.flatMap(({ resourceNames = [] }) => resourceNames)).toEqual([election?.name]);
  });

  it('keeps to the restricted Pod Security level', () => {
    const { spec } = Deployment.parse(named(objects, 'Deployment')).spec.template;
    expect(spec).toMatchObject({
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    });
    for (const { securityContext } of spec.containers) {
      expect(securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
    }
  });
});

describe('rights in the namespaced set', () => {
  it('are Roles, with no right on Secrets anywhere else', () => {
    const objects = kustomize(join(DEPLOY, 'overlays/namespaced'));
    expect(objects.filter(({ kind }) => kind === 'ClusterRoleBinding')).toEqual([]);
    const Rules = z.looseObject({ rules: z.array(z.looseObject({ resources: z.array(z.string()) })) });
    const readers = objects.filter(
      (one) =>
        one.kind.endsWith('Role') &&
        Rules.parse(one).rules.some(({ resources }) => resources.includes('secrets')),
    );
    expect(readers.map(identity).toSorted()).toEqual([
      'Role models/truss-secrets',
      'Role org-secrets/truss-secrets',
    ]);
  });
});
