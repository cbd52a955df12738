import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Failure, FailureKind } from '../../src/kube/failure.ts';
import { freshnessOf } from '../../src/kube/health.ts';
import {
  DEFAULT_TIMING,
  INITIAL,
  step,
  type Step,
  type WatcherEffect,
  type WatcherInput,
  type WatcherState,
} from '../../src/kube/watcher.ts';

const NOW = 10_000_000;
/** A random of 0: no jitter, and the shortest watch. */
const at = { now: NOW, random: 0, timing: DEFAULT_TIMING };

const failure = (kind: FailureKind, retryAfterMs?: number): Failure => ({
  kind,
  message: kind,
  retryAfterMs,
});

const fresh = { synced: false, failures: 0, failure: undefined, since: NOW };
const well = { ...fresh, synced: true };

const states = {
  stopped: INITIAL,
  'listing the first page': {
    kind: 'listing',
    request: { kind: 'list', limit: 500, continueToken: undefined },
    health: fresh,
  },
  'listing a later page': {
    kind: 'listing',
    request: { kind: 'list', limit: 500, continueToken: 'p2' },
    health: fresh,
  },
  connecting: { kind: 'connecting', resourceVersion: '7', heardAt: NOW, health: well },
  watching: {
    kind: 'watching',
    resourceVersion: '7',
    openedAt: NOW - 60_000,
    heardAt: NOW - 5_000,
    quiet: true,
    health: well,
  },
  'waiting to list': {
    kind: 'waiting',
    next: { kind: 'list', limit: 500, continueToken: 'p2' },
    health: fresh,
  },
  'waiting to watch': { kind: 'waiting', next: { kind: 'watch', resourceVersion: '7' }, health: well },
} as const satisfies Record<string, WatcherState>;

type StateName = keyof typeof states;

const inputs = {
  start: { kind: 'start' },
  'a page with more to come': { kind: 'page', resourceVersion: '9', continueToken: 'p3' },
  'the last page': { kind: 'page', resourceVersion: '9', continueToken: undefined },
  opened: { kind: 'opened' },
  heard: { kind: 'heard', resourceVersion: '8' },
  closed: { kind: 'closed' },
  expired: { kind: 'failed', failure: failure('expired') },
  forbidden: { kind: 'failed', failure: failure('forbidden') },
  missing: { kind: 'failed', failure: failure('missing') },
  refused: { kind: 'failed', failure: failure('refused') },
  busy: { kind: 'failed', failure: failure('busy', 5_000) },
  unreachable: { kind: 'failed', failure: failure('unreachable') },
  'too large': { kind: 'failed', failure: failure('too-large') },
  garbled: { kind: 'failed', failure: failure('garbled') },
  timer: { kind: 'timer' },
  stop: { kind: 'stop' },
} as const satisfies Record<string, WatcherInput>;

type InputName = keyof typeof inputs;

const begin = 'begin';
const end = 'end';
const abort = 'abort';
const list = (limit: number, token = 'start'): string => `list ${limit} from ${token}`;
const watch = (version: string): string => `watch from ${version} for 300 s`;
const timer = (ms: number): string => `timer ${ms}`;
const STALL = timer(150_000);
const BACKOFF = timer(800);

function show(effect: WatcherEffect): string {
  switch (effect.kind) {
    case 'begin':
    case 'end':
    case 'abort':
      return effect.kind;
    case 'list':
      return list(effect.limit, effect.continueToken);
    case 'watch':
      return `watch from ${effect.resourceVersion} for ${effect.timeoutSeconds} s`;
    case 'timer':
      return timer(effect.afterMs);
  }
}

type Row = readonly [next: WatcherState['kind'], ...effects: string[]];

