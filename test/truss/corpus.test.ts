import { describe, expect, it } from 'vitest';
import { readTrussConfig } from '../../src/truss/config.ts';
import { decodeYaml } from '../../src/truss/decode.ts';
import { NO_CORPUS, realConfigs } from './corpus.ts';

describe('real files of basetenlabs/truss-examples', () => {
  it('declare what PyYAML reads', (ctx) => {
    const configs = realConfigs();
    if (configs.length === 0) ctx.skip(NO_CORPUS);
    for (const { file, bytes, expected } of configs) {
      const decoded = decodeYaml(bytes);
      const config = 'text' in decoded ? readTrussConfig(decoded.text) : undefined;
      const found = Object.fromEntries(config?.secrets.map((secret) => [secret.name, secret.default]) ?? []);
      const wanted = Object.entries(expected.secrets ?? {}).map(([name, value]) => [
        name,
        value === 'value' ? 'present' : 'none',
      ]);
      expect(found, file).toEqual(Object.fromEntries(wanted));
      expect((config?.errors.length ?? 1) > 0, file).toBe(expected.error !== undefined);
    }
  });
});
