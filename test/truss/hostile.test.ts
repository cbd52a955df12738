import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readTrussConfig, type TrussConfig } from '../../src/truss/config.ts';
import { decodeYaml } from '../../src/truss/decode.ts';
import { compose } from '../../src/truss/yaml/composer.ts';
import { findConstructorError } from '../../src/truss/yaml/constructor.ts';
import { newMergeBudget } from '../../src/truss/yaml/merge.ts';
import { NO_CORPUS, realConfigs } from './corpus.ts';
import { documents, glitched } from './pyyaml/documents.ts';

/** Far above what any of these takes, far below what they would take without a bound. */
const DEADLINE_MS = 30_000;

const repeat = (count: number, item: (index: number) => string): string =>
  Array.from({ length: count }, (_, i) => item(i)).join('');
const letter = (index: number): string => String.fromCharCode(97 + index);

/** Ten aliases to the one before, nine times over. */
const laughs = (first: string, next: (aliases: string) => string): string => {
  const lines = repeat(9, (i) => {
    const aliases = `*${letter(i)}, `.repeat(10);
    return `${letter(i + 1)}: &${letter(i + 1)} ${next(aliases)}\n`;
  });
  return `a: &a ${first}\n${lines}`;
};

describe('hostile files get a clear error', { timeout: DEADLINE_MS }, () => {
  it.each([
    ['a billion laughs', laughs('[lol]', (aliases) => `[${aliases}]`), 'TooManyAliases'],
    ['a billion laughs of merge keys', laughs('{x: 1}', (aliases) => `{<<: [${aliases}]}`), 'TooManyAliases'],
    [
      'one long list, many times',
      `a: &a [${'x, '.repeat(10_000)}]\nb: [${'*a, '.repeat(10_000)}]`,
      'TooManyAliases',
    ],
    ['a mapping that merges itself again and again', `&a {${'<<: *a, '.repeat(1000)}}`, 'TooManyAliases'],
    [
      'merge keys in merge keys',
      `${'{<<: '.repeat(400)}{${repeat(10_000, (i) => `k${i}: , `)}}${'}'.repeat(400)}`,
      'TooManyAliases',
    ],
    ['lists in lists', '['.repeat(100_000), 'TooDeep'],
    ['mappings in mappings', '{a: '.repeat(100_000), 'TooDeep'],
    ['keys in keys', '? '.repeat(100_000), 'TooDeep'],
    ['an ever larger indentation', repeat(3000, (i) => `${' '.repeat(i)}a:\n`), 'TooDeep'],
    ['millions of values', `[${'a,'.repeat(3_000_000)}]`, 'TooLarge'],
    ['more than 10 MiB', ' '.repeat(10 * 1024 * 1024 + 1), 'TooLarge'],
    ['thousands of documents', '---\n'.repeat(100_000), 'SeveralDocuments'],
    ['a number of millions of digits', `a: ${'9'.repeat(2_000_000)}`, 'InvalidValue'],
  ])('%s', (_, text, code) => {
    expect(readTrussConfig(text).errors).toMatchObject([{ code }]);
  });

  it('patterns take time in proportion to the text', () => {
    const long = 300_000;
    for (const value of [
      'eyJ',
      '://a:b',
      'hf_',
      'sk-',
      '/secrets/',
      '-----BEGIN ',
      'A ',
      '{{',
      '1:',
      '0_',
      '.',
      '_',
      '2001-01-01 ',
      'x',
      '%41',
    ]) {
      const text = JSON.stringify(value.repeat(long / value.length));
      readTrussConfig(
        `environment_variables: {A: ${text}}\nsecrets: {A: ${text}}\ndocker_server: {start_command: ${text}}`,
      );
      readTrussConfig(`a: ${value.repeat(long / value.length)}`);
      readTrussConfig(`a: ! ${text}`);
      readTrussConfig(`a: !!float ${text}\nb: !!int ${text}\nc: !!binary ${text}`);
      readTrussConfig(`!${value.repeat(long / value.length)} a`);
    }
  });

  it('an error in each of very many names is told of a thousand', () => {
    const { errors } = readTrussConfig(`secrets:\n${repeat(5000, (i) => `  ${i}: null\n`)}`);
    expect(errors).toHaveLength(1000);
  });

  it('a list that contains itself is read', () => {
    const config = readTrussConfig(
      'secrets: &s {a: null, b: *s}\nweights: &w [*w]\nmodel_cache: &m [{x: *m}]\n',
    );
    expect(config.errors).toEqual([]);
    expect(config.secrets).toMatchObject([{ name: 'a' }, { name: 'b' }]);
  });

  it('what aliases may stand for is far above what a real file needs', () => {
    const anchors = `x: &x {${repeat(100, (i) => `k${i}: v, `)}}\n`;
    expect(readTrussConfig(`${anchors}y: [${'*x, '.repeat(400)}]`).errors).toEqual([]);
    const { root } = compose(`${anchors}${repeat(400, (i) => `m${i}: {<<: *x}\n`)}`);
    expect(root === undefined ? 'nothing' : findConstructorError(root, newMergeBudget())).toBeUndefined();
  });
});

