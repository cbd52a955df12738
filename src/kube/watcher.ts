import { type BackoffPolicy, backoffDelay } from './backoff.ts';
import type { Failure } from './failure.ts';
import { calmed, type Health, recovered, troubled, UNSYNCED } from './health.ts';

/**
 * List, then watch, for ever: the state machine, in the manner of kube-rs' watcher.rs. It performs nothing:
 * `step` says what to do, reflector.ts does it. All times in milliseconds.
 *
 * The list is made without a resourceVersion: consistent and from etcd. `resourceVersion=0` would be served from
 * the API server's cache, which may be older than what this process has seen from another API server, and on
 * servers before 1.34 as one answer whatever `limit` says.
 */
export interface WatcherTiming {
  readonly pageLimit: number;
  /** Of a watch; the server closes it then. Between the two at random, so that watches do not all end at once. */
  readonly watchSeconds: readonly [least: number, most: number];
  /** Nothing heard for so long on a watch: it is taken for dead. Bookmarks come about once a minute. */
  readonly stallMs: number;
  /** A watch that is closed sooner, with no event, is a failure: renewing it at once would be a hot loop. */
  readonly shortWatchMs: number;
  readonly backoff: BackoffPolicy;
  /** After so long without a failure the backoff starts from the first delay again. */
  readonly healthyMs: number;
}

/**
 * The constants of client-go's reflector; but after an outage a few clients, unlike all the kubelets of a cluster, may be
 * back within 10 s instead of 30.
 */
export const DEFAULT_TIMING: WatcherTiming = {
  pageLimit: 500,
  watchSeconds: [300, 600],
  stallMs: 150_000,
  shortWatchMs: 1_000,
  backoff: { baseMs: 800, factor: 2, maxMs: 10_000, jitter: 0.5 },
  healthyMs: 120_000,
};

interface PageRequest {
  readonly kind: 'list';
  readonly limit: number;
  /** Undefined: the first page. */
  readonly continueToken: string | undefined;
}

/** What is asked for: a page of a list, or the watch that follows it. */
export type WatcherRequest = PageRequest | { readonly kind: 'watch'; readonly resourceVersion: string };

export type WatcherState =
  | { readonly kind: 'stopped'; readonly health: Health }
  /** A page is under way. */
  | { readonly kind: 'listing'; readonly request: PageRequest; readonly health: Health }
  /** A watch was asked for and is not answered yet. */
  | {
      readonly kind: 'connecting';
      readonly resourceVersion: string;
      readonly heardAt: number;
      readonly health: Health;
    }
  | {
      readonly kind: 'watching';
      readonly resourceVersion: string;
      readonly openedAt: number;
      readonly heardAt: number;
      /** Nothing came since it was opened. */
      readonly quiet: boolean;
      readonly health: Health;
    }
  /** Until the timer; then comes `next`. */
  | { readonly kind: 'waiting'; readonly next: WatcherRequest; readonly health: Health };

export type WatcherInput =
  | { readonly kind: 'start' }
  /** A page came and was delivered. */
  | { readonly kind: 'page'; readonly resourceVersion: string; readonly continueToken: string | undefined }
  /** The watch was accepted. */
  | { readonly kind: 'opened' }
  /** Something came over the watch, up to this resourceVersion. */
  | { readonly kind: 'heard'; readonly resourceVersion: string }
  /** The server closed the watch in good order. */
  | { readonly kind: 'closed' }
  /** The list or watch that is under way failed. */
  | { readonly kind: 'failed'; readonly failure: Failure }
  /** The timer that was asked for last. */
  | { readonly kind: 'timer' }
  | { readonly kind: 'stop' };

export type WatcherEffect =
  /** A full list starts: tell the sink. */
  | { readonly kind: 'begin' }
  | PageRequest
  /** The list is complete: tell the sink. */
  | { readonly kind: 'end' }
  | { readonly kind: 'watch'; readonly resourceVersion: string; readonly timeoutSeconds: number }
  /** End the request that is under way; nothing of it is heard any more. */
  | { readonly kind: 'abort' }
  /** Takes the place of the timer before. */
  | { readonly kind: 'timer'; readonly afterMs: number };

export interface Circumstances {
  readonly now: number;
  /** [0, 1) */
  readonly random: number;
  readonly timing: WatcherTiming;
}

export interface Step {
  readonly state: WatcherState;
  readonly effects: readonly WatcherEffect[];
}

export const INITIAL: WatcherState = {
  kind: 'stopped',
  health: UNSYNCED,
};

/** The next state and what to do. An input that the state does not expect changes nothing. */
export function step(state: WatcherState, input: WatcherInput, at: Circumstances): Step {
  switch (input.kind) {
    case 'start':
      return state.kind === 'stopped' ? listAnew({ ...state.health, since: at.now }, at) : same(state);
    case 'page':
      return state.kind === 'listing' ? afterPage(state, input, at) : same(state);
    case 'opened':
      return state.kind === 'connecting' ? same(opened(state, at)) : same(state);
    case 'heard':
      return state.kind === 'watching'
        ? same({ ...state, resourceVersion: input.resourceVersion, heardAt: at.now, quiet: false })
        : same(state);
    case 'closed':
      return state.kind === 'connecting' || state.kind === 'watching' ? closed(state, at) : same(state);
    case 'failed':
      return failed(state, input.failure, at);
    case 'timer':
      return timer(state, at);
    case 'stop':
      return {
        state: { kind: 'stopped', health: state.health },
        effects: state.kind === 'stopped' || state.kind === 'waiting' ? [] : [{ kind: 'abort' }],
      };
  }
}

