import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { REASONS } from '../../src/api/messages.ts';
import { SECRET_STATES, WORKLOAD_STATES } from '../../src/api/model-deployment.ts';

const DOCUMENT = readFileSync(new URL('../../docs/status.md', import.meta.url), 'utf8');

describe('docs/status.md', () => {
  it.each(Object.entries(REASONS))('has the reason %s with its meaning', (reason, meaning) => {
    expect(DOCUMENT).toContain(`| \`${reason}\` | ${meaning} |`);
  });

  it.each([...SECRET_STATES, ...WORKLOAD_STATES])('has the state %s', (state) => {
    expect(DOCUMENT).toMatch(new RegExp(`\\| \`${state}\` \\| .+ \\|`));
  });

  it.each([...Object.keys(REASONS), ...SECRET_STATES, ...WORKLOAD_STATES])(
    'says what to do about %s',
    (name) => {
      expect(DOCUMENT).toMatch(new RegExp(`^\\| \`${name}\` \\| [^|]*\\w[^|]* \\| [^|]*\\w[^|]* \\|$`, 'm'));
    },
  );
});
