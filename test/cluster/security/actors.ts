import { readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { type Identity, identityWith, type PolicyRule } from '../identity.ts';

const USER_ROLES = new URL('../../../deploy/rbac/user-roles.yaml', import.meta.url);

const Roles = z.array(
  z.object({
    metadata: z.object({ name: z.string(), labels: z.record(z.string(), z.string()).optional() }),
    rules: z.array(
      z.object({
        apiGroups: z.array(z.string()),
        resources: z.array(z.string()),
        verbs: z.array(z.string()),
      }),
    ),
  }),
);

/** The ClusterRoles for people that the manifests have. */
export const userRoles = () =>
  Roles.parse(parseAllDocuments(readFileSync(USER_ROLES, 'utf8')).map((document) => document.toJSON()));

const rulesOf = (name: string): readonly PolicyRule[] => {
  const role = userRoles().find(({ metadata }) => metadata.name === name);
  if (!role) throw new Error(`deploy/rbac has no ClusterRole ${name}`);
  return role.rules;
};

/** What an attacker has: everything in a namespace that a model's owner needs, and no right on Secrets. */
const TENANT: readonly PolicyRule[] = [
  {
    apiGroups: [''],
    resources: ['configmaps'],
    verbs: ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'],
  },
  { apiGroups: [''], resources: ['events'], verbs: ['get', 'list', 'watch'] },
  {
    apiGroups: ['apps'],
    resources: ['deployments', 'statefulsets', 'daemonsets'],
    verbs: ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'],
  },
];

/** May write models, ConfigMaps and workloads in the namespace, and read status and events. */
export const editorIn = async (namespace: string): Promise<Identity> =>
  await identityWith({ rules: { [namespace]: [...rulesOf('truss-secrets-editor'), ...TENANT] } });

export const viewerIn = async (namespace: string): Promise<Identity> =>
  await identityWith({ rules: { [namespace]: rulesOf('truss-secrets-viewer') } });

/** The second person. */
export const trusterIn = async (namespace: string): Promise<Identity> =>
  await identityWith({ rules: { [namespace]: rulesOf('truss-secrets-truster') } });
