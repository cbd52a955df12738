import { keyOfObject, type RawObject, versionNumber } from './object.ts';
import { parseKey } from './resource.ts';
import { type IndexValues, SecondaryIndex } from './secondary-index.ts';
import type { Freshness, Sink } from './sink.ts';

export interface StoreOptions<T, I extends string> {
  /**
   * Reduces an object at the door; undefined: not of interest, kept out. The result must not hold on to the
   * object or a part of it: copy what is needed into one literal of a fixed shape.
   */
  readonly project: (object: RawObject) => T | undefined;
  readonly indexes?: Readonly<Record<I, (value: T) => IndexValues>>;
  /** True: the newer one is kept and nobody is told, for changes that do not matter. */
  readonly same?: (old: T, now: T) => boolean;
}

/** `old` undefined: new; `now` undefined: gone. Called synchronously; the store and its indexes are up to date. */
export type ChangeListener<T> = (key: string, old: T | undefined, now: T | undefined) => void;

export type FreshnessListener = (value: Freshness, namespace: string | undefined) => void;

interface Entry<T> {
  value: T;
  /** The resourceVersion as a number; NaN compares with nothing. */
  version: number;
  /** The last list that it was in: what a list did not bring is found without a set of keys. */
  round: number;
}

/** News that is older than so many deletions does not happen. */
const MAX_TOMBSTONES = 500;

/** Answers of which the news has not come yet; that of one beyond is read as any other. */
const MAX_ANSWERS = 1_000;

const NONE: readonly never[] = [];

/** The scope of a reflector that watches all namespaces. */
const EVERYWHERE = '';

/**
 * Projections of the objects of one resource, by `namespace/name`, with indexes. Filled by one reflector, or by
 * one for each namespace, through {@link sink}; and by our own writes through {@link set}, so that they are read
 * back at once.
 */
export class Store<T, I extends string = never> {
  readonly #entries = new Map<string, Entry<T>>();
  readonly #indexes = new Map<string, SecondaryIndex<T>>();
  readonly #listeners: ChangeListener<T>[] = [];
  readonly #freshnessListeners: FreshnessListener[] = [];
  readonly #freshness = new Map<string, Freshness>();
  /** The newest list of each scope. */
  readonly #rounds = new Map<string, number>();
  readonly #project: (object: RawObject) => T | undefined;
  readonly #same: (old: T, now: T) => boolean;
  /** When what was deleted lately was deleted, for answers that overtook the news of it. */
  readonly #tombstones = new Map<string, number>();
  /** resourceVersions of what the API server answered to our own writes, each with the key of its object. */
  readonly #answers = new Map<string, string>();
  #lastRound = 0;

  constructor(options: StoreOptions<T, I>) {
    this.#project = options.project;
    this.#same = options.same ?? (() => false);
    const indexes: Readonly<Record<string, (value: T) => IndexValues>> = options.indexes ?? {};
    for (const [name, valuesOf] of Object.entries(indexes)) {
      this.#indexes.set(name, new SecondaryIndex(valuesOf));
    }
  }

  get size(): number {
    return this.#entries.size;
  }

  get(namespace: string, name: string): T | undefined {
    return this.getByKey(`${namespace}/${name}`);
  }

  getByKey(key: string): T | undefined {
    return this.#entries.get(key)?.value;
  }

  keys(): MapIterator<string> {
    return this.#entries.keys();
  }

