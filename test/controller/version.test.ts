import { expect, it } from 'vitest';
import { keptVersion } from '../../src/controller/version.ts';

it.each(['1', '4711', '999999999999999', '9007199254740993', '007', '0', '', 'opaque', '1e3'])(
  'the resourceVersion %j is kept as what it is',
  (version) => {
    expect(String(keptVersion(version))).toBe(version);
  },
);

it('is a number, where it is one', () => {
  expect(keptVersion('4711')).toBe(4711);
});
