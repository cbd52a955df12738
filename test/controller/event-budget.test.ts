import { describe, expect, it } from 'vitest';
import { EventBudget } from '../../src/controller/event-budget.ts';

const MINUTE = 60_000;

const spent = (budget: EventBudget, uid: string, times: number, now: number): number =>
  Array.from({ length: times }, () => budget.spend(uid, now)).filter(Boolean).length;

describe('how many events one object may cause', () => {
  it('25 at once', () => {
    expect(spent(new EventBudget(), 'a', 100, 0)).toBe(25);
  });

  it('one more every five minutes, never more than 25 at once', () => {
    const budget = new EventBudget();
    spent(budget, 'a', 100, 0);
    expect(spent(budget, 'a', 100, 4 * MINUTE)).toBe(0);
    expect(spent(budget, 'a', 100, 11 * MINUTE)).toBe(2);
    expect(spent(budget, 'a', 100, 10_000 * MINUTE)).toBe(25);
  });

  it('each object has its own', () => {
    const budget = new EventBudget();
    spent(budget, 'a', 100, 0);
    expect(budget.spend('b', 0)).toBe(true);
  });

  it('remembers a bounded number of objects, those heard of last', () => {
    const budget = new EventBudget();
    spent(budget, 'busy', 100, 0);
    for (let n = 0; n < 5000; n++) {
      budget.spend(`other-${n}`, 0);
      if (n % 1000 === 0) expect(budget.spend('busy', 0)).toBe(false);
    }
    spent(budget, 'other-0', 30, 0);
    expect(budget.spend('other-0', 0)).toBe(false);
  });
});
