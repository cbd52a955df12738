import type { Reason } from '../api/messages.ts';
import { bounded, listed, messages } from '../api/messages.ts';
import { MAX_DECLARED, type ModelDeploymentSpec } from '../api/model-deployment.ts';
import { injectionOf } from './injection.ts';
import { type Resolution, resolveAll } from './resolve.ts';
import { planSecret, type SecretPlan } from './secret.ts';
import type { DeclaredSecret, Snapshot, Surroundings } from './snapshot.ts';
import { planWorkload, type WorkloadPlan } from './workload.ts';

/**
 * What is to be done for one model, and what is known about it: the result of all deciding.
 *
 * `plan` is a pure function: no I/O, clock, randomness or logger. The controller carries it out; the commands
 * `plan` and `explain` only show it, so that they can't disagree with the controller.
 */
export type Plan =
  /** The model is going away: nothing is written for it any more. */
  { readonly kind: 'leave' } | ({ readonly kind: 'act' } & ActPlan);

export interface ActPlan {
  readonly config: ConfigVerdict;
  readonly trusted: boolean;
  readonly onMissing: ModelDeploymentSpec['onMissing'];
  readonly delivery: ModelDeploymentSpec['delivery'];
  readonly resolutions: readonly Resolution[];
  readonly secret: SecretPlan;
  readonly workloads: readonly WorkloadPlan[];
  readonly unreadableStores: readonly string[];
}

/** Whether the present config.yaml could be used; if not, the plan goes by the last one that could. */
export type ConfigVerdict =
  | { readonly kind: 'valid'; readonly message: string }
  | { readonly kind: 'unusable'; readonly reason: Reason; readonly message: string; readonly waits: boolean };

export function plan(snapshot: Snapshot, surroundings: Surroundings): Plan {
  const { model } = snapshot;
  if (model.deleting) return { kind: 'leave' };
  if (model.spec.kind === 'invalid') return { kind: 'act', ...planInvalid(snapshot, model.spec.issues) };
  const { spec } = model.spec;
  const { config, declared } = judgeConfig(snapshot, spec);
  const resolutions = resolveAll(snapshot, spec, declared);
  const secret = planSecret(model, spec, resolutions, snapshot.delivered, surroundings);
  const injection = injectionOf(model, spec, resolutions, secret);
  return {
    kind: 'act',
    config,
    trusted: spec.trusted,
    onMissing: spec.onMissing,
    delivery: spec.delivery,
    resolutions,
    secret,
    workloads: snapshot.workloads.map((view) => planWorkload(model, view, injection, surroundings.digest)),
    unreadableStores: snapshot.stores.flatMap((store) => (store.kind === 'unreadable' ? [store.why] : [])),
  };
}

/**
 * A spec that an older API server let through although it breaks a rule: nobody can say what it asks for, so
 * nothing changes until it is mended.
 */
function planInvalid({ model }: Snapshot, issues: readonly string[]): ActPlan {
  return {
    config: unusable('SpecInvalid', messages.specInvalid(issues)),
    trusted: false,
    onMissing: 'Wait',
    delivery: 'None',
    resolutions: [],
    secret: {
      name: model.name,
      action: { kind: 'none' },
      revision: undefined,
      keys: new Set(),
      tooLarge: undefined,
    },
    workloads: [],
    unreadableStores: [],
  };
}

interface Judgement {
  readonly config: ConfigVerdict;
  readonly declared: readonly DeclaredSecret[];
}

/** A typo must not take a running model's secrets away: the names of the last readable config.yaml stay. */
function judgeConfig({ declaration, model }: Snapshot, spec: ModelDeploymentSpec): Judgement {
  const last = model.prior.secrets;
  const { configMapRef } = spec.config;
  switch (declaration.kind) {
    case 'missing': {
      const name = configMapRef?.name ?? '';
      return declaration.what === 'ConfigMap'
        ? {
            declared: last,
            config: unusable('ConfigMapMissing', messages.configMapMissing(model.namespace, name), true),
          }
        : {
            declared: last,
            config: unusable(
              'ConfigKeyMissing',
              messages.configKeyMissing(model.namespace, name, configMapRef?.key ?? ''),
              true,
            ),
          };
    }
    case 'unknown':
      return { declared: last, config: unusable('NotAuthorized', declaration.why, true) };
    case 'malformed':
      return {
        declared: last,
        config: unusable('ConfigMalformed', messages.configMalformed(declaration.errors)),
      };
    case 'read': {
      const { secrets, warnings } = declaration;
      if (secrets.length > MAX_DECLARED) {
        return {
          declared: last,
          config: unusable('TooMany', messages.tooMany(secrets.length, MAX_DECLARED)),
        };
      }
      const undeclared = undeclaredOverrides(spec, secrets);
      return {
        declared: secrets,
        config: {
          kind: 'valid',
          message: messages.configValid(secrets.length, [...undeclared, ...warnings]),
        },
      };
    }
  }
}

const unusable = (reason: Reason, message: string, waits = false): ConfigVerdict => ({
  kind: 'unusable',
  reason,
  message: bounded(message, 4096),
  waits,
});

function undeclaredOverrides(
  spec: ModelDeploymentSpec,
  declared: readonly DeclaredSecret[],
): readonly string[] {
  const names = new Set(declared.map(({ name }) => name));
  const extra = (spec.overrides ?? []).flatMap(({ name }) => (names.has(name) ? [] : [name]));
  return extra.length > 0 ? [messages.undeclaredOverrides(listed(extra))] : [];
}
