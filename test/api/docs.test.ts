import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { REASONS } from '../../src/api/messages.ts';
import { SECRET_STATES, WORKLOAD_STATES } from '../../src/api/model-deployment.ts';

const text = readFileSync(new URL('../../docs/status.md', import.meta.url), 'utf8');

/** Rows of the table below a heading, without its head: their cells. */
function rows(heading: string): readonly (readonly string[])[] {
  const section = text.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? '';
  return section
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

const names = (heading: string): readonly string[] =>
  rows(heading).map(([name = '']) => name.replaceAll('`', ''));

describe('docs/status.md', () => {
  it('has every reason with its meaning, in the order of the code', () => {
    const documented = rows('Reasons').map(([reason = '', meaning]) => [reason.replaceAll('`', ''), meaning]);
    expect(documented).toEqual(Object.entries(REASONS));
  });

  it('has every state of a name, in the order in which they count', () => {
    expect(names('States of declared names').toSorted()).toEqual([...SECRET_STATES].sort());
    expect(names('States of declared names').at(-1)).toBe('Delivered');
  });

  it('has every state of a workload', () => {
    expect(names('States of workloads')).toEqual([...WORKLOAD_STATES]);
  });

  it('says in every row what to do', () => {
    for (const heading of ['Reasons', 'States of declared names', 'States of workloads']) {
      for (const [name, meaning, remedy] of rows(heading)) {
        expect(meaning, name).toMatch(/\w/);
        expect(remedy, name).toMatch(/\w/);
      }
    }
  });
});
