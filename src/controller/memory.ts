import type { DeliveredContent } from '../plan/snapshot.ts';

/**
 * What the controller remembers of a model beyond its caches, by uid. Nothing of it is needed to be right: it
 * saves a read, or a restart of pods.
 */
export class Memory {
  readonly #delivered = new Map<string, DeliveredContent>();
  readonly #namespaces = new Map<string, string>();

  /** What a delivered Secret held when somebody deleted it. */
  lastDelivered(uid: string): DeliveredContent | undefined {
    return this.#delivered.get(uid);
  }

  rememberDelivered(uid: string, content: DeliveredContent): void {
    this.#delivered.set(uid, content);
  }

  forgetDelivered(uid: string): void {
    this.#delivered.delete(uid);
  }

  namespaceUid(uid: string): string | undefined {
    return this.#namespaces.get(uid);
  }

  rememberNamespace(uid: string, namespaceUid: string): void {
    this.#namespaces.set(uid, namespaceUid);
  }

  /** The model is gone. */
  forget(uid: string): void {
    this.#delivered.delete(uid);
    this.#namespaces.delete(uid);
  }
}
