import { ENV_PREFIX, PULL_SECRET_TYPE } from '../api/names.ts';
import { canonical } from '../plan/flatten.ts';
import type { Declaration, SourceSecret } from '../plan/snapshot.ts';
import { normalise } from '../truss/names.ts';
import type { Caches } from './caches.ts';
import type { CachedModel } from './model.ts';

const aboutAll = ({ uid, type, store, environment, consent, delivered }: SourceSecret): string =>
  canonical({ uid, type, store, environment, consent, delivered });

/** Whether nothing changed that a plan could depend on, as when somebody annotates a store Secret. */
export const sameSource = (old: SourceSecret, now: SourceSecret): boolean =>
  aboutAll(old) === aboutAll(now) && changedKeys(old, now).length === 0;

/**
 * The models that a change of a store Secret matters to. A store may be everybody's: only those are woken that
 * declare what changed, or a near twin of it; and all of them when who may have it, or what it is, has changed.
 */
export function modelsOfChange(
  old: SourceSecret | undefined,
  now: SourceSecret | undefined,
  { models, configs }: Caches,
): readonly string[] {
  const secrets = [old, now].filter((secret) => secret !== undefined);
  const stores = new Set(secrets.map(({ namespace, store }) => `${namespace}/${store}`));
  const readers = [...stores].flatMap((store) => models.keysBy('store', store));
  // a docker config has no names: what counts is inside
  const isPull = secrets.some(({ type }) => type === PULL_SECRET_TYPE);
  if (isPull || (old && now && aboutAll(old) !== aboutAll(now))) return readers;
  const changed = new Set(changedKeys(old, now).flatMap(likeNames));
  return readers.filter((key) => {
    const model = models.getByKey(key);
    const names = model && namesOf(model, configs);
    return names === undefined || names.some((name) => changed.has(name));
  });
}

function changedKeys(old: SourceSecret | undefined, now: SourceSecret | undefined): readonly string[] {
  const keys = new Set([...(old?.values.keys() ?? []), ...(now?.values.keys() ?? [])]);
  return [...keys].filter((key) => {
    const before = old?.values.get(key);
    const after = now?.values.get(key);
    return before === undefined || after === undefined || !before.equals(after);
  });
}

/** What a declared name is like if the key is its own, or is shown as close to it. */
const likeNames = (key: string): readonly string[] =>
  [key, ...(key.startsWith(ENV_PREFIX) ? [key.slice(ENV_PREFIX.length)] : [])].map(normalise);

/** Normalised, what a model looks for in its stores; undefined: it is not known. */
function namesOf(
  { namespace, inline, spec, prior }: CachedModel,
  configs: Caches['configs'],
): readonly string[] | undefined {
  // what is declared counts only where it can be used: otherwise the model goes by what it had before
  const isUsable = prior.conditions.some(({ type, status }) => type === 'ConfigValid' && status === 'True');
  if (spec.kind === 'invalid' || !isUsable) return undefined;
  const { config, overrides = [] } = spec.spec;
  const ref = config.configMapRef;
  const declaration = inline ?? (ref && configs.get(namespace, ref.name)?.declarations.get(ref.key));
  const declared = declaration && normalisedNames(declaration);
  if (!declared || overrides.length === 0) return declared;
  return [
    ...declared,
    ...overrides.flatMap(({ from }) => (from?.key === undefined ? [] : [normalise(from.key)])),
  ];
}

/** Of each declaration as long as it is kept: a store may have ten thousand models. */
const known = new WeakMap<Declaration, readonly string[]>();

function normalisedNames(declaration: Declaration): readonly string[] | undefined {
  if (declaration.kind !== 'read') return undefined;
  const found = known.get(declaration);
  if (found) return found;
  const names = declaration.secrets.map(({ name }) => {
    const normalised = normalise(name);
    return normalised === name ? name : normalised;
  });
  known.set(declaration, names);
  return names;
}
