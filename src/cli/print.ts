import type { Io, Output } from './io.ts';
import { choice } from './options.ts';
import { type Style, styled } from './style.ts';

export type Format = 'table' | 'json' | 'yaml';

/** @throws UsageError */
export const formatOf = (output: string | undefined): Format =>
  choice('--output', output, ['table', 'json', 'yaml']) ?? 'table';

export interface Column<T> {
  readonly title: string;
  readonly cell: (row: T) => string;
  readonly style?: (row: T) => Style | undefined;
}

/** Columns of a terminal that a text takes; wide East Asian characters count as one. */
const width = (text: string): number => Array.from(text.replaceAll(/\p{Mark}/gu, '')).length;

/** A line in a terminal must stay one line, and must not steer the terminal. */
export const printable = (text: string): string =>
  text.replaceAll(/\p{Control}/gu, (character) => JSON.stringify(character).slice(1, -1));

/** Rows aligned in the manner of kubectl: three spaces between columns, nothing after the last one. */
export function table<T>(output: Output, columns: readonly Column<T>[], rows: readonly T[]): string {
  const cells = rows.map((row) => columns.map(({ cell }) => printable(cell(row)) || '<none>'));
  const widths = columns.map(({ title }, index) =>
    Math.max(width(title), ...cells.map((line) => width(line[index] ?? ''))),
  );
  const line = (texts: readonly string[], style: (column: number) => Style | undefined): string =>
    `${texts
      .map((text, index) => {
        const chosen = style(index);
        const shown = chosen === undefined ? text : styled(output, chosen, text);
        const gap = (widths[index] ?? 0) - width(text) + 3;
        return index === texts.length - 1 ? shown : shown + ' '.repeat(gap);
      })
      .join('')}\n`;
  return [
    line(
      columns.map(({ title }) => title),
      () => 'bold',
    ),
    ...rows.map((row, index) => line(cells[index] ?? [], (column) => columns[column]?.style?.(row))),
  ].join('');
}

/** Prints a result for programs; the shapes are documented in docs/cli.md and carry a `version`. */
export async function printData(io: Io, format: 'json' | 'yaml', data: object): Promise<void> {
  if (format === 'json') {
    io.stdout.write(`${JSON.stringify(data, null, 2)}\n`);
    return;
  }
  const { yamlText } = await import('./yaml-text.ts');
  io.stdout.write(yamlText(data, { lineWidth: 0 }));
}
