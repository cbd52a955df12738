import type { Client } from './client.ts';
import { steadyNow } from './clock.ts';
import { isApiError } from './errors.ts';
import { decide, DEFAULT_LEADER_TIMINGS, type Decision, type LeaderTimings } from './leader.ts';
import { released, renewed, type SeenLease, seenLease, takenBy } from './lease.ts';
import { type RawObject, versionNumber } from './object.ts';
import { type Reflector, startReflector } from './reflector.ts';
import { leases, type ObjectKey } from './resource.ts';
import type { Sink } from './sink.ts';

export interface ElectionOptions {
  readonly client: Client;
  readonly lease: ObjectKey;
  /** Of this process alone: one that starts again is somebody else. */
  readonly identity: string;
  readonly timings?: LeaderTimings;
  /** Told of each change; at the beginning nobody leads. */
  readonly onChange: (leading: boolean) => void;
  /** The lease could not be read or written; it is tried again. */
  readonly onProblem: (error: unknown) => void;
}

export interface Election {
  /** As of this very moment, also where the process was paused and no timer has run since. */
  readonly leading: boolean;
  /** Who holds the lease, as far as is known. */
  readonly holder: string | undefined;
  /** Stands no more, and gives the lease back if it is ours, so that another one need not wait for its end. */
  stop(): Promise<void>;
}

/** Giving back is a courtesy: nobody waits long for it, nor for a renewal that is under way before it. */
const RELEASE_TIMEOUT_MS = 1_000;
const LAST_WRITE_TIMEOUT_MS = 500;
const JITTER = 0.2;

/** Stands for election until it is stopped. The lease is watched, so that one that is given back is taken at once. */
export const startElection = (options: ElectionOptions): Election => new RunningElection(options);

class RunningElection implements Election {
  readonly #options: ElectionOptions;
  readonly #timings: LeaderTimings;
  readonly #reflector: Reflector;
  readonly #abort = new AbortController();
  /** Undefined with `#known`: there is no lease. */
  #lease: SeenLease | undefined;
  #known = false;
  #observedAt = Number.NEGATIVE_INFINITY;
  /** After a try that failed: not before this time, unless the lease changes. */
  #notBefore = Number.NEGATIVE_INFINITY;
  #writing: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #told = false;
  #stopped = false;

  constructor(options: ElectionOptions) {
    this.#options = options;
    this.#timings = options.timings ?? DEFAULT_LEADER_TIMINGS;
    const { client, lease } = options;
    this.#reflector = startReflector({
      client,
      resource: leases,
      namespace: lease.namespace,
      fieldSelector: `metadata.name=${lease.name}`,
      sink: this.#sink(),
    });
  }

  get leading(): boolean {
    return this.#known && !this.#stopped && this.#decide(steadyNow()).leading;
  }

  get holder(): string | undefined {
    return this.#lease?.holder;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#reflector.stop();
    clearTimeout(this.#timer);
    const timer = setTimeout(() => this.#abort.abort(), LAST_WRITE_TIMEOUT_MS);
    await this.#writing;
    clearTimeout(timer);
    if (this.#lease?.holder === this.#options.identity) await this.#release(this.#lease);
  }

  #decide(now: number): Decision {
    return decide(this.#lease, this.#observedAt, now, this.#options.identity, this.#timings);
  }

  #sink(): Sink {
    let listed: RawObject | undefined;
    let knownBefore: string | undefined;
    return {
      begin: () => {
        listed = undefined;
        knownBefore = this.#lease?.resourceVersion;
      },
      page: (objects) => {
        [listed] = objects;
      },
      end: () => {
        if (listed) this.#hear(listed, listed);
        // what was made while the list was under way may be missing in it
        else if (this.#lease?.resourceVersion === knownBefore) this.#see(undefined);
      },
      apply: (object) => this.#hear(object, object),
      remove: (object) => this.#hear(object, undefined),
      freshness: (value) => {
        if (value.kind !== 'synced' && value.failure)
          this.#options.onProblem(new Error(value.failure.message));
      },
    };
  }

  /** News of a list or watch, unless the answer to a write of ours was faster. */
  #hear({ metadata }: RawObject, now: RawObject | undefined): void {
    const known = versionNumber(this.#lease?.resourceVersion ?? '');
    if (!(known > versionNumber(metadata.resourceVersion))) this.#see(now);
  }

  #see(raw: RawObject | undefined, renewedAt?: number): void {
    const before = this.#lease;
    const now = raw === undefined ? undefined : seenLease(raw, this.#timings);
    const changed = !this.#known || before?.resourceVersion !== now?.resourceVersion;
    this.#known = true;
    this.#lease = now;
    if (renewedAt !== undefined) this.#observedAt = renewedAt;
    else if (changed && now?.holder !== this.#options.identity) this.#observedAt = steadyNow();
    // our own lease was not renewed by seeing it: that may be old news, read late
    else if (changed && before?.holder !== now?.holder) this.#observedAt = Number.NEGATIVE_INFINITY;
    if (changed) this.#notBefore = Number.NEGATIVE_INFINITY;
    this.#look();
  }

  #look(): void {
    if (this.#stopped || !this.#known) return;
    const now = steadyNow();
    const { leading, write, nextAt } = this.#decide(now);
    this.#tell(leading);
    const due = write !== 'none' && this.#writing === undefined && now >= this.#notBefore;
    if (due) this.#begin(write, now);
    clearTimeout(this.#timer);
    const at = write === 'none' || leading ? nextAt : Math.max(nextAt, this.#notBefore);
    this.#timer = setTimeout(() => this.#look(), Math.max(1, Math.ceil(at - now)));
  }

  #tell(leading: boolean): void {
    if (leading === this.#told) return;
    this.#told = leading;
    this.#options.onChange(leading);
  }

  #begin(write: 'create' | 'take' | 'renew', now: number): void {
    this.#notBefore = now + this.#timings.retryMs * (1 + JITTER * Math.random());
    this.#writing = this.#write(write, now)
      .catch((error: unknown) => this.#options.onProblem(error))
      .finally(() => {
        this.#writing = undefined;
        this.#look();
      });
  }

  async #write(write: 'create' | 'take' | 'renew', sentAt: number): Promise<void> {
    const { client, lease: key, identity } = this.#options;
    const { renewDeadlineMs } = this.#timings;
    const time = new Date();
    const known = this.#lease;
    const options = { timeoutMs: renewDeadlineMs / 2, signal: this.#abort.signal };
    try {
      const spec =
        write === 'renew' ? renewed(this.#timings, time) : takenBy(identity, known, this.#timings, time);
      const answer =
        known === undefined
          ? await client.create(leases, key.namespace, { metadata: key, spec }, options)
          : await client.mergePatch(
              leases,
              key,
              { metadata: { resourceVersion: known.resourceVersion }, spec },
              options,
            );
      this.#see(answer, sentAt);
    } catch (error) {
      const overtaken = ['Conflict', 'AlreadyExists', 'NotFound'].some((reason) => isApiError(error, reason));
      if (!overtaken) throw error;
      this.#see(await client.get(leases, key, options));
    }
  }

  async #release({ resourceVersion }: SeenLease): Promise<void> {
    const { client, lease: key, onProblem } = this.#options;
    try {
      const body = { metadata: { resourceVersion }, spec: released(new Date()) };
      await client.mergePatch(leases, key, body, { timeoutMs: RELEASE_TIMEOUT_MS });
    } catch (error) {
      onProblem(error);
    }
  }
}
