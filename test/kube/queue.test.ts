import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backoffDelay } from '../../src/kube/backoff.ts';
import { type Priority, WorkQueue } from '../../src/kube/queue.ts';

const POLICY = { baseMs: 100, factor: 2, maxMs: 1_000, jitter: 0 };

/** Everything that can be taken now, each done at once. */
function drain(queue: WorkQueue, now: number): string[] {
  const keys: string[] = [];
  for (let taken = queue.take(now); taken !== undefined; taken = queue.take(now)) {
    keys.push(taken.key);
    queue.done(taken.key, now);
  }
  return keys;
}

/** Everything that can be taken now, and stays in hand. */
function takeAll(queue: WorkQueue, now: number): string[] {
  const keys: string[] = [];
  for (let taken = queue.take(now); taken !== undefined; taken = queue.take(now)) keys.push(taken.key);
  return keys;
}

/** `low/0` and so on, added to the queue. */
function addLow(queue: WorkQueue, count: number): string[] {
  const keys = Array.from({ length: count }, (_, index) => `low/${index}`);
  for (const key of keys) queue.add(key, 0, { priority: 'low' });
  return keys;
}

describe('backoffDelay', () => {
  it.each([
    ['starts at the base', 0, 0, 100],
    ['doubles', 3, 0, 800],
    ['never exceeds the maximum', 30, 0, 1_000],
  ])('%s', (_, attempt, random, expected) => {
    expect(backoffDelay(attempt, random, POLICY)).toBe(expected);
  });

  it('takes off up to the share of jitter', () => {
    const policy = { ...POLICY, jitter: 0.5 };
    expect(backoffDelay(1, 0, policy)).toBe(200);
    expect(backoffDelay(1, 0.5, policy)).toBe(150);
    expect(backoffDelay(20, 0.999, policy)).toBeGreaterThan(500);
  });
});

