import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Turnstile } from '../../src/kube/turnstile.ts';

/** Of so many calls one that has its answer waits for others. */
const CALLS = 20;

function busy() {
  const turnstile = new Turnstile();
  for (let call = 0; call < CALLS; call++) turnstile.enter();
  let through = 0;
  /** One of the calls has its answer. */
  const answer = (): 'at once' | 'waits' => {
    const turn = turnstile.leave();
    if (turn === undefined) return 'at once';
    void turn.then(() => (through += 1));
    return 'waits';
  };
  return { turnstile, answer, through: () => through };
}

describe('the turnstile behind the calls', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('lets the caller of the only call go on at once', () => {
    const turnstile = new Turnstile();
    turnstile.enter();
    expect(turnstile.leave()).toBeUndefined();
  });

  it('lets go on together those whose answers come within some milliseconds while many calls are under way', async () => {
    const { answer, through } = busy();
    expect([answer(), answer()]).toEqual(['waits', 'waits']);
    await vi.advanceTimersByTimeAsync(7);
    expect([answer(), through()]).toEqual(['waits', 0]);
    await vi.advanceTimersByTimeAsync(1);
    expect(through()).toBe(3);
    expect(answer()).toBe('waits');
    await vi.advanceTimersByTimeAsync(8);
    expect(through()).toBe(4);
  });

  it('opens as soon as few calls are left, so that the server is never short of work', async () => {
    const { answer, through } = busy();
    const waiting = Array.from({ length: CALLS }, answer).filter((how) => how === 'waits').length;
    expect(waiting).toBeGreaterThan(0);
    expect(waiting).toBeLessThan(CALLS);
    await vi.advanceTimersByTimeAsync(0);
    expect(through()).toBe(waiting);
    expect(vi.getTimerCount()).toBe(0);
  });
});