  *values(): Generator<T, void, void> {
    for (const entry of this.#entries.values()) yield entry.value;
  }

  /** Keys of what the index finds under `value`. */
  keysBy(index: I, value: string): readonly string[] {
    return this.#index(index).find(value);
  }

  byIndex(index: I, value: string): readonly T[] {
    const keys = this.keysBy(index, value);
    if (keys.length === 0) return NONE;
    const found: T[] = [];
    for (const key of keys) {
      const entry = this.#entries.get(key);
      if (entry !== undefined) found.push(entry.value);
    }
    return found;
  }

  onChange(listener: ChangeListener<T>): void {
    this.#listeners.push(listener);
  }

  /** Of the reflector that covers the namespace: the one for everything, or its own. */
  freshness(namespace?: string): Freshness {
    const own = namespace === undefined ? undefined : this.#freshness.get(namespace);
    return own ?? this.#freshness.get(EVERYWHERE) ?? { kind: 'unsynced', failure: undefined };
  }

  onFreshness(listener: FreshnessListener): void {
    this.#freshnessListeners.push(listener);
  }

  /** What the API server answered to our own write. Older events and lists do not overwrite it. */
  set(object: RawObject): void {
    const key = keyOfObject(object);
    if (this.#apply(key, object, this.#roundOf(key))) this.#noteAnswer(key, object.metadata.resourceVersion);
  }

  /**
   * The same for a write of which it is known what it left: `amended` makes that of what is here, or leaves it to the news
   * of the write (undefined). What was deleted meanwhile does not come back.
   */
  amend(key: string, resourceVersion: string, amended: (old: T) => T | undefined): void {
    const entry = this.#entries.get(key);
    const version = versionNumber(resourceVersion);
    if (entry === undefined || entry.version >= version) return;
    const value = amended(entry.value);
    if (value === undefined) return;
    this.#replace(key, entry, value, version, this.#roundOf(key));
    this.#noteAnswer(key, resourceVersion);
  }

  /** The same as {@link set}, for an object that may be here as it is: what is kept of it has changed. */
  setAnew(object: RawObject): void {
    const key = keyOfObject(object);
    const entry = this.#entries.get(key);
    if (entry?.version === versionNumber(object.metadata.resourceVersion))
      this.#put(key, entry, object, entry.version, entry.round);
    else this.set(object);
  }

  /**
   * Takes out what is gone, or of no more interest. With the resourceVersion of that change: unless something
   * newer is there by now.
   */
  remove(key: string, resourceVersion?: string): void {
    const entry = this.#entries.get(key);
    // a deletion is later than what it deletes
    const version =
      resourceVersion === undefined ? entry && entry.version + 1 : versionNumber(resourceVersion);
    if (entry !== undefined && version !== undefined && entry.version > version) return;
    if (version !== undefined) this.#bury(key, version);
    if (entry !== undefined) this.#delete(key, entry);
  }

  /** Lets go of what is of no interest after all. It is not gone: with its next change it may come again. */
  retain(isWanted: (value: T) => boolean): void {
    for (const [key, entry] of this.#entries) {
      if (!isWanted(entry.value)) this.#delete(key, entry);
    }
  }

  /** True when this version of the object, or a newer one, is here. */
  isCurrent(object: RawObject): boolean {
    const entry = this.#entries.get(keyOfObject(object));
    return entry !== undefined && entry.version >= versionNumber(object.metadata.resourceVersion);
  }

  /** The way in for the reflector of one namespace, or without one for that of all. */
  sink(namespace?: string): Sink {
    const scope = namespace ?? EVERYWHERE;
    return {
      begin: () => {
        this.#lastRound += 1;
        // a restored backup counts versions anew
        this.#tombstones.clear();
        this.#answers.clear();
        this.#rounds.set(scope, this.#lastRound);
      },
      page: (objects) => {
        const round = this.#rounds.get(scope) ?? 0;
        for (const object of objects) this.#applyListed(object, round);
      },
      end: () => this.#endRound(scope),
      apply: (object) => void this.#apply(keyOfObject(object), object, this.#rounds.get(scope) ?? 0),
      remove: (object) => this.remove(keyOfObject(object), object.metadata.resourceVersion),
      freshness: (value) => {
        this.#freshness.set(scope, value);
        for (const listener of this.#freshnessListeners) listener(value, namespace);
      },
      isAnswered: (version) => this.#isAnswered(version),
    };
  }

  #index(name: string): SecondaryIndex<T> {
    const index = this.#indexes.get(name);
    if (index === undefined) throw new RangeError(`no such index: ${name}`);
    return index;
  }

  /** An event or our own write: what is older than what is known is no news. */
  #apply(key: string, object: RawObject, round: number): boolean {
    const entry = this.#entries.get(key);
    const version = versionNumber(object.metadata.resourceVersion);
    if (entry !== undefined && entry.version >= version) return false;
    // of a deletion nothing has the same version; what only left a selector with it is still there, as it is
    if (entry === undefined && (this.#tombstones.get(key) ?? 0) > version) return false;
    this.#put(key, entry, object, version, round);
    return true;
  }

  #roundOf(key: string): number {
    return this.#rounds.get(parseKey(key).namespace) ?? this.#rounds.get(EVERYWHERE) ?? 0;
  }

  #noteAnswer(key: string, resourceVersion: string): void {
    this.#answers.set(resourceVersion, key);
    if (this.#answers.size > MAX_ANSWERS) dropOldest(this.#answers);
  }

  /** True where the event would change nothing: what was answered is here, or something newer. */
  #isAnswered(resourceVersion: string): boolean {
    const key = this.#answers.get(resourceVersion);
    if (key === undefined) return false;
    this.#answers.delete(resourceVersion);
    const entry = this.#entries.get(key);
    return entry !== undefined && entry.version >= versionNumber(resourceVersion);
  }

  #bury(key: string, version: number): void {
    this.#tombstones.delete(key);
    this.#tombstones.set(key, version);
    if (this.#tombstones.size > MAX_TOMBSTONES) dropOldest(this.#tombstones);
  }

  /**
   * A list is the truth even where it is older than what is here (an etcd restored from a backup), but for what
   * we wrote after the list began.
   */
  #applyListed(object: RawObject, round: number): void {
    const key = keyOfObject(object);
    const entry = this.#entries.get(key);
    const version = versionNumber(object.metadata.resourceVersion);
    if (
      entry !== undefined &&
      (entry.version === version || (entry.round === round && entry.version > version))
    ) {
      entry.round = round;
      return;
    }
    this.#put(key, entry, object, version, round);
  }

