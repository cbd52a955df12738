import type { Mark } from './yaml/error.ts';

/** An error or a warning in a config.yaml. Line and column count from 1, in code points. Never holds a value. */
export interface Diagnostic {
  readonly code: DiagnosticCode;
  readonly message: string;
  readonly line: number;
  readonly column: number;
}

export type DiagnosticCode = string;

export const diagnostic = (code: DiagnosticCode, message: string, mark: Mark): Diagnostic => ({
  code,
  message,
  line: mark.line + 1,
  column: mark.column + 1,
});
