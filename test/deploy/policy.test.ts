import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';

const DEPLOY = new URL('../../deploy/', import.meta.url);
const read = (file: string): string => readFileSync(new URL(file, DEPLOY), 'utf8');

const documents = ['policy/secrets.yaml', 'policy/workloads.yaml'].flatMap((file) =>
  parseAllDocuments(read(file)).map((document) => document.toJSON()),
);
const policies = documents.filter(({ kind }) => kind === 'ValidatingAdmissionPolicy');

describe("the policies that bind the operator's own ServiceAccount", () => {
  const { metadata } = parse(read('base/service-account.yaml'));

  it.each(policies.map((policy) => [policy.metadata.name, policy]))(
    '%s is about that ServiceAccount',
    (_, policy) => {
      expect(policy.spec.matchConditions).toMatchObject([
        {
          expression: `request.userInfo.username == 'system:serviceaccount:${metadata.namespace}:${metadata.name}'`,
        },
      ]);
    },
  );

  it.each(policies.map((policy) => [policy.metadata.name, policy]))(
    '%s is in force, and fails closed',
    (name, policy) => {
      const bindings = documents.filter(
        ({ kind, spec }) => kind === 'ValidatingAdmissionPolicyBinding' && spec.policyName === name,
      );
      expect(bindings).toMatchObject([{ spec: { validationActions: ['Deny'] } }]);
      expect(policy.spec.failurePolicy).toBe('Fail');
    },
  );

  it('between them they cover everything that the operator may write besides status and events', () => {
    const written = parse(read('rbac/cluster-role.yaml')).rules.flatMap(
      ({ resources, verbs }: { resources: string[]; verbs: string[] }) =>
        verbs.some((verb) => ['create', 'update', 'patch', 'delete'].includes(verb)) ? resources : [],
    );
    const covered = new Set<string>(
      policies.flatMap(({ spec }) =>
        spec.matchConstraints.resourceRules.flatMap(({ resources }: { resources: string[] }) => resources),
      ),
    );
    const others = written.filter((resource: string) => !covered.has(resource));
    expect(others.toSorted()).toEqual(['events', 'modeldeployments/status', 'modeltrusts/status']);
  });
});
