/**
 * What Truss's own resolver does, and nothing of this project (truss/templates/shared/secrets_resolver.py): for each
 * declared name the last of its default, the environment variable TRUSS_SECRET_<name> and the regular file
 * /secrets/<name> wins, and whatever is false in Python counts as not found. It runs in the container.
 *
 * `node -e "$(cat truss-reader.cjs)" '{"name": default, ...}'` prints {name: value | {notFound: true}}.
 */
const { readFileSync, statSync } = require('node:fs');

const MOUNT_DIR = '/secrets';
const ENV_PREFIX = 'TRUSS_SECRET_';

/** `open(path).read()` of Python: UTF-8 or an error, and every kind of line end is a newline. */
function readText(path) {
  const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(readFileSync(path));
  return text.replaceAll('\r\n', '\n').replaceAll('\r', '\n');
}

function isFile(path) {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function resolve(name, fallback) {
  let value = fallback;
  const variable = process.env[ENV_PREFIX + name];
  if (variable !== undefined) value = variable;
  const path = `${MOUNT_DIR}/${name}`;
  if (isFile(path)) value = readText(path);
  return value ? { value } : { notFound: true };
}

const declared = JSON.parse(process.argv.at(-1));
const resolved = Object.entries(declared).map(([name, fallback]) => {
  try {
    return [name, resolve(name, fallback)];
  } catch (error) {
    return [name, { error: error.name }];
  }
});
process.stdout.write(JSON.stringify(Object.fromEntries(resolved)));
