import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { folder, trussSecrets } from './truss-secrets.ts';

// What inspect finds in a config is in test/truss/inspect.test.ts.

const CONFIG = 'secrets:\n  gfpgan_aws_region: null\n';

test('inspect prints the same as JSON and as YAML', async () => {
  const [json, yaml] = await Promise.all(
    ['json', 'yaml'].map((format) => trussSecrets(['inspect', '-f', '-', '-o', format], { stdin: CONFIG })),
  );
  expect(JSON.parse(json?.stdout ?? '')).toMatchObject({ version: 1, secrets: [{ line: 2, column: 3 }] });
  expect(parse(yaml?.stdout ?? '')).toEqual(JSON.parse(json?.stdout ?? ''));
});

test('inspect of a folder asks for the file in it', async () => {
  const cwd = await folder({ 'config.yaml': CONFIG });
  const { code, stdout, stderr } = await trussSecrets(['inspect', '-f', '.'], { cwd });
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toContain('did you mean ./config.yaml?');
});
