import type { SourceSecret } from '../plan/snapshot.ts';
import type { Caches } from './caches.ts';

type Secrets = readonly SourceSecret[];

/**
 * The list of each store that was asked for last, by `<namespace>/<store>`. Only as long as the memory is not needed:
 * nobody tells when the last model of a store is gone, and no list may keep the values of deleted Secrets.
 */
const last = new WeakMap<Caches['sources'], Map<string, WeakRef<Secrets>>>();

/**
 * The Secrets of a store: the very same list for as long as nothing in it changes, so that the plan finds again what
 * it knows of it.
 */
export function storeSecrets(sources: Caches['sources'], namespace: string, store: string): Secrets {
  const id = `${namespace}/${store}`;
  const now: Secrets = sources.byIndex('store', id);
  const lists = last.get(sources) ?? new Map<string, WeakRef<Secrets>>();
  last.set(sources, lists);
  const before = lists.get(id)?.deref();
  if (before?.length === now.length && now.every((secret, index) => secret === before[index])) return before;
  // anybody may ask for stores that nobody has
  if (now.length === 0) lists.delete(id);
  else lists.set(id, new WeakRef(now));
  return now;
}
