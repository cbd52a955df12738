import { EXIT, type ExitCode } from './exit-code.ts';

/** The command line itself is wrong: printed with the usage line, exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The command can't do what it was asked to. The message is for the user, and says what to do. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly exitCode: ExitCode;

  constructor(message: string, options?: ErrorOptions & { readonly exitCode?: ExitCode }) {
    super(message, options);
    this.exitCode = options?.exitCode ?? EXIT.failed;
  }
}

/** The `code` of an error of Node (`ENOENT`, `ERR_...`), undefined when it has none. */
export const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
