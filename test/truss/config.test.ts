import { describe, expect, it } from 'vitest';
import { readTrussConfig } from '../../src/truss/config.ts';

const codes = (found: readonly { readonly code: string }[]): readonly string[] =>
  found.map(({ code }) => code);
const secretsOf = (text: string): Record<string, string> =>
  Object.fromEntries(readTrussConfig(text).secrets.map((secret) => [secret.name, secret.default]));

describe('secrets', () => {
  it('have the line and column of their key, from 1, in code points', () => {
    const { secrets } = readTrussConfig('a: "\u{1F600}"\nsecrets: {"\u{1F600}": null, b: null}\n');
    expect(secrets).toEqual([
      { name: '\u{1F600}', default: 'none', line: 2, column: 11 },
      { name: 'b', default: 'none', line: 2, column: 22 },
    ]);
  });

  it.each([
    ['null', 'none'],
    ['', 'none'],
    ['~', 'none'],
    ["''", 'none'],
    ['""', 'none'],
    ['"***"', 'none'],
    ["'***'", 'none'],
    ['0', 'none'],
    ['0x0', 'none'],
    ['0.0', 'none'],
    ['false', 'none'],
    ['no', 'none'],
    ['Off', 'none'],
    ['{}', 'none'],
    ['[]', 'none'],
    ['!!str', 'none'],
    ['!!binary ""', 'none'],
    ['y', 'present'],
    ["'null'", 'present'],
    ['nULL', 'present'],
    ['"0"', 'present'],
    ["' '", 'present'],
    ['1e3', 'present'],
    ['123', 'present'],
    ['yes', 'present'],
    ['.nan', 'present'],
    ['2001-01-01', 'present'],
    ['{a: b}', 'present'],
    ['|\n    text', 'present'],
    ['d8f6c2a0-1111-4222-8333-444455556666', 'present'],
  ])('a default of %j is %s', (value, expected) => {
    const { secrets, errors } = readTrussConfig(`secrets:\n  a: ${value}\n`);
    expect(errors).toEqual([]);
    expect(secrets).toEqual([{ name: 'a', default: expected, line: 2, column: 3 }]);
  });

  it.each(['0', 'false', '1', 'on', '2001-01-01', '{}', '[a]'])(
    'a default of %s, which Truss of today refuses, is a warning',
    (value) => {
      expect(codes(readTrussConfig(`secrets: {a: ${value}}`).warnings)).toEqual(['DefaultNotString']);
    },
  );

  it('of a duplicate the last one counts, with a warning', () => {
    const { secrets, warnings } = readTrussConfig('secrets:\n  a: x\n  b:\n  a: null\n');
    expect(secrets).toEqual([
      { name: 'b', default: 'none', line: 3, column: 3 },
      { name: 'a', default: 'none', line: 4, column: 3 },
    ]);
    expect(warnings).toMatchObject([{ code: 'DuplicateKey', line: 4, column: 3 }]);
  });

  it('of two `secrets:` the last one counts', () => {
    expect(secretsOf('secrets: {a: null}\nsecrets: {b: null}\n')).toEqual({ b: 'none' });
  });

  it('come from merge keys too, where their own entries win', () => {
    const text = 'base: &base {a: null, b: null}\nsecrets:\n  <<: *base\n  b: text\n';
    const { secrets, warnings } = readTrussConfig(text);
    expect(secrets).toEqual([
      { name: 'a', default: 'none', line: 1, column: 14 },
      { name: 'b', default: 'present', line: 4, column: 3 },
    ]);
    expect(warnings).toMatchObject([{ code: 'MergeKey', line: 3, column: 3 }]);
  });

  it('come from an alias', () => {
    expect(secretsOf('x: &s {a: null}\nsecrets: *s\n')).toEqual({ a: 'none' });
  });

  it('may be called like what every JavaScript object has', () => {
    const names = { __proto__: null, constructor: null, toString: null, hasOwnProperty: null };
    const text = `secrets:\n${['__proto__', ...Object.keys(names)].map((name) => `  ${name}: null\n`).join('')}`;
    const { secrets, warnings } = readTrussConfig(text);
    expect(secrets.map(({ name }) => name)).toEqual([
      '__proto__',
      'constructor',
      'toString',
      'hasOwnProperty',
    ]);
    expect(warnings).toEqual([]);
  });

  it.each(['on', 'yes', '1', '1.5', 'null', '~', '2001-01-01', '? [a]\n  ', '!!binary YQ=='])(
    'a name that is not text (%s) is an error that says to quote it',
    (name) => {
      const { secrets, errors } = readTrussConfig(`secrets:\n  a: null\n  ${name}: null\n`);
      expect(secrets).toMatchObject([{ name: 'a' }]);
      expect(errors[0]).toMatchObject({ line: 3 });
      expect(codes(errors)[0]).toMatch(/^(?:NameNotString|InvalidValue)$/);
    },
  );

  it.each(['"on"', "'1'", 'y', '1e3', '1.5e3', '0o17', '1:60', 'n', 'true1', '1_a'])(
    'a name of %s is text',
    (name) => {
      expect(readTrussConfig(`secrets: {${name}: null}`).errors).toEqual([]);
    },
  );

  it.each([
    ['', 'EmptyConfig'],
    ['# only a comment\n', 'EmptyConfig'],
    ['null', 'EmptyConfig'],
    ['secrets:', 'EmptySecrets'],
    ['secrets: []', 'EmptySecrets'],
    ["secrets: ''", 'EmptySecrets'],
  ])('of %j there are none, with a warning', (text, code) => {
    expect(readTrussConfig(text)).toMatchObject({ secrets: [], errors: [], warnings: [{ code }] });
  });

  it.each([
    ['a: 1', undefined],
    ['secrets: {}', undefined],
    ['secrets: {} # none', undefined],
  ])('of %j there are none', (text) => {
    expect(readTrussConfig(text)).toMatchObject({ secrets: [], errors: [], warnings: [] });
  });

  it.each([
    ['secrets:\n  - a\n', 'SecretsNotAMapping', 2, 3],
    ['secrets:\n  - a: null\n', 'SecretsNotAMapping', 2, 3],
    ['secrets: a', 'SecretsNotAMapping', 1, 10],
    ['secrets: 1', 'SecretsNotAMapping', 1, 10],
    ['secrets: !!set {a}', 'SecretsNotAMapping', 1, 10],
    ['- secrets', 'NotAMapping', 1, 1],
    ['text', 'NotAMapping', 1, 1],
    ['a: b\n---\nc: d\n', 'SeveralDocuments', 2, 1],
    ['a: b\n\tc: d\n', 'InvalidYaml', 2, 1],
    ['a: [b\n', 'InvalidYaml', 2, 1],
    ['a: b: c', 'InvalidYaml', 1, 5],
    ['a: *b', 'InvalidYaml', 1, 4],
    ['a: @b', 'InvalidYaml', 1, 4],
    ['a: "b', 'InvalidYaml', 1, 6],
    ['secrets:\n  a\n  b: null\n', 'InvalidYaml', 3, 4],
    ['a: 2001-02-30', 'InvalidValue', 1, 4],
    ['a: !secret b', 'InvalidValue', 1, 4],
    ['a: =', 'InvalidValue', 1, 4],
    ['? [a]\n: b\n', 'InvalidValue', 1, 3],
    ['a: \u0007', 'InvalidCharacter', 1, 4],
    ['a: \ud800', 'InvalidCharacter', 1, 4],
  ])('%j is an error: %s in %i:%i', (text, code, line, column) => {
    expect(readTrussConfig(text).errors).toMatchObject([{ code, line, column }]);
  });

  it.each([
    ['a: 1\nb: [\nc: 2\n', "',' or the end of the list from line 2"],
    ['a: 1\nb: [\n', 'a value or the end of the brackets from line 2'],
    ['a: 1\nb: [c,\n', 'a value or the end of the brackets from line 2'],
    ['a: 1\nb: {c: [],\n', 'a value or the end of the brackets from line 2'],
    ['a: 1\nb: {c:\n', 'a value or the end of the brackets from line 2'],
    ['a: 1\nb: {\n  c: [d, {e\n', "',' or the end of the mapping from line 3"],
  ])('%j is an error that says where the bracket is that nobody closed', (text, expected) => {
    const [error] = readTrussConfig(text).errors;
    expect(error?.message).toContain(`expected ${expected}, but found`);
  });

  it.each([
    [
      'secrets:\n  a: null\n b: null\n',
      3,
      1,
      'mapping from line 1 has 0, and what is in it, from line 2, has 2',
    ],
    ['a:\n  b:\n    c: d\n e: f\n', 4, 1, 'mapping from line 1 has 0, and what is in it, from line 2, has 2'],
    [
      'a:\n  b:\n    c: d\n   e: f\n',
      4,
      3,
      'mapping from line 2 has 2, and what is in it, from line 3, has 4',
    ],
    ['a: "b"\n  c: d\n', 2, 2, 'mapping from line 1 has 0'],
    ['a:\n    - b: c\n   - d: e\n', 3, 3, 'mapping from line 1 has 0, and what is in it, from line 2, has 4'],
    ['a:\n  - b: c\n   d: e\n', 3, 3, 'list from line 2 has 2, and what is in it, from line 2, has 4'],
  ])(
    '%j is an error that says that the indentation of line %i, %i, is wrong',
    (text, line, blanks, around) => {
      const [error] = readTrussConfig(text).errors;
      expect(error).toMatchObject({
        code: 'InvalidYaml',
        line,
        column: blanks + 1,
        message: `this line is indented by ${blanks}, which fits nothing before it: the ${around}`,
      });
    },
  );

  it.each([
    ['model_name: x\n secrets:\n  a: null\n', 2, 'text from line 1', 'correct the indentation'],
    ['a: b\n\n  c\n  d: e\n', 4, 'text from line 1', 'correct the indentation'],
    ['a:\n  - b: c\n      d: e\n', 3, 'text from line 2', 'correct the indentation'],
    ['secrets:\n  a\n  b: null\n', 3, 'text from line 2', "end line 2 with a ':'"],
  ])('%j is an error that says that line %i goes on with the %s, and to %s', (text, line, before, remedy) => {
    const [error] = readTrussConfig(text).errors;
    expect(error).toMatchObject({
      code: 'InvalidYaml',
      line,
      message: `this line goes on with the ${before}, in which no ': ' can stand: ${remedy}, or put all of that text into quotes`,
    });
  });

  it.each(['a: b: c\n', 'a: b\nc: "d": e\n', 'a:\n  - b\n  - "c": "d": e\n', 'a: "b\n  c": d\n'])(
    '%j is an error that says to put what contains a colon into quotes',
    (text) => {
      const [error] = readTrussConfig(text).errors;
      expect(error?.message).toBe("a ': ' cannot stand here: put a value that contains it into quotes");
    },
  );

  it('that stand before an error are listed all the same', () => {
    const { secrets, errors } = readTrussConfig('secrets:\n  a: null\n  b: [\nc: d\n');
    expect(secrets).toMatchObject([{ name: 'a' }, { name: 'b' }]);
    expect(codes(errors)).toEqual(['InvalidYaml']);
  });
});

