import type { ModelDeploymentSpec, Override, SecretRole, SecretState } from '../api/model-deployment.ts';
import { messages, type StoreShown } from '../api/messages.ts';
import { ENV_PREFIX } from '../api/names.ts';
import type { SecretValue } from '../api/secret-value.ts';
import { nameProblem, normalise } from '../truss/names.ts';
import { consents } from './consent.ts';
import type {
  DeclaredSecret,
  ModelView,
  ReadableStore,
  Snapshot,
  SourceSecret,
  StoreView,
} from './snapshot.ts';

/** Where a value was found. */
export interface Source {
  readonly secret: SourceSecret;
  readonly key: string;
}

/** What became of one declared name. `held`: it is unknown whether there is a value, so nothing changes. */
export interface Resolution {
  readonly name: string;
  readonly role: SecretRole;
  readonly state: SecretState;
  readonly held: boolean;
  readonly message?: string;
  readonly source?: Source;
  readonly value?: SecretValue;
}

/** How a pod refers to a declared name, which depends on the declaration alone and never on a value. */
export type Need = 'required' | 'optional' | 'left-out';

/** Types that Kubernetes itself, or Helm, lives by: never a source, whoever labels them as a store. */
const NEVER_A_SOURCE = new Set([
  'kubernetes.io/service-account-token',
  'bootstrap.kubernetes.io/token',
  'helm.sh/release.v1',
]);

/** Resolves every declared name (DESIGN.md section 4, "Finding a value" and "States of a declared name"). */
export function resolveAll(
  snapshot: Snapshot,
  spec: ModelDeploymentSpec,
  declared: readonly DeclaredSecret[],
): readonly Resolution[] {
  const { model } = snapshot;
  const stores = consenting(snapshot);
  const overrides = new Map((spec.overrides ?? []).map((override) => [override.name, override]));
  const priorUids = new Map(model.prior.secrets.map(({ name, sourceUid }) => [name, sourceUid]));
  return declared.map((secret) =>
    resolve(secret, {
      model,
      spec,
      stores,
      override: overrides.get(secret.name),
      priorUid: priorUids.get(secret.name),
      isDelivered: snapshot.delivered.kind === 'ours' && snapshot.delivered.digests.has(secret.name),
    }),
  );
}

/** A Secret that does not consent does not exist, for any rule and in any message. */
function consenting({ stores, model, namespaceUid }: Snapshot): readonly StoreView[] {
  const asker = { namespace: model.namespace, namespaceUid, model: model.name };
  return stores.map((store) =>
    store.kind === 'unreadable'
      ? store
      : {
          ...store,
          secrets: store.secrets.filter(
            (secret) => !secret.delivered && !NEVER_A_SOURCE.has(secret.type) && consents(secret, asker),
          ),
        },
  );
}

interface Question {
  readonly model: ModelView;
  readonly spec: ModelDeploymentSpec;
  readonly stores: readonly StoreView[];
  readonly override: Override | undefined;
  readonly priorUid: string | undefined;
  readonly isDelivered: boolean;
}

/** The checks stand in the order of precedence of the states. */
function resolve({ name, role }: DeclaredSecret, question: Question): Resolution {
  const { spec, override } = question;
  const as = (state: SecretState, message?: string): Resolution => ({
    name,
    role,
    state,
    held: false,
    ...(message === undefined ? {} : { message }),
  });
  const problem = nameProblem(name);
  if (problem) return as('InvalidName', problem.message);
  if (!spec.trusted) return as('Untrusted', messages.untrusted);
  if (role === 'Build') return as('BuildOnly', messages.buildOnly);
  if (role === 'Weights') return as('Unsupported', messages.weights);

  const key = override?.from?.key ?? name;
  const stores = override?.from
    ? question.stores.filter(({ ref }) => ref.name === override.from?.store)
    : question.stores;
  const found = find(key, stores, spec.environment, question.priorUid);
  switch (found.kind) {
    case 'unknown':
      return {
        ...as(question.isDelivered ? 'Delivered' : 'Missing', messages.unreadable(found.store)),
        held: true,
      };
    case 'ambiguous':
      return as('Ambiguous', messages.ambiguous(key, shown(found.first), shown(found.second)));
    case 'nowhere':
      if (spec.onMissing === 'UseDefault' && role === 'Default')
        return as('UsingDefault', messages.usingDefault);
      return as('Missing', missingMessage(key, role, stores, question));
    case 'found': {
      const { secret, value } = found;
      if (value.size === 0) return as('Empty', messages.empty(`${shown(secret)}, key ${key}`));
      const inEnv = spec.delivery === 'Env' || (override?.env ?? []).length > 0;
      if (inEnv && !value.fitsEnv())
        return as('Undeliverable', messages.notText(`${shown(secret)}, key ${key}`));
      return { name, role, state: 'Delivered', held: false, source: { secret, key }, value };
    }
  }
}

