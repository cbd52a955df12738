import { parseDocument } from 'yaml';

/** What a name in config.yaml is for. */
export interface Declared {
  /** The model reads it at run time, from a file or the environment. */
  readonly runtime: boolean;
  /** The registry that images are pulled from with it, if any. */
  readonly registry: string | undefined;
}

export type Reading =
  | { readonly kind: 'read'; readonly names: ReadonlyMap<string, Declared> }
  | { readonly kind: 'unreadable'; readonly why: string };

const REGISTRY = 'DOCKER_REGISTRY_';
const DELIVERED_METHODS = new Set(['REGISTRY_SECRET', 'GCP_SERVICE_ACCOUNT_JSON']);
const DEFAULT_OPTIONAL = 'hf_access_token';

/**
 * Reads a config.yaml with another parser than the operator does, and finds the names that may reach pods. What
 * the two could disagree about (a key such as `1e3`) shows as a difference: it is for a person to look at.
 */
export function readDeclared(config: string): Reading {
  const document = parseDocument(config, { version: '1.1', uniqueKeys: false, logLevel: 'silent' });
  const [error] = document.errors;
  if (error) return { kind: 'unreadable', why: error.message.split('\n', 1)[0] ?? 'no YAML' };
  let root: unknown;
  try {
    root = document.toJS({ mapAsMap: true, maxAliasCount: 1000 });
  } catch (problem) {
    return { kind: 'unreadable', why: problem instanceof Error ? problem.message : String(problem) };
  }
  if (root !== null && root !== undefined && !(root instanceof Map)) {
    return { kind: 'unreadable', why: 'a config.yaml is a mapping' };
  }
  const names = new Map<string, Declared>();
  const add = (name: unknown, use: Partial<Declared>): void => {
    if (typeof name !== 'string' || name === '') return;
    names.set(name, { runtime: false, registry: undefined, ...names.get(name), ...use });
  };
  for (const name of keys(field(root, 'secrets'))) {
    if (name.startsWith(REGISTRY)) add(name, { registry: name.slice(REGISTRY.length) });
    else add(name, { runtime: true });
  }
  const auth = field(root, 'base_image', 'docker_auth');
  const method = textOf(field(auth, 'auth_method')).toUpperCase();
  const registry = textOf(field(auth, 'registry'));
  if (DELIVERED_METHODS.has(method) && registry !== '') add(field(auth, 'secret_name'), { registry });
  for (const name of optionalNames(root)) {
    // what an image is pulled with is no file, unless the model declares it as one
    if (!names.has(name)) add(name, { runtime: true });
  }
  return { kind: 'read', names };
}

function optionalNames(root: unknown): readonly string[] {
  const hasCache = root instanceof Map && root.has('model_cache');
  const caches = ['model_cache', ...(hasCache ? [] : ['hf_cache']), 'cache_internal'];
  const entries = caches.flatMap((name) => {
    const list = field(root, name);
    return Array.isArray(list) ? list : [];
  });
  const checkpoint = field(root, 'trt_llm', 'build', 'checkpoint_repository');
  return [...entries, checkpoint].flatMap((entry: unknown) => {
    if (!(entry instanceof Map)) return [];
    const name = field(entry, 'runtime_secret_name');
    return [typeof name === 'string' && name !== '' ? name : DEFAULT_OPTIONAL];
  });
}

function field(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>((inner, key) => (inner instanceof Map ? inner.get(key) : undefined), value);
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

const keys = (value: unknown): readonly string[] =>
  value instanceof Map ? [...value.keys()].filter((key) => typeof key === 'string') : [];

/** Kubernetes' rule for keys of a Secret, and Truss's: the prefix is Truss's own. */
export const canBeDelivered = (name: string): boolean =>
  name.length <= 253 &&
  /^[-._a-zA-Z0-9]+$/.test(name) &&
  name !== '.' &&
  !name.startsWith('..') &&
  !name.startsWith('TRUSS_SECRET_');
