import { inOrder } from '../api/in-order.ts';

/**
 * A workload's fields as lines `path=value`, the form in which what we own and what we want are compared.
 *
 * Lists that the API merges by key become `name[key=value]`; every other list, being atomic, is one value.
 *
 * @see https://kubernetes.io/docs/reference/using-api/server-side-apply/#merge-strategy
 */
export type JsonObject = { readonly [key: string]: unknown };

/** The merge key of each list that we write into. */
const LIST_KEYS: Readonly<Record<string, string>> = {
  containers: 'name',
  initContainers: 'name',
  volumes: 'name',
  env: 'name',
  volumeMounts: 'mountPath',
  imagePullSecrets: 'name',
};

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const objectAt = (value: unknown, key: string): JsonObject | undefined => {
  const found = isObject(value) ? value[key] : undefined;
  return isObject(found) ? found : undefined;
};

export const listAt = (value: unknown, key: string): readonly JsonObject[] => {
  const found = isObject(value) ? value[key] : undefined;
  return Array.isArray(found) ? found.filter(isObject) : [];
};

export const textAt = (value: unknown, key: string): string | undefined => {
  const found = isObject(value) ? value[key] : undefined;
  return typeof found === 'string' ? found : undefined;
};

/** JSON with sorted keys. What has them sorted already, as all that the API server sends, is not copied for it. */
export const canonical = (value: unknown): string =>
  JSON.stringify(isSorted(value) ? value : sorted(value)) ?? 'null';

function isSorted(value: unknown): boolean {
  if (Array.isArray(value)) return value.every((item) => isSorted(item));
  if (!isObject(value)) return true;
  let before: string | undefined;
  for (const key of Object.keys(value)) {
    if ((before !== undefined && before >= key) || !isSorted(value[key])) return false;
    before = key;
  }
  return true;
}

/** A copy, written out in one go: one JSON.stringify for each leaf takes a quarter more time. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isObject(value)) return value;
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(fields.map(([key, inner]) => [key, sorted(inner)]));
}

/** All leaves below a value, one line each, sorted. */
export function flattened(value: unknown): string {
  const lines: string[] = [];
  collect(value, '', '', lines);
  return inOrder(lines).join('\n');
}

function collect(value: unknown, path: string, field: string, lines: string[]): void {
  const key = LIST_KEYS[field];
  if (Array.isArray(value) && key !== undefined) {
    for (const item of value) {
      if (isObject(item)) collect(item, `${path}[${String(item[key])}]`, '', lines);
    }
  } else if (isObject(value)) {
    for (const name of Object.keys(value)) collect(value[name], `${path}.${name}`, name, lines);
  } else if (value !== undefined) {
    lines.push(`${path}=${canonical(value)}`);
  }
}

/**
 * The part of a live object that a set of managed fields covers, in the same form as {@link flattened}.
 *
 * A leaf of `fieldsV1` owns everything below it: how deep the API server tracks a structure differs between
 * versions (`secretKeyRef` is atomic from 1.22 on), so leaves are flattened further.
 */
export function ownedFields(live: unknown, fieldsV1: unknown): string {
  const lines: string[] = [];
  collectOwned(live, fieldsV1, '', '', lines);
  return inOrder(lines).join('\n');
}

function collectOwned(live: unknown, fields: unknown, path: string, field: string, lines: string[]): void {
  if (!isObject(fields) || live === undefined) return;
  const inner = Object.entries(fields).filter(([name]) => name !== '.');
  if (inner.length === 0) {
    // an item that is owned without any of its fields has no line of its own
    if (!('.' in fields)) collect(live, path, field, lines);
    return;
  }
  for (const [name, below] of inner) {
    if (name.startsWith('f:') && isObject(live)) {
      const child = name.slice(2);
      collectOwned(live[child], below, `${path}.${child}`, child, lines);
    }
  }
  const key = LIST_KEYS[field];
  if (key === undefined || !Array.isArray(live)) return;
  const items = itemsBy(key, live);
  for (const [id, below] of keyedFields(fields)) {
    const found = items.get(id);
    if (found) collectOwned(found, below, `${path}[${String(found[key])}]`, '', lines);
  }
}

/** List items by their {@link itemId}; of several the first. */
function itemsBy(key: string, list: readonly unknown[]): ReadonlyMap<string, JsonObject> {
  const items = new Map<string, JsonObject>();
  for (const item of list) {
    const id = isObject(item) ? itemId({ [key]: item[key] }) : undefined;
    if (isObject(item) && id !== undefined && !items.has(id)) items.set(id, item);
  }
  return items;
}

/** What stands for a list item that is known by its key fields: `{name: 'x'}`. */
export const itemId = (key: JsonObject): string => canonical(key);

/** {@link itemId} of an entry of fieldsV1 that is about a list item; undefined for any other, or a malformed one. */
export function fieldItemId(name: string): string | undefined {
  if (!name.startsWith('k:')) return undefined;
  try {
    const key: unknown = JSON.parse(name.slice(2));
    return isObject(key) ? itemId(key) : undefined;
  } catch {
    // one object that nobody can read must not stop the reading of all others
    return undefined;
  }
}

/**
 * The entries of one level of fieldsV1 that are about list items (`k:{"name":"x"}`), by {@link itemId}. Whoever may
 * write a workload can make such lists as long as etcd allows, so that nothing may compare them item by item.
 */
function keyedFields(fields: JsonObject): ReadonlyMap<string, unknown> {
  const keyed = new Map<string, unknown>();
  for (const [name, below] of Object.entries(fields)) {
    const id = fieldItemId(name);
    if (id !== undefined) keyed.set(id, below);
  }
  return keyed;
}