type Found =
  | { readonly kind: 'found'; readonly secret: SourceSecret; readonly value: SecretValue }
  | { readonly kind: 'ambiguous'; readonly first: SourceSecret; readonly second: SourceSecret }
  | { readonly kind: 'unknown'; readonly store: string }
  | { readonly kind: 'nowhere' };

/** The first store that has the key wins; a store that can't be read might have had it. */
function find(
  key: string,
  stores: readonly StoreView[],
  environment: string | undefined,
  priorUid: string | undefined,
): Found {
  for (const store of stores) {
    if (store.kind === 'unreadable') return { kind: 'unknown', store: store.ref.name };
    const [first, second, ...more] = candidates(key, store, environment);
    if (!first) continue;
    const chosen = second ? [first, second, ...more].find(({ uid }) => uid === priorUid) : first;
    const value = chosen?.values.get(key);
    if (chosen && value) return { kind: 'found', secret: chosen, value };
    if (second) return { kind: 'ambiguous', first, second };
  }
  return { kind: 'nowhere' };
}

/** The Secrets of a store that have the key: those of the environment, else those without an environment. */
function candidates(
  key: string,
  store: ReadableStore,
  environment: string | undefined,
): readonly SourceSecret[] {
  const having = store.secrets.filter(({ values }) => values.has(key));
  const ofEnvironment =
    environment === undefined ? [] : having.filter((secret) => secret.environment === environment);
  const best =
    ofEnvironment.length > 0 ? ofEnvironment : having.filter((secret) => secret.environment === undefined);
  return best.length > 1 ? [...best].sort((a, b) => (shown(a) < shown(b) ? -1 : 1)) : best;
}

const shown = ({ namespace, name }: SourceSecret): string => `${namespace}/${name}`;

function missingMessage(
  key: string,
  role: SecretRole,
  stores: readonly StoreView[],
  { model, spec }: Question,
): string {
  if (role === 'Optional') return messages.optionalMissing;
  const where: readonly StoreShown[] = stores.map(({ ref }) => ({
    name: ref.name,
    namespace: ref.namespace ?? model.namespace,
    foreign: ref.namespace !== undefined && ref.namespace !== model.namespace,
  }));
  return messages.missing(
    key,
    where,
    `${model.namespace}/${model.name}`,
    spec.environment,
    nearTwins(key, stores, spec.environment),
  );
}

/** Keys that differ from the one asked for only in `-`, `_`, `.` or case, or by the prefix, in Secrets that would count. */
function nearTwins(
  key: string,
  stores: readonly StoreView[],
  environment: string | undefined,
): readonly string[] {
  const wanted = normalise(key);
  const twins = new Set<string>();
  for (const store of stores) {
    if (store.kind === 'unreadable') continue;
    for (const secret of store.secrets) {
      if (secret.environment !== undefined && secret.environment !== environment) continue;
      for (const other of secret.values.keys()) {
        const bare = other.startsWith(ENV_PREFIX) ? other.slice(ENV_PREFIX.length) : other;
        if (normalise(bare) === wanted) twins.add(other);
      }
    }
  }
  return [...twins].sort();
}

/** How the pod template refers to a name (the table of `onMissing`). */
export function needOf({ role, state }: Resolution, onMissing: ModelDeploymentSpec['onMissing']): Need {
  switch (state) {
    case 'InvalidName':
    case 'BuildOnly':
    case 'Unsupported':
    case 'NotApproved':
    case 'Untrusted':
      return 'left-out';
    case 'Delivered':
    case 'Missing':
    case 'Ambiguous':
    case 'Empty':
    case 'Undeliverable':
    case 'UsingDefault': {
      if (role === 'Optional' || onMissing === 'Skip') return 'optional';
      return onMissing === 'UseDefault' && role === 'Default' ? 'optional' : 'required';
    }
  }
}

/** Whether the model counts as served although the name is not delivered (DESIGN.md section 6, Ready). */
export function isSatisfied(
  { role, state, held }: Resolution,
  onMissing: ModelDeploymentSpec['onMissing'],
): boolean {
  switch (state) {
    case 'Delivered':
      return !held;
    case 'UsingDefault':
    case 'BuildOnly':
      return true;
    case 'Unsupported':
      return role === 'Weights' || onMissing === 'Skip';
    case 'InvalidName':
    case 'NotApproved':
    case 'Missing':
    case 'Ambiguous':
    case 'Empty':
    case 'Undeliverable':
      return role === 'Optional' || onMissing === 'Skip';
    case 'Untrusted':
      return false;
  }
}

/** Runtime and pull names count as declared; build and weights names are only reported. */
export const counts = ({ role }: { readonly role: SecretRole }): boolean =>
  role !== 'Build' && role !== 'Weights';
