import { type Logger, pino } from 'pino';
import type { Output } from './io.ts';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export const LOG_FORMATS = ['json', 'text'] as const;

export interface LogOptions {
  readonly level: (typeof LOG_LEVELS)[number];
  readonly format: (typeof LOG_FORMATS)[number];
}

/** A log with one line for each message: JSON for machines, text for people. */
export function createLogger({ level, format }: LogOptions, output: Output): Logger {
  const write = (line: string): void => output.write(format === 'json' ? line : textLine(line));
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write },
  );
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
