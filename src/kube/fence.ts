import type { Client } from './client.ts';
import { ApiError, TransportError } from './errors.ts';
import { type Resource, secrets } from './resource.ts';
import type { ReplacingContents } from './secret-body.ts';

/** This process may not write (any more): it does not lead, or is about to stop. */
export class NotLeadingError extends Error {
  override readonly name = 'NotLeadingError';

  constructor() {
    super('not written: this process does not lead');
  }
}

export interface Fence {
  mayWrite(): boolean;
  /** After each write: what it was (`apply Deployment`), and without success how it ended (`Conflict`, `timeout`). */
  onWrite(what: string, failure: string | undefined): void;
}

/**
 * A client that writes only as long as it may, asked right before each write: a process that was paused for longer
 * than its lease finds out at its next write, not at its next timer. What is on its way already is harmless by
 * the resourceVersion or uid that it carries. Its writes throw NotLeadingError besides what those of the client throw.
 */
export const fenced = (client: Client, fence: Fence): Client => new FencedClient(client, fence);

/** There is one for each look at a model: with its methods in a class none is made for it. */
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

  close(): ReturnType<Client['close']> {
    return this.#client.close();
  }

  create(...args: Parameters<Client['create']>): ReturnType<Client['create']> {
    return this.#write('create', args[0], () => this.#client.create(...args));
  }

  replaceSecret(contents: ReplacingContents): ReturnType<Client['replaceSecret']> {
    return this.#write('update', secrets, () => this.#client.replaceSecret(contents));
  }

  replaceStatus(...args: Parameters<Client['replaceStatus']>): ReturnType<Client['replaceStatus']> {
    return this.#write('update status of', args[0], () => this.#client.replaceStatus(...args));
  }

  mergePatch(...args: Parameters<Client['mergePatch']>): ReturnType<Client['mergePatch']> {
    const subresource = args[3]?.subresource;
    const verb = subresource === undefined ? 'patch' : `patch ${subresource} of`;
    return this.#write(verb, args[0], () => this.#client.mergePatch(...args));
  }

  apply(...args: Parameters<Client['apply']>): ReturnType<Client['apply']> {
    return this.#write('apply', args[0], () => this.#client.apply(...args));
  }

  delete(...args: Parameters<Client['delete']>): ReturnType<Client['delete']> {
    return this.#write('delete', args[0], () => this.#client.delete(...args));
  }

  async #write<T>(verb: string, { kind }: Resource, send: () => Promise<T>): Promise<T> {
    if (!this.#fence.mayWrite()) throw new NotLeadingError();
    const what = `${verb} ${kind}`;
    try {
      const answer = await send();
      this.#fence.onWrite(what, undefined);
      return answer;
    } catch (error) {
      this.#fence.onWrite(what, endOf(error));
      throw error;
    }
  }
}

/** Never a message: those of the API server may echo what was sent. */
function endOf(error: unknown): string {
  if (error instanceof ApiError) return error.reason === '' ? String(error.status) : error.reason;
  return error instanceof TransportError ? error.step : 'failed';
}