/** Every input that means something in a state. All others change nothing. */
const table: Record<StateName, Partial<Record<InputName, Row>>> = {
  stopped: { start: ['listing', begin, list(500)] },
  'listing the first page': {
    'a page with more to come': ['listing', list(500, 'p3')],
    'the last page': ['connecting', end, watch('9'), STALL],
    expired: ['listing', begin, list(500)],
    forbidden: ['waiting', BACKOFF],
    missing: ['waiting', BACKOFF],
    refused: ['waiting', BACKOFF],
    busy: ['waiting', timer(5_000)],
    unreachable: ['waiting', BACKOFF],
    'too large': ['listing', begin, list(250)],
    garbled: ['waiting', BACKOFF],
    stop: ['stopped', abort],
  },
  'listing a later page': {
    'a page with more to come': ['listing', list(500, 'p3')],
    'the last page': ['connecting', end, watch('9'), STALL],
    expired: ['listing', begin, list(500)],
    forbidden: ['waiting', BACKOFF],
    missing: ['waiting', BACKOFF],
    refused: ['waiting', BACKOFF],
    busy: ['waiting', timer(5_000)],
    unreachable: ['waiting', BACKOFF],
    'too large': ['listing', list(250, 'p2')],
    garbled: ['waiting', BACKOFF],
    stop: ['stopped', abort],
  },
  connecting: {
    opened: ['watching'],
    closed: ['waiting', BACKOFF],
    expired: ['listing', begin, list(500)],
    forbidden: ['waiting', BACKOFF],
    missing: ['waiting', BACKOFF],
    refused: ['waiting', BACKOFF],
    busy: ['waiting', timer(5_000)],
    unreachable: ['waiting', BACKOFF],
    'too large': ['waiting', BACKOFF],
    garbled: ['waiting', BACKOFF],
    timer: ['connecting', STALL],
    stop: ['stopped', abort],
  },
  watching: {
    heard: ['watching'],
    closed: ['connecting', watch('7'), STALL],
    expired: ['listing', begin, list(500)],
    forbidden: ['waiting', BACKOFF],
    missing: ['waiting', BACKOFF],
    refused: ['waiting', BACKOFF],
    busy: ['waiting', timer(5_000)],
    unreachable: ['waiting', BACKOFF],
    'too large': ['waiting', BACKOFF],
    garbled: ['waiting', BACKOFF],
    timer: ['watching', timer(145_000)],
    stop: ['stopped', abort],
  },
  'waiting to list': {
    timer: ['listing', list(500, 'p2')],
    stop: ['stopped'],
  },
  'waiting to watch': {
    timer: ['connecting', watch('7'), STALL],
    stop: ['stopped'],
  },
};

const stateNames = Object.keys(states).filter((name): name is StateName => name in states);
const inputNames = Object.keys(inputs).filter((name): name is InputName => name in inputs);
const rows = stateNames.flatMap((state) =>
  inputNames.map((input) => ({ state, input, row: table[state][input] })),
);

/** What is asked for after the wait that the failure brings. */
const next = (state: StateName, input: InputName): unknown => {
  const result = step(states[state], inputs[input], at).state;
  return result.kind === 'waiting' ? result.next : undefined;
};

/** Fails again and again, a little time after each try. */
function delays(kind: FailureKind, count: number): number[] {
  const found: number[] = [];
  let now = NOW;
  let { state }: Step = step(INITIAL, { kind: 'start' }, at);
  for (let tries = 0; tries < count; tries += 1) {
    const result = step(state, { kind: 'failed', failure: failure(kind) }, { ...at, now });
    const delay = result.effects.flatMap((effect) => (effect.kind === 'timer' ? effect.afterMs : []))[0] ?? 0;
    found.push(delay);
    now += delay + 10;
    ({ state } =
      result.state.kind === 'waiting' ? step(result.state, { kind: 'timer' }, { ...at, now }) : result);
  }
  return found;
}

const run = (...given: WatcherInput[]): WatcherState =>
  given.reduce((state, input) => step(state, input, at).state, INITIAL);

