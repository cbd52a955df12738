import { DIGEST_LENGTH } from './digest.ts';
import { shared } from './sharing.ts';

/**
 * The digests of a delivered Secret by key, in one text: a Map of as many texts takes five times the memory, for
 * every model.
 */
export class Digests implements ReadonlyMap<string, string> {
  readonly #keys: readonly string[];
  readonly #packed: string;

  /** The digests are of {@link DIGEST_LENGTH}. */
  constructor(digests: ReadonlyMap<string, string>) {
    const entries = [...digests].sort(([a], [b]) => (a < b ? -1 : 1));
    this.#keys = shared(entries.map(([key]) => key));
    this.#packed = entries.map(([, digest]) => digest).join('');
  }

  get size(): number {
    return this.#keys.length;
  }

  has(key: string): boolean {
    return this.#find(key) >= 0;
  }

  get(key: string): string | undefined {
    const at = this.#find(key);
    return at < 0 ? undefined : this.#at(at);
  }

  keys(): MapIterator<string> {
    return this.#keys.values();
  }

  *values(): MapIterator<string> {
    for (const at of this.#keys.keys()) yield this.#at(at);
  }

  *entries(): MapIterator<[string, string]> {
    for (const [at, key] of this.#keys.entries()) yield [key, this.#at(at)];
  }

  forEach(visit: (digest: string, key: string, map: ReadonlyMap<string, string>) => void): void {
    for (const [key, digest] of this) visit(digest, key, this);
  }

  [Symbol.iterator](): MapIterator<[string, string]> {
    return this.entries();
  }

  /** Where the key is among the sorted ones; -1: nowhere. */
  #find(key: string): number {
    let low = 0;
    let high = this.#keys.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const found = this.#keys[middle] ?? '';
      if (found === key) return middle;
      if (found < key) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }

  #at(at: number): string {
    return this.#packed.slice(at * DIGEST_LENGTH, (at + 1) * DIGEST_LENGTH);
  }
}
