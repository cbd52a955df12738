import type { Cluster } from './cluster.ts';
import { closest } from './closest.ts';
import { CommandError } from './errors.ts';
import { getSecret, listStore, type StoreSecret } from './store-secret.ts';
import type { Target } from './store-target.ts';

/** The one Secret of the store and environment that has the key; a Secret that was labelled by hand counts too. */
export async function findKey(cluster: Cluster, target: Target, name: string): Promise<StoreSecret> {
  if (target.named) return inNamed(cluster, target.secret, name);
  const store = await listStore(cluster, target.store);
  const here = store.filter(({ environment }) => environment === target.environment);
  const [found, ...others] = here.filter(({ data }) => data.has(name));
  const where = `store ${target.store}, namespace ${cluster.namespace}`;
  if (found === undefined) throw notFound(name, where, here, store);
  if (others.length > 0) {
    const objects = [found, ...others].map((secret) => secret.name).join(', ');
    throw new CommandError(`${name} is in several Secrets of ${where}: ${objects}. Name one with --secret`);
  }
  return found;
}

async function inNamed(cluster: Cluster, object: string, name: string): Promise<StoreSecret> {
  const secret = await getSecret(cluster, object);
  const where = `namespace ${cluster.namespace}`;
  if (secret === undefined) throw new CommandError(`there is no Secret ${object} in ${where}`);
  if (!secret.data.has(name)) throw notFound(name, `Secret ${object}, ${where}`, [secret], []);
  return secret;
}

function notFound(
  name: string,
  where: string,
  here: readonly StoreSecret[],
  store: readonly StoreSecret[],
): CommandError {
  const elsewhere = store.filter(({ data }) => data.has(name)).map(({ environment }) => environment);
  const near = closest(
    name,
    here.flatMap(({ data }) => [...data.keys()]),
  );
  const hint =
    elsewhere.length > 0
      ? `; it is there ${elsewhere.map((environment) => (environment === undefined ? 'without an environment' : `with --environment ${environment}`)).join(', ')}`
      : near === undefined
        ? ''
        : `; did you mean ${near}?`;
  return new CommandError(`${name} is not in ${where}${hint}`);
}