describe('a work queue', () => {
  it('hands out each key once however often it was added', () => {
    const queue = new WorkQueue();
    for (let at = 0; at < 100; at += 1) queue.add(`m/${at % 3}`, 0);
    expect(queue.depth).toBe(3);
    expect(drain(queue, 0)).toEqual(['m/0', 'm/1', 'm/2']);
  });

  it('gives a key that is added while it is in hand again after done, not before', () => {
    const queue = new WorkQueue();
    queue.add('a', 0);
    expect(queue.take(0)?.key).toBe('a');
    queue.add('a', 1);
    queue.add('a', 2);
    expect(queue.take(2)).toBeUndefined();
    expect(queue.nextAt()).toBeUndefined();
    queue.done('a', 3);
    expect(drain(queue, 3)).toEqual(['a']);
  });

  it('keeps a delayed key until its time', () => {
    const queue = new WorkQueue();
    queue.add('a', 0, { at: 50 });
    expect(queue.nextAt()).toBe(50);
    expect(queue.take(49)).toBeUndefined();
    expect(queue.take(50)).toEqual({ key: 'a', priority: 'high', readySince: 50 });
  });

  it.each([
    ['an earlier time wins', 100, 20, 20],
    ['a later time changes nothing', 20, 100, 20],
  ])('%s', (_, first, second, expected) => {
    const queue = new WorkQueue();
    queue.add('a', 0, { at: first });
    queue.add('a', 0, { at: second });
    expect(queue.nextAt()).toBe(expected);
    expect(queue.delayed).toBe(1);
  });

  it('serves high before low, each in the order of adding', () => {
    const queue = new WorkQueue();
    queue.add('low/1', 0, { priority: 'low' });
    queue.add('high/1', 1);
    queue.add('low/2', 2, { priority: 'low' });
    queue.add('high/2', 3);
    expect(drain(queue, 3)).toEqual(['high/1', 'high/2', 'low/1', 'low/2']);
  });

  it('lifts a low key that is added as high, and never lowers one', () => {
    const queue = new WorkQueue();
    queue.add('a', 0, { priority: 'low' });
    queue.add('b', 0, { priority: 'low' });
    queue.add('b', 1);
    queue.add('b', 2, { priority: 'low' });
    expect(drain(queue, 2)).toEqual(['b', 'a']);
  });

  it('does not let a flood of high keys starve low ones', () => {
    const queue = new WorkQueue();
    queue.add('low', 0, { priority: 'low' });
    let taken = 0;
    for (let now = 1; ; now += 1) {
      queue.add(`high/${now}`, now);
      const one = queue.take(now);
      taken += 1;
      if (one?.key === 'low') break;
      if (one !== undefined) queue.done(one.key, now);
      expect(taken).toBeLessThan(50);
    }
  });

  it('hands out few low ones at a time while a high one is in hand', () => {
    const queue = new WorkQueue();
    const low = addLow(queue, 20);
    queue.add('high', 0);
    expect(takeAll(queue, 0)).toEqual(['high', ...low.slice(0, 8)]);
    // there is nothing to wait for but an end
    expect(queue.nextAt()).toBeUndefined();
    queue.done('low/0', 1);
    expect(takeAll(queue, 1)).toEqual(['low/8']);
    queue.add('other', 2);
    expect(takeAll(queue, 2)).toEqual(['other']);
    queue.done('high', 3);
    expect(takeAll(queue, 3)).toEqual([]);
  });

  it('goes on handing out few for a while after the last high one: the next edit may be on its way', () => {
    const queue = new WorkQueue();
    const low = addLow(queue, 20);
    for (const key of ['high/1', 'high/2']) queue.add(key, 0);
    takeAll(queue, 0);
    queue.done('high/1', 10);
    queue.done('high/2', 40);
    expect(takeAll(queue, 139)).toEqual([]);
    expect(queue.nextAt()).toBe(140);
    expect(takeAll(queue, 140)).toEqual(low.slice(8));
  });

  it('hands out many at once after a high one that waited for nothing', () => {
    const queue = new WorkQueue();
    const low = addLow(queue, 20);
    queue.add('high', 0);
    takeAll(queue, 0);
    queue.done('high', 1, { waited: false });
    expect(takeAll(queue, 1)).toEqual(low.slice(8));
  });

  it('tells the time of a delayed key, while low ones may not be taken yet', () => {
    const queue = new WorkQueue();
    addLow(queue, 20);
    queue.add('high', 0);
    takeAll(queue, 0);
    queue.done('high', 0);
    queue.add('later', 1, { at: 60 });
    expect(queue.nextAt()).toBe(60);
    expect(takeAll(queue, 60)).toEqual(['later']);
    expect(queue.nextAt()).toBeUndefined();
  });

  it('hands out no more low ones at a time than it is told, and high ones beside them', () => {
    const queue = new WorkQueue({ mostLow: 10 });
    const low = addLow(queue, 20);
    expect(takeAll(queue, 0)).toEqual(low.slice(0, 10));
    expect(queue.nextAt()).toBeUndefined();
    queue.done('low/0', 1);
    expect(takeAll(queue, 1)).toEqual(['low/10']);
    queue.add('high', 2);
    expect(queue.nextAt()).toBe(2);
    expect(takeAll(queue, 2)).toEqual(['high']);
  });

  it('puts a retry off for longer each time, until the key is forgotten', () => {
    const queue = new WorkQueue();
    const delays: (number | undefined)[] = [];
    for (let at = 0; at < 6; at += 1) {
      queue.add('a', 0);
      queue.take(0);
      queue.retry('a', 0, 0, { policy: POLICY });
      queue.done('a', 0);
      delays.push(queue.nextAt());
      if (at === 4) queue.forget('a');
      queue.take(5_000);
      queue.done('a', 5_000);
    }
    expect(delays).toEqual([100, 200, 400, 800, 1_000, 100]);
  });

  it('retries not before the time that a server asked for', () => {
    const queue = new WorkQueue();
    queue.retry('a', 1_000, 0, { policy: POLICY, notBefore: 9_000 });
    expect(queue.nextAt()).toBe(9_000);
  });

  it('does not make a new event wait for the backoff of an old failure', () => {
    const queue = new WorkQueue();
    queue.add('a', 0);
    queue.take(0);
    queue.add('a', 1);
    queue.retry('a', 2, 0);
    queue.done('a', 2);
    expect(queue.take(2)?.key).toBe('a');
  });

  it('retries low work at low priority', () => {
    const queue = new WorkQueue();
    queue.add('start', 0, { priority: 'low' });
    queue.take(0);
    queue.retry('start', 0, 0, { policy: POLICY });
    queue.done('start', 0);
    queue.add('edit', 200);
    expect(drain(queue, 200)).toEqual(['edit', 'start']);
  });

  it('remembers nothing of keys that are done and forgotten', () => {
    const queue = new WorkQueue();
    for (let at = 0; at < 1_000; at += 1) queue.add(`k/${at}`, 0, { at });
    expect(drain(queue, 1_000)).toHaveLength(1_000);
    expect([queue.depth, queue.delayed, queue.inHand, queue.nextAt()]).toEqual([0, 0, 0, undefined]);
  });
});

