import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { eventually } from '../cluster/eventually.ts';
import { openArena, QUICK_LEASE } from './arena.ts';
import { chaosSeed, diceFrom } from './random.ts';
import { calm, trouble } from './trouble.ts';

const MODELS = 6;
const TURNS = 25;
const TURN_MS = 400;
/** Faults in a row make back-offs long; the longest is 30 s. */
const RIGHT_WITHIN_MS = 60_000;

describe.concurrent('whatever happens in whatever order', () => {
  it.each([1, 2])('all is right in the end (%i)', async () => {
    const seed = chaosSeed();
    const dice = diceFrom(seed);
    await using arena = await openArena({ seed });
    await arena.fleet.populate(MODELS);
    const operators = [
      await arena.operator({ args: QUICK_LEASE }),
      await arena.operator({ args: QUICK_LEASE }),
    ];
    const story: string[] = [];
    for (let turn = 0; turn < TURNS; turn += 1) {
      const at = dice.upTo(operators.length);
      const operator = operators[at];
      if (operator) story.push(`${at}: ${await trouble(dice, operator.proxy)}`);
      if (dice.chance(0.08)) operator?.process.signal(dice.chance(0.5) ? 'SIGSTOP' : 'SIGCONT');
      story.push(await arena.fleet.change());
      await delay(dice.upTo(TURN_MS));
    }
    for (const { process, proxy } of operators) {
      calm(proxy);
      process.signal('SIGCONT');
    }
    try {
      await arena.fleet.isRight(RIGHT_WITHIN_MS);
    } catch (error) {
      throw new Error(`TRUSS_SECRETS_CHAOS_SEED=${seed}\n${story.join('\n')}`, { cause: error });
    }
    await eventually(
      async () => {
        for (const { process } of operators)
          expect(await process.probe('readyz')).toMatchObject({ ok: true });
      },
      { within: RIGHT_WITHIN_MS },
    );
    for (const { process } of operators) expect(process.running()).toBe(true);
  });
});
