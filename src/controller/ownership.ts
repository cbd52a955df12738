import { MANAGER } from '../api/names.ts';
import { fieldItemId, isObject, itemId, type JsonObject } from '../plan/flatten.ts';
import type { ManagedFields } from '../kube/object.ts';
import { lastEditor } from './managers.ts';

/** A path through fieldsV1: `f:...` for a field, an object for an item by its key. */
export type FieldPath = readonly (string | JsonObject)[];

export const fieldPath = (path: readonly string[]): readonly string[] => path.map((field) => `f:${field}`);

/** Managers that a message names. */
const MOST_MANAGERS = 3;

/**
 * Who owns which list item of an object, and who wrote its pod template. Whoever may write a workload can make its
 * lists, and the list of their managers, as long as etcd allows: everything is read once and then looked up.
 */
export class Ownership {
  /** Our own fieldsV1, as server-side apply recorded it. */
  readonly ours: unknown;
  /** Who else last wrote the pod template. */
  readonly editor: string;
  /** When the pod template was last written, by whomever, in milliseconds. */
  readonly editedAt: number;
  readonly #ownItems = new Set<string>();
  readonly #managers = new Map<string, Set<string>>();

  constructor(managedFields: readonly ManagedFields[], template: readonly string[]) {
    const isOurs = ({ manager, operation, subresource }: ManagedFields): boolean =>
      manager === MANAGER && operation === 'Apply' && !subresource;
    this.ours = managedFields.find(isOurs)?.fieldsV1;
    for (const entry of managedFields) {
      const { manager = 'unknown', fieldsV1 } = entry;
      collect(fieldsV1, '', isOurs(entry) ? (id) => this.#ownItems.add(id) : (id) => this.#add(id, manager));
    }
    const edits = managedFields.filter(({ fieldsV1 }) => has(fieldsV1, template));
    this.editedAt = Math.max(0, ...edits.map(({ time }) => Date.parse(time ?? '') || 0));
    this.editor = lastEditor(edits);
  }

  /** `ours` when we own the item, also together with somebody else; `manager` names the others. */
  of(path: FieldPath): { readonly ours: boolean; readonly manager: string } {
    const id = path.reduce<string>((above, step) => below(above, idOf(step)), '');
    const managers = [...(this.#managers.get(id) ?? [])].slice(0, MOST_MANAGERS);
    return { ours: this.#ownItems.has(id), manager: managers.join(', ') || 'unknown' };
  }

  #add(id: string, manager: string): void {
    const known = this.#managers.get(id);
    if (known) known.add(manager);
    else this.#managers.set(id, new Set([manager]));
  }
}

const idOf = (step: string | JsonObject): string => (typeof step === 'string' ? step : itemId(step));

const below = (above: string, id: string): string => `${above}\n${id}`;

/** Tells of every list item in a tree of fieldsV1, by its path. */
function collect(fields: unknown, path: string, tell: (id: string) => void): void {
  if (!isObject(fields)) return;
  for (const [name, inner] of Object.entries(fields)) {
    if (name.startsWith('f:')) {
      collect(inner, below(path, name), tell);
      continue;
    }
    const item = fieldItemId(name);
    if (item === undefined) continue;
    const id = below(path, item);
    tell(id);
    collect(inner, id, tell);
  }
}

function has(fields: unknown, path: readonly string[]): boolean {
  const found = path.reduce<unknown>((level, step) => (isObject(level) ? level[step] : undefined), fields);
  return found !== undefined;
}
