import type { ModelDeploymentSpec, Override, SecretRole, SecretState } from '../api/model-deployment.ts';
import { messages } from '../api/messages.ts';
import type { SecretValue } from '../api/secret-value.ts';
import { nameProblem } from '../truss/names.ts';
import { type Approval, approvesSecret, deniedEnv } from './approval.ts';
import {
  type AskedStore,
  consenting,
  find,
  type Found,
  keyOf,
  mayStay,
  missingMessage,
  shown,
  type Wanted,
} from './find.ts';
import {
  isRegistryName,
  type PullCredential,
  registryNameProblem,
  unsupportedPull,
  useForPull,
} from './pull.ts';
import type { DeclaredSecret, ModelView, PullUse, Snapshot, SourceSecret, ValueSource } from './snapshot.ts';

/**
 * What became of one declared name. `held`: it is unknown what its value should be, so that what was delivered stays
 * (state Delivered) and nothing is added.
 */
export interface Resolution {
  readonly name: string;
  readonly role: SecretRole;
  readonly state: SecretState;
  readonly held: boolean;
  readonly message: string | undefined;
  readonly source: ValueSource | undefined;
  readonly pull: PullUse | undefined;
  readonly value: SecretValue | undefined;
  /** What the value is for the pull Secret, if the name is for pulling and the value has the right form. */
  readonly credential: PullCredential | undefined;
}

/** How a pod refers to a declared name, which depends on the declaration alone and never on a value. */
export type Need = 'required' | 'optional' | 'left-out';

/** Resolves every declared name (DESIGN.md section 4, "Finding a value" and "States of a declared name"). */
export function resolveAll(
  snapshot: Snapshot,
  spec: ModelDeploymentSpec,
  declared: readonly DeclaredSecret[],
  approval: Approval,
): readonly Resolution[] {
  const { model } = snapshot;
  const stores = consenting(snapshot);
  const overrides = new Map((spec.overrides ?? []).map((override) => [override.name, override]));
  const priorSources = new Map(model.prior.secrets.map(({ name, source }) => [name, source]));
  return declared.map((secret) =>
    resolve(secret, {
      model,
      spec,
      approval,
      stores,
      override: overrides.get(secret.name),
      priorSource: priorSources.get(secret.name),
      isDelivered: isDelivered(secret, snapshot, priorSources),
    }),
  );
}

function isDelivered(
  { name, role }: DeclaredSecret,
  { delivered, pull }: Snapshot,
  priorSources: ReadonlyMap<string, ValueSource | undefined>,
): boolean {
  if (role === 'Pull') return pull.kind === 'ours' && priorSources.get(name) !== undefined;
  return delivered.kind === 'ours' && delivered.digests.has(name);
}

interface Question {
  readonly model: ModelView;
  readonly spec: ModelDeploymentSpec;
  readonly approval: Approval;
  readonly stores: readonly AskedStore[];
  readonly override: Override | undefined;
  readonly priorSource: ValueSource | undefined;
  readonly isDelivered: boolean;
}

/** The checks stand in the order of precedence of the states. */
function resolve(declared: DeclaredSecret, question: Question): Resolution {
  const { name, role, pull } = declared;
  const { spec, override, approval } = question;
  const problem = isRegistryName(declared) ? registryNameProblem(name) : nameProblem(name)?.why;
  if (problem !== undefined) return without(declared, 'InvalidName', problem);
  if (!spec.trusted) return without(declared, 'Untrusted', messages.untrusted);
  const key = override?.from?.key ?? name;
  const approved = approvesSecret(approval, key);
  if (approved === 'no') return without(declared, 'NotApproved', messages.notApproved(key));
  if (role === 'Build') return without(declared, 'BuildOnly', messages.buildOnly);
  if (role === 'Weights') return without(declared, 'Unsupported', messages.weights);
  const unsupported = role === 'Pull' && pull ? unsupportedPull(pull) : undefined;
  if (unsupported !== undefined) return without(declared, 'Unsupported', unsupported);
  const wanted: Wanted =
    isRegistryName(declared) && !override?.from
      ? { kind: 'registry', registry: pull?.registry ?? '' }
      : { kind: 'key', key, renamed: key !== name };
  const stores = override?.from
    ? question.stores.filter(({ ref }) => ref.name === override.from?.store)
    : question.stores;
  if (approved === 'unknown')
    return hold(declared, question, wanted, stores, 'NotApproved', messages.approvalUnknown);
  const found = find(wanted, stores, spec.environment, question.priorSource?.uid);
  switch (found.kind) {
    case 'unknown':
      return hold(declared, question, wanted, stores, 'Missing', messages.unreadable(found.store));
    case 'ambiguous': {
      const said = messages.ambiguous(keyOf(wanted), shown(found.first), shown(found.second));
      return without(declared, 'Ambiguous', said);
    }
    case 'nowhere':
      if (role === 'Optional') return without(declared, 'Missing', messages.optionalMissing);
      if (spec.onMissing === 'UseDefault' && role === 'Default')
        return without(declared, 'UsingDefault', messages.usingDefault);
      return without(declared, 'Missing', missingMessage(wanted, stores, question.model, spec.environment));
    case 'found':
      return deliver(declared, question, found, keyOf(wanted));
  }
}

