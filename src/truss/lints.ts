import { shownName } from '../api/messages.ts';
import { ENV_PREFIX, MOUNT_PATH } from '../api/names.ts';
import type { TrussConfig } from './config.ts';
import { looksLikeCredential, looksLikeSecretVariable } from './credentials.ts';
import { detach } from './detach.ts';
import { isSecretKey } from './names.ts';
import type { Reading } from './reading.ts';
import type { Node } from './yaml/composer.ts';

type Declared = Pick<TrussConfig, 'secrets' | 'build' | 'optional'>;

/** Values in plain text that belong into secrets (table 2, rows 12 and 13). */
export function lintEnvironment(reading: Reading, root: Node, { secrets }: Declared): void {
  const variables = reading.field(root, 'environment_variables');
  if (variables === undefined) return;
  const mapping = reading.mapping(variables.value);
  if (mapping === undefined) {
    reading.unexpected('environment_variables', 'a mapping', variables.value);
    return;
  }
  for (const { name, key, value } of mapping.entries.values()) {
    const text = reading.text(value);
    if (name.startsWith(ENV_PREFIX)) {
      const message = `${shownName(name)}: this sets a secret in plain text: declare it under secrets, and put the value into the store`;
      reading.warn('PlainSecret', message, key);
    } else if (text !== undefined && looksLikeSecretVariable(name, text)) {
      const message = `${shownName(name)}: the value looks like a credential: declare a secret, put the value into the store, and replace it where it came from`;
      reading.warn('PlainCredential', message, key);
    }
  }
  const honeycomb = mapping.entries.get('HONEYCOMB_DATASET');
  if (honeycomb !== undefined && !secrets.some(({ name }) => name === 'HONEYCOMB_API_KEY')) {
    const message =
      'with HONEYCOMB_DATASET the model server asks for the secret HONEYCOMB_API_KEY, and fails without: declare it under secrets';
    reading.warn('UndeclaredSecret', message, honeycomb.key);
  }
}

/** A URL can carry a credential, and is baked into the image (table 2, row 14). */
export function lintExternalData(reading: Reading, root: Node): void {
  const data = reading.field(root, 'external_data');
  if (data === undefined) return;
  for (const [index, item] of reading.items('external_data', data.value).entries()) {
    const url = reading.field(item, 'url');
    const text = url === undefined ? undefined : reading.text(url.value);
    if (url !== undefined && text !== undefined && looksLikeCredential(text)) {
      const message = `external_data[${index}].url holds a credential, which ends up in the image: use a secret`;
      reading.warn('PlainCredential', message, url.key);
    }
  }
}

/** Commands that read `/secrets/<name>` (table 2, row 15). */
export function lintCommands(reading: Reading, root: Node, { secrets, optional, build }: Declared): void {
  const declared = new Set([...secrets, ...optional].map(({ name }) => name));
  const start = reading.path(root, 'docker_server', 'start_command');
  if (start !== undefined) lintCommand(reading, start.value, declared);
  const commands = reading.field(root, 'build_commands');
  if (commands === undefined) return;
  const mounted = build.map(({ path }) => path).filter((path) => path.startsWith(`${MOUNT_PATH}/`));
  const known = new Set([...declared, ...mounted.map((path) => path.slice(MOUNT_PATH.length + 1))]);
  for (const command of reading.items('build_commands', commands.value)) lintCommand(reading, command, known);
}

/** Not `/etc/secrets/x` or `$DIR/secrets/x`. */
const SECRET_FILE = /(?<![\w.\-/}~])\/secrets\/([-._a-zA-Z0-9]+)/g;

function lintCommand(reading: Reading, command: Node, declared: ReadonlySet<string>): void {
  const text = reading.text(command);
  if (text === undefined) return;
  const missing = new Set<string>();
  for (const [, found = ''] of text.matchAll(SECRET_FILE)) {
    const name = found.replace(/\.$/, '');
    if (isSecretKey(name) && !declared.has(name)) missing.add(detach(name));
  }
  for (const name of missing) {
    const message = `${MOUNT_PATH}/${name} is read here and ${name} is not declared: add '${name}: null' under secrets`;
    reading.warn('UndeclaredSecret', message, command);
  }
}
