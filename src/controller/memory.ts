import { deliveredSecretName } from '../api/names.ts';
import { sameContent } from '../plan/owned-secret.ts';
import type { DeliveredContent, Fight, ModelIdentity } from '../plan/snapshot.ts';
import { isForgotten, type Refusal, waitFor, withWrite, type Writes } from '../plan/writes.ts';
import { shared, sharedText } from './sharing.ts';

/** What stands for a Secret of a model, there or not. Nearly every model has the delivered one: its id is no new text. */
export const secretId = ({ name, uid }: ModelIdentity, secret: string): string =>
  secret === deliveredSecretName(name) ? uid : `${uid}/${secret}`;

/** Of what is not there; beyond it one is asked for again. */
const MOST_ABSENT = 10_000;

/**
 * What the controller remembers of a model beyond its caches, by uid. Nothing of it is needed to be right: it
 * saves a read, or a restart of pods.
 */
export class Memory {
  readonly #delivered = new Map<string, DeliveredContent>();
  readonly #namespaces = new Map<string, string>();
  /** Names of Secrets that may outlive their model, by its key. */
  readonly #left = new Map<string, readonly string[]>();
  /** What was looked for by its name and is not there. */
  readonly #absent = new Set<string>();
  /** Digests of statuses that are being written, by uid. */
  readonly #statuses = new Map<string, string>();
  /** Contents of Secrets that are being written, by {@link secretId}. */
  readonly #contents = new Map<string, DeliveredContent>();
  /** By {@link secretId} or the uid of what is written, those written last at the end. */
  readonly #writes = new Map<string, Writes>();
  #prunedAt = 0;

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

  /** Only for what some model asks for all the time since: then its watch tells when it comes. */
  rememberAbsent(id: string): void {
    this.#absent.add(id);
    const [oldest] = this.#absent;
    if (this.#absent.size > MOST_ABSENT && oldest !== undefined) this.#absent.delete(oldest);
  }

  isAbsent(id: string): boolean {
    return this.#absent.has(id);
  }

  forgetAbsent(id: string): void {
    this.#absent.delete(id);
  }

  /** While a status is being written: what comes back of it is no news. */
  expectStatus(uid: string, digest: string): void {
    this.#statuses.set(uid, digest);
  }

  expectsStatus(uid: string, digest: string): boolean {
    return this.#statuses.get(uid) === digest;
  }

  forgetExpectedStatus(uid: string): void {
    this.#statuses.delete(uid);
  }

  /** The same for a Secret. */
  expectSecret(id: string, content: DeliveredContent): void {
    this.#contents.set(id, content);
  }

  expectsSecret(id: string, content: DeliveredContent): boolean {
    const expected = this.#contents.get(id);
    return expected !== undefined && sameContent(expected, content);
  }

  forgetExpectedSecret(id: string): void {
    this.#contents.delete(id);
  }

  /**
   * Whether the same has been written to an object too often of late.
   *
   * @param version the object's resourceVersion
   */
  fight(uid: string, now: number, version?: string): Fight | undefined {
    const writes = this.#writes.get(uid);
    if (!writes) return undefined;
    return { wanted: writes.wanted, refused: writes.refusal?.said, waitMs: waitFor(writes, now, version) };
  }

  rememberWrite(uid: string, wanted: string, now: number, refusal?: Refusal): void {
    // to the second, as what is written to many models at once is then remembered once
    const at = Math.ceil(now / 1000) * 1000;
    const writes = shared(withWrite(this.#writes.get(uid), sharedText(wanted), at, refusal));
    this.#writes.delete(uid);
    this.#writes.set(uid, writes);
    // a Map is slow to find its first entry while there are others deleted before it
    if (at === this.#prunedAt) return;
    this.#prunedAt = at;
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
