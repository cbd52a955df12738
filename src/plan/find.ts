import { messages, shownName, type StoreShown } from '../api/messages.ts';
import { DOCKER_CONFIG_KEY } from '../api/names.ts';
import type { SecretValue } from '../api/secret-value.ts';
import { normalise } from '../truss/names.ts';
import { consents } from './consent.ts';
import { secretsLike, secretsWith, twinsIn } from './key-index.ts';
import { registryEntry } from './pull.ts';
import type {
  ModelIdentity,
  ReadableStore,
  Snapshot,
  SourceSecret,
  UnreadableStore,
  ValueSource,
} from './snapshot.ts';

/** What is looked for in the Secrets of a store: a key, or a registry's entry in a docker config. */
export type Wanted =
  | { readonly kind: 'key'; readonly key: string; readonly renamed: boolean }
  | { readonly kind: 'registry'; readonly registry: string };

/** The key of a source Secret that a value is in. */
export const keyOf = (wanted: Wanted): string => (wanted.kind === 'key' ? wanted.key : DOCKER_CONFIG_KEY);

const valueIn = (secret: SourceSecret, wanted: Wanted): SecretValue | undefined =>
  wanted.kind === 'key' ? secret.values.get(wanted.key) : registryEntry(secret, wanted.registry);

/** Types that Kubernetes itself, or Helm, lives by: never a source, whoever labels them as a store. */
const NEVER_A_SOURCE = new Set([
  'kubernetes.io/service-account-token',
  'bootstrap.kubernetes.io/token',
  'helm.sh/release.v1',
]);

interface OpenStore extends ReadableStore {
  /** Whether a Secret exists for the model. */
  readonly has: (secret: SourceSecret) => boolean;
}

/** A store as one model sees it. */
export type AskedStore = UnreadableStore | OpenStore;

/** A Secret that does not consent does not exist, for any rule and in any message. */
export function consenting({ stores, model, namespaceUid }: Snapshot): readonly AskedStore[] {
  const asker = { namespace: model.namespace, namespaceUid, model: model.name };
  const has = (secret: SourceSecret): boolean =>
    !secret.delivered && !NEVER_A_SOURCE.has(secret.type) && consents(secret, asker);
  return stores.map((store) => (store.kind === 'unreadable' ? store : { ...store, has }));
}

export type Found =
  | { readonly kind: 'found'; readonly secret: SourceSecret; readonly value: SecretValue }
  | { readonly kind: 'ambiguous'; readonly first: SourceSecret; readonly second: SourceSecret }
  | { readonly kind: 'unknown'; readonly store: string }
  | { readonly kind: 'nowhere' };

/** The first store that has the value wins; a store that can't be read might have had it. */
export function find(
  wanted: Wanted,
  stores: readonly AskedStore[],
  environment: string | undefined,
  priorUid: string | undefined,
): Found {
  for (const store of stores) {
    if (store.kind === 'unreadable') return { kind: 'unknown', store: store.ref.name };
    const found = candidates(wanted, store, environment);
    // by their places: to take a list apart costs more, and every name of every model comes by here
    const first = found[0];
    const second = found[1];
    if (!first) continue;
    const chosen = second ? found.find(({ uid }) => uid === priorUid) : first;
    const value = chosen && valueIn(chosen, wanted);
    if (chosen && value) return { kind: 'found', secret: chosen, value };
    if (second) return { kind: 'ambiguous', first, second };
  }
  return { kind: 'nowhere' };
}

/** What was delivered before, and is asked about again. */
interface Before {
  /** Undefined: the status that said it was lost. */
  readonly source: ValueSource | undefined;
  /** Namespace of the model. */
  readonly home: string;
}

/**
 * Whether what was delivered may stay while it is not known what should be. A store that can't be read keeps what
 * came from it, and nothing else: what can be seen to be gone, not shared any more or not asked for any more is
 * withdrawn, whatever else is unknown.
 */
export function mayStay(
  wanted: Wanted,
  stores: readonly AskedStore[],
  environment: string | undefined,
  { source, home }: Before,
): boolean {
  if (!source) {
    const readable = stores.filter((store) => store.kind === 'readable');
    return (
      readable.length === 0 || readable.some((store) => candidates(wanted, store, environment).length > 0)
    );
  }
  if (source.key !== keyOf(wanted)) return false;
  return stores.some((store) => {
    if ((store.ref.namespace ?? home) !== source.namespace) return false;
    if (store.kind === 'unreadable') return true;
    return secretsWith(store.secrets, keyOf(wanted)).some(
      (secret) =>
        secret.name === source.name &&
        (secret.environment === undefined || secret.environment === environment) &&
        store.has(secret) &&
        (valueIn(secret, wanted)?.size ?? 0) > 0,
    );
  });
}

/** The Secrets of a store that have the value: those of the environment, else those without an environment. */
function candidates(
  wanted: Wanted,
  store: OpenStore,
  environment: string | undefined,
): readonly SourceSecret[] {
  const having = those(
    // consent is asked for last: of ten thousand Secrets one has the key
    secretsWith(store.secrets, keyOf(wanted)),
    (secret) =>
      (secret.environment === undefined || secret.environment === environment) &&
      store.has(secret) &&
      valueIn(secret, wanted) !== undefined,
  );
  const best = having.some(isForOne) ? those(having, isForOne) : having;
  return best.length > 1 ? best.toSorted((a, b) => (shown(a) < shown(b) ? -1 : 1)) : best;
}

const isForOne = ({ environment }: SourceSecret): boolean => environment !== undefined;

/** A list that is right as it is is not copied: every name of every model comes by here. */
const those = (
  secrets: readonly SourceSecret[],
  are: (secret: SourceSecret) => boolean,
): readonly SourceSecret[] => (secrets.every(are) ? secrets : secrets.filter(are));

export const shown = ({ namespace, name }: SourceSecret): string => `${namespace}/${name}`;

/** Why nothing was found, and what is close to it. */
export function missingMessage(
  wanted: Wanted,
  stores: readonly AskedStore[],
  { namespace, name }: ModelIdentity,
  environment: string | undefined,
): string {
  const where: readonly StoreShown[] = stores.map(({ ref }) => ({
    name: ref.name,
    namespace: ref.namespace ?? namespace,
    foreign: ref.namespace !== undefined && ref.namespace !== namespace,
  }));
  const model = `${namespace}/${name}`;
  switch (wanted.kind) {
    case 'registry':
      return messages.pullMissing(shownName(wanted.registry), where, model);
    case 'key': {
      const twins = nearTwins(wanted.key, stores, environment);
      const key = wanted.renamed ? wanted.key : undefined;
      return messages.missing(key, where, model, environment, twins);
    }
  }
}

/** Keys that differ from the one asked for only in `-`, `_`, `.` or case, or by the prefix, in Secrets that would count. */
function nearTwins(
  key: string,
  stores: readonly AskedStore[],
  environment: string | undefined,
): readonly string[] {
  const wanted = normalise(key);
  const twins = new Set<string>();
  for (const store of stores) {
    if (store.kind === 'unreadable') continue;
    for (const secret of secretsLike(store.secrets, wanted)) {
      if (secret.environment !== undefined && secret.environment !== environment) continue;
      if (!store.has(secret)) continue;
      for (const other of twinsIn(secret, wanted)) twins.add(other);
    }
  }
  return [...twins].sort();
}
