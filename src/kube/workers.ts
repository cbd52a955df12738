import type { BackoffPolicy } from './backoff.ts';
import { steadyNow } from './clock.ts';
import { SLICE_MS } from './slice.ts';
import { type Priority, type Taken, WorkQueue } from './queue.ts';

/** What becomes of a key after work on it. */
export type Outcome =
  | { readonly kind: 'done' }
  /** It worked, and is to be looked at again. */
  | { readonly kind: 'again'; readonly afterMs: number }
  /** It did not work: again after a backoff of its own, but not before `afterMs` (a `Retry-After`). */
  | { readonly kind: 'retry'; readonly policy?: BackoffPolicy; readonly afterMs?: number };

/** For metrics in the manner of controller-runtime's `workqueue_*` and `controller_runtime_reconcile_*`. */
export interface WorkReport {
  readonly outcome: Outcome['kind'] | 'error';
  /** From when it could have been taken to when it was. */
  readonly waitedMs: number;
  readonly workedMs: number;
  /** No other key is in hand, or due. */
  readonly wasLast: boolean;
}

export interface WorkersOptions<K extends string> {
  /** Keys in hand at a time; one key never twice. */
  readonly concurrency: number;
  /** So many of them only for keys of high priority, which do not wait for low ones to end; default: none. */
  readonly reserved?: number;
  readonly work: (key: K) => Promise<Outcome>;
  /** What `work` threw; the key is retried like for `retry`. */
  readonly onError: (key: K, error: unknown) => void;
  readonly observe?: (report: WorkReport) => void;
  /** Stops taking keys. */
  readonly signal?: AbortSignal | undefined;
}

export interface WorkOptions {
  /** Milliseconds from now. */
  readonly afterMs?: number;
  /** Default `high`. */
  readonly priority?: Priority;
}

/** setTimeout takes a longer delay for none at all. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/** Works on keys, many at a time, as they are added. */
export interface Workers<K extends string = string> {
  /** Cheap, and never works at once: it may be called while events are read. */
  add(key: K, options?: WorkOptions): void;
  /** Keys that are ready, that wait for their time, that are in hand; and how often any was added or retried. */
  readonly stats: {
    readonly depth: number;
    readonly delayed: number;
    readonly inHand: number;
    readonly added: number;
    readonly retries: number;
  };
  /** Takes no more keys; resolves when the work in hand is finished. */
  stop(): Promise<void>;
}

/** One turn of the event loop: work that ends in the one in which it was taken waited for nothing. */
interface Turn {
  /** When the first key was taken in it. */
  readonly began: number;
}

/** Workers without keys yet. */
export const startWorkers = <K extends string = string>(options: WorkersOptions<K>): Workers<K> =>
  new RunningWorkers(options);

class RunningWorkers<K extends string> implements Workers<K> {
  readonly #options: WorkersOptions<K>;
  readonly #queue: WorkQueue<K>;
  readonly #idle: (() => void)[] = [];
  #timer: NodeJS.Timeout | undefined;
  #timerAt: number | undefined;
  #scheduled = false;
  #turn: Turn | undefined;
  #stopped = false;
  #added = 0;
  #retries = 0;

  constructor(options: WorkersOptions<K>) {
    this.#options = options;
    this.#queue = new WorkQueue({ mostLow: options.concurrency - (options.reserved ?? 0) });
    if (options.signal?.aborted === true) this.#stopped = true;
    options.signal?.addEventListener('abort', () => this.#stop(), { once: true });
  }

  add(key: K, { afterMs = 0, priority = 'high' }: WorkOptions = {}): void {
    const now = steadyNow();
    this.#queue.add(key, now, { at: now + afterMs, priority });
    this.#added += 1;
    this.#schedule();
  }

  get stats(): Workers['stats'] {
    const { depth, delayed, inHand } = this.#queue;
    return { depth, delayed, inHand, added: this.#added, retries: this.#retries };
  }

  async stop(): Promise<void> {
    this.#stop();
    if (this.#queue.inHand === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#idle.push(resolve);
    await promise;
  }

  #stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#pump();
    });
  }

  #pump(): void {
    if (this.#stopped) return;
    while (this.#queue.inHand < this.#options.concurrency) {
      const now = steadyNow();
      const turn = this.#thisTurn(now);
      // work that waits for nothing goes on within the turn: probes, watches and the lease would wait for all of it
      if (now - turn.began >= SLICE_MS) return this.#schedule();
      const taken = this.#queue.take(now);
      if (taken === undefined) break;
      void this.#run(taken, turn);
    }
    this.#setTimer();
  }

  #thisTurn(now: number): Turn {
    if (this.#turn === undefined) {
      this.#turn = { began: now };
      setImmediate(() => {
        this.#turn = undefined;
      });
    }
    return this.#turn;
  }

  async #run({ key, readySince }: Taken<K>, turn: Turn): Promise<void> {
    const start = steadyNow();
    let outcome: Outcome | undefined;
    try {
      outcome = await this.#options.work(key);
    } catch (error) {
      this.#options.onError(key, error);
    }
    const now = steadyNow();
    this.#settle(key, outcome ?? { kind: 'retry' }, now, this.#turn !== turn);
    this.#options.observe?.({
      outcome: outcome?.kind ?? 'error',
      waitedMs: start - readySince,
      workedMs: now - start,
      wasLast: this.#queue.inHand === 0 && this.#queue.depth === 0,
    });
    this.#pump();
  }

  #settle(key: K, outcome: Outcome, now: number, waited: boolean): void {
    switch (outcome.kind) {
      case 'done':
        this.#queue.forget(key);
        break;
      case 'again':
        this.#queue.forget(key);
        this.#queue.add(key, now, { at: now + outcome.afterMs, priority: 'low' });
        break;
      case 'retry':
        this.#retries += 1;
        this.#queue.retry(key, now, Math.random(), {
          policy: outcome.policy,
          notBefore: now + (outcome.afterMs ?? 0),
        });
    }
    this.#queue.done(key, now, { waited });
    if (this.#stopped && this.#queue.inHand === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }

  /** Sets the one timer for the first key that is due later; with all hands full the next one free will look. */
  #setTimer(): void {
    const at = this.#queue.inHand < this.#options.concurrency ? this.#queue.nextAt() : undefined;
    if (at === this.#timerAt) return;
    clearTimeout(this.#timer);
    this.#timerAt = at;
    if (at === undefined) return;
    const afterMs = Math.min(Math.max(1, Math.ceil(at - steadyNow())), MAX_TIMEOUT_MS);
    this.#timer = setTimeout(() => {
      this.#timerAt = undefined;
      this.#pump();
    }, afterMs);
  }
}
