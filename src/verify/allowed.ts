import { modelTrustSpec } from '../api/model-trust.ts';
import type { SecretValue } from '../api/secret-value.ts';
import { secretData } from '../kube/secret-body.ts';
import type { RawObject } from '../kube/object.ts';
import { environmentOf, lets } from './consent.ts';
import { canBeDelivered, type Declared } from './declared.ts';
import type { Evidence } from './evidence.ts';
import { text } from './fields.ts';

/** Whether the model may have a declared name, and which values would be right. */
export type Allowed =
  | { readonly kind: 'no'; readonly why: string }
  /** Allowed, yet there is nothing that could be delivered. */
  | { readonly kind: 'no-value'; readonly why: string }
  | { readonly kind: 'unknown'; readonly why: string }
  /** `certain`: there is one source; of equally good ones the first that was taken stays, or none is. */
  | { readonly kind: 'yes'; readonly sources: readonly Source[]; readonly certain: boolean };

export interface Source {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly value: SecretValue;
}

/** What a second person approved; undefined: no approval is asked for. */
export interface Approved {
  readonly secrets: ReadonlySet<string>;
  readonly workloads: ReadonlySet<string>;
  readonly env: ReadonlySet<string>;
}

const NOTHING: Approved = { secrets: new Set(), workloads: new Set(), env: new Set() };

/** Approval counts if it is asked for, or if there is one. */
export function approvedBy({ model, trust }: Evidence, required: boolean): Approved | undefined {
  if (!trust) return required ? NOTHING : undefined;
  const parsed = modelTrustSpec.safeParse(trust['spec']);
  if (!parsed.success || trust.metadata.deletionTimestamp !== undefined) return NOTHING;
  const { modelUid = text(trust['status'], 'modelUid'), secrets, workloads, env } = parsed.data;
  if (modelUid !== undefined && modelUid !== '*' && modelUid !== model.metadata.uid) return NOTHING;
  return {
    secrets: new Set(secrets),
    workloads: new Set(workloads.map(({ kind, name }) => `${kind}/${name}`)),
    env: new Set(env),
  };
}

/** Why a model may not have a name, whatever its value; undefined: it may. */
export function denial(
  name: string,
  { runtime }: Declared,
  { spec }: Evidence,
  approved: Approved | undefined,
): string | undefined {
  if (!spec?.trusted) return 'the model is not trusted';
  if (runtime && !canBeDelivered(name)) return 'it can be no key of a Secret';
  const key = spec.overrides?.find((one) => one.name === name)?.from?.key ?? name;
  return approved && !approved.secrets.has(key) ? `the ModelTrust does not list ${key}` : undefined;
}

/** Looks for the value, by the rules of DESIGN.md section 4. */
export function allowedValue(
  name: string,
  declared: Declared,
  evidence: Evidence,
  approved: Approved | undefined,
): Allowed {
  const why = denial(name, declared, evidence, approved);
  if (why !== undefined) return { kind: 'no', why };
  if (!declared.runtime) return { kind: 'no', why: 'it is for pulling images, not for containers' };
  const { spec, stores, model, namespaceUid } = evidence;
  const override = spec?.overrides?.find((one) => one.name === name);
  const key = override?.from?.key ?? name;
  const asker = { namespace: model.metadata.namespace ?? '', namespaceUid, model: model.metadata.name };
  for (const store of stores) {
    if (override?.from && store.name !== override.from.store) continue;
    if (!store.secrets) return { kind: 'unknown', why: `store ${store.name} may not be read by you` };
    const having = store.secrets.filter((secret) => lets(secret, asker) && secretData(secret).has(key));
    const sources = best(having, spec?.environment).flatMap((secret) => sourceIn(secret, key));
    if (sources.length > 0) return judged(sources, evidence, override?.env ?? [], approved);
  }
  return { kind: 'no-value', why: 'no Secret that is for this model has it' };
}

function best(having: readonly RawObject[], environment: string | undefined): readonly RawObject[] {
  const own = having.filter((secret) => environment !== undefined && environmentOf(secret) === environment);
  return own.length > 0 ? own : having.filter((secret) => environmentOf(secret) === undefined);
}

function sourceIn(secret: RawObject, key: string): readonly Source[] {
  const value = secretData(secret).get(key);
  const { namespace = '', name, uid } = secret.metadata;
  return value ? [{ namespace, name, uid, value }] : [];
}

function judged(
  sources: readonly Source[],
  { spec }: Evidence,
  plainNames: readonly string[],
  approved: Approved | undefined,
): Allowed {
  const inEnv = spec?.delivery === 'Env' || plainNames.some((name) => approved?.env.has(name) ?? true);
  const usable = sources.filter(({ value }) => value.size > 0 && (!inEnv || value.fitsEnv()));
  return usable.length === 0
    ? { kind: 'no-value', why: 'its value is empty, or cannot be an environment variable' }
    : { kind: 'yes', sources: usable, certain: sources.length === 1 };
}
