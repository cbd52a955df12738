import { type BackoffPolicy, backoffDelay } from './backoff.ts';
import { Heap } from './heap.ts';

/** `low` is for work that nobody waits for, such as everything at start-up. */
export type Priority = 'high' | 'low';

export interface AddOptions {
  /** Not before this time; default: now. */
  readonly at?: number;
  /** Default `high`. */
  readonly priority?: Priority;
}

export interface RetryOptions {
  /** Default {@link DEFAULT_RETRY}. */
  readonly policy?: BackoffPolicy | undefined;
  /** However short the backoff is. */
  readonly notBefore?: number;
}

export interface QueueOptions {
  /** Low ones in hand at a time; default: any number. */
  readonly mostLow?: number;
}

export interface Taken<K> {
  readonly key: K;
  readonly priority: Priority;
  /** Since when it could have been taken. */
  readonly readySince: number;
}

interface Wish {
  readonly at: number;
  readonly priority: Priority;
}

interface Item<K> extends Wish {
  readonly key: K;
  /** Breaks ties of `at`, so that the order is that of adding. */
  readonly order: number;
  slot: number;
  /** In one of the lanes, or still delayed. */
  ready: boolean;
}

interface InHand {
  readonly priority: Priority;
  again: Wish | undefined;
}

/** After so many high ones in a row a waiting low one is taken: low may be late, never lost. */
const HIGH_IN_A_ROW = 15;
/** While a high one is in hand, so many low ones are: what waits for the same server as somebody does makes him wait. */
const LOW_BESIDE_HIGH = 8;
/** And for so long after it: edits come in trains, and the next one would find the server busy with all the low ones again. */
const TRAIN_MS = 100;

/** 50 ms, doubling up to 5 minutes: the first retries are for races, the last ones for people. */
export const DEFAULT_RETRY: BackoffPolicy = { baseMs: 50, factor: 2, maxMs: 300_000, jitter: 0.2 };

/**
 * Keys to work on: each is there once however often it is added, and is never handed out twice at a time; a
 * key that is added while it is in hand comes again after `done`. The semantics are those of client-go's
 * workqueue and controller-runtime's priority queue. A plain data structure: time (milliseconds) and chance
 * ([0, 1)) are arguments.
 */
export class WorkQueue<K extends string = string> {
  readonly #mostLow: number;
  readonly #waiting = new Map<K, Item<K>>();
  readonly #inHand = new Map<K, InHand>();
  readonly #failures = new Map<K, number>();
  readonly #lanes = { high: new Heap<Item<K>>(earlier), low: new Heap<Item<K>>(earlier) };
  readonly #delayed = new Heap<Item<K>>(earlier);
  #order = 0;
  #highInARow = 0;
  #highInHand = 0;
  /** When the last train of high ones is over. */
  #calmAt = Number.NEGATIVE_INFINITY;

  constructor({ mostLow = Number.POSITIVE_INFINITY }: QueueOptions = {}) {
    this.#mostLow = mostLow;
  }

  /** Keys that could be taken at once, as of the last call with a time: `workqueue_depth`. */
  get depth(): number {
    return this.#lanes.high.size + this.#lanes.low.size;
  }

  /** Keys that wait for their time. */
  get delayed(): number {
    return this.#delayed.size;
  }

  /** Keys that were taken and are not done. */
  get inHand(): number {
    return this.#inHand.size;
  }

  /** Of this wish and what waits already, the earlier time and the higher priority count. */
  add(key: K, now: number, options?: AddOptions): void {
    this.#add(key, now, { at: Math.max(options?.at ?? now, now), priority: options?.priority ?? 'high' });
  }

  /** The next key; it is in hand until {@link done}. Undefined: nothing is due. */
  take(now: number): Taken<K> | undefined {
    this.#wake(now);
    const item = this.#laneToServe(now).pop();
    if (item === undefined) return undefined;
    this.#highInARow = item.priority === 'high' ? this.#highInARow + 1 : 0;
    if (item.priority === 'high') this.#highInHand += 1;
    this.#waiting.delete(item.key);
    this.#inHand.set(item.key, { priority: item.priority, again: undefined });
    return { key: item.key, priority: item.priority, readySince: item.at };
  }

