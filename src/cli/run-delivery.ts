import { ENV_PREFIX } from '../api/names.ts';
import { reveal } from '../api/secret-value.ts';
import type { TrussConfig } from '../truss/config.ts';
import { isCIdentifier, nameProblem, normalise } from '../truss/names.ts';
import type { LocalSecret } from './local-secrets.ts';

/** Linux takes no longer string in an environment (MAX_ARG_STRLEN), name, `=` and the final NUL included. */
const MAX_ENV_BYTES = 131_072;

export interface Delivery {
  /** By declared name. */
  readonly values: ReadonlyMap<string, Buffer>;
  /** Declared, needed and without a value. */
  readonly missing: readonly string[];
  /** What to say before CMD starts. */
  readonly notes: readonly string[];
}

/** Which declared names get which values: from the local store, else from our own environment. */
export function deliveryFor(
  config: TrussConfig,
  local: readonly LocalSecret[],
  env: Readonly<Record<string, string | undefined>>,
  way: 'env' | 'folder',
): Delivery {
  const values = new Map<string, Buffer>();
  const missing: string[] = [];
  const notes: string[] = [];
  const declared = new Map([
    ...config.optional.map(({ name }) => [name, 'optional'] as const),
    ...config.secrets.map((secret) => [secret.name, secret.default] as const),
  ]);
  for (const [name, need] of declared) {
    const invalid = nameProblem(name);
    if (invalid !== undefined) {
      notes.push(`${invalid.message}; it is left out`);
      continue;
    }
    const found = local.find((secret) => secret.name === name);
    const value = valueOf(name, found, env);
    const problem = value === undefined || way === 'folder' ? undefined : envProblem(name, value);
    if (value !== undefined && problem === undefined) {
      if (found?.value !== undefined && found.note !== undefined) notes.push(`${name}: ${found.note}`);
      if (way === 'env' && !isCIdentifier(name)) {
        notes.push(
          `${name}: a shell such as dash drops environment variables of such a name; --folder keeps it`,
        );
      }
      values.set(name, value);
    } else if (need !== 'optional') {
      const why = problem ?? found?.note ?? closestTwin(name, local);
      if (need === 'none') missing.push(why === undefined ? name : `${name} (${why})`);
      else notes.push(`${name}: ${why ?? 'no value'}; the default in the config counts`);
    }
  }
  const others = local.filter(({ name }) => !declared.has(name)).length;
  if (others > 0) notes.push(undeclared(others));
  return { values, missing, notes };
}

function valueOf(
  name: string,
  found: LocalSecret | undefined,
  env: Readonly<Record<string, string | undefined>>,
): Buffer | undefined {
  if (found?.value !== undefined) return Buffer.from(reveal(found.value), 'base64');
  // Truss takes an empty variable for no secret.
  const inherited = env[ENV_PREFIX + name];
  return inherited ? Buffer.from(inherited) : undefined;
}

function envProblem(name: string, value: Buffer): string | undefined {
  if (value.includes(0)) return 'its value holds a NUL, which an environment variable can not: use --folder';
  const size = ENV_PREFIX.length + Buffer.byteLength(name) + value.length + 2;
  return size > MAX_ENV_BYTES
    ? 'its value is too large for an environment variable: use --folder'
    : undefined;
}

function closestTwin(name: string, local: readonly LocalSecret[]): string | undefined {
  const twin = local.find((other) => other.name !== name && normalise(other.name) === normalise(name));
  return twin === undefined ? undefined : `there is ${twin.name}`;
}

const undeclared = (count: number): string =>
  count === 1
    ? '1 secret of ~/.truss/config.yaml is not declared, and not passed on'
    : `${count} secrets of ~/.truss/config.yaml are not declared, and not passed on`;
