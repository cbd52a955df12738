/** What was assumed is not so any more: look again. */
export class StaleError extends Error {
  override readonly name = 'StaleError';
}
