import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeCredentials, writeKubeletClient } from './credentials.ts';
import { freePorts } from './ports.ts';
import { run } from './process.ts';

const HOST = '127.0.0.1';

export type ControlPlaneComponent = 'etcd' | 'kube-apiserver' | 'kube-controller-manager' | 'kube-scheduler';

export interface Programs {
  readonly etcd: string;
  readonly apiserver: string;
  /** Absent from the binaries that envtest downloads. */
  readonly controllerManager?: string;
}

/** What a node needs beside {@link Programs}. */
export interface NodePrograms {
  readonly scheduler: string;
  readonly kubelet: string;
  /** Folder of the unpacked Debian packages that have containerd and what it uses. */
  readonly packages: string;
}

export interface ControlPlaneOptions {
  readonly apiserverArgs?: readonly string[];
  /** For example `--controllers=*,-deployment,-replicaset`. */
  readonly controllerManagerArgs?: readonly string[];
  /** Writes `audit.log` (one JSON event a line, level Metadata) into the folder. */
  readonly audit?: boolean;
  /** Prepares for a node: with a scheduler, and an API server that can reach a kubelet. */
  readonly node?: NodePrograms;
}

type CommandLine = readonly [program: string, ...args: string[]];

export interface CommandLines {
  /** In the order of their start. */
  readonly lines: ReadonlyMap<ControlPlaneComponent, CommandLine>;
  readonly server: string;
  readonly etcdUrl: string;
  /** Written by the API server when it starts. */
  readonly caFile: string;
  readonly token: string;
}

/**
 * How to start each component with its files in `folder` and etcd's data in `data`. Users come with static tokens and
 * the API server makes its own certificate, so that none has to be made here.
 */
export async function commandLines(
  programs: Programs,
  options: ControlPlaneOptions,
  folder: string,
  data: string,
): Promise<CommandLines> {
  const [api, client, peer] = await freePorts(3, HOST);
  const [server, etcdUrl, peerUrl] = [
    `https://${HOST}:${api}`,
    `http://${HOST}:${client}`,
    `http://${HOST}:${peer}`,
  ];
  const file = (name: string) => join(folder, name);
  const caFile = file('pki/apiserver.crt');
  await mkdir(file('pki'));
  const token = await writeCredentials(folder, server, caFile);
  const { node } = options;
  if (node !== undefined) await writeKubeletClient(folder, node.packages);
  await writeFile(file('audit.json'), AUDIT_POLICY);

  const lines = new Map<ControlPlaneComponent, CommandLine>();
  lines.set('etcd', [
    programs.etcd,
    '--name=test',
    `--data-dir=${data}`,
    '--unsafe-no-fsync',
    '--log-level=warn',
    `--listen-client-urls=${etcdUrl}`,
    `--advertise-client-urls=${etcdUrl}`,
    `--listen-peer-urls=${peerUrl}`,
    `--initial-advertise-peer-urls=${peerUrl}`,
    `--initial-cluster=test=${peerUrl}`,
  ]);
  lines.set('kube-apiserver', [
    programs.apiserver,
    `--etcd-servers=${etcdUrl}`,
    `--bind-address=${HOST}`,
    `--advertise-address=${HOST}`,
    `--secure-port=${api}`,
    `--cert-dir=${file('pki')}`,
    `--token-auth-file=${file('tokens.csv')}`,
    '--authorization-mode=Node,RBAC',
    '--endpoint-reconciler-type=none',
    '--allow-privileged=true',
    '--service-cluster-ip-range=10.96.0.0/16',
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${file('sa.pub')}`,
    `--service-account-signing-key-file=${file('sa.key')}`,
    ...(options.audit === true
      ? [`--audit-policy-file=${file('audit.json')}`, `--audit-log-path=${file('audit.log')}`]
      : []),
    ...(node === undefined
      ? []
      : [
          `--kubelet-client-certificate=${file('kubelet-client.crt')}`,
          `--kubelet-client-key=${file('kubelet-client.key')}`,
          '--kubelet-preferred-address-types=Hostname',
        ]),
    ...(options.apiserverArgs ?? []),
  ]);
  const { controllerManager } = programs;
  if (controllerManager !== undefined) {
    lines.set('kube-controller-manager', [
      controllerManager,
      `--kubeconfig=${file('controller-manager.kubeconfig')}`,
      `--service-account-private-key-file=${file('sa.key')}`,
      `--root-ca-file=${caFile}`,
      '--use-service-account-credentials=true',
      '--leader-elect=false',
      '--kube-api-qps=200',
      '--kube-api-burst=400',
      ...(await withoutServing(controllerManager)),
      ...(options.controllerManagerArgs ?? []),
    ]);
  }
  if (node !== undefined) {
    lines.set('kube-scheduler', [
      node.scheduler,
      `--kubeconfig=${file('scheduler.kubeconfig')}`,
      '--leader-elect=false',
      ...(await withoutServing(node.scheduler)),
    ]);
  }
  return { lines, server, etcdUrl, caFile, token };
}

const AUDIT_POLICY = JSON.stringify({
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  rules: [{ level: 'Metadata' }],
});

/** Up to 1.23 there is an insecure port too; later ones refuse its flag. */
async function withoutServing(program: string): Promise<readonly string[]> {
  const minor = Number(/v1\.(\d+)/.exec(await run(program, ['--version']))?.[1]);
  return minor <= 23 ? ['--secure-port=0', '--port=0'] : ['--secure-port=0'];
}
