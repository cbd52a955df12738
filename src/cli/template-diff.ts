import { stringify } from 'yaml';
import { MANAGER } from '../api/names.ts';
import { isRecord, type RawObject } from '../kube/object.ts';
import type { JsonObject } from '../plan/flatten.ts';
import { type DiffLine, diffLines, inContext } from './line-diff.ts';

/** How our fields of a workload change, as YAML. `rolls`: the pod template changes, so that pods are replaced. */
export interface TemplateDiff {
  readonly lines: readonly DiffLine[];
  readonly rolls: boolean;
}

/** @param body of the server-side apply: all that we are to own */
export function templateDiff(live: RawObject | undefined, body: JsonObject): TemplateDiff {
  const fields = live?.metadata.managedFields?.find(
    ({ manager, operation, subresource }) => manager === MANAGER && operation === 'Apply' && !subresource,
  )?.fieldsV1;
  const before = withoutIdentity(ownedPart(live, fields));
  const after = withoutIdentity(body);
  const specOf = (value: unknown): unknown => (isRecord(value) ? value['spec'] : undefined);
  const lines = diffLines(yamlLines(before), yamlLines(after));
  const rolls =
    yamlLines(specOf(before)).join('\n') !== yamlLines(specOf(after)).join('\n') &&
    body['kind'] !== 'CronJob';
  return { lines: inContext(lines), rolls };
}

function withoutIdentity(value: unknown): unknown {
  if (!isRecord(value)) return undefined;
  const { apiVersion: _version, kind: _kind, metadata, ...rest } = value;
  const annotations = isRecord(metadata) ? metadata['annotations'] : undefined;
  return annotations === undefined ? rest : { metadata: { annotations }, ...rest };
}

/**
 * The part of an object that a set of managed fields covers; undefined: nothing.
 *
 * @see https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
 */
export function ownedPart(live: unknown, fields: unknown): unknown {
  if (!isRecord(fields) || live === undefined) return undefined;
  const inner = Object.entries(fields).filter(([name]) => name !== '.');
  if (inner.length === 0) return live;
  if (Array.isArray(live)) {
    const keys = new Map(inner.flatMap(([name, below]) => keyOfItem(name, below)));
    const found = live.flatMap((item: unknown) => {
      const key = [...keys.keys()].find((one) => covers(one, item));
      if (key === undefined || !isRecord(item)) return [];
      const part = ownedPart(item, keys.get(key));
      return [{ ...key, ...(isRecord(part) ? part : {}) }];
    });
    return found.length > 0 ? found : undefined;
  }
  if (!isRecord(live)) return undefined;
  const parts = inner.flatMap(([name, below]) => {
    const field = name.slice('f:'.length);
    const part = name.startsWith('f:') ? ownedPart(live[field], below) : undefined;
    return part === undefined ? [] : [[field, part] as const];
  });
  return parts.length > 0 ? Object.fromEntries(parts) : undefined;
}

/** `k:{"name":"model"}` */
function keyOfItem(name: string, below: unknown): readonly (readonly [JsonObject, unknown])[] {
  if (!name.startsWith('k:')) return [];
  const key: unknown = JSON.parse(name.slice('k:'.length));
  return isRecord(key) ? [[key, below]] : [];
}

const covers = (key: JsonObject, item: unknown): boolean =>
  isRecord(item) && Object.entries(key).every(([field, value]) => item[field] === value);

/** YAML in one order, whatever the order of the lists that the API merges by key. */
function yamlLines(value: unknown): readonly string[] {
  if (value === undefined || (isRecord(value) && Object.keys(value).length === 0)) return [];
  return stringify(ordered(value), { lineWidth: 0, sortMapEntries: byField, aliasDuplicateObjects: false })
    .trimEnd()
    .split('\n');
}

/** The name of a thing first. */
function byField(a: { readonly key: unknown }, b: { readonly key: unknown }): number {
  const rank = ({ key }: { readonly key: unknown }): string => {
    const field = String(isRecord(key) ? key['value'] : key);
    return `${field === 'name' ? 0 : 1}${field}`;
  };
  return rank(a) < rank(b) ? -1 : 1;
}

function ordered(value: unknown): unknown {
  if (Array.isArray(value)) {
    const items = value.map(ordered);
    return items.every((item) => mergeKey(item) !== undefined) ? items.toSorted(byMergeKey) : items;
  }
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([field, inner]) => [field, ordered(inner)]));
}

/** What the API knows an item of such a list by. */
function mergeKey(item: unknown): string | undefined {
  if (!isRecord(item)) return undefined;
  const { mountPath, name } = item;
  const key = mountPath ?? name;
  return typeof key === 'string' ? key : undefined;
}

const byMergeKey = (a: unknown, b: unknown): number => ((mergeKey(a) ?? '') < (mergeKey(b) ?? '') ? -1 : 1);