describe('the watcher', () => {
  it.each(rows.filter(({ row }) => row !== undefined))('$state, on $input', ({ state, input, row }) => {
    const result = step(states[state], inputs[input], at);
    expect([result.state.kind, ...result.effects.map(show)]).toEqual(row);
  });

  it.each(rows.filter(({ row }) => row === undefined))('$state ignores $input', ({ state, input }) => {
    expect(step(states[state], inputs[input], at)).toEqual({ state: states[state], effects: [] });
  });

  describe('after a failure', () => {
    it.each(['forbidden', 'busy', 'unreachable'] as const)(
      '%s, takes a watch up from where it was',
      (input) => {
        expect(next('watching', input)).toEqual({ kind: 'watch', resourceVersion: '7' });
      },
    );

    it.each(['missing', 'refused', 'too large', 'garbled'] as const)('%s of a watch, lists anew', (input) => {
      expect(next('watching', input)).toEqual({ kind: 'list', limit: 500, continueToken: undefined });
    });

    it.each(['forbidden', 'missing', 'refused', 'busy', 'unreachable', 'garbled'] as const)(
      '%s of a list, asks for the same page',
      (input) => {
        expect(next('listing a later page', input)).toEqual({
          kind: 'list',
          limit: 500,
          continueToken: 'p2',
        });
      },
    );
  });

  it('counts the events of a watch as its newest version', () => {
    const { state } = step(states.watching, inputs.heard, at);
    expect(state).toMatchObject({ resourceVersion: '8', heardAt: NOW });
  });

  it('takes a watch that heard nothing for too long for dead, and takes up from where it was', () => {
    const result = step(states.watching, { kind: 'timer' }, { ...at, now: NOW - 5_000 + 150_000 });
    expect(result.effects.map(show)).toEqual([abort, watch('7'), STALL]);
    expect(result.state.health).toEqual(well);
  });

  it('takes a watch that closes at once, with nothing said, for a failure', () => {
    const opened = { ...states.watching, openedAt: NOW - 500, heardAt: NOW - 500 };
    const result = step(opened, { kind: 'closed' }, at);
    expect(result.effects.map(show)).toEqual([BACKOFF]);
    expect(result.state.health.failure?.kind).toBe('short-watch');
  });

  it('spreads the ends of watches between 5 and 10 minutes', () => {
    const seconds = [0, 0.5, 0.999].map((random) => {
      const { effects } = step(states['waiting to watch'], { kind: 'timer' }, { ...at, random });
      return effects.flatMap((effect) => (effect.kind === 'watch' ? effect.timeoutSeconds : []));
    });
    expect(seconds.flat()).toEqual([300, 450, 600]);
  });

  it('halves pages that are too large, down to one object, and then says so', () => {
    let state: WatcherState = states['listing a later page'];
    const limits: number[] = [];
    while (state.kind === 'listing') {
      limits.push(state.request.limit);
      ({ state } = step(state, inputs['too large'], at));
    }
    expect(limits).toEqual([500, 250, 125, 63, 32, 16, 8, 4, 2, 1]);
    expect(state.health.failure?.kind).toBe('too-large');
  });

  describe('its backoff', () => {
    it('doubles from 800 ms to 10 s', () => {
      expect(delays('unreachable', 6)).toEqual([800, 1_600, 3_200, 6_400, 10_000, 10_000]);
    });

    it('takes up to half off by chance', () => {
      const { effects } = step(states.watching, inputs.unreachable, { ...at, random: 0.5 });
      expect(effects.map(show)).toEqual([timer(600)]);
    });

    it('does not make the first 410 wait, and does those that follow', () => {
      expect(delays('expired', 3)).toEqual([0, 1_600, 3_200]);
    });

    it('starts over after two minutes without a failure', () => {
      const health = { ...well, failures: 6, since: NOW - 120_000 };
      const { effects } = step({ ...states.watching, health }, inputs.unreachable, at);
      expect(effects.map(show)).toEqual([BACKOFF]);
    });

    it('goes on when the success in between was short', () => {
      const health = { ...well, failures: 2, since: NOW - 119_000 };
      const { effects } = step({ ...states.watching, health }, inputs.unreachable, at);
      expect(effects.map(show)).toEqual([timer(3_200)]);
    });
  });
});