/** What the queue must do, as slowly and as plainly as can be. */
class NaiveQueue {
  waiting: { key: string; at: number; priority: Priority; order: number }[] = [];
  readonly inHand = new Map<string, { at: number; priority: Priority } | undefined>();
  #order = 0;

  add(key: string, now: number, asked: number, priority: Priority): void {
    const at = Math.max(asked, now);
    if (this.inHand.has(key)) {
      const again = this.inHand.get(key);
      this.inHand.set(key, {
        at: Math.min(at, again?.at ?? at),
        priority: again?.priority === 'high' ? 'high' : priority,
      });
      return;
    }
    const old = this.waiting.find((one) => one.key === key);
    const merged = {
      at: Math.min(at, old?.at ?? at),
      priority: old?.priority === 'high' ? ('high' as const) : priority,
    };
    if (old?.at === merged.at && old.priority === merged.priority) return;
    this.waiting = this.waiting.filter((one) => one.key !== key);
    this.waiting.push({ key, ...merged, order: this.#order++ });
  }

  /** Whichever of these may come: the first high one, or the first low one. */
  candidates(now: number): string[] {
    const due = this.waiting.filter((one) => one.at <= now).sort((a, b) => a.at - b.at || a.order - b.order);
    return [due.find((one) => one.priority === 'high'), due.find((one) => one.priority === 'low')].flatMap(
      (one) => (one === undefined ? [] : [one.key]),
    );
  }

  take(key: string): void {
    this.waiting = this.waiting.filter((one) => one.key !== key);
    this.inHand.set(key, undefined);
  }

  done(key: string, now: number): void {
    const again = this.inHand.get(key);
    this.inHand.delete(key);
    if (again !== undefined) this.add(key, now, again.at, again.priority);
  }
}

const key = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');
const priority = fc.constantFrom<Priority>('high', 'low');
const command = fc.oneof(
  fc.record({ do: fc.constant('add' as const), key, delay: fc.integer({ min: -5, max: 30 }), priority }),
  fc.record({ do: fc.constant('take' as const) }),
  fc.record({ do: fc.constant('done' as const), key }),
  fc.record({ do: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 20 }) }),
);
type Command = typeof command extends fc.Arbitrary<infer T> ? T : never;

/** The queue and its model, side by side. */
class Pair {
  readonly queue = new WorkQueue();
  readonly model = new NaiveQueue();
  #now = 0;
  #highInARow = 0;

  /** What came out, and what might have. */
  run(one: Command): { got: string | undefined; allowed: readonly (string | undefined)[] } {
    switch (one.do) {
      case 'add':
        this.queue.add(one.key, this.#now, { at: this.#now + one.delay, priority: one.priority });
        this.model.add(one.key, this.#now, this.#now + one.delay, one.priority);
        break;
      case 'take':
        return this.#take();
      case 'done':
        if (!this.model.inHand.has(one.key)) break;
        this.queue.done(one.key, this.#now);
        this.model.done(one.key, this.#now);
        break;
      case 'pass':
        this.#now += one.ms;
    }
    return { got: undefined, allowed: [undefined] };
  }

  #take(): ReturnType<Pair['run']> {
    const candidates = this.model.candidates(this.#now);
    const taken = this.queue.take(this.#now);
    if (taken === undefined)
      return { got: undefined, allowed: candidates.length === 0 ? [undefined] : candidates };
    this.model.take(taken.key);
    this.#highInARow = taken.priority === 'high' ? this.#highInARow + 1 : 0;
    // The first of its priority; a low one before a high one only after many high ones.
    const lowMayCome = this.#highInARow === 0 || this.#highInARow >= 15;
    return { got: taken.key, allowed: lowMayCome ? candidates : candidates.slice(0, 1) };
  }
}

describe('the work queue against a naive model', () => {
  it('agrees after any sequence of commands', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 200 }), (commands) => {
        const pair = new Pair();
        for (const one of commands) {
          const { got, allowed } = pair.run(one);
          expect(allowed).toContain(got);
          expect(pair.queue.depth + pair.queue.delayed).toBe(pair.model.waiting.length);
          expect(pair.queue.inHand).toBe(pair.model.inHand.size);
        }
      }),
    );
  });
});
