import type { SourceSecret } from '../plan/snapshot.ts';
import type { Caches } from './caches.ts';

type Secrets = readonly SourceSecret[];

/**
 * The list of each store that was asked for last, by `<namespace>/<store>`. Only as long as the memory is not needed:
 * nobody tells when the last model of a store is gone.
 */
const known = new WeakMap<Caches['sources'], Map<string, WeakRef<Secrets>>>();

function listsOf(sources: Caches['sources']): Map<string, WeakRef<Secrets>> {
  const found = known.get(sources);
  if (found) return found;
  const lists = new Map<string, WeakRef<Secrets>>();
  known.set(sources, lists);
  sources.onChange((_key, old, now) => {
    for (const secret of [old, now]) if (secret) lists.delete(`${secret.namespace}/${secret.store}`);
  });
  return lists;
}

/**
 * The Secrets of a store: the very same list for as long as nothing in it changes, so that the plan finds again what
 * it knows of it. A store may have ten thousand, and each look at a model asks for them.
 */
export function storeSecrets(sources: Caches['sources'], namespace: string, store: string): Secrets {
  const lists = listsOf(sources);
  const id = `${namespace}/${store}`;
  const before = lists.get(id)?.deref();
  if (before) return before;
  const now = sources.byIndex('store', id);
  // anybody may ask for stores that nobody has
  if (now.length > 0) lists.set(id, new WeakRef(now));
  return now;
}
