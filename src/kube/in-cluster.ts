import { readFile } from 'node:fs/promises';
import { isIPv6 } from 'node:net';
import { join } from 'node:path';
import { AccessCache } from './access-cache.ts';
import { type Access, type Connection, CredentialsError } from './connection.ts';

/** Where Kubernetes mounts a pod's ServiceAccount. */
const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

/** For how long a token is used after it was read, as in client-go; kubelet renews it long before it ends. */
const REREAD_MS = 60_000;

export interface InClusterOptions {
  readonly folder?: string;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Milliseconds, of any origin. */
  readonly now?: () => number;
}

/**
 * A pod's own way to its API server: `KUBERNETES_SERVICE_HOST` and `_PORT`, and the mounted ServiceAccount, of
 * which both the token and the CA rotate.
 */
export async function inClusterConnection(options: InClusterOptions = {}): Promise<Connection> {
  const folder = options.folder ?? SERVICE_ACCOUNT;
  const server = serverOf(options.environment ?? process.env);
  const namespace = (await read(join(folder, 'namespace'))).trim();
  const cache = await AccessCache.create(
    () => readAccess(folder),
    REREAD_MS,
    options.now ?? (() => performance.now()),
  );
  return {
    server,
    proxy: undefined,
    namespace,
    access: () => cache.access(),
    renew: (refused) => cache.renew(refused),
  };
}

function serverOf(environment: Readonly<Record<string, string | undefined>>): URL {
  const host = environment['KUBERNETES_SERVICE_HOST'] ?? '';
  const port = environment['KUBERNETES_SERVICE_PORT'] ?? '';
  if (host === '' || port === '') {
    throw new CredentialsError(
      'KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set, so this is no pod: use --kubeconfig',
    );
  }
  return new URL(`https://${isIPv6(host) ? `[${host}]` : host}:${port}`);
}

async function readAccess(folder: string): Promise<Access> {
  const [token, ca] = await Promise.all([read(join(folder, 'token')), read(join(folder, 'ca.crt'))]);
  return {
    headers: { Authorization: `Bearer ${token.trim()}` },
    tls: { ca, cert: undefined, key: undefined, serverName: undefined, verify: true },
  };
}

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new CredentialsError(`${file} can't be read: the pod needs automountServiceAccountToken: true`, {
      cause,
    });
  }
}
