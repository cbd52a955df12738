import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { ERRORS, WARNINGS } from '../../src/truss/codes.ts';

const DOCUMENT = fileURLToPath(new URL('../../docs/config-yaml.md', import.meta.url));

it('every code and its meaning stand in docs/config-yaml.md, and no other', () => {
  const rows = readFileSync(DOCUMENT, 'utf8').matchAll(/^\| `([A-Z]\w+)` \| ([^|]+) \|/gm);
  const documented = Array.from(rows, ([, code, meaning]) => [code, meaning]);
  expect(documented).toEqual(Object.entries({ ...ERRORS, ...WARNINGS }));
});