describe('the freshness of a watcher', () => {
  const synced = [inputs.start, inputs['the last page'], inputs.opened] as const;

  it.each<[string, WatcherInput[], ReturnType<typeof freshnessOf>]>([
    ['is unsynced before the first list', [inputs.start], { kind: 'unsynced', failure: undefined }],
    [
      'is unsynced while the first list fails, and says why',
      [inputs.start, inputs.forbidden],
      { kind: 'unsynced', failure: failure('forbidden') },
    ],
    ['is synced after the last page', [inputs.start, inputs['the last page']], { kind: 'synced' }],
    ['is synced while a watch is renewed', [...synced, inputs.heard, inputs.closed], { kind: 'synced' }],
    [
      'is stale when the server is out of reach',
      [...synced, inputs.unreachable],
      { kind: 'stale', since: NOW, failure: failure('unreachable') },
    ],
    [
      'is forbidden when the rights are gone',
      [...synced, inputs.forbidden],
      { kind: 'forbidden', since: NOW, failure: failure('forbidden') },
    ],
    [
      'stays forbidden until a request has succeeded',
      [...synced, inputs.forbidden, inputs.timer, inputs.unreachable],
      { kind: 'forbidden', since: NOW, failure: failure('forbidden') },
    ],
    [
      'is synced again once the watch is accepted',
      [...synced, inputs.forbidden, inputs.timer, inputs.opened],
      { kind: 'synced' },
    ],
    [
      'is stale during the new list after a 410, as what is known is of before',
      [...synced, inputs.expired],
      { kind: 'stale', since: NOW, failure: failure('expired') },
    ],
    ['is synced after that list', [...synced, inputs.expired, inputs['the last page']], { kind: 'synced' }],
  ])('%s', (_, given, expected) => {
    expect(freshnessOf(run(...given).health)).toEqual(expected);
  });
});

describe('the watcher, whatever comes', () => {
  const input = fc.constantFrom(...Object.values(inputs));
  const pause = fc.integer({ min: 0, max: 200_000 });
  const random = fc.double({ min: 0, max: 0.999, noNaN: true });

  it('has one request under way, or a timer, or is stopped', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(input, pause, random), { maxLength: 60 }), (given) => {
        let state: WatcherState = INITIAL;
        let now = NOW;
        let request = false;
        let timed = false;
        for (const [one, ms, chance] of given) {
          now += ms;
          // The request that is under way ends with these, and a timer is over once it has come.
          if (['page', 'closed', 'failed'].includes(one.kind)) request = false;
          if (one.kind === 'timer') timed = false;
          const result = step(state, one, { now, random: chance, timing: DEFAULT_TIMING });
          state = result.state;
          for (const effect of result.effects) {
            if (effect.kind === 'timer') timed = true;
            if (effect.kind === 'abort') request = false;
            if (effect.kind !== 'list' && effect.kind !== 'watch') continue;
            expect(request).toBe(false);
            request = true;
          }
          const alive = state.kind === 'stopped' || state.kind === 'listing' || timed;
          expect(alive || one.kind === 'timer').toBe(true);
        }
      }),
    );
  });

  it('says the end of a list only after its beginning', () => {
    fc.assert(
      fc.property(fc.array(input, { maxLength: 60 }), (given) => {
        let state: WatcherState = INITIAL;
        let open = false;
        for (const one of given) {
          const result = step(state, one, at);
          state = result.state;
          for (const { kind } of result.effects) {
            if (kind === 'begin') open = true;
            if (kind !== 'end') continue;
            expect(open).toBe(true);
            open = false;
          }
        }
      }),
    );
  });
});
