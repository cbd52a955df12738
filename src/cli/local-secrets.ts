import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { SecretValue } from '../api/secret-value.ts';
import { decodeYaml, findUnreadable } from '../truss/decode.ts';
import { compose, type MappingNode, type Node } from '../truss/yaml/composer.ts';
import type { Mark } from '../truss/yaml/error.ts';
import { TAG } from '../truss/yaml/resolver.ts';
import { codeOf, CommandError } from './errors.ts';

/** A secret of Truss's own local store, `~/.truss/config.yaml`. */
export interface LocalSecret {
  readonly name: string;
  /** Undefined: the file has the name, but nothing that can be a value; `note` says why. */
  readonly value: SecretValue | undefined;
  /** What the user should know about it. */
  readonly note: string | undefined;
  /** From 1. */
  readonly line: number;
}

export const localConfigPath = (): string => join(homedir(), '.truss', 'config.yaml');

/**
 * Reads `secrets:` of a local Truss config. Truss's own loader fails at an empty file, `secrets:` without
 * entries and any value that is not a string; here a value without quotes is the text as it is written
 * (`0123` stays `0123`), which is what its writer meant.
 *
 * @returns undefined when there is no such file.
 * @throws CommandError when it can't be read. Neither it nor a note holds a value.
 */
export async function readLocalSecrets(path: string): Promise<readonly LocalSecret[] | undefined> {
  const text = await readText(path);
  return text === undefined ? undefined : parse(path, text);
}

async function readText(path: string): Promise<string | undefined> {
  try {
    const decoded = decodeYaml(await readFile(path));
    if ('error' in decoded) {
      throw new CommandError(
        `${path}:${decoded.error.line}:${decoded.error.column}: ${decoded.error.message}`,
      );
    }
    return decoded.text;
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT') return undefined;
    if (code === undefined) throw error;
    throw new CommandError(`${path} can't be read (${code})`, { cause: error });
  }
}

function parse(path: string, text: string): readonly LocalSecret[] {
  const at = (mark: Mark): string => `${path}:${mark.line + 1}:${mark.column + 1}`;
  const unreadable = findUnreadable(text);
  if (unreadable !== undefined) {
    throw new CommandError(`${path}:${unreadable.line}:${unreadable.column}: ${unreadable.message}`);
  }
  const { root, error } = compose(text);
  if (error !== undefined) throw new CommandError(`${at(error.mark)}: ${error.message}`);
  if (root === undefined || isNull(root)) return [];
  if (root.kind !== 'mapping') {
    throw new CommandError(
      `${at(root.mark)}: this is no Truss config: write "secrets:" and below it NAME: value`,
    );
  }
  const secrets = valueOf(root, 'secrets');
  if (secrets === undefined || isNull(secrets)) return [];
  if (secrets.kind !== 'mapping') {
    throw new CommandError(`${at(secrets.mark)}: secrets must be entries of the form NAME: value`);
  }
  return entries(secrets);
}

const isNull = (node: Node): boolean => node.kind === 'scalar' && node.tag === TAG.null;

/** As everywhere in YAML 1.1, the last duplicate wins. */
const valueOf = (mapping: MappingNode, key: string): Node | undefined =>
  mapping.pairs.findLast(([name]) => name.kind === 'scalar' && name.value === key)?.[1];

function entries(mapping: MappingNode): readonly LocalSecret[] {
  const found = new Map<string, LocalSecret>();
  for (const [key, value] of mapping.pairs) {
    const line = key.mark.line + 1;
    if (key.kind !== 'scalar') {
      throw new CommandError(`line ${line} of secrets: a name must be a text`);
    }
    const name = key.value;
    const earlier = found.get(name);
    const read = readEntry(value);
    const duplicate =
      earlier === undefined ? [] : [`also in line ${earlier.line}: this one, the last, counts`];
    const notes = [...duplicate, ...read.notes];
    found.delete(name);
    found.set(name, { name, line, value: read.value, note: notes.join('; ') || undefined });
  }
  return [...found.values()];
}

interface Read {
  readonly value: SecretValue | undefined;
  readonly notes: readonly string[];
}

const nothing = (note: string): Read => ({ value: undefined, notes: [note] });

function readEntry(node: Node): Read {
  if (node.kind !== 'scalar')
    return nothing(`a ${node.kind === 'sequence' ? 'list' : 'mapping'}, not a text`);
  if (node.tag === TAG.null || node.value === '') return nothing('no value');
  if (!node.value.isWellFormed()) return nothing('holds half a character');
  if (!TEXTS.has(node.tag)) return nothing('its tag ("!...") makes it something else than a text');
  return {
    value: new SecretValue(Buffer.from(node.value).toString('base64')),
    notes: [
      ...(node.tag === TAG.str ? [] : ['not quoted: taken as the text that is written there']),
      ...(node.value.endsWith('\n') ? ['ends in a newline, which Truss keeps'] : []),
    ],
  };
}

/** What YAML reads as something else when it is not quoted (`0123`, `yes`, `2026-01-01`) is a text all the same. */
const TEXTS = new Set<string>([
  TAG.str,
  TAG.bool,
  TAG.int,
  TAG.float,
  TAG.timestamp,
  TAG.merge,
  TAG.value,
  TAG.yaml,
]);
