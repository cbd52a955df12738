import { describe, expect, it } from 'vitest';
import { readTrussConfig } from '../../src/truss/config.ts';

interface Found {
  readonly code: string;
  readonly line: number;
  readonly column: number;
}
const warningsOf = (text: string, options: { readonly naming?: 'jfrog' } = {}): readonly Found[] =>
  readTrussConfig(text, options).warnings;
const codesOf = (text: string): readonly string[] => warningsOf(text).map(({ code }) => code);

/** Stands for the secret part; put in here so that no scanner takes this file for a leak. */
const FILL = 'aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1dE3fG5hI7jK9';
const CAPITALS = FILL.toUpperCase();

/** Made up, in the shapes of real ones. */
const CREDENTIALS = {
  'Hugging Face': `hf_${FILL.slice(0, 34)}`,
  OpenAI: `sk-proj-${FILL}`,
  Baseten: `${FILL.slice(0, 8)}.${FILL.slice(0, 32)}`,
  'AWS key id': `AKIA${CAPITALS.slice(0, 16)}`,
  'AWS secret key': `${FILL.slice(0, 36)}/+hI`,
  Google: `AIza${FILL.slice(0, 35)}`,
  GitHub: `ghp_${FILL.slice(0, 36)}`,
  Slack: `xoxb-1234567890-${FILL}`,
  'private key': `-----BEGIN ${CAPITALS.replaceAll(/[0-9]/g, '').slice(0, 5)} PRIVATE KEY-----`,
  'JSON web token': `eyJ${FILL}.eyJ${FILL}.c2ln`,
  'service account': '{"type": "service_account", "private_key": "x"}',
  'URL with a password': `postgres://user:${FILL}@db.example/x`,
} as const;

describe('values that look like credentials', () => {
  it.each(Object.entries(CREDENTIALS))(
    '%s: told in defaults, environment variables and URLs, and never shown',
    (_, value) => {
      const quoted = JSON.stringify(value);
      const text = [
        'secrets:',
        `  a: ${quoted}`,
        `  DOCKER_REGISTRY_r.io: ${quoted}`,
        'environment_variables:',
        `  B: ${quoted}`,
        'external_data:',
        `- url: ${quoted}`,
      ].join('\n');
      const config = readTrussConfig(text);
      expect(config.warnings).toMatchObject([
        { code: 'CredentialDefault', line: 2, column: 3 },
        { code: 'CredentialDefault', line: 3, column: 3 },
        { code: 'PlainCredential', line: 5, column: 3 },
        { code: 'PlainCredential', line: 7, column: 3 },
      ]);
      expect(JSON.stringify(config)).not.toContain(value.slice(4, 12));
    },
  );

  it.each([
    'text',
    'https://my_database.example.com/',
    'http://localhost:8080/path@1',
    '/usr/bin:/bin',
    'da39a3ee5e6b4b0d3255bfef95601890afd80709',
    '${HF_TOKEN}',
    'hf_transfer',
    'sk-learn',
    'meta-llama/Llama-3.1-8B-Instruct',
    'python3 -m vllm.entrypoints.openai.api_server --port 8000',
    'hf_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx',
    '',
  ])('%j is none', (value) => {
    expect(codesOf(`environment_variables: {A: ${JSON.stringify(value)}}`)).toEqual([]);
  });

  it.each([
    ['WANDB_API_KEY: 0123456789abcdef0123456789abcdef01234567', ['PlainCredential']],
    ['DB_PASSWORD: hunter2', ['PlainCredential']],
    ['SESSION_SECRET: aB3dE5gH7jK9mN1pQ', ['PlainCredential']],
    ['HF_TOKEN: your-token', []],
    ['HF_TOKEN: ', []],
    ['HF_TOKEN_PATH: cache/aB3dE5gH7jK9mN1pQ', []],
    ['EOS_TOKEN: "<|im_end|>"', []],
    ['TOKENIZERS_PARALLELISM: "false"', []],
    ['SECRET_NAME: hf_access_token_v1', []],
    ['GIT_COMMIT: da39a3ee5e6b4b0d3255bfef95601890afd80709', []],
  ])('in an environment variable the name tells: %s', (variable, codes) => {
    expect(codesOf(`environment_variables:\n  ${variable}\n`)).toEqual(codes);
  });

  it.each([
    ['a: 0123456789abcdef0123456789abcdef', ['CredentialDefault']],
    ['DOCKER_REGISTRY_r.io: dXNlcjpwYXNzd29yZA==', ['CredentialDefault']],
    ['a: dXNlcjpwYXNzd29yZA==', []],
    ['a: us-east-1-production-bucket-2024', []],
  ])('as a default any random text is one: %s', (secret, codes) => {
    expect(codesOf(`secrets:\n  ${secret}\n`)).toEqual(codes);
  });

  it('are not shown when they break the YAML either', () => {
    for (const value of [
      '*s3cr3tvalue',
      '!s3cr3tvalue',
      '@s3cr3tvalue',
      '"s3cr3tvalue',
      '%s3cr3tvalue',
      '&s3cr3tvalue',
    ]) {
      for (const text of [`secrets:\n  a: ${value}\n`, `secrets: {a: ${value}}`, `a: {b: ${value} c\n`]) {
        const { errors, warnings } = readTrussConfig(text);
        expect(JSON.stringify([errors, warnings])).not.toContain('3cr3tvalue');
      }
    }
  });
});

