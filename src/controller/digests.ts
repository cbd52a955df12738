import { inOrder } from '../api/in-order.ts';
import { DIGEST_LENGTH } from './digest.ts';
import { shared } from './sharing.ts';

/** Digests by key, as little as they can be kept in: a Map takes ten times the memory, and there is one a model. */
export interface PackedDigests {
  /** Sorted. */
  readonly keys: readonly string[];
  /** In the order of the keys, each of {@link DIGEST_LENGTH}. */
  readonly text: string;
}

export function packDigests<V>(
  values: ReadonlyMap<string, V>,
  digestOf: (value: V) => string,
): PackedDigests {
  const keys = inOrder([...values.keys()]);
  const digests = keys.map((key) => {
    const value = values.get(key);
    return value === undefined ? '' : digestOf(value);
  });
  // joined, as V8 keeps what `+` puts together as its parts
  return { keys: shared(keys), text: digests.join('') };
}

/** Packed digests, to be read as the Map that they stand for. */
export class Digests implements ReadonlyMap<string, string> {
  readonly #packed: PackedDigests;

  constructor(packed: PackedDigests) {
    this.#packed = packed;
  }

  get size(): number {
    return this.#packed.keys.length;
  }

  has(key: string): boolean {
    return this.#find(key) >= 0;
  }

  get(key: string): string | undefined {
    const at = this.#find(key);
    return at < 0 ? undefined : this.#at(at);
  }

  keys(): MapIterator<string> {
    return this.#packed.keys.values();
  }

  *values(): MapIterator<string> {
    for (const at of this.#packed.keys.keys()) yield this.#at(at);
  }

  *entries(): MapIterator<[string, string]> {
    for (const [at, key] of this.#packed.keys.entries()) yield [key, this.#at(at)];
  }

  forEach(visit: (digest: string, key: string, map: ReadonlyMap<string, string>) => void): void {
    for (const [key, digest] of this) visit(digest, key, this);
  }

  [Symbol.iterator](): MapIterator<[string, string]> {
    return this.entries();
  }

  /** Where the key is among the sorted ones; -1: nowhere. */
  #find(key: string): number {
    const { keys } = this.#packed;
    let low = 0;
    let high = keys.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const found = keys[middle] ?? '';
      if (found === key) return middle;
      if (found < key) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }

  #at(at: number): string {
    return this.#packed.text.slice(at * DIGEST_LENGTH, (at + 1) * DIGEST_LENGTH);
  }
}
