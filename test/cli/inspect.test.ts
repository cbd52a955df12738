import { parse } from 'yaml';
import { describe, expect, test } from 'vitest';
import { folder, trussSecrets } from './truss-secrets.ts';

const CONFIG = `model_name: gfpgan
secrets:
  gfpgan_aws_region: null
  hf_access_token: hf_placeholder
`;

const DECLARED = {
  version: 1,
  file: 'config.yaml',
  secrets: [
    { name: 'gfpgan_aws_region', default: 'none', line: 3, column: 3 },
    { name: 'hf_access_token', default: 'present', line: 4, column: 3 },
  ],
  build: [],
  pull: [],
  weights: [],
  optional: [],
  warnings: expect.any(Array),
  errors: [],
};

describe('inspect', () => {
  test('prints a table, and never a default', async () => {
    const cwd = await folder({ 'config.yaml': CONFIG });
    const { code, stdout, stderr } = await trussSecrets(['inspect', '-f', 'config.yaml'], { cwd });
    expect(code).toBe(0);
    expect(stdout.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
      ['NAME', 'USE', 'DETAIL', 'LINE'],
      ['gfpgan_aws_region', 'model', 'no default', '3:3'],
      ['hf_access_token', 'model', 'has a default', '4:3'],
      [''],
    ]);
    expect(stdout + stderr).not.toContain('hf_placeholder');
  });

  test('prints the documented shape as JSON and as YAML', async () => {
    const cwd = await folder({ 'config.yaml': CONFIG });
    const json = await trussSecrets(['inspect', '-f', 'config.yaml', '-o', 'json'], { cwd });
    expect(json.code).toBe(0);
    expect(JSON.parse(json.stdout)).toEqual(DECLARED);
    const yaml = await trussSecrets(['inspect', '-f', 'config.yaml', '-o', 'yaml'], { cwd });
    expect(parse(yaml.stdout)).toEqual(DECLARED);
  });

  test('reads stdin', async () => {
    const { stdout } = await trussSecrets(['inspect', '-f', '-', '-o', 'json'], { stdin: CONFIG });
    expect(JSON.parse(stdout)).toMatchObject({ file: '-', secrets: DECLARED.secrets });
  });

  test('of an invalid config fails, with the place, and what could be read on stdout', async () => {
    const cwd = await folder({ 'config.yaml': `${CONFIG}broken: [` });
    const { code, stdout, stderr } = await trussSecrets(['inspect', '-f', 'config.yaml', '-o', 'json'], {
      cwd,
    });
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ secrets: DECLARED.secrets, errors: [{ line: 5 }] });
    expect(stderr).toMatch(/^config\.yaml:5:\d+: /m);
  });

  test.for([
    { file: 'gone.yaml', says: "gone.yaml can't be read: ENOENT" },
    { file: '.', says: 'did you mean ./config.yaml?' },
  ])('$file fails', async ({ file, says }) => {
    const cwd = await folder({ 'config.yaml': CONFIG });
    const { code, stdout, stderr } = await trussSecrets(['inspect', '-f', file], { cwd });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(says);
  });

  test("warns by JFrog's rules where they are asked for", async () => {
    const args = ['inspect', '-f', '-', '-o', 'json', '--name-policy', 'jfrog'];
    const { code, stdout } = await trussSecrets(args, { stdin: CONFIG });
    expect(code).toBe(0);
    expect(JSON.parse(stdout).warnings).toContainEqual(
      expect.objectContaining({ code: 'JfrogName', line: 3 }),
    );
  });
});