  #endRound(scope: string): void {
    const round = this.#rounds.get(scope);
    const prefix = `${scope}/`;
    for (const [key, entry] of this.#entries) {
      if (entry.round !== round && (scope === EVERYWHERE || key.startsWith(prefix))) this.#delete(key, entry);
    }
  }

  #put(key: string, entry: Entry<T> | undefined, object: RawObject, version: number, round: number): void {
    const value = this.#project(object);
    if (value === undefined) {
      if (entry !== undefined) this.#delete(key, entry);
      return;
    }
    if (entry !== undefined) return this.#replace(key, entry, value, version, round);
    this.#entries.set(key, { value, version, round });
    for (const index of this.#indexes.values()) index.update(key, undefined, value);
    this.#tell(key, undefined, value);
  }

  #replace(key: string, entry: Entry<T>, value: T, version: number, round: number): void {
    const old = entry.value;
    entry.value = value;
    entry.version = version;
    entry.round = round;
    for (const index of this.#indexes.values()) index.update(key, old, value);
    if (!this.#same(old, value)) this.#tell(key, old, value);
  }

  #delete(key: string, entry: Entry<T>): void {
    this.#entries.delete(key);
    for (const index of this.#indexes.values()) index.update(key, entry.value, undefined);
    this.#tell(key, entry.value, undefined);
  }

  #tell(key: string, old: T | undefined, now: T | undefined): void {
    for (const listener of this.#listeners) listener(key, old, now);
  }
}

/** A Map is slow to find its first entry while there are others deleted before it: only where one has to go. */
function dropOldest(entries: Map<string, unknown>): void {
  const [oldest] = entries.keys();
  if (oldest !== undefined) entries.delete(oldest);
}