/** What was found is delivered, if it can be. */
function deliver(
  declared: DeclaredSecret,
  { spec, override, approval }: Question,
  { secret, value }: Extract<Found, { kind: 'found' }>,
  key: string,
): Resolution {
  const { role, pull } = declared;
  if (value.size === 0) return without(declared, 'Empty', messages.empty(place(secret, key)));
  const forPull = pull && useForPull(pull, value, place(secret, key));
  const credential = forPull?.kind === 'credential' ? forPull.credential : undefined;
  const source: ValueSource = { key, name: secret.name, namespace: secret.namespace, uid: secret.uid };
  if (role === 'Pull') {
    return credential
      ? delivered(declared, { source, credential, message: undefined, value: undefined })
      : without(declared, 'Undeliverable', forPull?.message);
  }
  const env = override?.env ?? NO_NAMES;
  const denied = deniedEnv(approval, env);
  const inEnv = spec.delivery === 'Env' || env.length > denied.length;
  if (inEnv && !value.fitsEnv())
    return without(declared, 'Undeliverable', messages.notText(place(secret, key)));
  const message = denied.length > 0 ? messages.envNotApproved(denied) : forPull?.message;
  return delivered(declared, { source, credential, message, value });
}

const delivered = (
  { name, role, pull }: DeclaredSecret,
  { source, credential, message, value }: Pick<Resolution, 'source' | 'credential' | 'message' | 'value'>,
): Resolution => ({
  name,
  role,
  state: 'Delivered',
  held: false,
  message,
  source,
  pull,
  value,
  credential,
});

const place = (secret: SourceSecret, key: string): string => `${shown(secret)}, key ${key}`;

const NO_NAMES: readonly string[] = [];

/** It is not known what its value should be: what was delivered stays, if nothing speaks against it. */
function hold(
  declared: DeclaredSecret,
  { isDelivered: has, spec, priorSource: source, model }: Question,
  wanted: Wanted,
  stores: readonly AskedStore[],
  state: SecretState,
  why: string,
): Resolution {
  const keeps = has && mayStay(wanted, stores, spec.environment, { source, home: model.namespace });
  const open = { ...without(declared, state, why), held: true };
  return keeps ? { ...open, state: 'Delivered', source } : open;
}

/** It has no value. */
const without = (
  { name, role, pull }: DeclaredSecret,
  state: SecretState,
  message: string | undefined,
): Resolution => ({
  name,
  role,
  state,
  held: false,
  message,
  source: undefined,
  pull,
  value: undefined,
  credential: undefined,
});

/** Whether what was delivered stays as it is, because it is not known what it should be. */
export const stays = ({ held, state }: Resolution): boolean => held && state === 'Delivered';

/** How the pod template refers to a name (the table of `onMissing`). */
export function needOf({ role, state }: Resolution, onMissing: ModelDeploymentSpec['onMissing']): Need {
  if (role === 'Pull') return 'left-out';
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
    case 'NotApproved':
      // nothing is copied for those two, approved or not
      return role === 'Build' || role === 'Weights' || role === 'Optional' || onMissing === 'Skip';
    case 'InvalidName':
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