describe('image pull credentials', () => {
  it('are DOCKER_REGISTRY_ names, which are no secrets of the model', () => {
    const { secrets, pull, warnings } = readTrussConfig(
      'secrets:\n  DOCKER_REGISTRY_https://index.docker.io/v1/: null\n  a: null\n',
    );
    expect(pull).toEqual([
      {
        registry: 'https://index.docker.io/v1/',
        method: 'DOCKER_REGISTRY',
        names: ['DOCKER_REGISTRY_https://index.docker.io/v1/'],
        line: 2,
        column: 3,
      },
    ]);
    expect(secrets).toMatchObject([{ name: 'a' }]);
    expect(warnings).toEqual([]);
  });

  it.each([
    ['auth_method: GCP_SERVICE_ACCOUNT_JSON, secret_name: gcp', ['gcp'], []],
    ['auth_method: gcp_service_account_json, secret_name: gcp', ['gcp'], []],
    ['auth_method: REGISTRY_SECRET, secret_name: reg', ['reg'], []],
    ['auth_method: REGISTRY_SECRET', [], ['IncompleteAuth']],
    ['auth_method: AWS_IAM', ['aws_access_key_id', 'aws_secret_access_key'], ['Unsupported']],
    [
      'auth_method: AWS_IAM, aws_access_key_id_secret_name: i, aws_secret_access_key_secret_name: k',
      ['i', 'k'],
      ['Unsupported'],
    ],
    ['auth_method: AWS_OIDC', [], ['NothingToDo']],
    ['auth_method: GCP_OIDC', [], ['NothingToDo']],
    ['auth_method: GCP_OIDC, secret_name: x', [], ['NothingToDo', 'AmbiguousAuth']],
    ['auth_method: MAGIC, secret_name: x', ['x'], ['UnknownAuthMethod']],
    ['secret_name: x', ['x'], ['UnknownAuthMethod']],
  ])('base_image.docker_auth {%s} needs %j, with %j', (fields, names, expected) => {
    const { pull, warnings, errors } = readTrussConfig(
      `base_image:\n  docker_auth: {registry: r.io, ${fields}}\n`,
    );
    expect(pull).toMatchObject([{ registry: 'r.io', names, line: 2, column: 3 }]);
    expect(pull[0]?.method).toBe((/auth_method: (\w+)/.exec(fields)?.[1] ?? '').toUpperCase());
    expect(codes(warnings).toSorted()).toEqual(expected.toSorted());
    expect(errors).toEqual([]);
  });

  it('with a secret_name that is not text are an error', () => {
    const text = 'base_image: {docker_auth: {auth_method: REGISTRY_SECRET, secret_name: on}}';
    expect(codes(readTrussConfig(text).errors)).toEqual(['NameNotString']);
  });
});

