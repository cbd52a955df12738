import type { SourceSecret } from '../plan/snapshot.ts';
import type { Caches } from './caches.ts';

type Secrets = readonly SourceSecret[];

/** The list of each store that was asked for since anything in it changed, by `<namespace>/<store>`. */
const known = new WeakMap<Caches['sources'], Map<string, Secrets>>();

/**
 * The Secrets of a store: the very same list for as long as nothing in it changes, so that the plan finds again what
 * it knows of it.
 */
export function storeSecrets(sources: Caches['sources'], namespace: string, store: string): Secrets {
  const id = `${namespace}/${store}`;
  const lists = known.get(sources) ?? listsOf(sources);
  const found = lists.get(id);
  if (found) return found;
  const secrets: Secrets = sources.byIndex('store', id);
  // anybody may ask for stores that nobody has
  if (secrets.length > 0) lists.set(id, secrets);
  return secrets;
}

function listsOf(sources: Caches['sources']): Map<string, Secrets> {
  const lists = new Map<string, Secrets>();
  known.set(sources, lists);
  sources.onChange((_key, ...oldAndNow) => {
    for (const secret of oldAndNow) if (secret) lists.delete(`${secret.namespace}/${secret.store}`);
  });
  return lists;
}