  /**
   * Out of hand; a key that was added meanwhile waits again.
   *
   * @param waited whether the work waited for a server; what did not tells nothing of how busy that is, nor that
   *   somebody is at work there: after its own write a model is looked at once more
   */
  done(key: K, now: number, { waited = true }: { readonly waited?: boolean } = {}): void {
    const ended = this.#inHand.get(key);
    this.#inHand.delete(key);
    if (ended?.priority === 'high') {
      this.#highInHand -= 1;
      if (waited) this.#calmAt = now + TRAIN_MS;
    }
    if (ended?.again !== undefined) this.#add(key, now, ended.again);
  }

  /**
   * Adds the key after a delay that grows with its failures in a row, at the priority at which it was taken.
   * Like {@link add}, it never puts off what was asked for sooner.
   */
  retry(key: K, now: number, random: number, options: RetryOptions = {}): void {
    const failures = this.failures(key);
    this.#failures.set(key, failures + 1);
    const delay = backoffDelay(failures, random, options.policy ?? DEFAULT_RETRY);
    const priority = this.#inHand.get(key)?.priority ?? 'high';
    this.#add(key, now, { at: Math.max(now + delay, options.notBefore ?? now), priority });
  }

  /** The key works again: its next retry starts from the first delay. */
  forget(key: K): void {
    this.#failures.delete(key);
  }

  /** Retries since the last {@link forget}. */
  failures(key: K): number {
    return this.#failures.get(key) ?? 0;
  }

  /** When {@link take} will give something, maybe in the past; undefined: not before something is added, or done. */
  nextAt(): number | undefined {
    const { high, low } = this.#lanes;
    const lowAt = low.peek()?.at;
    const at = Math.min(
      high.peek()?.at ?? NEVER,
      lowAt === undefined ? NEVER : Math.max(lowAt, this.#lowFrom()),
      this.#delayed.peek()?.at ?? NEVER,
    );
    return at === NEVER ? undefined : at;
  }

  #add(key: K, now: number, wish: Wish): void {
    const inHand = this.#inHand.get(key);
    if (inHand !== undefined) {
      inHand.again = merge(inHand.again, wish);
      return;
    }
    const waiting = this.#waiting.get(key);
    const { at, priority } = merge(waiting, wish);
    if (waiting !== undefined) {
      if (waiting.at === at && waiting.priority === priority) return;
      this.#heapOf(waiting).remove(waiting);
    }
    const item: Item<K> = { key, at, priority, order: this.#order++, slot: 0, ready: at <= now };
    this.#waiting.set(key, item);
    this.#heapOf(item).push(item);
  }

  /** Moves what is due from the delayed ones into its lane. */
  #wake(now: number): void {
    for (let item = this.#delayed.peek(); item !== undefined && item.at <= now; item = this.#delayed.peek()) {
      this.#delayed.pop();
      item.ready = true;
      this.#lanes[item.priority].push(item);
    }
  }

  #heapOf(item: Item<K>): Heap<Item<K>> {
    return item.ready ? this.#lanes[item.priority] : this.#delayed;
  }

  #laneToServe(now: number): Heap<Item<K>> {
    const { high, low } = this.#lanes;
    if (low.size === 0 || now < this.#lowFrom()) return high;
    return high.size === 0 || this.#highInARow >= HIGH_IN_A_ROW ? low : high;
  }

  /** From when on a low one may be taken. */
  #lowFrom(): number {
    const lowInHand = this.#inHand.size - this.#highInHand;
    if (lowInHand >= this.#mostLow) return NEVER;
    if (lowInHand < LOW_BESIDE_HIGH) return Number.NEGATIVE_INFINITY;
    return this.#highInHand > 0 ? NEVER : this.#calmAt;
  }
}

/** Not before something is added, or done. */
const NEVER = Number.POSITIVE_INFINITY;

const earlier = (a: { at: number; order: number }, b: { at: number; order: number }): boolean =>
  a.at < b.at || (a.at === b.at && a.order < b.order);

function merge(one: Wish | undefined, other: Wish): Wish {
  if (one === undefined) return other;
  const priority = one.priority === 'high' ? one.priority : other.priority;
  return { at: Math.min(one.at, other.at), priority };
}
