import { bounded, listed, messages, type Reason } from '../api/messages.ts';
import { MAX_DECLARED, type ModelDeploymentSpec } from '../api/model-deployment.ts';
import { MAX_MODEL_NAME } from '../api/names.ts';
import { MAX_TEMPLATE_BYTES, templateBytes } from './bounds.ts';
import type { DeclaredSecret, Snapshot } from './snapshot.ts';

/** Whether the present config.yaml could be used; if not, the plan goes by the last one that could. */
export type ConfigVerdict =
  | { readonly kind: 'valid'; readonly message: string }
  | { readonly kind: 'unusable'; readonly reason: Reason; readonly message: string; readonly waits: boolean };

export interface Judgement {
  readonly config: ConfigVerdict;
  readonly declared: readonly DeclaredSecret[];
  /** Not even the last names are known (a model restored without its status): `declared` is what is delivered. */
  readonly guessed: boolean;
}

/** A typo must not take a running model's secrets away: the names of the last readable config.yaml stay. */
export function judgeConfig(snapshot: Snapshot, spec: ModelDeploymentSpec): Judgement {
  const config = usability(snapshot, spec);
  const { declaration, delivered, model } = snapshot;
  if (config.kind === 'valid' && declaration.kind === 'read') {
    return { config, declared: declaration.secrets, guessed: false };
  }
  const last = model.prior.secrets;
  if (last.length > 0 || delivered.kind === 'absent') return { config, declared: last, guessed: false };
  const names = [...delivered.digests.keys()].sort();
  return { config, declared: names.map((name) => ({ name, role: 'Required' })), guessed: true };
}

function usability(snapshot: Snapshot, spec: ModelDeploymentSpec): ConfigVerdict {
  const { declaration, model, workloads } = snapshot;
  const { configMapRef } = spec.config;
  if (model.name.length > MAX_MODEL_NAME) {
    return unusable('TooMany', messages.nameTooLong(model.name.length, MAX_MODEL_NAME));
  }
  switch (declaration.kind) {
    case 'missing': {
      const name = configMapRef?.name ?? '';
      return declaration.what === 'ConfigMap'
        ? unusable('ConfigMapMissing', messages.configMapMissing(model.namespace, name), true)
        : unusable(
            'ConfigKeyMissing',
            messages.configKeyMissing(model.namespace, name, configMapRef?.key ?? ''),
            true,
          );
    }
    case 'unknown':
      return unusable('NotAuthorized', declaration.why, true);
    case 'malformed':
      return unusable('ConfigMalformed', messages.configMalformed(declaration.errors));
    case 'read': {
      const { secrets, envWarnings } = declaration;
      const warnings = [...declaration.warnings, ...(spec.delivery === 'Env' ? envWarnings : [])];
      if (secrets.length > MAX_DECLARED) {
        return unusable('TooMany', messages.tooMany(secrets.length, MAX_DECLARED));
      }
      const bytes = spec.delivery === 'None' ? 0 : templateBytes(secrets, workloads);
      if (bytes > MAX_TEMPLATE_BYTES) {
        return unusable('TooMany', messages.tooManyBytes(bytes, MAX_TEMPLATE_BYTES));
      }
      const undeclared = undeclaredOverrides(spec, secrets);
      return { kind: 'valid', message: messages.configValid(secrets.length, [...undeclared, ...warnings]) };
    }
  }
}

export const unusable = (reason: Reason, message: string, waits = false): ConfigVerdict => ({
  kind: 'unusable',
  reason,
  message: bounded(message, 4096),
  waits,
});

function undeclaredOverrides(
  spec: ModelDeploymentSpec,
  declared: readonly DeclaredSecret[],
): readonly string[] {
  if (!spec.overrides) return [];
  const names = new Set(declared.map(({ name }) => name));
  const extra = spec.overrides.flatMap(({ name }) => (names.has(name) ? [] : [name]));
  return extra.length > 0 ? [messages.undeclaredOverrides(listed(extra))] : [];
}
