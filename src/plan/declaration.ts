import type { SecretRole } from '../api/model-deployment.ts';
import type { TrussConfig } from '../truss/config.ts';
import type { DeclaredSecret, Declaration, PullUse } from './snapshot.ts';

/** Of two references to one name the one further left counts: what the running model reads comes first. */
const PRECEDENCE: readonly SecretRole[] = ['Required', 'Default', 'Pull', 'Optional', 'Weights', 'Build'];

/** Reduces a config.yaml to the names that matter to a model, each once and sorted. */
export function declarationOf(config: TrussConfig): Declaration {
  const shown = ({ line, column, message }: { line: number; column: number; message: string }): string =>
    `config.yaml:${line}:${column}: ${message}`;
  if (config.errors.length > 0) return { kind: 'malformed', errors: config.errors.map(shown) };
  const roles = new Map<string, SecretRole>();
  const declare = (name: string, role: SecretRole): void => {
    const known = roles.get(name);
    if (known === undefined || PRECEDENCE.indexOf(role) < PRECEDENCE.indexOf(known)) roles.set(name, role);
  };
  for (const { name, default: fallback } of config.secrets)
    declare(name, fallback === 'present' ? 'Default' : 'Required');
  const pulls = new Map<string, PullUse>();
  for (const { names, method, registry } of config.pull) {
    for (const name of names) {
      declare(name, 'Pull');
      if (!pulls.has(name)) pulls.set(name, { method, registry });
    }
  }
  for (const { name } of config.optional) declare(name, 'Optional');
  for (const { name } of config.weights) declare(name, 'Weights');
  for (const { name } of config.build) declare(name, 'Build');
  const aboutEnv = config.warnings.filter(({ code }) => code === 'NotCIdentifier');
  return {
    kind: 'read',
    secrets: sortedSecrets(roles, pulls),
    warnings: config.warnings.filter((warning) => !aboutEnv.includes(warning)).map(shown),
    envWarnings: aboutEnv.map(shown),
  };
}

function sortedSecrets(
  roles: ReadonlyMap<string, SecretRole>,
  pulls: ReadonlyMap<string, PullUse>,
): readonly DeclaredSecret[] {
  return [...roles]
    .map(([name, role]) => {
      const pull = pulls.get(name);
      return pull ? { name, role, pull } : { name, role };
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}
