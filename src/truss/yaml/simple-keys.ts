import type { Cursor } from './cursor.ts';
import type { Mark } from './error.ts';

/** A token that turns out to be a key when a `:` follows it on the same line. */
export interface SimpleKey {
  /** How many `[` and `{` are open around it. */
  readonly level: number;
  /** Its place among all tokens of the text. */
  readonly tokenNumber: number;
  /** Nothing but a key may stand here. */
  readonly required: boolean;
  readonly point: number;
  readonly mark: Mark;
}

/** YAML's bound, and PyYAML's: a simple key is on one line and has at most this many characters. */
const MAX_KEY_LENGTH = 1024;

/**
 * The keys that are still possible, at most one a flow level, the outermost (and so the oldest) first.
 * PyYAML walks all of them at each token; they get stale in the order of their age, so that a queue does the same in
 * constant time.
 */
export class SimpleKeys {
  #keys: SimpleKey[] = [];
  #first = 0;
  readonly #cursor: Cursor;

  constructor(cursor: Cursor) {
    this.#cursor = cursor;
  }

  /** The token number of the oldest possible key. */
  nearest(): number | undefined {
    return this.#keys[this.#first]?.tokenNumber;
  }

  add(key: SimpleKey): void {
    this.remove(key.level);
    this.#keys.push(key);
  }

  /** Takes the possible key of this level: a `:` was found for it. */
  take(level: number): SimpleKey | undefined {
    const key = this.#keys.at(-1);
    if (this.#keys.length === this.#first || key?.level !== level) return undefined;
    this.#keys.pop();
    return key;
  }

  /** Something else was found: the token at this level is no key. */
  remove(level: number): void {
    const key = this.take(level);
    if (key?.required) throw this.#missingColon(key);
  }

  /** Forgets the keys that are too far back, or on an earlier line. */
  dropStale(): void {
    const { line, point } = this.#cursor;
    for (let key = this.#keys[this.#first]; key !== undefined; key = this.#keys[this.#first]) {
      if (key.mark.line === line && point - key.point <= MAX_KEY_LENGTH) return;
      if (key.required) throw this.#missingColon(key);
      this.#first += 1;
    }
    if (this.#first > 0) this.clear();
  }

  clear(): void {
    this.#keys = [];
    this.#first = 0;
  }

  #missingColon(key: SimpleKey): Error {
    const at = `line ${key.mark.line + 1}, column ${key.mark.column + 1}`;
    return this.#cursor.error(`expected ':' after the key at ${at}`);
  }
}
