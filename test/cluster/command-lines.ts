import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePorts } from './ports.ts';
import { run } from './process.ts';

const HOST = '127.0.0.1';

export type ControlPlaneComponent = 'etcd' | 'kube-apiserver' | 'kube-controller-manager';

export interface Programs {
  readonly etcd: string;
  readonly apiserver: string;
  /** Absent from the binaries that envtest downloads. */
  readonly controllerManager?: string;
}

export interface ControlPlaneOptions {
  readonly apiserverArgs?: readonly string[];
  /** For example `--controllers=*,-deployment,-replicaset`. */
  readonly controllerManagerArgs?: readonly string[];
  /** Writes `audit.log` (one JSON event a line, level Metadata) into the folder. */
  readonly audit?: boolean;
}

type CommandLine = readonly [program: string, ...args: string[]];

export interface CommandLines {
  readonly etcd: CommandLine;
  readonly apiserver: CommandLine;
  readonly controllerManager: CommandLine | undefined;
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
  const caFile = join(folder, 'pki', 'apiserver.crt');
  const [token, controllerToken] = [randomBytes(16).toString('hex'), randomBytes(16).toString('hex')];
  const file = await writeFiles(folder, {
    'tokens.csv': [
      `${token},truss-test-admin,admin,system:masters`,
      `${controllerToken},system:kube-controller-manager,controllers`,
    ].join('\n'),
    'controller-manager.kubeconfig': kubeconfigWith(
      { server, 'certificate-authority': caFile },
      controllerToken,
    ),
    'audit.json': JSON.stringify({
      apiVersion: 'audit.k8s.io/v1',
      kind: 'Policy',
      rules: [{ level: 'Metadata' }],
    }),
    ...serviceAccountKeys(),
  });
  const { controllerManager } = programs;
  return {
    server,
    etcdUrl,
    caFile,
    token,
    etcd: [
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
    ],
    apiserver: [
      programs.apiserver,
      `--etcd-servers=${etcdUrl}`,
      `--bind-address=${HOST}`,
      `--advertise-address=${HOST}`,
      `--secure-port=${api}`,
      `--cert-dir=${join(folder, 'pki')}`,
      `--token-auth-file=${file('tokens.csv')}`,
      '--authorization-mode=Node,RBAC',
      '--endpoint-reconciler-type=none',
      '--allow-privileged=true',
      '--service-cluster-ip-range=10.96.0.0/16',
      '--service-account-issuer=https://kubernetes.default.svc',
      `--service-account-key-file=${file('sa.pub')}`,
      `--service-account-signing-key-file=${file('sa.key')}`,
      ...(options.audit === true
        ? [`--audit-policy-file=${file('audit.json')}`, `--audit-log-path=${join(folder, 'audit.log')}`]
        : []),
      ...(options.apiserverArgs ?? []),
    ],
    controllerManager:
      controllerManager === undefined
        ? undefined
        : [
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
          ],
  };
}

/** A kubeconfig of one user with a bearer token; JSON is YAML. */
export function kubeconfigWith(cluster: Readonly<Record<string, string | boolean>>, token: string): string {
  return JSON.stringify(
    {
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'test',
      clusters: [{ name: 'test', cluster }],
      users: [{ name: 'test', user: { token } }],
      contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
    },
    null,
    2,
  );
}

async function writeFiles<Name extends string>(
  folder: string,
  files: Readonly<Record<Name, string>>,
): Promise<(name: Name) => string> {
  await mkdir(join(folder, 'pki'));
  for (const [name, text] of Object.entries<string>(files)) {
    await writeFile(join(folder, name), `${text}\n`, { mode: 0o600 });
  }
  return (name) => join(folder, name);
}

function serviceAccountKeys(): { 'sa.key': string; 'sa.pub': string } {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  });
  return { 'sa.key': privateKey, 'sa.pub': publicKey };
}

/** Up to 1.23 there is an insecure port too; later ones refuse its flag. */
async function withoutServing(controllerManager: string): Promise<readonly string[]> {
  const minor = Number(/v1\.(\d+)/.exec(await run(controllerManager, ['--version']))?.[1]);
  return minor <= 23 ? ['--secure-port=0', '--port=0'] : ['--secure-port=0'];
}
