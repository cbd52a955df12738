/** Where a cluster can come from, in the order of preference. */
export type ClusterSource =
  | { readonly kind: 'named'; readonly kubeconfig: string }
  | { readonly kind: 'assets'; readonly folder: string }
  | { readonly kind: 'kind' }
  | { readonly kind: 'debian' };

export interface Facts {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Both `kind` and a Docker engine that answers. */
  readonly hasKind: boolean;
  /** Code name of the Debian release, undefined elsewhere. */
  readonly debianRelease: string | undefined;
  /** As `process.arch` says. */
  readonly arch: string;
}

/** The release whose source package `kubernetes` has a whole control plane: later ones package kubectl alone. */
const BUILDS_ON = 'bookworm';
const BUILDS_FOR = new Set(['x64', 'arm64']);

const REMEDIES = `Any of these gives one:
  - TRUSS_SECRETS_TEST_KUBECONFIG=FILE  a kubeconfig of a cluster (1.20 or newer) where you may do everything;
                                        the tests work in namespaces of their own
  - KUBEBUILDER_ASSETS=FOLDER           with etcd and kube-apiserver, as setup-envtest downloads them
  - kind and a running Docker           found by themselves
  - Debian 12 on amd64 or arm64         builds Kubernetes from Debian's source package, once
\`npm run test:unit\` needs none.`;

/** No API server can be had. The message says why, and what would give one. */
export class NoCluster extends Error {
  override readonly name = 'NoCluster';

  constructor(why: string, options?: ErrorOptions) {
    super(`${why} ${REMEDIES}`, options);
  }
}

/**
 * Which cluster the tests and the demo use. The ambient `KUBECONFIG` is not looked at: nobody's own cluster is touched
 * unasked. Throws {@link NoCluster}.
 */
export function chooseSource({ env, hasKind, debianRelease, arch }: Facts): ClusterSource {
  const named = env['TRUSS_SECRETS_TEST_KUBECONFIG'];
  if (named !== undefined && named !== '') return { kind: 'named', kubeconfig: named };
  const assets = env['KUBEBUILDER_ASSETS'];
  if (assets !== undefined && assets !== '') return { kind: 'assets', folder: assets };
  if (hasKind) return { kind: 'kind' };
  if (debianRelease === BUILDS_ON && BUILDS_FOR.has(arch)) return { kind: 'debian' };
  throw new NoCluster('There is no Kubernetes API server to test with.');
}
