import { shownName } from '../api/messages.ts';
import type { DeclaredName, PullCredential } from './config.ts';
import { looksLikePlaceholder, looksLikeSecret } from './credentials.ts';
import { diagnostic, position } from './diagnostic.ts';
import { isCIdentifier, isSecretKey, normalise, REGISTRY_PREFIX } from './names.ts';
import type { Entry, Reading } from './reading.ts';
import type { Node } from './yaml/composer.ts';
import type { Scalar } from './yaml/scalars.ts';

/** What Truss's chains write for a name that has no default (`chains.Assets(secret_keys=[...])`). */
const CHAINS_NO_DEFAULT = '***';

interface Declared {
  readonly secrets: readonly DeclaredName[];
  readonly pull: readonly PullCredential[];
}

/** Reads `secrets:`, the names that the model may use with their defaults (table 2, rows 1 and 2). */
export function readSecrets(reading: Reading, root: Node): Declared {
  const none: Declared = { secrets: [], pull: [] };
  const entry = reading.mapping(root)?.entries.get('secrets');
  if (entry === undefined) return none;
  const mapping = reading.mapping(entry.value);
  if (mapping === undefined) {
    reportNoMapping(reading, entry);
    return none;
  }
  for (const key of mapping.otherKeys) reading.nameNotString(key);
  const secrets: DeclaredName[] = [];
  const pull: PullCredential[] = [];
  for (const secret of mapping.entries.values()) {
    const { name, key } = secret;
    const fallback = readDefault(reading, secret);
    if (name.startsWith(REGISTRY_PREFIX)) {
      const registry = name.slice(REGISTRY_PREFIX.length);
      pull.push({ registry, method: 'DOCKER_REGISTRY', names: [name], ...position(key.mark) });
    } else {
      secrets.push({ name, default: fallback, ...position(key.mark) });
      lintName(reading, secret);
    }
  }
  lintCollisions(
    reading,
    secrets.flatMap(({ name }) => mapping.entries.get(name) ?? []),
  );
  return { secrets, pull };
}

function reportNoMapping(reading: Reading, { key, value }: Entry): void {
  if (isFalsy(reading, value)) {
    reading.warn('EmptySecrets', `nothing is declared: write 'secrets: {}', which Truss takes`, key);
  } else if (reading.errors.length === 0) {
    // After an error of the YAML itself it is not known what this would have become.
    const message = `secrets must be a mapping: write each name as 'name: null', without '-'`;
    reading.fail(diagnostic('SecretsNotAMapping', message, value.mark));
  }
}

function lintName(reading: Reading, { name, key }: Entry): void {
  reading.checkName(name, key);
  if (isSecretKey(name) && !isCIdentifier(name)) {
    const message = `${name}: as an environment variable some shells drop this name: use letters, digits and '_', or deliver it as a file`;
    reading.warn('NotCIdentifier', message, key);
  }
}

function lintCollisions(reading: Reading, entries: readonly Entry[]): void {
  const seen = new Map<string, Entry>();
  for (const entry of entries) {
    const normalised = normalise(entry.name);
    const other = seen.get(normalised);
    if (other === undefined) {
      seen.set(normalised, entry);
    } else {
      const message = `${shownName(entry.name)} and ${shownName(other.name)} (line ${other.key.mark.line + 1}) are one secret for Baseten: rename one, or drop it`;
      reading.warn('NameCollision', message, entry.key);
    }
  }
}

function readDefault(reading: Reading, { name, key, value }: Entry): 'none' | 'present' {
  const text = reading.text(value);
  if (text === undefined) {
    const kind = reading.scalar(value)?.kind;
    if (kind === 'null') return 'none';
    const found = kind ?? value.kind;
    reading.warn(
      'DefaultNotString',
      `${shownName(name)}: Truss refuses a ${found} as a default: write null`,
      key,
    );
    return isFalsy(reading, value) ? 'none' : 'present';
  }
  if (text === '' || text === CHAINS_NO_DEFAULT) return 'none';
  if (looksLikeSecret(text, name.startsWith(REGISTRY_PREFIX))) {
    const message = `${shownName(name)}: the default looks like a credential: write null, put the value into the store, and replace it where it came from`;
    reading.warn('CredentialDefault', message, key);
  } else if (looksLikePlaceholder(text) || normalise(text) === normalise(name)) {
    const message = `${shownName(name)}: the default looks like a placeholder, which a model takes for the secret when none is delivered: write null`;
    reading.warn('PlaceholderDefault', message, key);
  }
  return 'present';
}

/** Whether Python holds the value for false, as Truss asks of a default. */
function isFalsy(reading: Reading, node: Node): boolean {
  const mapping = reading.mapping(node);
  if (mapping !== undefined) return mapping.entries.size === 0 && mapping.otherKeys.length === 0;
  const scalar: Scalar | undefined = reading.scalar(node);
  switch (scalar?.kind) {
    case undefined:
      return (
        (node.kind === 'sequence' && node.items.length === 0) ||
        (node.kind === 'mapping' && node.pairs.length === 0)
      );
    case 'string':
      return scalar.value === '';
    case 'null':
      return true;
    case 'boolean':
    case 'number':
    case 'bytes':
      return scalar.falsy;
    case 'date':
      return false;
  }
}
