import { readFileSync } from 'node:fs';
import type { WorkloadKind } from '../../src/api/model-deployment.ts';
import { cluster } from '../cluster/cluster.ts';
import { makeWorkload, type WorkloadOptions } from '../cluster/delivery/workloads.ts';
import { eventually } from '../cluster/eventually.ts';
import { type ExecResult, exec } from '../cluster/exec.ts';
import type { World } from '../cluster/world.ts';

export interface Pod {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly deletionTimestamp?: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: { readonly volumes?: readonly { readonly name: string }[] };
  readonly status: {
    readonly phase: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    readonly containerStatuses?: readonly { readonly restartCount: number }[];
  };
}

/** Truss's own non-root user. */
const USER = 60_000;
const READER = readFileSync(new URL('truss-reader.cjs', import.meta.url), 'utf8');
/** Pods of a busy machine start in seconds; a pod that waited for a Secret is looked at again every now and then. */
export const POD_MS = 150_000;

/** A pod that does nothing, as the user that Truss's images may have. */
export const idlePod = (containers: readonly string[] = ['model']) => ({
  // 0 has the pod of a StatefulSet replaced while its processes still run: commands then reach the one or the other
  terminationGracePeriodSeconds: 1,
  automountServiceAccountToken: false,
  containers: containers.map((name) => ({
    name,
    image: cluster().images.node,
    imagePullPolicy: 'IfNotPresent',
    command: ['node', '-e', 'setInterval(() => {}, 1e6)'],
    securityContext: { runAsUser: USER, allowPrivilegeEscalation: false },
  })),
});

/** A workload with one pod that runs. */
export const runWorkload = (
  world: World,
  kind: WorkloadKind,
  name: string,
  { pod = {}, spec = {}, ...rest }: WorkloadOptions = {},
) =>
  makeWorkload(world, kind, name, {
    ...rest,
    pod: { ...idlePod(), nodeSelector: {}, ...pod },
    spec: { ...(kind === 'Deployment' || kind === 'StatefulSet' ? { replicas: 1 } : {}), ...spec },
  });

/** Pods of a workload that are not on their way out. */
export async function podsOf(world: World, app: string): Promise<readonly Pod[]> {
  const { items } = await cluster().api.get<{ items: Pod[] }>(
    `${world.path('pods')}?labelSelector=app%3D${app}`,
  );
  return items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
}

export const isReady = ({ status }: Pod): boolean =>
  status.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') ?? false;

/** Waits until the workload has exactly one pod, which is ready and satisfies the check. */
export const onePod = (world: World, app: string, check: (pod: Pod) => unknown = () => {}): Promise<Pod> =>
  eventually(
    async () => {
      const [pod, ...more] = await podsOf(world, app);
      if (!pod || more.length > 0) throw new Error(`${app} has ${more.length + (pod ? 1 : 0)} pods`);
      if (!isReady(pod))
        throw new Error(`pod ${pod.metadata.name} is not ready: ${JSON.stringify(pod.status)}`);
      await check(pod);
      return pod;
    },
    { within: POD_MS },
  );

/** Waits for a pod that has the secrets in its spec and has not started. */
export const waitingPod = (world: World, app: string): Promise<Pod> =>
  eventually(
    async () => {
      const pod = (await podsOf(world, app)).find(
        ({ spec, status }) =>
          status.phase === 'Pending' && spec.volumes?.some(({ name }) => name === 'truss-secrets'),
      );
      if (!pod) throw new Error(`no pod of ${app} waits for its secrets`);
      return pod;
    },
    { within: POD_MS },
  );

export const inPod = (
  world: World,
  { metadata }: Pod,
  command: readonly string[],
  container = 'model',
): Promise<ExecResult> =>
  exec(cluster().access, { namespace: world.namespace, pod: metadata.name, container }, command);

async function output(
  world: World,
  pod: Pod,
  command: readonly string[],
  container?: string,
): Promise<string> {
  const { stdout, stderr, exitCode } = await inPod(world, pod, command, container);
  if (exitCode !== 0)
    throw new Error(`${command[0]} in ${pod.metadata.name}: exit code ${exitCode}: ${stderr}`);
  return stdout;
}

export type Resolved = { readonly value: string } | { readonly notFound: true } | { readonly error: string };

/** What Truss would find in the container for each declared name; `declared` has their defaults. */
export const resolvedIn = async (
  world: World,
  pod: Pod,
  declared: Readonly<Record<string, string | null>>,
  container?: string,
): Promise<Readonly<Record<string, Resolved>>> =>
  JSON.parse(await output(world, pod, ['node', '-e', READER, JSON.stringify(declared)], container));

export interface FileInPod {
  /** As `ls` would show it. */
  readonly mode: string;
  readonly bytes: Buffer;
}

const LIST_FILES = `
  const { readdirSync, readFileSync, statSync } = require('node:fs');
  const names = readdirSync('/secrets').filter((name) => !name.startsWith('..'));
  process.stdout.write(JSON.stringify(names.map((name) => {
    const path = '/secrets/' + name;
    return [name, { mode: (statSync(path).mode & 0o777).toString(8), bytes: readFileSync(path).toString('base64') }];
  })));`;

/** All files in /secrets, as the container's own user reads them; undefined when there is no such folder. */
export async function filesIn(
  world: World,
  pod: Pod,
  container?: string,
): Promise<Readonly<Record<string, FileInPod>> | undefined> {
  const { exitCode } = await inPod(
    world,
    pod,
    ['node', '-e', 'require("node:fs").readdirSync("/secrets")'],
    container,
  );
  if (exitCode !== 0) return undefined;
  const entries: [string, { mode: string; bytes: string }][] = JSON.parse(
    await output(world, pod, ['node', '-e', LIST_FILES], container),
  );
  return Object.fromEntries(
    entries.map(([name, { mode, bytes }]) => [name, { mode, bytes: Buffer.from(bytes, 'base64') }]),
  );
}

/** The text of one file; undefined when it is not there. */
export const textIn = async (world: World, pod: Pod, name: string): Promise<string | undefined> =>
  (await filesIn(world, pod))?.[name]?.bytes.toString();

/** Environment variables of the container's main process. */
export async function envIn(
  world: World,
  pod: Pod,
  container?: string,
): Promise<Readonly<Record<string, string>>> {
  const script = `process.stdout.write(require('node:fs').readFileSync('/proc/1/environ', 'latin1'))`;
  const text = await output(world, pod, ['node', '-e', script], container);
  return Object.fromEntries(
    text
      .split('\0')
      .filter((entry) => entry !== '')
      .map((entry) => {
        const at = entry.indexOf('=');
        return [entry.slice(0, at), entry.slice(at + 1)];
      }),
  );
}
