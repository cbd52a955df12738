import type { Client, Detail, Page } from './client.ts';
import { steadyNow } from './clock.ts';
import { failureOf } from './failure.ts';
import { freshnessOf } from './health.ts';
import type { Resource } from './resource.ts';
import type { Freshness, Sink } from './sink.ts';
import { inSlices } from './slice.ts';
import type { WatchHandler } from './watch-stream.ts';
import {
  DEFAULT_TIMING,
  INITIAL,
  step,
  type WatcherEffect,
  type WatcherInput,
  type WatcherState,
  type WatcherTiming,
} from './watcher.ts';

interface Options {
  readonly client: Client;
  readonly resource: Resource;
  /** Without one: all namespaces. */
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  /** Default `full`. */
  readonly listAs?: Detail;
  /** Default `full`. With `metadata`, the sink gets metadata alone for every change. */
  readonly watchAs?: Detail;
  /** Stops it. */
  readonly signal?: AbortSignal | undefined;
  readonly timing?: Partial<WatcherTiming>;
}

/** A store is asked for the sink of the namespace. */
export type ReflectorOptions = Options &
  ({ readonly store: { sink(namespace?: string): Sink } } | { readonly sink: Sink });

export interface Reflector {
  readonly state: WatcherState;
  /** When it last did or heard anything, by the steady clock. */
  readonly lastStepAt: number;
  /** For good; the sink hears nothing more. */
  stop(): void;
}

/** Keeps a sink up to date with the API server until it is stopped; it never gives up. */
export function startReflector(options: ReflectorOptions): Reflector {
  const sink = 'sink' in options ? options.sink : options.store.sink(options.namespace);
  const reflector = new RunningReflector(options, sink);
  if (options.signal?.aborted !== true) {
    options.signal?.addEventListener('abort', () => reflector.stop(), { once: true });
    reflector.start();
  }
  return reflector;
}

interface AskedPage {
  readonly limit: number;
  readonly continueToken: string | undefined;
  readonly controller: AbortController;
  readonly page: Promise<Page>;
}

/** Performs what the state machine says, and tells it what came of it. */
class RunningReflector implements Reflector {
  readonly #options: Options;
  readonly #sink: Sink;
  readonly #timing: WatcherTiming;
  #state = INITIAL;
  #told: Freshness = freshnessOf(INITIAL.health);
  #lastStepAt = steadyNow();
  /** The list or watch that is under way. */
  #request: { abort(): void } | undefined;
  /** The page after the one in hand: the API server makes it while that is taken in. */
  #ahead: AskedPage | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: Options, sink: Sink) {
    this.#options = options;
    this.#sink = sink;
    this.#timing = { ...DEFAULT_TIMING, ...options.timing };
  }

  get state(): WatcherState {
    return this.#state;
  }

  get lastStepAt(): number {
    return this.#lastStepAt;
  }

  start(): void {
    this.#feed({ kind: 'start' });
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#feed({ kind: 'stop' });
  }

  #feed(input: WatcherInput): void {
    this.#lastStepAt = steadyNow();
    const { state, effects } = step(this.#state, input, {
      now: this.#lastStepAt,
      random: Math.random(),
      timing: this.#timing,
    });
    this.#state = state;
    try {
      for (const effect of effects) this.#perform(effect);
      this.#tellFreshness();
    } catch (error) {
      // The sink can't take it: a new list comes after the backoff, and the failure shows in the freshness.
      this.#request?.abort();
      this.#feed({ kind: 'failed', failure: failureOf(error) });
    }
  }

  #perform(effect: WatcherEffect): void {
    switch (effect.kind) {
      case 'begin':
        return this.#sink.begin();
      case 'end':
        return this.#sink.end();
      case 'list':
        return this.#list(effect);
      case 'watch':
        return this.#watch(effect);
      case 'abort':
        this.#ahead?.controller.abort();
        return this.#request?.abort();
      case 'timer':
        clearTimeout(this.#timer);
        this.#timer = setTimeout(() => this.#feed({ kind: 'timer' }), effect.afterMs);
    }
  }

  #list({ limit, continueToken }: WatcherEffect & { kind: 'list' }): void {
    const ahead = this.#ahead;
    const isIt = ahead?.limit === limit && ahead.continueToken === continueToken;
    if (!isIt) ahead?.controller.abort();
    this.#ahead = undefined;
    const asked = isIt ? ahead : this.#ask(limit, continueToken);
    this.#request = asked.controller;
    void this.#take(asked);
  }

  #ask(limit: number, continueToken: string | undefined): AskedPage {
    const { client, resource, namespace, labelSelector, fieldSelector, listAs } = this.#options;
    const controller = new AbortController();
    const options = { namespace, labelSelector, fieldSelector, as: listAs, limit, continueToken };
    const page = client.listPage(resource, { ...options, signal: controller.signal, retry: false });
    // whoever takes it hears of it; nobody may
    page.catch(() => {});
    return { limit, continueToken, controller, page };
  }

  async #take({ limit, page: coming, controller: { signal } }: AskedPage): Promise<void> {
    let input: WatcherInput;
    try {
      const page = await coming;
      if (page.continueToken !== undefined && !signal.aborted)
        this.#ahead = this.#ask(limit, page.continueToken);
      await inSlices(page.items, (some) => this.#sink.page(some), signal);
      input = { kind: 'page', resourceVersion: page.resourceVersion, continueToken: page.continueToken };
    } catch (error) {
      input = { kind: 'failed', failure: failureOf(error) };
    }
    if (!signal.aborted) this.#feed(input);
  }

  #watch({ resourceVersion, timeoutSeconds }: WatcherEffect & { kind: 'watch' }): void {
    const { client, resource, namespace, labelSelector, fieldSelector, watchAs } = this.#options;
    let heard = resourceVersion;
    const handler: WatchHandler = {
      opened: () => this.#feed({ kind: 'opened' }),
      event: (event) => {
        if (event.kind === 'bookmark') {
          heard = event.resourceVersion;
          return;
        }
        if (event.kind === 'applied') this.#sink.apply(event.object);
        else this.#sink.remove(event.object);
        heard = event.object.metadata.resourceVersion;
      },
      isKnown: (version) => this.#sink.isAnswered?.(version) === true,
      progress: () => this.#feed({ kind: 'heard', resourceVersion: heard }),
      ended: (end) => {
        if (heard !== resourceVersion) this.#feed({ kind: 'heard', resourceVersion: heard });
        this.#feed(end === undefined ? { kind: 'closed' } : { kind: 'failed', failure: failureOf(end) });
      },
    };
    this.#request = client.watch(
      resource,
      { namespace, labelSelector, fieldSelector, resourceVersion, timeoutSeconds, as: watchAs },
      handler,
    );
  }

  #tellFreshness(): void {
    const now = freshnessOf(this.#state.health);
    const before = this.#told;
    if (now.kind === before.kind && failureKind(now) === failureKind(before)) return;
    this.#told = now;
    this.#sink.freshness(now);
  }
}

const failureKind = (freshness: Freshness): string | undefined =>
  freshness.kind === 'synced' ? undefined : freshness.failure?.kind;
