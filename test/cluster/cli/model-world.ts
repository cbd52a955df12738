import {
  type Finished,
  inTerminal,
  type Surroundings,
  trussSecrets,
  type Typed,
} from '../../cli/truss-secrets.ts';
import { cluster } from '../cluster.ts';
import { identityWith, type PolicyRule } from '../identity.ts';
import { newWorld, type World } from '../world.ts';

/** A namespace with models, and the command line on it. */
export interface ModelWorld extends World {
  /** As cluster-admin, or as whom the kubeconfig in `surroundings.env` names. */
  readonly run: (args: readonly string[], surroundings?: Surroundings) => Promise<Finished>;
  readonly type: (args: readonly string[], typed: readonly Typed[]) => ReturnType<typeof inTerminal>;
  /** What a command prints with `-o json`. */
  readonly json: <T>(args: readonly string[], surroundings?: Surroundings) => Promise<T>;
  /** The environment of somebody with these rights in the namespace. */
  readonly as: (...rules: readonly PolicyRule[]) => Promise<{ readonly KUBECONFIG: string }>;
}

export async function modelWorld(): Promise<ModelWorld> {
  const world = await newWorld();
  const at = ({ env, ...rest }: Surroundings = {}): Surroundings => ({
    ...rest,
    env: { KUBECONFIG: cluster().kubeconfig, ...env },
  });
  const run: ModelWorld['run'] = (args, surroundings) =>
    trussSecrets(['-n', world.namespace, ...args], at(surroundings));
  return {
    ...world,
    run,
    type: (args, typed) => inTerminal(['-n', world.namespace, ...args], typed, at()),
    json: async (args, surroundings) => {
      const { code, stdout, stderr } = await run([...args, '-o', 'json'], surroundings);
      if (stdout === '') throw new Error(`exit code ${code}: ${stderr}`);
      return JSON.parse(stdout);
    },
    as: async (...rules) => {
      const { kubeconfig } = await identityWith({ rules: { [world.namespace]: rules } });
      return { KUBECONFIG: kubeconfig };
    },
  };
}

export const rule = (group: string, resource: string, ...verbs: readonly string[]): PolicyRule => ({
  apiGroups: [group],
  resources: [resource],
  verbs,
});
