import { expect, test } from 'vitest';
import type { Output } from '../../src/cli/io.ts';
import { table } from '../../src/cli/print.ts';

const output = (colour: boolean): Output => ({ isTerminal: colour, colour, write: () => {} });

const columns = [
  { title: 'NAME', cell: ([name]: readonly string[]) => name ?? '' },
  { title: 'NOTE', cell: ([, note]: readonly string[]) => note ?? '', style: () => 'red' as const },
];

test('columns are aligned by what is seen, and nothing trails', () => {
  expect(
    table(output(false), columns, [
      ['a', 'x'],
      ['été', 'y'],
      ['e\u0301te\u0301', 'z'],
      ['long-name', ''],
    ]),
  ).toBe(
    [
      'NAME        NOTE',
      'a           x',
      'été         y',
      'e\u0301te\u0301         z',
      'long-name   <none>',
      '',
    ].join('\n'),
  );
});

test('colour does not change the alignment', () => {
  const [title, row] = table(output(true), columns, [['a', 'x']]).split('\n');
  expect(title).toBe('\u001b[1mNAME\u001b[22m   \u001b[1mNOTE\u001b[22m');
  expect(row).toBe('a      \u001b[31mx\u001b[39m');
});

test('a name can not steer the terminal or add a line', () => {
  expect(table(output(false), columns, [['a\u001b[2J\nb', 'x']])).toContain('a\\u001b[2J\\nb');
});