describe('whatever the text is', { timeout: DEADLINE_MS }, () => {
  function wellFormed(config: TrussConfig): void {
    const { secrets, build, pull, weights, optional, warnings, errors } = config;
    for (const { line, column } of [
      ...secrets,
      ...build,
      ...pull,
      ...weights,
      ...optional,
      ...warnings,
      ...errors,
    ]) {
      expect(line).toBeGreaterThanOrEqual(1);
      expect(column).toBeGreaterThanOrEqual(1);
    }
    for (const list of [secrets, build, pull, weights, optional, warnings, errors]) {
      const places = list.map(({ line, column }) => line * 1e6 + column);
      expect(places).toEqual(places.toSorted((a, b) => a - b));
    }
    for (const { message } of [...warnings, ...errors]) expect(message).not.toMatch(/\n|\p{Cc}/u);
  }

  it('a document, it is read without throwing, with places, in the order of the file', () => {
    fc.assert(
      fc.property(documents, (text) => wellFormed(readTrussConfig(text))),
      { numRuns: 2000 },
    );
  });

  it('a document below a field that is looked at, likewise', () => {
    const fields = fc.constantFrom(
      'secrets',
      'build: {secret_to_path_mapping',
      'base_image: {docker_auth',
      'weights',
      'model_cache',
      'trt_llm: {build: {checkpoint_repository',
      'environment_variables',
      'docker_server: {start_command',
      'build_commands',
      'external_data',
    );
    const text = fc.tuple(fields, documents).map(([field, value]) => {
      const close = '}'.repeat(field.split('{').length - 1);
      return `${field}: ${close === '' ? value.replaceAll('\n', '\n  ') : JSON.stringify(value)}${close}`;
    });
    fc.assert(
      fc.property(text, (config) => wellFormed(readTrussConfig(config))),
      { numRuns: 2000 },
    );
  });

  it('a real file with characters changed, likewise', (ctx) => {
    const texts = realConfigs().map(({ bytes }) => Buffer.from(bytes).toString());
    if (texts.length === 0) ctx.skip(NO_CORPUS);
    fc.assert(
      fc.property(glitched(fc.constantFrom(...texts)), (text) => wellFormed(readTrussConfig(text))),
      { numRuns: 2000 },
    );
  });

  it('random bytes, they are decoded or refused with a place', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const decoded = decodeYaml(bytes);
        if ('text' in decoded) wellFormed(readTrussConfig(decoded.text));
        else expect(decoded.error.line).toBeGreaterThanOrEqual(1);
      }),
    );
  });
});

it('names do not keep the text in memory that they were cut out of', { timeout: DEADLINE_MS }, () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const used = (): number => {
    collect();
    return process.memoryUsage().heapUsed;
  };
  const before = used();
  const kept = Array.from({ length: 50 }, (_, i) => {
    const name = `a_name_of_more_than_thirteen_characters_${i}`;
    return readTrussConfig(
      `secrets: {${name}: hf_xxxxxxxxxxxx, ${name.toUpperCase()}: , DOCKER_REGISTRY_${name}: }\n` +
        `base_image: {docker_auth: {auth_method: REGISTRY_SECRET, registry: registry.${name}, secret_name: s.${name}}}\n` +
        `build: {secret_to_path_mapping: {b.${name}: /path/to/${name}}}\n` +
        `weights: [{auth_secret_name: w.${name}}]\nmodel_cache: [{runtime_secret_name: c.${name}}]\n` +
        `docker_server: {start_command: cat /secrets/d.${name}}\n# ${'x'.repeat(200_000)}`,
    );
  });
  expect(kept.every(({ errors }) => errors.length === 0)).toBe(true);
  expect(used() - before).toBeLessThan(4_000_000);
});
