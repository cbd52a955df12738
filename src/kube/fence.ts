import type { Client } from './client.ts';
import { ApiError, TransportError } from './errors.ts';
import type { Resource } from './resource.ts';

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
export const fenced = (client: Client, fence: Fence): Client => new FencedClient(client, fence);

/** A class, as there is one for each reconcile: a closure for each method would be made anew every time. */
class FencedClient implements Client {
  readonly #client: Client;
  readonly #fence: Fence;

  constructor(client: Client, fence: Fence) {
    this.#client = client;
    this.#fence = fence;
  }

  get(...args: Parameters<Client['get']>): ReturnType<Client['get']> {
    return this.#client.get(...args);
  }

  listPage(...args: Parameters<Client['listPage']>): ReturnType<Client['listPage']> {
    return this.#client.listPage(...args);
  }

  list(...args: Parameters<Client['list']>): ReturnType<Client['list']> {
    return this.#client.list(...args);
  }

  watch(...args: Parameters<Client['watch']>): ReturnType<Client['watch']> {
    return this.#client.watch(...args);
  }

  getJson(...args: Parameters<Client['getJson']>): ReturnType<Client['getJson']> {
    return this.#client.getJson(...args);
  }

  getText(...args: Parameters<Client['getText']>): ReturnType<Client['getText']> {
    return this.#client.getText(...args);
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  create(...args: Parameters<Client['create']>): ReturnType<Client['create']> {
    return this.#write('create', args[0], () => this.#client.create(...args));
  }

  replace(...args: Parameters<Client['replace']>): ReturnType<Client['replace']> {
    return this.#write('update', args[0], () => this.#client.replace(...args));
  }

  replaceStatus(...args: Parameters<Client['replaceStatus']>): ReturnType<Client['replaceStatus']> {
    return this.#write('update status of', args[0], () => this.#client.replaceStatus(...args));
  }

  mergePatch(...args: Parameters<Client['mergePatch']>): ReturnType<Client['mergePatch']> {
    const [of, , , options] = args;
    const verb = options?.subresource === undefined ? 'patch' : `patch ${options.subresource} of`;
    return this.#write(verb, of, () => this.#client.mergePatch(...args));
  }

  apply(...args: Parameters<Client['apply']>): ReturnType<Client['apply']> {
    return this.#write('apply', args[0], () => this.#client.apply(...args));
  }

  delete(...args: Parameters<Client['delete']>): ReturnType<Client['delete']> {
    return this.#write('delete', args[0], () => this.#client.delete(...args));
  }

  async #write<T>(verb: string, { kind }: Resource, send: () => Promise<T>): Promise<T> {
    const { mayWrite, onWrite } = this.#fence;
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
  }
}

/** Never a message: those of the API server may echo what was sent. */
function endOf(error: unknown): string {
  if (error instanceof ApiError) return error.reason === '' ? String(error.status) : error.reason;
  return error instanceof TransportError ? error.step : 'failed';
}
