import { ENV_PREFIX } from '../api/names.ts';
import { normalise } from '../truss/names.ts';
import type { SourceSecret } from './snapshot.ts';

/**
 * Which Secrets of a store have a key: a store may have ten thousand of them with one key each, and is asked for the
 * names of as many models. Those with very many keys would take more memory in an index than it saves time; there
 * can't be many, and they are looked into one by one.
 */
interface KeyIndex {
  readonly byKey: ReadonlyMap<string, readonly SourceSecret[]>;
  readonly large: readonly SourceSecret[];
}

const LARGE = 64;
const NONE: readonly SourceSecret[] = [];

/** Of each list of Secrets as long as somebody keeps it. */
const exact = new WeakMap<readonly SourceSecret[], KeyIndex>();
const alike = new WeakMap<readonly SourceSecret[], KeyIndex>();

/** The Secrets that have the key, whether or not they consent. */
export const secretsWith = (secrets: readonly SourceSecret[], key: string): readonly SourceSecret[] =>
  lookUp(secrets, key, exact, namesOf, hasKey);

const hasKey = ({ values }: SourceSecret, key: string): boolean => values.has(key);

const namesOf = ({ values }: SourceSecret): Iterable<string> => values.keys();

/** The keys of a Secret that differ from a name only in `-`, `_`, `.` or case, or by the prefix. */
export const twinsIn = (secret: SourceSecret, normalised: string): readonly string[] =>
  keysByNormalised(secret).get(normalised) ?? [];

/** The Secrets that have such a key, whether or not they consent. */
export const secretsLike = (secrets: readonly SourceSecret[], normalised: string): readonly SourceSecret[] =>
  lookUp(secrets, normalised, alike, likeness, hasLike);

const hasLike = (secret: SourceSecret, normalised: string): boolean =>
  keysByNormalised(secret).has(normalised);

const likeness = (secret: SourceSecret): Iterable<string> => keysByNormalised(secret).keys();

function lookUp(
  secrets: readonly SourceSecret[],
  key: string,
  indexes: WeakMap<readonly SourceSecret[], KeyIndex>,
  keysOf: (secret: SourceSecret) => Iterable<string>,
  has: (secret: SourceSecret, key: string) => boolean,
): readonly SourceSecret[] {
  let index = indexes.get(secrets);
  if (!index) {
    index = indexed(secrets, keysOf);
    indexes.set(secrets, index);
  }
  const { byKey, large } = index;
  const having = byKey.get(key) ?? NONE;
  return large.length === 0 ? having : [...having, ...large.filter((secret) => has(secret, key))];
}

function indexed(
  secrets: readonly SourceSecret[],
  keysOf: (secret: SourceSecret) => Iterable<string>,
): KeyIndex {
  const byKey = new Map<string, SourceSecret[]>();
  const large = secrets.filter(({ values }) => values.size > LARGE);
  for (const secret of secrets) {
    if (secret.values.size > LARGE) continue;
    for (const key of keysOf(secret)) {
      const having = byKey.get(key);
      if (having) having.push(secret);
      else byKey.set(key, [secret]);
    }
  }
  return { byKey, large };
}

/** Of each Secret as long as it is kept: it may have as many keys as fit, and a model may miss as many names. */
const known = new WeakMap<SourceSecret, ReadonlyMap<string, readonly string[]>>();

function keysByNormalised(secret: SourceSecret): ReadonlyMap<string, readonly string[]> {
  const found = known.get(secret);
  if (found) return found;
  const keys = Map.groupBy(secret.values.keys(), (key) =>
    normalise(key.startsWith(ENV_PREFIX) ? key.slice(ENV_PREFIX.length) : key),
  );
  known.set(secret, keys);
  return keys;
}
