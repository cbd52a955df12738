/**
 * What is said of an error that nobody caught: its class, its code and where it came from. Never its message, nor what
 * hangs on it: a value may be quoted there.
 */
export function crashReport(error: unknown): string {
  if (!(error instanceof Error)) return `${typeof error} was thrown`;
  const code = 'code' in error && typeof error.code === 'string' ? ` ${error.code}` : '';
  const cause = error.cause === undefined ? '' : `\ncaused by ${crashReport(error.cause)}`;
  return `${error.name}${code}${framesOf(error)}${cause}`;
}

/** The lines of the stack below the message; none where they can't be told apart from it. */
function framesOf({ name, message, stack = '' }: Error): string {
  const heads = [`${name}: ${message}\n`, `${name}\n`, `Error: ${message}\n`];
  const head = heads.find((one) => stack.startsWith(one));
  return head === undefined ? '' : `\n${stack.slice(head.length)}`;
}
