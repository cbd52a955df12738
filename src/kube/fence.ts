import type { Client } from './client.ts';

/** This process may not write (any more): it does not lead, or is about to stop. */
export class NotLeadingError extends Error {
  override readonly name = 'NotLeadingError';

  constructor() {
    super('not written: this process does not lead');
  }
}

/**
 * A client that writes only as long as it may, asked right before each write: a process that was paused for longer
 * than its lease finds out at its next write, not at its next timer. What is on its way already is harmless by
 * the resourceVersion or uid that it carries. Its writes throw NotLeadingError besides what those of the client throw.
 */
export function fenced(client: Client, mayWrite: () => boolean): Client {
  const guard =
    <A extends readonly unknown[], R>(write: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      if (!mayWrite()) throw new NotLeadingError();
      return await write(...args);
    };
  return {
    get: (...args) => client.get(...args),
    listPage: (...args) => client.listPage(...args),
    list: (...args) => client.list(...args),
    watch: (...args) => client.watch(...args),
    getJson: (...args) => client.getJson(...args),
    getText: (...args) => client.getText(...args),
    close: () => client.close(),
    create: guard((...args: Parameters<Client['create']>) => client.create(...args)),
    replace: guard((...args: Parameters<Client['replace']>) => client.replace(...args)),
    replaceStatus: guard((...args: Parameters<Client['replaceStatus']>) => client.replaceStatus(...args)),
    mergePatch: guard((...args: Parameters<Client['mergePatch']>) => client.mergePatch(...args)),
    apply: guard((...args: Parameters<Client['apply']>) => client.apply(...args)),
    delete: guard((...args: Parameters<Client['delete']>) => client.delete(...args)),
  };
}
