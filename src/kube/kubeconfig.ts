import type { RequestOptions } from 'node:https';
import { type Cluster, KubeConfig, type User } from '@kubernetes/client-node';
import { AccessCache } from './access-cache.ts';
import { type Access, type Connection, CredentialsError } from './connection.ts';
import { isRecord } from './object.ts';

/**
 * For how long an answer of client-node is used. Asking it again costs a few file reads; an exec plugin it runs
 * only when the `expirationTimestamp` of the plugin's last credential is past.
 */
const ASK_AGAIN_MS = 10_000;

/** The connection of a kubeconfig's context, as kubectl would make it. Throws CredentialsError. */
export async function kubeconfigConnection(path?: string, context?: string): Promise<Connection> {
  let config = load(path, context);
  const name = config.getCurrentContext();
  const cluster = config.getCurrentCluster();
  if (cluster === null)
    throw new CredentialsError(`the cluster of context "${name}" is not in the kubeconfig`);
  const cache = await AccessCache.create(
    (from) => {
      // A new KubeConfig has cached no credential: files are read and plugins run again.
      if (from === 'source') config = load(path, context);
      return ask(config);
    },
    ASK_AGAIN_MS,
    () => performance.now(),
  );
  return {
    server: new URL(cluster.server),
    proxy: cluster.proxyUrl === undefined ? undefined : new URL(cluster.proxyUrl),
    namespace: config.getContextObject(name)?.namespace ?? 'default',
    access: () => cache.access(),
    renew: (refused) => cache.renew(refused),
  };
}

function load(path: string | undefined, context: string | undefined): KubeConfig {
  const config = new KubeConfig();
  try {
    if (path === undefined) config.loadFromDefault();
    else config.loadFromFile(path);
  } catch (cause) {
    const file = path ?? process.env['KUBECONFIG'] ?? '~/.kube/config';
    throw new CredentialsError(`the kubeconfig ${file} can't be read: ${messageOf(cause)}`, { cause });
  }
  // What client-node makes up where there is no file.
  if (path === undefined && config.getCurrentCluster()?.server === 'http://localhost:8080') {
    throw new CredentialsError('there is no kubeconfig: name one with --kubeconfig or $KUBECONFIG');
  }
  if (context !== undefined) config.setCurrentContext(context);
  const name = config.getCurrentContext();
  if (config.getContextObject(name) === null) {
    const known = config.contexts.map((one) => one.name).join(', ');
    throw new CredentialsError(`the kubeconfig has no context "${name}"; it has: ${known}`);
  }
  config.clusters = config.clusters.map(allowPlainHttp);
  config.users = config.users.map(withExecInfo);
  return config;
}

/** client-node refuses http:// unless it is told not to verify what is not there; kubectl takes it. */
const allowPlainHttp = (cluster: Cluster): Cluster =>
  cluster.server.startsWith('http:') ? { ...cluster, skipTLSVerify: true } : cluster;

/** client-go tells every exec plugin how it is called, which some insist on; client-node does not. */
function withExecInfo(user: User): User {
  const exec: unknown = user.exec;
  if (!isRecord(exec)) return user;
  const info = { kind: 'ExecCredential', apiVersion: exec['apiVersion'], spec: { interactive: false } };
  const own: readonly unknown[] = Array.isArray(exec['env']) ? exec['env'] : [];
  const env = [...own, { name: 'KUBERNETES_EXEC_INFO', value: JSON.stringify(info) }];
  return { ...user, exec: { ...exec, env } };
}

async function ask(config: KubeConfig): Promise<Access> {
  const options: RequestOptions = {};
  try {
    await config.applyToHTTPSOptions(options);
  } catch (cause) {
    const user = config.getCurrentUser()?.name ?? '';
    throw new CredentialsError(`no credentials for user "${user}" of the kubeconfig: ${messageOf(cause)}`, {
      cause,
    });
  }
  return {
    headers: headersOf(options),
    tls: {
      ca: pem(options.ca),
      cert: pem(options.cert),
      key: pem(options.key),
      serverName: options.servername,
      verify: options.rejectUnauthorized !== false,
    },
  };
}

function headersOf(options: RequestOptions): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {};
  if (typeof options.auth === 'string') {
    headers['Authorization'] = `Basic ${Buffer.from(options.auth).toString('base64')}`;
  }
  for (const [name, value] of Object.entries(options.headers ?? {})) {
    if (typeof value === 'string') headers[name] = value;
  }
  return headers;
}

const pem = (value: unknown): string | undefined =>
  typeof value === 'string' || Buffer.isBuffer(value) ? value.toString() : undefined;

const messageOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).slice(0, 500);
