/** What TLS needs of us. A new object whenever something in it changed: connections are kept by its identity. */
export interface TlsIdentity {
  /** PEM; undefined: the system's own. */
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  readonly serverName: string | undefined;
  /** False only where the kubeconfig says `insecure-skip-tls-verify`. */
  readonly verify: boolean;
}

/** What a request needs to be let in. */
export interface Access {
  /** `Authorization`, and `Impersonate-User` where a kubeconfig says so. */
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: TlsIdentity;
}

/** An API server and how to get in. */
export interface Connection {
  /** With the path below which it serves, as behind Rancher. */
  readonly server: URL;
  /** Only where the kubeconfig names one: the environment's proxies are not followed. */
  readonly proxy: URL | undefined;
  /** The namespace of the context, or of the pod. */
  readonly namespace: string;
  /** As of now: tokens and certificates are renewed when their time has come. Throws CredentialsError. */
  readonly access: () => Promise<Access>;
  /** After a 401: gets new credentials, unless they are newer than `refused` already. Throws CredentialsError. */
  readonly renew: (refused: Access) => Promise<Access>;
}

/** The credentials can't be had; the message says which file or command, and what to do. */
export class CredentialsError extends Error {
  override readonly name = 'CredentialsError';
}

export type CredentialsSource =
  | { readonly kind: 'in-cluster' }
  /** Without a path: `$KUBECONFIG`, else `~/.kube/config`. Without a context: the current one. */
  | {
      readonly kind: 'kubeconfig';
      readonly path?: string | undefined;
      readonly context?: string | undefined;
    };

/** The connection that a source describes. Throws CredentialsError. */
export async function connect(source: CredentialsSource): Promise<Connection> {
  switch (source.kind) {
    case 'in-cluster': {
      const { inClusterConnection } = await import('./in-cluster.ts');
      return inClusterConnection();
    }
    case 'kubeconfig': {
      // client-node costs 35 MB, which only those pay who use a kubeconfig.
      const { kubeconfigConnection } = await import('./kubeconfig.ts');
      return kubeconfigConnection(source.path, source.context);
    }
  }
}
