import type { ErrorCode, WarningCode } from './codes.ts';
import type { Mark } from './yaml/error.ts';

/** An error or a warning in a config.yaml. Line and column count from 1, in code points. Never holds a value. */
export interface Diagnostic<Code extends string = ErrorCode | WarningCode> {
  readonly code: Code;
  readonly message: string;
  readonly line: number;
  readonly column: number;
}

export type ConfigError = Diagnostic<ErrorCode>;
export type ConfigWarning = Diagnostic<WarningCode>;

export const diagnostic = <Code extends string>(
  code: Code,
  message: string,
  mark: Mark,
): Diagnostic<Code> => ({
  code,
  message,
  ...position(mark),
});

export const position = (mark: Mark): { readonly line: number; readonly column: number } => ({
  line: mark.line + 1,
  column: mark.column + 1,
});
