import { existsSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Access, apiOf } from '../api.ts';
import type { NodePrograms } from '../command-lines.ts';
import type { ControlPlane } from '../control-plane.ts';
import { programEnvironment } from '../debian.ts';
import { eventually } from '../eventually.ts';
import { removeCgroup, temporaryFolder } from '../guard.ts';
import { freePorts } from '../ports.ts';
import { type GuardedProcess, run, startProcess } from '../process.ts';
import { makeCgroup } from './cgroup.ts';
import { CNI_CONFIGURATION, containerdConfiguration, kubeletConfiguration } from './configuration.ts';
import { nodeImages } from './images.ts';

const HOST = '127.0.0.1';
const READY_WITHIN_MS = 120_000;
const LAST_LINES = 15;
const NAMESPACES = ['--mount', '--pid', '--net', '--uts', '--fork', '--mount-proc', '--kill-child'] as const;

export interface TestNode {
  /** A command that takes the path of an OCI or Docker archive, and makes its images known to the node. */
  readonly importImages: readonly [program: string, ...args: string[]];
  readonly stop: () => Promise<void>;
}

class NodeFailed extends Error {
  override readonly name = 'NodeFailed';
}

/** Why this machine can't have a node, undefined when it can: namespaces and control groups take root. */
export async function nodeObstacle(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return 'a node needs root';
  try {
    await run('unshare', [...NAMESPACES, 'true']);
    return undefined;
  } catch (error) {
    return `this root may not make namespaces: ${String(error)}`;
  }
}

/**
 * Starts containerd and kubelet for a control plane that was prepared for it, in mount, pid, network and uts namespaces
 * of their own, and waits until the node is Ready. Needs root.
 */
export async function startNode(plane: ControlPlane, programs: NodePrograms): Promise<TestNode> {
  const folder = await temporaryFolder(join(plane.folder, 'node-'));
  const cgroup = `truss-${basename(folder.path)}`;
  const cgroups = await makeCgroup(cgroup);
  const processes: GuardedProcess[] = [];
  const file = (name: string) => join(folder.path, name);
  const program = (path: string) => join(programs.packages, path);
  const env = programEnvironment(programs.packages);

  /** Starts a server, and waits until `check` does not throw. */
  const begin = async (
    name: string,
    line: readonly string[],
    check: () => unknown,
  ): Promise<GuardedProcess> => {
    const [command = '', ...args] = line;
    const log = file(`${name}.log`);
    const started = await startProcess(command, args, { log, env });
    processes.push(started);
    await eventually(check, { within: READY_WITHIN_MS }).catch((error: unknown) => {
      throw new NodeFailed(`${name} does not work. ${String(error)}\n${tail(log)}`, { cause: error });
    });
    return started;
  };
  const stop = async (): Promise<void> => {
    await Promise.all(processes.map((one) => one.kill()));
    await Promise.all(cgroups.map(removeCgroup));
    await folder[Symbol.asyncDispose]();
  };

  try {
    const [kubeletPort = 0] = await freePorts(1, HOST);
    for (const name of ['cni.d', 'containerd']) await mkdir(file(name));
    await writeFile(file('resolv.conf'), '');
    await writeFile(file('cni.d/10-test.conflist'), CNI_CONFIGURATION);
    await writeFile(
      file('kubelet.json'),
      kubeletConfiguration({
        port: kubeletPort,
        clientCaFile: join(plane.folder, 'kubelet-client.crt'),
        cgroup,
        resolvConf: file('resolv.conf'),
      }),
    );
    await writeFile(
      file('containerd.toml'),
      containerdConfiguration({
        root: file('containerd'),
        cniPlugins: program('usr/lib/cni'),
        cniConfiguration: file('cni.d'),
        runc: program('usr/sbin/runc'),
      }),
    );

    const init = ['sh', join(import.meta.dirname, 'init.sh'), folder.path, program('bin/busybox')];
    const isThere = (path: string) => () => {
      if (!existsSync(path)) throw new Error(`${path} is not there`);
    };
    const outer = await begin('init', ['unshare', ...NAMESPACES, ...init], isThere(file('ready')));
    const inside = [
      'nsenter',
      `--target=${childOf(outer.pid)}`,
      '--mount',
      '--pid',
      '--net',
      '--uts',
    ] as const;

    // The node's network is its own: the API server and the kubelet meet through sockets that have a path.
    const api = `tcp:${new URL(plane.access.server).host}`;
    const kubelet = `tcp:${HOST}:${kubeletPort}`;
    const [apiSocket, kubeletSocket] = [`unix:${file('api.sock')}`, `unix:${file('kubelet.sock')}`];
    const forward = [process.execPath, fileURLToPath(new URL('forward.ts', import.meta.url))];
    const outward = [`${apiSocket}=${api}`, `${kubelet}=${kubeletSocket}`];
    const inward = [`${api}=${apiSocket}`, `tcp:10.96.0.1:443=${apiSocket}`, `${kubeletSocket}=${kubelet}`];
    await begin('forward-outside', [...forward, ...outward], isThere(file('api.sock')));
    await begin('forward-inside', [...inside, ...forward, ...inward], isThere(file('kubelet.sock')));

    const ctr = [...inside.slice(1), program('usr/bin/ctr')];
    await begin(
      'containerd',
      [...inside, program('usr/bin/containerd'), '--config', file('containerd.toml')],
      () => run('nsenter', [...ctr, 'version']),
    );
    const importImages = [...ctr, '--namespace', 'k8s.io', 'images', 'import'];
    for (const archive of await nodeImages(programs.packages))
      await run('nsenter', [...importImages, archive]);

    await begin(
      'kubelet',
      [
        ...inside,
        programs.kubelet,
        `--config=${file('kubelet.json')}`,
        `--kubeconfig=${join(plane.folder, 'kubelet.kubeconfig')}`,
        `--root-dir=${file('kubelet')}`,
        `--cert-dir=${file('kubelet-pki')}`,
        // the API server reaches the kubelet by this name
        `--hostname-override=${HOST}`,
        '--container-runtime=remote',
        '--container-runtime-endpoint=unix:///run/containerd/containerd.sock',
      ],
      () => nodeIsReady(plane.access),
    );
    return { importImages: ['nsenter', ...importImages], stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function nodeIsReady(access: Access): Promise<void> {
  interface Node {
    readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
  }
  const { status } = await apiOf(access).get<Node>(`/api/v1/nodes/${HOST}`);
  const ready = status.conditions?.some((one) => one.type === 'Ready' && one.status === 'True');
  if (ready !== true) throw new Error(`the node is not Ready: ${JSON.stringify(status.conditions)}`);
}

/** unshare(1) forks process 1 of the new pid namespace. */
function childOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim());
}

function tail(path: string): string {
  return readFileSync(path, 'utf8').trimEnd().split('\n').slice(-LAST_LINES).join('\n');
}
