import type { SecretValue } from '../api/secret-value.ts';

/** Of each generation. What was not met again while so many others were is let go, and with it the saving alone. */
const GENERATION = 1024;

/** What is larger than so many characters of JSON is hardly ever there twice, and would make the shelves large. */
const LARGEST = 8192;

/** The second generation is the one before. */
class Shelf<T> {
  #young = new Map<string, T>();
  #old = new Map<string, T>();

  /** What is there under the key, else `value`, which is from now on. */
  keep(key: string, value: T): T {
    let kept = this.#young.get(key);
    if (kept !== undefined) return kept;
    kept = this.#old.get(key) ?? value;
    if (this.#young.size >= GENERATION) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, kept);
    return kept;
  }
}

/** What JSON says all of: of a SecretValue it says nothing, and of a Map neither. */
type Plain<T> = T extends string | number | boolean | null | undefined
  ? T
  : T extends SecretValue | ReadonlyMap<unknown, unknown> | ReadonlySet<unknown>
    ? never
    : { readonly [K in keyof T]: Plain<T[K]> };

const texts = new Shelf<string>();
const values = new Shelf<unknown>();

/** One copy of texts that are equal. */
export const sharedText = (text: string): string => texts.keep(text, text);

/**
 * One copy of values that are equal: models of a cluster differ in little, and without it each one costs three times
 * the memory. Never for what holds the value of a secret.
 */
export function shared<T extends object>(value: T & Plain<T>): T;
export function shared(value: object): unknown {
  const key = JSON.stringify(value);
  return key.length > LARGEST ? value : values.keep(key, value);
}
