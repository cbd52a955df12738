import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Access, apiOf } from './api.ts';
import {
  type CommandLines,
  type ControlPlaneComponent,
  type ControlPlaneOptions,
  type Programs,
  commandLines,
} from './command-lines.ts';
import { kubeconfigWith } from './credentials.ts';
import { eventually } from './eventually.ts';
import { temporaryFolder } from './guard.ts';
import { type GuardedProcess, startProcess, statOf } from './process.ts';

const READY_WITHIN_MS = 120_000;
const LAST_LINES = 15;

export interface ControlPlane extends AsyncDisposable {
  /** Of a cluster-admin. */
  readonly access: Access;
  /** Holds the kubeconfig, the logs and `audit.log`; removed when the cluster is stopped. */
  readonly folder: string;
  /** Path of a file that gives {@link access}. */
  readonly kubeconfig: string;
  /** Signals one component alone. Resolves when it is gone after `SIGKILL`, and when it stands still after `SIGSTOP`. */
  readonly signal: (component: ControlPlaneComponent, signal: NodeJS.Signals) => Promise<void>;
  /** Starts a component that was killed, on the same port and data; resolves when it works. */
  readonly start: (component: ControlPlaneComponent) => Promise<void>;
  /** Compacts etcd's history: a watch from an older resourceVersion gets 410 Gone from etcd. */
  readonly compact: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

class ControlPlaneFailed extends Error {
  override readonly name = 'ControlPlaneFailed';
}

/**
 * Starts etcd, kube-apiserver and, where there is one, kube-controller-manager on loopback, with RBAC on. None of
 * them outlives this process. Works with Kubernetes 1.20 and current ones.
 */
export async function startControlPlane(
  programs: Programs,
  options: ControlPlaneOptions = {},
): Promise<ControlPlane> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOnce(programs, options);
    } catch (error) {
      // between asking for a free port and binding it, somebody else took it
      if (attempt === 3 || !String(error).includes('address already in use')) throw error;
    }
  }
}

async function startOnce(programs: Programs, options: ControlPlaneOptions): Promise<ControlPlane> {
  const files = await temporaryFolder(join(tmpdir(), 'truss-secrets-cluster-'));
  const folder = files.path;
  const memory = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
  const data = await temporaryFolder(join(memory, 'truss-secrets-etcd-'));
  const processes = new Map<ControlPlaneComponent, GuardedProcess>();
  const logOf = (component: ControlPlaneComponent) => join(folder, `${component}.log`);
  const stop = async (): Promise<void> => {
    await Promise.all([...processes.values()].map((one) => one.kill()));
    for (const used of [data, files]) await used[Symbol.asyncDispose]();
  };

  const begin = async (lines: CommandLines, component: ControlPlaneComponent): Promise<void> => {
    const command = lines.lines.get(component);
    if (command === undefined) throw new ControlPlaneFailed(`This cluster has no ${component}.`);
    const log = logOf(component);
    const started = await startProcess(command[0], command.slice(1), { log });
    processes.set(component, started);
    await eventually(
      async () => {
        if (!started.running()) return;
        await works[component](lines);
      },
      { within: READY_WITHIN_MS },
    );
    if (!started.running()) throw new ControlPlaneFailed(`${component} ended:\n${tail(log)}`);
  };

  try {
    const lines = await commandLines(programs, options, folder, data.path);
    for (const component of lines.lines.keys()) await begin(lines, component);
    const kubeconfig = join(folder, 'kubeconfig');
    const cluster = {
      server: lines.server,
      'certificate-authority-data': readFileSync(lines.caFile, 'base64'),
    };
    await writeFile(kubeconfig, kubeconfigWith(cluster, lines.token), { mode: 0o600 });
    return {
      access: accessTo(lines),
      folder,
      kubeconfig,
      signal: async (component, signal) => {
        const one = processes.get(component);
        if (one === undefined) throw new ControlPlaneFailed(`This cluster has no ${component}.`);
        one.signal(signal);
        if (signal === 'SIGKILL') await one.exited;
        if (signal === 'SIGSTOP') await eventually(() => standsStill(one.pid));
      },
      start: (component) => begin(lines, component),
      compact: () => compact(lines.etcdUrl),
      stop,
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Throws until the component does its work. */
const works: Readonly<Record<ControlPlaneComponent, (lines: CommandLines) => Promise<void>>> = {
  etcd: async ({ etcdUrl }) => {
    await apiOf({ server: etcdUrl }).text('/health');
  },
  'kube-apiserver': async (lines) => {
    await apiOf(accessTo(lines)).text('/readyz');
  },
  'kube-controller-manager': async (lines) => {
    await apiOf(accessTo(lines)).get('/api/v1/namespaces/default/serviceaccounts/default');
  },
  'kube-scheduler': async () => {}, // it shows nothing before there is a pod
};

function accessTo({ server, caFile, token }: CommandLines): Access {
  return { server, ca: readFileSync(caFile, 'utf8'), token };
}

/** The kernel stops the threads of a process one by one. */
function standsStill(pid: number): void {
  const states = readdirSync(`/proc/${pid}/task`).map((thread) => statOf(pid, Number(thread))?.state);
  if (states.some((state) => state !== 'T'))
    throw new Error(`threads of ${pid} are in states ${states.join()}`);
}

/** Through etcd's JSON gateway; see etcd.io/docs/v3.4/dev-guide/api_grpc_gateway. */
async function compact(etcdUrl: string): Promise<void> {
  const etcd = apiOf({ server: etcdUrl });
  const anyKey = { key: 'AA==' };
  const { header } = await etcd.post<{ header: { revision: string } }>('/v3/kv/range', anyKey);
  await etcd.post('/v3/kv/compaction', { revision: header.revision, physical: true });
}

function tail(path: string): string {
  return readFileSync(path, 'utf8').trimEnd().split('\n').slice(-LAST_LINES).join('\n');
}
