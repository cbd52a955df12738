import { expect, test } from 'vitest';
import { parseVersion } from '../features.ts';

test.each([
  ['20', 20],
  ['27+', 27],
  ['36', 36],
])('minor version "%s" is %i', (minor, expected) => {
  expect(parseVersion({ major: '1', minor })).toEqual({ major: 1, minor: expected });
});
