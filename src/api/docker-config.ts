import { reveal, SecretValue } from './secret-value.ts';

/**
 * Docker's config.json, the content of a `kubernetes.io/dockerconfigjson` Secret: what is secret comes in and goes
 * out as {@link SecretValue}.
 *
 * @see https://kubernetes.io/docs/tasks/configure-pod-container/pull-image-private-registry/
 */
type Json = { readonly [key: string]: unknown };

/** The user that Google's registries know a service account's JSON by. */
const GCP_USER = '_json_key';

/**
 * The credential for one registry as docker's `auth` holds it, base64 of `user:password`. The value may be just that
 * (what Truss documents), `user:password` in plain text, or a docker config with an entry for the registry.
 * Undefined: it is none of these, and kubelet would take the whole pull Secret for broken.
 */
export function registryAuth(value: SecretValue, registry: string): SecretValue | undefined {
  const text = textOf(value)?.trim();
  if (text === undefined) return undefined;
  if (text.startsWith('{')) return authFor(value, registry);
  const decoded = decodedText(text);
  if (decoded?.includes(':')) return encoded(decoded);
  return text.includes(':') ? encoded(text) : undefined;
}

/** The credential for Google's registries; undefined when the value is not the JSON of a service account. */
export function serviceAccountAuth(value: SecretValue): SecretValue | undefined {
  const text = textOf(value);
  return text === undefined || parsed(text) === undefined ? undefined : encoded(`${GCP_USER}:${text}`);
}

/** The `auth` for a registry in a docker config, whichever way either of them writes its name. */
export function authFor(config: SecretValue, registry: string): SecretValue | undefined {
  const { byName, byHost } = authsOf(config);
  const entry = byName.get(registry) ?? byHost.get(hostOf(registry));
  const { auth, username, password } = entry ?? {};
  if (typeof auth === 'string' && auth !== '') {
    const decoded = decodedText(auth.trim());
    return decoded?.includes(':') ? encoded(decoded) : undefined;
  }
  return typeof username === 'string' && typeof password === 'string'
    ? encoded(`${username}:${password}`)
    : undefined;
}

interface Auths {
  readonly byName: ReadonlyMap<string, Json>;
  readonly byHost: ReadonlyMap<string, Json>;
}

/** Of each docker config as long as it is kept: it may be large, and be asked for many registries. */
const known = new WeakMap<SecretValue, Auths>();

function authsOf(config: SecretValue): Auths {
  const found = known.get(config);
  if (found) return found;
  const byName = new Map<string, Json>();
  const byHost = new Map<string, Json>();
  for (const [name, entry] of Object.entries(objectAt(parsed(textOf(config) ?? ''), 'auths') ?? {})) {
    if (!isObject(entry)) continue;
    byName.set(name, entry);
    const host = hostOf(name);
    if (!byHost.has(host)) byHost.set(host, entry);
  }
  const auths = { byName, byHost };
  known.set(config, auths);
  return auths;
}

/** The docker config with these credentials, by registry; the same ones give the same bytes. */
export function dockerConfig(auths: ReadonlyMap<string, SecretValue>): SecretValue {
  const entries = [...auths].sort(([a], [b]) => (a < b ? -1 : 1));
  const written = entries.map(([registry, auth]) => [registry, { auth: reveal(auth) }] as const);
  return encoded(JSON.stringify({ auths: Object.fromEntries(written) }));
}

/** `https://index.docker.io/v1/` and `index.docker.io` are one registry. */
const hostOf = (registry: string): string =>
  withoutLast(registry.toLowerCase().replace(/^https?:\/\//, ''), '/').replace(/\/v[12]$/, '');

/** The text without these characters at its end; a regular expression takes quadratic time for it. */
function withoutLast(text: string, characters: string): string {
  let end = text.length;
  while (end > 0 && characters.includes(text.charAt(end - 1))) end--;
  return text.slice(0, end);
}

function parsed(text: string): Json | undefined {
  try {
    const found: unknown = JSON.parse(text);
    return isObject(found) ? found : undefined;
  } catch {
    return undefined;
  }
}

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function objectAt(value: Json | undefined, key: string): Json | undefined {
  const found = value && Object.hasOwn(value, key) ? value[key] : undefined;
  return isObject(found) ? found : undefined;
}

/** Text that base64 stands for; undefined for what is not base64, not UTF-8, or has control characters. */
function decodedText(base64: string): string | undefined {
  try {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    // `echo user:password | base64` put it there
    const line = withoutLast(text, '\r\n');
    // a bare token that happens to be base64 of something has some in it
    return /\p{Cc}/u.test(line) ? undefined : line;
  } catch {
    return undefined;
  }
}

function textOf(value: SecretValue): string | undefined {
  try {
    const bytes = Uint8Array.from(atob(reveal(value)), (character) => character.charCodeAt(0));
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function encoded(text: string): SecretValue {
  let binary = '';
  for (const byte of new TextEncoder().encode(text)) binary += String.fromCharCode(byte);
  return new SecretValue(btoa(binary));
}
