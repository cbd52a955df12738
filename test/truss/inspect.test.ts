import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const TIMEOUT_MS = 30_000;

interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

describe('truss-secrets inspect', { timeout: TIMEOUT_MS }, () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'inspect-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const write = (content: string | Uint8Array): string => {
    const file = join(folder, 'config.yaml');
    writeFileSync(file, content);
    return file;
  };

  const inspect = (args: readonly string[], stdin = ''): Promise<Result> =>
    new Promise((resolve) => {
      const env = { ...process.env, TRUSS_SECRETS_NAME_POLICY: '' };
      const child = execFile(
        process.execPath,
        [MAIN, 'inspect', ...args],
        { env },
        (error, stdout, stderr) => {
          resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
        },
      );
      child.stdin?.end(stdin);
    });

  it('-o json prints one object with every key', async () => {
    const file = write('secrets:\n  hf_access_token: null\n  a-b: default\n');
    const { code, stdout, stderr } = await inspect(['-f', file, '-o', 'json']);
    expect(JSON.parse(stdout)).toEqual({
      version: 1,
      file,
      secrets: [
        { name: 'hf_access_token', default: 'none', line: 2, column: 3 },
        { name: 'a-b', default: 'present', line: 3, column: 3 },
      ],
      build: [],
      pull: [],
      weights: [],
      optional: [],
      warnings: [
        { code: 'PlaceholderDefault', message: expect.any(String), line: 3, column: 3 },
        { code: 'NotCIdentifier', message: expect.any(String), line: 3, column: 3 },
      ],
      errors: [],
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  it('prints a table, and warnings with file, line and column', async () => {
    const file = write(
      'secrets:\n  a-b: null\n  DOCKER_REGISTRY_r.io: null\nbuild: {secret_to_path_mapping: {pip: /x}}\nweights: [{auth_secret_name: w}]\nmodel_cache: [{}]\nbase_image: {docker_auth: {auth_method: REGISTRY_SECRET, registry: q.io, secret_name: s}}\n',
    );
    const { code, stdout, stderr } = await inspect(['-f', file]);
    expect(stdout.split('\n').map((line) => line.split(/ {3,}/))).toEqual([
      ['NAME', 'USE', 'DETAIL', 'LINE'],
      ['a-b', 'model', 'no default', '2:3'],
      ['hf_access_token', 'model, optional', 'model_cache[0].runtime_secret_name', '6:15'],
      ['DOCKER_REGISTRY_r.io', 'image pull', 'r.io', '3:3'],
      ['s', 'image pull', 'REGISTRY_SECRET q.io', '7:14'],
      ['pip', 'image build', '/x', '4:34'],
      ['w', 'weights', 'weights[0].auth_secret_name', '5:12'],
      [''],
    ]);
    expect(stderr).toMatch(/config\.yaml:2:3: warning: a-b: .* \[NotCIdentifier\]\n$/);
    expect(code).toBe(0);
  });

  it('of a file that cannot be read as YAML it prints the place and what was read, and exits with 1', async () => {
    const file = write('secrets:\n  a: null\n  b: "x\n');
    const { code, stdout, stderr } = await inspect(['-f', file, '-o', 'json']);
    expect(JSON.parse(stdout)).toMatchObject({
      secrets: [{ name: 'a' }],
      errors: [{ code: 'InvalidYaml', line: 4, column: 1 }],
    });
    expect(stderr).toMatch(/config\.yaml:4:1: .*closing quote.* \[InvalidYaml\]\n$/);
    expect(code).toBe(1);
  });

  it('reads UTF-16, and refuses what is in no encoding', async () => {
    const utf16 = await inspect([
      '-f',
      write(Buffer.from('\ufeffsecrets: {é: null}', 'utf16le')),
      '-o',
      'json',
    ]);
    expect(JSON.parse(utf16.stdout)).toMatchObject({
      secrets: [{ name: 'é', line: 1, column: 11 }],
      errors: [],
    });
    const latin1 = await inspect(['-f', write(Buffer.from('secrets: {é: null}', 'latin1')), '-o', 'json']);
    expect(JSON.parse(latin1.stdout)).toMatchObject({
      secrets: [],
      errors: [{ code: 'InvalidEncoding', column: 11 }],
    });
    expect(latin1.code).toBe(1);
  });

  it('takes the file from stdin, and as an argument', async () => {
    const fromStdin = await inspect(['-f', '-', '-o', 'yaml'], 'secrets: {a: null}\n');
    expect(fromStdin.stdout).toContain('name: a');
    const asArgument = await inspect([write('secrets: {}')]);
    expect(asArgument).toMatchObject({
      code: 0,
      stdout: '',
      stderr: expect.stringContaining('declares no secrets'),
    });
  });

  it("checks names against JFrog's rule when asked to", async () => {
    const { stderr } = await inspect([
      '-f',
      write('secrets: {snowflake_user: null}'),
      '--name-policy',
      'jfrog',
    ]);
    expect(stderr).toContain('[JfrogName]');
  });

  it.each([
    [['-f', '/no/such/file'], 1, '/no/such/file'],
    [['-f', '/'], 1, 'folder'],
    [[], 2, '-f FILE'],
  ])('%j exits with %i', async (args, expected, text) => {
    const { code, stderr } = await inspect(args);
    expect(code).toBe(expected);
    expect(stderr).toContain(text);
    expect(stderr).not.toContain('    at ');
  });
});
