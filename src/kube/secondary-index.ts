/** The values under which something is found; a plain string saves an array. */
export type IndexValues = string | readonly string[] | undefined;

const NONE: readonly string[] = [];

/**
 * From a value to the keys of what has it. One key is kept as a string: most values have one only. A value that says
 * the same as the key is not kept a second time: there may be one for each object.
 */
export class SecondaryIndex<T> {
  readonly #keys = new Map<string, string | Set<string>>();
  readonly #valuesOf: (item: T) => IndexValues;

  constructor(valuesOf: (item: T) => IndexValues) {
    this.#valuesOf = valuesOf;
  }

  /** The keys, in no certain order. */
  find(value: string): readonly string[] {
    const keys = this.#keys.get(value);
    if (keys === undefined) return NONE;
    return typeof keys === 'string' ? [keys] : [...keys];
  }

  /** The item of a key changed: undefined for what was not there, or is no more. */
  update(key: string, old: T | undefined, now: T | undefined): void {
    const had = asList(old === undefined ? undefined : this.#valuesOf(old));
    const has = asList(now === undefined ? undefined : this.#valuesOf(now));
    if (had.length === has.length && had.every((value, at) => value === has[at])) return;
    for (const value of had) this.#remove(value, key);
    for (const value of has) this.#add(value, key);
  }

  #add(value: string, key: string): void {
    const keys = this.#keys.get(value);
    if (keys === undefined) this.#keys.set(value === key ? key : value, key);
    else if (typeof keys === 'object') keys.add(key);
    else if (keys !== key) this.#keys.set(value, new Set([keys, key]));
  }

  #remove(value: string, key: string): void {
    const keys = this.#keys.get(value);
    if (typeof keys === 'object') {
      keys.delete(key);
      const [last] = keys;
      if (keys.size === 1 && last !== undefined) this.#keys.set(value, last);
    } else if (keys === key) {
      this.#keys.delete(value);
    }
  }
}

const asList = (values: IndexValues): readonly string[] =>
  values === undefined ? NONE : typeof values === 'string' ? [values] : values;
