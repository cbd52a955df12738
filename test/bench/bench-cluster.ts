import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { type Access, apiOf } from '../cluster/api.ts';
import type { Programs } from '../cluster/command-lines.ts';
import { type ControlPlane, startControlPlane } from '../cluster/control-plane.ts';
import { installCrds } from '../cluster/crds.ts';
import { eventually } from '../cluster/eventually.ts';
import { parseRequestCounts, type RequestCounts } from '../cluster/requests.ts';
import { loadStores } from './fixture.ts';
import { type BarePool, barePool } from './pool.ts';
import { cpuMs, pidOf } from './processes.ts';

const ROLES = join(import.meta.dirname, '../../deploy/rbac/cluster-role.yaml');
const NAMESPACE = 'truss-secrets';
const RBAC = '/apis/rbac.authorization.k8s.io/v1';
const ONE_DAY_S = 86_400;
/** Nothing happens for so long, and the cluster counts as quiet. */
const QUIET_MS = 500;
const QUIET_SHARE = 0.15;

/** An API server of its own with the stores of the fixture, and who the operator is on it. */
export interface BenchCluster extends AsyncDisposable {
  readonly folder: string;
  /** As cluster-admin. */
  readonly pool: BarePool;
  /** Of a ServiceAccount with the operator's rights and no others. */
  readonly operator: Access;
  /** Of a ServiceAccount that may PUT where the operator may only PATCH. */
  readonly bare: Access;
  /** CPU time that API server and etcd have used so far, in milliseconds. */
  serverCpuMs(): number;
  /** Waits until the controllers have digested what was loaded. */
  quiet(): Promise<void>;
  requests(): Promise<RequestCounts>;
}

export async function startBenchCluster(programs: Programs): Promise<BenchCluster> {
  const plane = await startControlPlane(programs, {
    // they would take a core for themselves
    controllerManagerArgs: ['--controllers=*,-deployment,-replicaset'],
  });
  const api = apiOf(plane.access);
  const pool = barePool(plane.access);
  await installCrds(api, 'bench');
  const rights = parseAllDocuments(readFileSync(ROLES, 'utf8')).flatMap((role) => role.toJS().rules);
  await api.post('/api/v1/namespaces', { metadata: { name: NAMESPACE } });
  const operator = await account(plane, 'operator', [...rights, LEASE]);
  const bare = await account(plane, 'bare', [...rights, ...PUTS]);
  await loadStores(pool);
  const servers = [pidOf('kube-apiserver', plane.folder), etcdOf(plane)];
  const serverCpuMs = (): number => servers.reduce((sum, pid) => sum + cpuMs(pid), 0);
  return {
    folder: plane.folder,
    pool,
    operator,
    bare,
    serverCpuMs,
    quiet: async () => {
      await eventually(
        async () => {
          const before = serverCpuMs();
          await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
          const share = (serverCpuMs() - before) / QUIET_MS;
          if (share > QUIET_SHARE) throw new Error(`the API server is busy (${share.toFixed(2)} cores)`);
        },
        { within: 120_000 },
      );
    },
    requests: async () => parseRequestCounts((await pool.send('GET', '/metrics')).toString()),
    [Symbol.asyncDispose]: async () => {
      await pool.close();
      await plane.stop();
    },
  };
}

/** etcd's command line names its data folder only; the API server's names etcd's address. */
function etcdOf({ folder }: ControlPlane): number {
  const apiserver = readFileSync(`/proc/${pidOf('kube-apiserver', folder)}/cmdline`, 'utf8');
  const url = /--etcd-servers=([^\0]+)/.exec(apiserver)?.[1] ?? '';
  return pidOf('etcd', `--listen-client-urls=${url}`);
}

/** The one right that the manifests give in the operator's own namespace. */
const LEASE = {
  apiGroups: ['coordination.k8s.io'],
  resources: ['leases'],
  verbs: ['get', 'list', 'watch', 'create', 'update', 'patch'],
};

const PUTS = [
  {
    apiGroups: ['apps', 'truss-secrets.dev'],
    resources: ['deployments', 'modeldeployments/status'],
    verbs: ['update'],
  },
];

async function account({ access }: ControlPlane, name: string, rules: readonly object[]): Promise<Access> {
  const api = apiOf(access);
  const accounts = `/api/v1/namespaces/${NAMESPACE}/serviceaccounts`;
  await api.post(accounts, { metadata: { name } });
  await api.post(`${RBAC}/clusterroles`, { metadata: { name }, rules });
  await api.post(`${RBAC}/clusterrolebindings`, {
    metadata: { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
    subjects: [{ kind: 'ServiceAccount', namespace: NAMESPACE, name }],
  });
  const { status } = await api.post<{ status: { token: string } }>(`${accounts}/${name}/token`, {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: { expirationSeconds: ONE_DAY_S },
  });
  return { ...access, token: status.token };
}
