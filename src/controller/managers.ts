import { MANAGER } from '../api/names.ts';
import type { ManagedFields } from '../kube/object.ts';

/** Whoever may write a workload can write it under any name. */
const MOST = 1_000;

const known = new Map<string, string>();

/** There are few field managers and many objects: one string each. */
function shared(name: string): string {
  const found = known.get(name);
  if (known.size >= MOST) known.clear();
  if (found === undefined) known.set(name, name);
  return found ?? name;
}

/** The manager other than us that wrote last, of these entries of managedFields. */
export function lastEditor(entries: readonly ManagedFields[]): string {
  let latest: ManagedFields | undefined;
  for (const entry of entries) {
    if (entry.manager === MANAGER || entry.subresource) continue;
    // times of one form: their order is that of their texts
    if (latest === undefined || (entry.time ?? '') > (latest.time ?? '')) latest = entry;
  }
  return shared(latest?.manager ?? 'unknown');
}