describe('defaults that look like placeholders', () => {
  it.each([
    'ENTER HF ACCESS TOKEN HERE',
    'set token in baseten workspace',
    'your-hf-access-token',
    'null',
    'changeme',
    '<token>',
    '{{ token }}',
    '$HF_TOKEN',
    'xxxx',
    '...',
    '****',
    'hf_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx',
    'TODO',
    'my secret',
    'a',
    '123e4567-e89b-12d3-a456-426614174000',
  ])('%j', (value) => {
    const { secrets, warnings } = readTrussConfig(`secrets: {a: ${JSON.stringify(value)}}`);
    expect(secrets).toMatchObject([{ default: 'present' }]);
    expect(warnings).toMatchObject([{ code: 'PlaceholderDefault', line: 1, column: 11 }]);
  });

  it.each(['us-east-1', 'prod-bucket', 'gfpgan', 'eu'])('%j is none', (value) => {
    expect(codesOf(`secrets: {aws_region: ${value}}`)).toEqual([]);
  });
});

describe('names', () => {
  it.each([
    ['../x', ['PathTraversal']],
    ['/etc/passwd', ['PathTraversal']],
    ['a b', ['InvalidName']],
    ["''", ['InvalidName']],
    ['TRUSS_SECRET_A', ['PrefixedName']],
    ['a-b', ['NotCIdentifier']],
    ['a.b', ['NotCIdentifier']],
    ['1st', ['NotCIdentifier']],
    ['hf_access_token', []],
  ])('%s: %j, and listed all the same', (name, codes) => {
    const config = readTrussConfig(`secrets:\n  ${name}: null\n`);
    expect(config.warnings.map(({ code }) => code)).toEqual(codes);
    expect(config.warnings.every(({ line, column }) => line === 2 && column === 3)).toBe(true);
    expect(config.secrets).toHaveLength(1);
  });

  it('that Baseten holds for one are told at the later one', () => {
    const found = warningsOf('secrets:\n  hf_access_token: null\n  other: null\n  HF_ACCESS_TOKEN: null\n');
    expect(found).toMatchObject([{ code: 'NameCollision', line: 4, column: 3 }]);
  });

  it("are checked against JFrog's rule when asked for", () => {
    const text = 'secrets: {snowflake_user: null}\nbuild: {secret_to_path_mapping: {Pip: /x}}\n';
    expect(warningsOf(text)).toEqual([]);
    expect(warningsOf(text, { naming: 'jfrog' })).toMatchObject([
      { code: 'JfrogName', line: 1 },
      { code: 'JfrogName', line: 2 },
    ]);
  });

  it('of other fields are checked too', () => {
    expect(codesOf('weights: [{auth_secret_name: ../x}]')).toEqual(['PathTraversal']);
    expect(codesOf('model_cache: [{runtime_secret_name: a b}]')).toEqual(['InvalidName']);
    expect(codesOf('build: {secret_to_path_mapping: {a/b: /x}}')).toEqual(['PathTraversal']);
    expect(codesOf('build: {secret_to_path_mapping: {a: ../x}}')).toEqual(['PathTraversal']);
  });
});

describe('environment variables', () => {
  it('TRUSS_SECRET_... sets a secret in plain text', () => {
    expect(warningsOf('environment_variables:\n  TRUSS_SECRET_a: x\n')).toMatchObject([
      { code: 'PlainSecret', line: 2, column: 3 },
    ]);
  });

  it('HONEYCOMB_DATASET asks for a secret that nobody writes down', () => {
    const text = 'environment_variables: {HONEYCOMB_DATASET: x}\n';
    expect(codesOf(text)).toEqual(['UndeclaredSecret']);
    expect(codesOf(`${text}secrets: {HONEYCOMB_API_KEY: null}`)).toEqual([]);
  });
});

describe('commands that read /secrets', () => {
  it.each([
    ['docker_server: {start_command: "sh -c \\"HF_TOKEN=$(cat /secrets/hf) serve\\""}', ['UndeclaredSecret']],
    ['docker_server: {start_command: cat /secrets/hf. }', ['UndeclaredSecret']],
    ['docker_server: {start_command: cat /secrets/hf /secrets/hf}', ['UndeclaredSecret']],
    ['docker_server: {start_command: cat /secrets/a /secrets/b}', ['UndeclaredSecret', 'UndeclaredSecret']],
    ['docker_server: {start_command: cat /secrets/hf}\nsecrets: {hf: null}', []],
    ['docker_server: {start_command: cat /secrets/hf}\nmodel_cache: [{runtime_secret_name: hf}]', []],
    [
      'docker_server: {start_command: cat /etc/secrets/hf $X/secrets/hf /secrets/ /secrets/$Y /secrets/..}',
      [],
    ],
    ['build_commands: [echo, cat /secrets/hf]', ['UndeclaredSecret']],
    ['build_commands: [cat /secrets/hf]\nbuild: {secret_to_path_mapping: {x: /secrets/hf}}', []],
  ])('%s: %j', (text, codes) => {
    expect(codesOf(text)).toEqual(codes);
  });

  it('of a file that breaks off nothing is said: it may be declared further down', () => {
    expect(warningsOf('docker_server: {start_command: cat /secrets/hf}\nsecrets: {')).toEqual([]);
  });
});

it('no more than 1000 warnings are kept', () => {
  const names = Array.from({ length: 3000 }, (_, i) => `  a-${i}: null\n`).join('');
  const found = warningsOf(`secrets:\n${names}`);
  expect(found).toHaveLength(1001);
  expect(found.at(-1)?.code).toBe('TooManyWarnings');
});
