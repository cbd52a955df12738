import { type Logger, pino } from 'pino';
import type { Output } from './io.ts';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export const LOG_FORMATS = ['json', 'text'] as const;

export interface LogOptions {
  readonly level: (typeof LOG_LEVELS)[number];
  readonly format: (typeof LOG_FORMATS)[number];
}

/** Lines that come within so many milliseconds of one are written together: each by itself would cost a tenth of a reconcile. */
const GATHER_MS = 100;

/**
 * A log with one line for each message: JSON for machines, text for people. Its `flush` writes what has not been written
 * yet, which the end of the process has to ask for.
 */
export function createLogger({ level, format }: LogOptions, output: Output): Logger {
  let lines = '';
  let timer: NodeJS.Timeout | undefined;
  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (lines !== '') output.write(lines);
    lines = '';
  };
  const write = (line: string): void => {
    lines += format === 'json' ? line : textLine(line);
    if (timer !== undefined) return;
    flush();
    timer = setTimeout(flush, GATHER_MS).unref();
  };
  const destination = { write, flush };
  return pino(
    {
      level,
      base: null,
      timestamp: isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
}

let shownAt = 0;
let shown = '';

/** pino's `isoTime`, written out once for all lines of a millisecond: what is done together is logged together. */
function isoTime(): string {
  const now = Date.now();
  if (now !== shownAt) {
    shownAt = now;
    shown = `,"time":"${new Date(now).toISOString()}"`;
  }
  return shown;
}

/** `2026-11-22T21:00:00.000Z INFO  reconciled model=models/gfpgan ms=35` of a line of JSON. */
export function textLine(json: string): string {
  const { time, level, msg, ...fields }: Readonly<Record<string, unknown>> = JSON.parse(json);
  const said = Object.entries(fields).map(([name, value]) => `${name}=${shownValue(value)}`);
  return `${[time, String(level).toUpperCase().padEnd(5), msg, ...said].join(' ')}\n`;
}

function shownValue(value: unknown): string {
  if (typeof value === 'string') return /^[^\s"=[\]]+$/.test(value) ? value : JSON.stringify(value);
  return Array.isArray(value) ? `[${value.map(shownValue).join(' ')}]` : JSON.stringify(value);
}
