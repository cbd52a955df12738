import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { transform } from 'esbuild';
import type { Access } from '../cluster/api.ts';
import { kubeconfigWith } from '../cluster/credentials.ts';
import { freePorts } from '../cluster/ports.ts';
import type { Bundle } from './bundle.ts';
import type { ProbeAnswer, ProbeQuestion } from './probe.ts';

const HOST = '127.0.0.1';
const PROBE = join(import.meta.dirname, 'probe.ts');
/** Where Kubernetes mounts a pod's ServiceAccount. */
const MOUNTED = '/var/run/secrets/kubernetes.io/serviceaccount';

export interface OperatorProcess {
  readonly pid: number;
  /** When it was started, on the clock of `performance.now()`. */
  readonly startedAt: number;
  running(): boolean;
  /** Resolves when a line of its output has the words; rejects when it ends before. */
  said(words: string): Promise<void>;
  output(): string;
  ask(question: ProbeQuestion): Promise<ProbeAnswer>;
  /** Its own metrics: each name with the sum over its labels. */
  metrics(): Promise<ReadonlyMap<string, number>>;
  stop(): Promise<void>;
}

/**
 * Starts the bundle as in a pod: in-cluster credentials in the place where Kubernetes mounts them, which needs a mount
 * namespace of its own. Where that can't be had it gets a kubeconfig, which costs it some memory and start-up time.
 */
export async function startOperator(
  { main, flags, env }: Bundle,
  access: Access,
  folder: string,
  { probe = true }: { readonly probe?: boolean } = {},
): Promise<OperatorProcess> {
  const place = canMount() ? await inPod(access, folder) : await withKubeconfig(access, folder);
  const line = [
    process.execPath,
    ...flags,
    ...(probe ? ['--import', await probeIn(folder)] : []),
    main,
    'controller',
    ...place.args,
  ];
  const [command = '', ...args] = [...place.before, ...line];
  const [metrics, probes] = await freePorts(2, HOST);
  const startedAt = performance.now();
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: {
      ...env,
      PATH: process.env['PATH'],
      TRUSS_SECRETS_METRICS_BIND_ADDRESS: `${HOST}:${metrics}`,
      TRUSS_SECRETS_HEALTH_PROBE_BIND_ADDRESS: `${HOST}:${probes}`,
      ...place.env,
    },
  });
  const ended = once(child, 'exit');
  let output = '';
  const listeners = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      for (const listener of listeners) listener();
    });
  }
  child.on('exit', () => {
    for (const listener of listeners) listener();
  });
  return {
    pid: child.pid ?? 0,
    startedAt,
    running: () => child.exitCode === null,
    output: () => output,
    said: async (words) => {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const look = (): void => {
        if (output.includes(words)) resolve();
        else if (child.exitCode !== null) reject(new Error(`the operator ended: ${output}`));
      };
      listeners.add(look);
      look();
      await promise.finally(() => listeners.delete(look));
    },
    ask: async (question) => {
      const answered = once(child, 'message');
      child.send(question);
      const [answer] = await answered;
      return answer;
    },
    metrics: async () => sums(await (await fetch(`http://${HOST}:${metrics}/metrics`)).text()),
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** As JavaScript: that Node strips the types itself would cost the operator's process 17 MiB. */
async function probeIn(folder: string): Promise<string> {
  const path = join(folder, 'probe.mjs');
  const { code } = await transform(await readFile(PROBE, 'utf8'), { loader: 'ts', target: 'node24' });
  await writeFile(path, code);
  return pathToFileURL(path).href;
}

function sums(exposition: string): ReadonlyMap<string, number> {
  const totals = new Map<string, number>();
  for (const line of exposition.split('\n')) {
    const [, name, value] = /^([a-z_]+)(?:\{.*\})? (\S+)$/.exec(line) ?? [];
    if (name !== undefined) totals.set(name, (totals.get(name) ?? 0) + Number(value));
  }
  return totals;
}

interface Place {
  /** Comes before the command line of Node. */
  readonly before: readonly string[];
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

const MOUNT = `mount -t tmpfs tmpfs /var/run && mkdir -p ${MOUNTED} && cp "$0"/* ${MOUNTED} && exec "$@"`;

const canMount = (): boolean => spawnSync('unshare', ['--mount', 'true']).status === 0;

async function inPod({ server, ca, token }: Access, folder: string): Promise<Place> {
  const account = join(folder, 'serviceaccount');
  await mkdir(account, { recursive: true });
  for (const [name, text] of Object.entries({ token, 'ca.crt': ca, namespace: 'truss-secrets' })) {
    await writeFile(join(account, name), text ?? '', { mode: 0o600 });
  }
  const { hostname, port } = new URL(server);
  return {
    before: ['unshare', '--mount', 'sh', '-c', MOUNT, account],
    args: [],
    env: { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port },
  };
}

async function withKubeconfig({ server, ca = '', token = '' }: Access, folder: string): Promise<Place> {
  const path = join(folder, 'operator.kubeconfig');
  const trust = { 'certificate-authority-data': Buffer.from(ca).toString('base64') };
  await writeFile(path, kubeconfigWith({ server, ...trust }, token), { mode: 0o600 });
  return { before: [], args: ['--kubeconfig', path], env: {} };
}