describe('other references', () => {
  it('build.secret_to_path_mapping belongs to builds', () => {
    const { build, secrets } = readTrussConfig(
      'build:\n  secret_to_path_mapping:\n    pip: /root/.pip/conf\n',
    );
    expect(build).toEqual([{ name: 'pip', path: '/root/.pip/conf', line: 3, column: 5 }]);
    expect(secrets).toEqual([]);
  });

  it('weights name theirs in either place', () => {
    const text = `weights:
  - source: hf://a
    auth_secret_name: one
  - source: hf://b
    auth: {auth_method: CUSTOM_SECRET, auth_secret_name: two}
  - source: hf://c
  - source: s3://d
    auth: {auth_method: AWS_OIDC}
`;
    const { weights, warnings } = readTrussConfig(text);
    expect(weights).toEqual([
      { name: 'one', field: 'weights[0].auth_secret_name', line: 3, column: 5 },
      { name: 'two', field: 'weights[1].auth.auth_secret_name', line: 5, column: 40 },
    ]);
    expect(warnings).toEqual([]);
  });

  it.each([
    ['{auth_secret_name: a, auth: {auth_method: CUSTOM_SECRET, auth_secret_name: a}}', 'AmbiguousAuth'],
    ['{auth: {auth_method: GCP_OIDC, auth_secret_name: a}}', 'AmbiguousAuth'],
    ['{auth: {auth_method: CUSTOM_SECRET}}', 'IncompleteAuth'],
  ])('weights %s: %s', (item, code) => {
    expect(codes(readTrussConfig(`weights: [${item}]`).warnings)).toEqual([code]);
  });

  it('runtime_secret_name is optional, and hf_access_token where it is not said', () => {
    const text = `model_cache:
  - repo_id: a
  - repo_id: b
    runtime_secret_name: other
trt_llm:
  build:
    checkpoint_repository: {source: HF, repo: c}
`;
    expect(readTrussConfig(text).optional).toEqual([
      { name: 'hf_access_token', field: 'model_cache[0].runtime_secret_name', line: 2, column: 5 },
      { name: 'other', field: 'model_cache[1].runtime_secret_name', line: 4, column: 5 },
      {
        name: 'hf_access_token',
        field: 'trt_llm.build.checkpoint_repository.runtime_secret_name',
        line: 7,
        column: 5,
      },
    ]);
  });

  it.each([
    ['hf_cache: [{repo_id: a}]', ['hf_cache[0].runtime_secret_name']],
    ['cache_internal: [{repo_id: a}]', ['cache_internal[0].runtime_secret_name']],
    ['hf_cache: [{repo_id: a}]\nmodel_cache: []', []],
    ['model_cache: null', []],
  ])('of %j the fields are %j', (text, fields) => {
    expect(readTrussConfig(text).optional.map(({ field }) => field)).toEqual(fields);
  });

  it.each([
    'build: []',
    'build: {secret_to_path_mapping: [a]}',
    'build: {secret_to_path_mapping: {a: 1}}',
    'base_image: {docker_auth: x}',
    'weights: {}',
    'model_cache: {}',
    'model_cache: [a]',
    'trt_llm: {build: {checkpoint_repository: x}}',
    'environment_variables: []',
    'docker_server: x',
    'build_commands: x',
    'external_data: {}',
  ])('%s is ignored, with a warning', (text) => {
    const { warnings, errors } = readTrussConfig(text);
    expect(codes(warnings)).toEqual(['UnexpectedShape']);
    expect(errors).toEqual([]);
  });

  it('what has nothing to do with secrets may be anything', () => {
    const text = 'on: [1]\n1: {a: b}\n? null\nresources: x\nrequirements: {}\nmodel_metadata: &m {x: *m}\n';
    expect(readTrussConfig(text)).toMatchObject({ warnings: [], errors: [] });
  });
});
