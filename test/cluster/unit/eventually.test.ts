import { describe, expect, test } from 'vitest';
import { eventually } from '../eventually.ts';

describe('eventually', () => {
  test('gives what the check returned once it no longer throws', async () => {
    let calls = 0;
    const third = () => {
      calls += 1;
      if (calls < 3) throw new Error(`call ${calls}`);
      return calls;
    };
    expect(await eventually(third)).toBe(3);
  });

  test('reports the last failure when the time is over', async () => {
    let calls = 0;
    const never = () => {
      calls += 1;
      throw new Error(`call ${calls}`);
    };
    const attempt = eventually(never, { within: 100 });
    await expect(attempt).rejects.toThrow(/^Not within 100 ms: call \d+$/);
    expect(calls).toBeGreaterThan(1);
  });
});
