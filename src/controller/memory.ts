import type { DeliveredContent, Fight } from '../plan/snapshot.ts';
import { isForgotten, waitFor, withWrite, type Writes } from '../plan/writes.ts';

/** What stands for a Secret of a model, there or not. */
export const secretId = (modelUid: string, name: string): string => `${modelUid}/${name}`;

/**
 * What the controller remembers of a model beyond its caches, by uid. Nothing of it is needed to be right: it
 * saves a read, or a restart of pods.
 */
export class Memory {
  readonly #delivered = new Map<string, DeliveredContent>();
  readonly #namespaces = new Map<string, string>();
  /** Names of Secrets that may outlive their model, by its key. */
  readonly #left = new Map<string, readonly string[]>();
  /** By uid of what is written, those written last at the end. */
  readonly #writes = new Map<string, Writes>();

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

  /** A model is gone, and nobody knows whether these Secrets of its went with it. */
  rememberLeft(modelKey: string, names: readonly string[]): void {
    this.#left.set(modelKey, names);
  }

  left(modelKey: string): readonly string[] {
    return this.#left.get(modelKey) ?? [];
  }

  forgetLeft(modelKey: string): void {
    this.#left.delete(modelKey);
  }

  namespaceUid(uid: string): string | undefined {
    return this.#namespaces.get(uid);
  }

  rememberNamespace(uid: string, namespaceUid: string): void {
    this.#namespaces.set(uid, namespaceUid);
  }

  /** Whether the same has been written to an object too often of late. */
  fight(uid: string, now: number): Fight | undefined {
    const writes = this.#writes.get(uid);
    return writes && { wanted: writes.wanted, waitMs: waitFor(writes, now), refused: writes.refused };
  }

  /** @param refused what the API server said if it did not do it */
  rememberWrite(uid: string, wanted: string, now: number, refused?: string): void {
    const writes = withWrite(this.#writes.get(uid), wanted, now, refused);
    this.#writes.delete(uid);
    this.#writes.set(uid, writes);
    for (const [oldest, found] of this.#writes) {
      if (!isForgotten(found, now)) break;
      this.#writes.delete(oldest);
    }
  }

  /** The model is gone. */
  forget(uid: string): void {
    this.#delivered.delete(uid);
    this.#namespaces.delete(uid);
  }
}
