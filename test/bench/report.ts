import { writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import process from 'node:process';

/** One figure of the table: what was measured, against what it is compared, and what is to be reached. */
export interface Figure {
  /** The row of the table. */
  readonly row: string;
  readonly what: string;
  readonly measured: number;
  /** What the same run gave for the yardstick; undefined where the bound is absolute. */
  readonly yardstick?: number;
  readonly unit: string;
  /** Of `measured / yardstick`, or without a yardstick of `measured`. */
  readonly reach?: { readonly atLeast: number } | { readonly atMost: number };
}

/** The number that the bound is about. */
export const valueOf = ({ measured, yardstick }: Figure): number =>
  yardstick === undefined ? measured : measured / yardstick;

export function isReached(figure: Figure): boolean | undefined {
  const { reach } = figure;
  if (reach === undefined) return undefined;
  const value = valueOf(figure);
  return 'atLeast' in reach ? value >= reach.atLeast : value <= reach.atMost;
}

export const median = (values: readonly number[]): number => percentile(values, 50);

/** Nearest rank; NaN of nothing. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((sorted.length * percent) / 100) - 1)] ?? Number.NaN;
}

const shown = (value: number): string =>
  value !== 0 && Math.abs(value) < 10 ? value.toPrecision(3) : value.toFixed(value < 100 ? 1 : 0);

function bound({ reach }: Figure): string {
  if (reach === undefined) return '';
  return 'atLeast' in reach ? `>= ${reach.atLeast}` : `<= ${reach.atMost}`;
}

export function table(figures: readonly Figure[]): string {
  const verdicts = { true: 'yes', false: 'NO', undefined: '' };
  const lines = [
    ['', 'what', 'measured', 'yardstick', 'ratio', 'to reach', 'reached'],
    ...figures.map((figure) => [
      figure.row,
      figure.what,
      `${shown(figure.measured)} ${figure.unit}`,
      figure.yardstick === undefined ? '' : `${shown(figure.yardstick)} ${figure.unit}`,
      figure.yardstick === undefined ? '' : shown(valueOf(figure)),
      bound(figure),
      verdicts[`${isReached(figure)}`],
    ]),
  ];
  const widths =
    lines[0]?.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0))) ?? [];
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Says on stderr what the last round gave: how far rounds lie apart shows what their medians are worth. */
export function sayRound(row: string, rounds: Readonly<Record<string, readonly number[]>>): void {
  const last = Object.entries(rounds).map(
    ([what, values]) => `${what} ${shown(values.at(-1) ?? Number.NaN)}`,
  );
  process.stderr.write(`a round of ${row}: ${last.join(', ')}\n`);
}

/** The figures for machines, with what the numbers depend on. */
export async function writeJson(
  path: string,
  parameters: Readonly<Record<string, unknown>>,
  figures: readonly Figure[],
): Promise<void> {
  const machine = { cpus: cpus().length, model: cpus()[0]?.model, node: process.version };
  const rows = figures.map((figure) => ({
    ...figure,
    ratio: figure.yardstick === undefined ? null : valueOf(figure),
    reached: isReached(figure) ?? null,
  }));
  await writeFile(path, `${JSON.stringify({ machine, parameters, figures: rows }, null, 2)}\n`);
}
