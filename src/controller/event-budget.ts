/** As in client-go's EventSourceObjectSpamFilter: so many at once, and one more every so often. */
const BURST = 25;
const REFILL_MS = 5 * 60_000;
/** Objects that are remembered; the one not heard of for longest is forgotten. */
const MAX_OBJECTS = 4096;

interface Bucket {
  readonly tokens: number;
  readonly at: number;
}

/**
 * How many events one object may cause. Whoever can change an object in a loop would otherwise have the operator
 * write an event each time, at everybody's expense.
 */
export class EventBudget {
  readonly #buckets = new Map<string, Bucket>();

  /** Whether one more event about the object of this uid may be written; `now` in milliseconds. */
  spend(uid: string, now: number): boolean {
    const { tokens, at } = this.#buckets.get(uid) ?? { tokens: BURST, at: now };
    const filled = Math.min(BURST, tokens + (now - at) / REFILL_MS);
    const may = filled >= 1;
    this.#buckets.delete(uid);
    this.#buckets.set(uid, { tokens: may ? filled - 1 : filled, at: now });
    const [oldest] = this.#buckets.keys();
    if (this.#buckets.size > MAX_OBJECTS && oldest !== undefined) this.#buckets.delete(oldest);
    return may;
  }
}