const NOTHING: readonly WatcherEffect[] = [];

const same = (state: WatcherState): Step => ({ state, effects: NOTHING });

const firstPage = (at: Circumstances): PageRequest => ({
  kind: 'list',
  limit: at.timing.pageLimit,
  continueToken: undefined,
});

const listAnew = (health: Health, at: Circumstances): Step => ask(firstPage(at), health, at);

function ask(request: WatcherRequest, health: Health, at: Circumstances): Step {
  if (request.kind === 'list') {
    const begin: readonly WatcherEffect[] =
      request.continueToken === undefined ? [{ kind: 'begin' }] : NOTHING;
    return { state: { kind: 'listing', request, health }, effects: [...begin, request] };
  }
  const [least, most] = at.timing.watchSeconds;
  const timeoutSeconds = Math.round(least + (most - least) * at.random);
  const { resourceVersion } = request;
  return {
    state: { kind: 'connecting', resourceVersion, heardAt: at.now, health },
    effects: [
      { kind: 'watch', resourceVersion, timeoutSeconds },
      { kind: 'timer', afterMs: at.timing.stallMs },
    ],
  };
}

function afterPage(
  state: WatcherState & { kind: 'listing' },
  page: WatcherInput & { kind: 'page' },
  at: Circumstances,
): Step {
  const { resourceVersion, continueToken } = page;
  if (continueToken !== undefined) return ask({ ...state.request, continueToken }, state.health, at);
  const health = { ...recovered(state.health, at.now), synced: true };
  const watch = ask({ kind: 'watch', resourceVersion }, health, at);
  return { state: watch.state, effects: [{ kind: 'end' }, ...watch.effects] };
}

function opened(state: WatcherState & { kind: 'connecting' }, at: Circumstances): WatcherState {
  const { resourceVersion } = state;
  return {
    kind: 'watching',
    resourceVersion,
    openedAt: at.now,
    heardAt: at.now,
    quiet: true,
    health: recovered(state.health, at.now),
  };
}

function closed(state: WatcherState & { kind: 'connecting' | 'watching' }, at: Circumstances): Step {
  const short =
    state.kind === 'connecting' || (state.quiet && at.now - state.openedAt < at.timing.shortWatchMs);
  if (short) {
    const message = 'the API server closed the watch as soon as it had begun';
    return failed(state, { kind: 'short-watch', message, retryAfterMs: undefined }, at);
  }
  return ask({ kind: 'watch', resourceVersion: state.resourceVersion }, state.health, at);
}

function failed(state: WatcherState, failure: Failure, at: Circumstances): Step {
  if (state.kind === 'stopped' || state.kind === 'waiting') return same(state);
  if (state.kind === 'listing' && failure.kind === 'too-large' && state.request.limit > 1) {
    return ask({ ...state.request, limit: Math.ceil(state.request.limit / 2) }, state.health, at);
  }
  const before = calmed(state.health, at.now, at.timing.healthyMs);
  const health = troubled(before, failure, at.now);
  const next = nextAfter(state, failure, at);
  // A resourceVersion that is too old says nothing about the server's health: the first time is free.
  if (failure.kind === 'expired' && before.failures === 0) return ask(next, health, at);
  const delay = backoffDelay(before.failures, at.random, at.timing.backoff);
  return {
    state: { kind: 'waiting', next, health },
    effects: [{ kind: 'timer', afterMs: Math.max(delay, failure.retryAfterMs ?? 0) }],
  };
}

/** A page is asked for again, a watch taken up from where it was, unless the failure says that this is no use. */
function nextAfter(
  state: WatcherState & { kind: 'listing' | 'connecting' | 'watching' },
  failure: Failure,
  at: Circumstances,
): WatcherRequest {
  switch (failure.kind) {
    case 'expired':
      return firstPage(at);
    case 'missing':
    case 'refused':
    case 'too-large':
    case 'garbled':
      return state.kind === 'listing' ? state.request : firstPage(at);
    case 'forbidden':
    case 'busy':
    case 'unreachable':
    case 'short-watch':
      return state.kind === 'listing'
        ? state.request
        : { kind: 'watch', resourceVersion: state.resourceVersion };
  }
}

function timer(state: WatcherState, at: Circumstances): Step {
  switch (state.kind) {
    case 'stopped':
    case 'listing':
      return same(state);
    case 'waiting':
      return ask(state.next, state.health, at);
    case 'connecting':
    case 'watching': {
      const quietFor = at.now - state.heardAt;
      if (quietFor < at.timing.stallMs) {
        return { state, effects: [{ kind: 'timer', afterMs: at.timing.stallMs - quietFor }] };
      }
      // Dead, or only quiet on a server that sends no bookmarks: a new watch is right for both, and no failure.
      const again = ask({ kind: 'watch', resourceVersion: state.resourceVersion }, state.health, at);
      return { state: again.state, effects: [{ kind: 'abort' }, ...again.effects] };
    }
  }
}
