import type { ModelDeploymentStatus } from '../api/model-deployment.ts';
import { canonical, isObject, type JsonObject, listAt, textAt } from '../plan/flatten.ts';

/** One thing that the status says, and would say. */
export interface StatusRow {
  readonly about: 'condition' | 'secret' | 'workload' | 'field';
  readonly name: string;
  readonly from: string | null;
  readonly to: string | null;
  readonly message: string | null;
}

/** How a status would change; when its conditions did is no change. */
export function statusRows(before: unknown, after: ModelDeploymentStatus): readonly StatusRow[] {
  const from = entriesOf(before);
  const to = entriesOf(after);
  return [...new Map([...from, ...to])].flatMap(([id, { about, name }]) => {
    const [old, now] = [from.get(id), to.get(id)];
    if (old?.all === now?.all) return [];
    return [{ about, name, from: old?.shown ?? null, to: now?.shown ?? null, message: now?.message ?? null }];
  });
}

interface Entry extends Pick<StatusRow, 'about' | 'name'> {
  readonly shown: string;
  readonly message: string | undefined;
  /** Everything that counts, to compare. */
  readonly all: string;
}

/** A status as what it says of each thing; when conditions changed does not count. */
function entriesOf(status: unknown): ReadonlyMap<string, Entry> {
  const entry = (about: Entry['about'], name: string, shown: string, all: JsonObject): Entry => ({
    about,
    name,
    shown,
    message: textAt(all, 'message'),
    all: canonical(all),
  });
  const found = [
    ...listAt(status, 'conditions').map(({ lastTransitionTime: _time, ...all }) =>
      entry('condition', String(all['type']), `${String(all['status'])} ${String(all['reason'])}`, all),
    ),
    ...FIELDS.flatMap((field) => {
      const value = isObject(status) ? status[field] : undefined;
      return value === undefined
        ? []
        : [entry('field', field, typeof value === 'string' ? value : canonical(value), { value })];
    }),
    ...listAt(status, 'secrets').map((all) =>
      entry('secret', String(all['name']), String(all['state']), all),
    ),
    ...listAt(status, 'workloads').map((all) =>
      entry('workload', `${String(all['kind'])} ${String(all['name'])}`, String(all['state']), all),
    ),
  ];
  return new Map(found.map((one) => [`${one.about} ${one.name}`, one]));
}

const FIELDS = ['observedGeneration', 'secretName', 'declared', 'delivered', 'summary'] as const;
