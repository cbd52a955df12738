import { describe, expect, it } from 'vitest';
import { isForgotten, waitFor, withWrite, type Writes } from '../../src/plan/writes.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** Writes of the same, at these times. */
const writesAt = (...times: readonly number[]): Writes =>
  times.reduce<Writes | undefined>((before, now) => withWrite(before, 'same', now), undefined) ??
  withWrite(undefined, 'same', 0);

const invalid = { said: 'invalid', version: '7' };
const atOnce = writesAt(0, SECOND, 2 * SECOND, 3 * SECOND, 4 * SECOND);

describe('somebody who keeps undoing what is written', () => {
  it('is answered at once four times, and from the fifth write on once in ten minutes', () => {
    expect(waitFor(writesAt(0, SECOND, 2 * SECOND, 3 * SECOND), 4 * SECOND)).toBe(0);
    expect(waitFor(atOnce, 4 * SECOND)).toBe(10 * MINUTE);
    expect(waitFor(atOnce, 5 * MINUTE)).toBe(5 * MINUTE + 4 * SECOND);
    expect(waitFor(atOnce, 11 * MINUTE)).toBe(0);
  });

  it('is not answered faster because ten minutes have passed', () => {
    const later = withWrite(atOnce, 'same', 11 * MINUTE);
    expect(waitFor(later, 11 * MINUTE + SECOND)).toBe(10 * MINUTE - SECOND);
  });

  it('who does it now and then is answered at once', () => {
    const times = [0, 3, 6, 9, 12, 15, 18].map((minutes) => minutes * MINUTE);
    expect(waitFor(writesAt(...times), 18 * MINUTE)).toBe(0);
  });

  it('another content is no fight', () => {
    const other = withWrite(atOnce, 'other', 5 * SECOND);
    expect(waitFor(other, 5 * SECOND)).toBe(0);
    expect(other.times).toEqual([5 * SECOND]);
  });

  it('what the API server said to the last write is kept, so that it can be said while nothing is written', () => {
    expect(withWrite(atOnce, 'same', 5 * SECOND, invalid).refusal).toBe(invalid);
    expect(withWrite(withWrite(undefined, 'same', 0, invalid), 'same', SECOND).refusal).toBe(undefined);
  });

  it('what was refused is tried again after fifteen seconds, and then ever more rarely, up to ten minutes', () => {
    let refused = withWrite(atOnce, 'same', 5 * SECOND, invalid);
    const pauses = [];
    for (let now = 5 * SECOND; pauses.length < 7; ) {
      const pause = waitFor(refused, now, '7');
      pauses.push(pause / SECOND);
      now += pause;
      refused = withWrite(refused, 'same', now, invalid);
    }
    expect(pauses).toEqual([15, 30, 60, 120, 240, 480, 600]);
  });

  it('what was refused is tried again after fifteen seconds if the object has changed, however often it does', () => {
    const long = [5, 20, 50, 110, 230].reduce(
      (before, seconds) => withWrite(before, 'same', seconds * SECOND, invalid),
      atOnce,
    );
    expect(waitFor(long, 230 * SECOND, '7')).toBe(240 * SECOND);
    expect(waitFor(long, 230 * SECOND, '8')).toBe(15 * SECOND);
    expect(waitFor(long, 246 * SECOND, '8')).toBe(0);
  });

  it('is forgotten ten minutes after the last write, a fight an hour after', () => {
    expect(isForgotten(writesAt(0), 9 * MINUTE)).toBe(false);
    expect(isForgotten(writesAt(0), 11 * MINUTE)).toBe(true);
    expect(isForgotten(atOnce, 11 * MINUTE)).toBe(false);
    expect(isForgotten(atOnce, 61 * MINUTE)).toBe(true);
  });
});
