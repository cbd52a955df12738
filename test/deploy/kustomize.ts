import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { z } from 'zod';

/** An object of a manifest. */
export type Manifest = z.infer<typeof Manifest>;
const Manifest = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), namespace: z.string().optional() }),
});

const Operation = z.strictObject({
  op: z.enum(['add', 'remove']),
  path: z.string(),
  value: z.unknown().optional(),
});

const Patch = z.strictObject({
  path: z.string().optional(),
  patch: z.string().optional(),
  target: z.strictObject({ kind: z.string(), name: z.string() }).optional(),
});

const Kustomization = z.strictObject({
  apiVersion: z.string(),
  kind: z.enum(['Kustomization', 'Component']),
  namespace: z.string().optional(),
  resources: z.array(z.string()).default([]),
  components: z.array(z.string()).default([]),
  patches: z.array(Patch).default([]),
});

const CLUSTER_SCOPED = new Set([
  'Namespace',
  'CustomResourceDefinition',
  'ClusterRole',
  'ClusterRoleBinding',
]);

/** All objects of a file of manifests. */
export const objectsOf = (text: string): readonly Manifest[] =>
  parseAllDocuments(text)
    .map((document): unknown => document.toJS())
    .filter((value) => value !== null)
    .map((value) => Manifest.parse(value));

/**
 * What `kubectl kustomize FOLDER` gives, for the part of kustomize that deploy/ uses; all else is an error. A test
 * compares it with kubectl where there is one, so that tests need none.
 */
export function kustomize(folder: string): readonly Manifest[] {
  const own = Kustomization.parse(parse(readFileSync(join(folder, 'kustomization.yaml'), 'utf8')));
  let objects: readonly Manifest[] = own.resources.flatMap((name) => load(join(folder, name)));
  for (const name of own.components)
    objects = patched([...objects, ...kustomizeAdded(join(folder, name))], join(folder, name));
  objects = patched(objects, folder);
  if (own.namespace === undefined) return objects;
  return objects.map((one) =>
    CLUSTER_SCOPED.has(one.kind) ? one : { ...one, metadata: { ...one.metadata, namespace: own.namespace } },
  );
}

const load = (path: string): readonly Manifest[] =>
  statSync(path).isDirectory() ? kustomize(path) : objectsOf(readFileSync(path, 'utf8'));

/** What a component adds; its patches are for everything. */
function kustomizeAdded(folder: string): readonly Manifest[] {
  const { resources } = Kustomization.parse(parse(readFileSync(join(folder, 'kustomization.yaml'), 'utf8')));
  return resources.flatMap((name) => load(join(folder, name)));
}

function patched(objects: readonly Manifest[], folder: string): readonly Manifest[] {
  const { patches } = Kustomization.parse(parse(readFileSync(join(folder, 'kustomization.yaml'), 'utf8')));
  return patches.reduce((now, { path, patch, target }) => {
    const content: unknown = parse(patch ?? readFileSync(join(folder, path ?? ''), 'utf8'));
    if (Array.isArray(content)) return withOperations(now, z.array(Operation).parse(content), target);
    const { $patch, kind, metadata } = Manifest.extend({ $patch: z.literal('delete') }).parse(content);
    const rest = now.filter((one) => one.kind !== kind || one.metadata.name !== metadata.name);
    if ($patch !== 'delete' || rest.length !== now.length - 1)
      throw new Error(`no one ${kind} ${metadata.name}`);
    return rest;
  }, objects);
}

function withOperations(
  objects: readonly Manifest[],
  operations: readonly z.infer<typeof Operation>[],
  target: z.infer<typeof Patch>['target'],
): readonly Manifest[] {
  const index = objects.findIndex(
    ({ kind, metadata }) => kind === target?.kind && metadata.name === target.name,
  );
  const found = objects[index];
  if (!found) throw new Error(`nothing to patch: ${JSON.stringify(target)}`);
  const copy = structuredClone(found);
  for (const { op, path, value } of operations) {
    const keys = path
      .split('/')
      .slice(1)
      .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
    const last = keys.pop() ?? '';
    const parent = keys.reduce<unknown>((at, key) => (isObject(at) ? Reflect.get(at, key) : undefined), copy);
    if (Array.isArray(parent) && op === 'add' && last === '-') parent.push(value);
    else if (op === 'remove' && isObject(parent) && Reflect.has(parent, last))
      Reflect.deleteProperty(parent, last);
    else throw new Error(`not done here: ${op} ${path}`);
  }
  return objects.with(index, copy);
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;
