import type { Client } from './client.ts';
import { ApiError, TransportError } from './errors.ts';
import { type Resource, secrets } from './resource.ts';

/** This process may not write (any more): it does not lead, or is about to stop. */
export class NotLeadingError extends Error {
  override readonly name = 'NotLeadingError';

  constructor() {
    super('not written: this process does not lead');
  }
}

export interface Fence {
  readonly mayWrite: () => boolean;
  /** After each write: what it was (`apply Deployment`), and without success how it ended (`Conflict`, `timeout`). */
  readonly onWrite: (what: string, failure: string | undefined) => void;
}

/**
 * A client that writes only as long as it may, asked right before each write: a process that was paused for longer
 * than its lease finds out at its next write, not at its next timer. What is on its way already is harmless by
 * the resourceVersion or uid that it carries. Its writes throw NotLeadingError besides what those of the client throw.
 */
export function fenced(client: Client, { mayWrite, onWrite }: Fence): Client {
  const write = async <T>(verb: string, { kind }: Resource, send: () => Promise<T>): Promise<T> => {
    if (!mayWrite()) throw new NotLeadingError();
    const what = `${verb} ${kind}`;
    try {
      const answer = await send();
      onWrite(what, undefined);
      return answer;
    } catch (error) {
      onWrite(what, endOf(error));
      throw error;
    }
  };
  return {
    get: (...args) => client.get(...args),
    listPage: (...args) => client.listPage(...args),
    list: (...args) => client.list(...args),
    watch: (...args) => client.watch(...args),
    getJson: (...args) => client.getJson(...args),
    getText: (...args) => client.getText(...args),
    close: () => client.close(),
    create: (of, ...rest) => write('create', of, () => client.create(of, ...rest)),
    replaceSecret: (...args) => write('update', secrets, () => client.replaceSecret(...args)),
    replaceStatus: (of, ...rest) => write('update status of', of, () => client.replaceStatus(of, ...rest)),
    mergePatch: (of, key, body, options) => {
      const verb = options?.subresource === undefined ? 'patch' : `patch ${options.subresource} of`;
      return write(verb, of, () => client.mergePatch(of, key, body, options));
    },
    apply: (of, ...rest) => write('apply', of, () => client.apply(of, ...rest)),
    delete: (of, ...rest) => write('delete', of, () => client.delete(of, ...rest)),
  };
}

/** Never a message: those of the API server may echo what was sent. */
function endOf(error: unknown): string {
  if (error instanceof ApiError) return error.reason === '' ? String(error.status) : error.reason;
  return error instanceof TransportError ? error.step : 'failed';
}
