import { cluster, namespace } from '../cluster.ts';
import { type KubernetesObject } from '../api.ts';
import {
  type Finished,
  inTerminal,
  type Surroundings,
  trussSecrets,
  type Typed,
} from '../../cli/truss-secrets.ts';

/** A namespace, and the command line on it. */
export interface World {
  readonly namespace: string;
  /** As cluster-admin, or as whom the kubeconfig in `surroundings.env` names. */
  readonly run: (args: readonly string[], surroundings?: Surroundings) => Promise<Finished>;
  readonly type: (
    args: readonly string[],
    typed: readonly Typed[],
    surroundings?: Surroundings,
  ) => ReturnType<typeof inTerminal>;
  readonly secret: (name: string) => Promise<KubernetesObject>;
  /** The values of a Secret, decoded. */
  readonly data: (name?: string) => Promise<Readonly<Record<string, string>>>;
  readonly addSecret: (
    name: string,
    data: Readonly<Record<string, string>>,
    more?: {
      readonly labels?: Readonly<Record<string, string>>;
      readonly annotations?: Readonly<Record<string, string>>;
      readonly ownerReferences?: readonly object[];
      readonly immutable?: boolean;
    },
  ) => Promise<void>;
  /** A model whose status says that it uses a key of a Secret. */
  readonly addModel: (name: string, source: Source) => Promise<void>;
}

interface Source {
  readonly namespace: string;
  readonly name: string;
  readonly key: string;
}

export const DEFAULT_STORE = { 'truss-secrets.dev/store': 'default' };

export async function storeWorld(): Promise<World> {
  const own = await namespace();
  const { api, kubeconfig } = cluster();
  const secrets = `/api/v1/namespaces/${own}/secrets`;
  const models = `/apis/truss-secrets.dev/v1alpha1/namespaces/${own}/modeldeployments`;
  const at = ({ env, ...rest }: Surroundings = {}): Surroundings => ({
    ...rest,
    env: { KUBECONFIG: kubeconfig, ...env },
  });
  const secret = async (name: string): Promise<KubernetesObject> => api.get(`${secrets}/${name}`);
  return {
    namespace: own,
    run: (args, surroundings) => trussSecrets(['-n', own, ...args], at(surroundings)),
    type: (args, typed, surroundings) => inTerminal(['-n', own, ...args], typed, at(surroundings)),
    secret,
    data: async (name = 'truss-store-default') =>
      Object.fromEntries(
        Object.entries((await secret(name)).data ?? {}).map(([key, value]) => [
          key,
          Buffer.from(value, 'base64').toString(),
        ]),
      ),
    addSecret: async (name, stringData, { immutable, ...metadata } = {}) => {
      await api.post(secrets, { metadata: { name, ...metadata }, stringData, immutable });
    },
    addModel: async (name, { namespace: sourceNamespace, ...source }) => {
      const spec = { config: { inline: `secrets: {${source.key}: null}` } };
      await api.post(models, {
        apiVersion: 'truss-secrets.dev/v1alpha1',
        kind: 'ModelDeployment',
        metadata: { name },
        spec,
      });
      const entry = {
        name: source.key,
        state: 'Delivered',
        source: { ...source, namespace: sourceNamespace, uid: 'u' },
      };
      await api.patch(`${models}/${name}/status`, { status: { secrets: [entry] } });
    },
  };
}
