import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Access, type Api, apiOf } from './api.ts';
import { cluster, namespace, removeLater } from './cluster.ts';
import { kubeconfigWith } from './credentials.ts';
import { eventually } from './eventually.ts';
import { RUN_LABEL } from './leftovers.ts';

/** As in a Role; see https://kubernetes.io/docs/reference/access-authn-authz/rbac/. */
export interface PolicyRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly resourceNames?: readonly string[];
}

export interface Rights {
  /** Per namespace. */
  readonly rules?: Readonly<Record<string, readonly PolicyRule[]>>;
  readonly clusterRules?: readonly PolicyRule[];
  /** A ServiceAccount that is there already; otherwise one is made in a namespace of its own. */
  readonly serviceAccount?: { readonly namespace: string; readonly name: string };
}

export interface Identity {
  /** `system:serviceaccount:NAMESPACE:NAME` */
  readonly user: string;
  /** Path of a kubeconfig file. */
  readonly kubeconfig: string;
  readonly access: Access;
  readonly api: Api;
}

const FOUR_HOURS_S = 4 * 3600;
const RBAC = '/apis/rbac.authorization.k8s.io/v1';

/**
 * Somebody who has exactly these rights (and what everybody has): a ServiceAccount with a token, which works on every
 * cluster since 1.20. Removed after the tests of the file.
 */
export async function identityWith({
  rules = {},
  clusterRules = [],
  serviceAccount,
}: Rights): Promise<Identity> {
  const { api } = cluster();
  const account = serviceAccount ?? (await newServiceAccount());
  const path = `/api/v1/namespaces/${account.namespace}/serviceaccounts/${account.name}`;
  const subject = { kind: 'ServiceAccount', namespace: account.namespace, name: account.name };
  for (const [inNamespace, some] of Object.entries(rules)) await bind(subject, some, inNamespace);
  if (clusterRules.length > 0) await bind(subject, clusterRules);

  const { status } = await api.post<{ status: { token: string } }>(`${path}/token`, {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: { expirationSeconds: FOUR_HOURS_S },
  });
  const { server, ca, insecure } = cluster().access;
  const access = {
    server,
    token: status.token,
    ...(ca === undefined ? {} : { ca }),
    ...(insecure === undefined ? {} : { insecure }),
  };
  return {
    user: `system:serviceaccount:${account.namespace}:${account.name}`,
    kubeconfig: await writeKubeconfig(access),
    access,
    api: apiOf(access),
  };
}

async function newServiceAccount(): Promise<{ readonly namespace: string; readonly name: string }> {
  const account = { namespace: await namespace(), name: 'tester' };
  await cluster().api.post(`/api/v1/namespaces/${account.namespace}/serviceaccounts`, {
    metadata: { name: account.name },
  });
  return account;
}

interface Subject {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

async function bind(subject: Subject, rules: readonly PolicyRule[], inNamespace?: string): Promise<void> {
  const { api, run } = cluster();
  const name = `truss-test-${randomBytes(4).toString('hex')}`;
  const metadata = { name, labels: { [RUN_LABEL]: run } };
  const [scope, kind] =
    inNamespace === undefined ? ['', 'ClusterRole'] : [`/namespaces/${inNamespace}`, 'Role'];
  const collection = (suffix: string) => `${RBAC}${scope}/${kind.toLowerCase()}${suffix}`;
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind, name };
  await api.post(collection('s'), { metadata, rules });
  await api.post(collection('bindings'), { metadata, roleRef, subjects: [subject] });
  if (inNamespace === undefined) {
    removeLater(`${collection('s')}/${name}`);
    removeLater(`${collection('bindings')}/${name}`);
  }
  await untilAllowed(subject, rules, inNamespace);
}

/** The API server's authorizer follows roles with a watch of its own: a moment later than the write. */
async function untilAllowed(
  subject: Subject,
  rules: readonly PolicyRule[],
  inNamespace?: string,
): Promise<void> {
  const [rule] = rules;
  if (rule === undefined) return;
  const [resource = '', subresource] = rule.resources[0]?.split('/') ?? [];
  const review = {
    spec: {
      user: `system:serviceaccount:${subject.namespace}:${subject.name}`,
      resourceAttributes: {
        group: rule.apiGroups[0],
        resource,
        subresource,
        verb: rule.verbs[0],
        namespace: inNamespace,
        name: rule.resourceNames?.[0],
      },
    },
  };
  await eventually(async () => {
    const { status } = await cluster().api.post<{ status: { allowed: boolean } }>(
      '/apis/authorization.k8s.io/v1/subjectaccessreviews',
      review,
    );
    if (!status.allowed) throw new Error(`${review.spec.user} may not yet do what was bound`);
  });
}

let files: string | undefined;

/** A kubeconfig file that gives this access; removed after the tests of the file. */
export async function writeKubeconfig({ server, ca, token = '', insecure }: Access): Promise<string> {
  files ??= await mkdtemp(join(tmpdir(), 'truss-test-'));
  const path = join(files, randomBytes(4).toString('hex'));
  const trust = ca === undefined ? {} : { 'certificate-authority-data': Buffer.from(ca).toString('base64') };
  const skip = insecure === true ? { 'insecure-skip-tls-verify': true } : {};
  await writeFile(path, kubeconfigWith({ server, ...trust, ...skip }, token), { mode: 0o600 });
  return path;
}

/** Called by vitest-setup.ts after each test file. */
export async function removeIdentityFiles(): Promise<void> {
  if (files !== undefined) await rm(files, { recursive: true, force: true });
  files = undefined;
}
