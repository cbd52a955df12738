import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { eventually } from '../cluster/eventually.ts';
import { type Arena, type Guarded, fallsSilent, openArena, QUICK_LEASE } from './arena.ts';
import type { OperatorProcess } from './operator-process.ts';
import { chaosSeed, type Dice, diceFrom } from './random.ts';
import { calm, trouble } from './trouble.ts';

/** A short one by default; `npm run soak` for an hour. */
const MINUTES = Number(process.env['TRUSS_SECRETS_SOAK_MINUTES'] ?? 0.7);
const MODELS = 8;
/** Changes between two looks at whether everything is right. */
const CHANGES = 20;
const CHANGE_MS = 150;
const RIGHT_WITHIN_MS = 60_000;
/** So that some are left after the warm-up. */
const LEAST_ROUNDS = 6;
/** Compiled code and caches that fill up once. */
const WARM_UP = 0.4;
const MOST_GROWTH = 1.1;

/** So that what is measured is what is kept, not what is not yet collected. */
const COLLECTS = [
  '--expose-gc',
  '--import',
  'data:text/javascript,process.on("SIGUSR2", () => globalThis.gc())',
];

const HEAP = 'nodejs_heap_size_used_bytes';

async function heapOf(process: OperatorProcess): Promise<number> {
  process.signal('SIGUSR2');
  await delay(100);
  return (await process.metrics()).get(HEAP) ?? Number.NaN;
}

/** Stops, kills or pauses the second operator, and starts another one where that is needed. */
async function disturb(arena: Arena, { process }: Guarded, { pick }: Dice): Promise<Guarded | undefined> {
  const signal = pick(['SIGTERM', 'SIGKILL', 'SIGSTOP', 'SIGCONT'] as const) ?? 'SIGCONT';
  process.signal(signal);
  if (signal === 'SIGSTOP' || signal === 'SIGCONT') return undefined;
  // one that was paused hears a SIGTERM only when it goes on
  process.signal('SIGCONT');
  await process.exited;
  return await arena.operator({ args: QUICK_LEASE });
}

it(
  `for ${MINUTES} minutes of changes, faults and restarts everything comes right again and again, in the same memory`,
  async () => {
    const seed = chaosSeed();
    const dice = diceFrom(seed);
    await using arena = await openArena({ seed });
    await arena.fleet.populate(MODELS);
    const lasting = await arena.operator({ args: QUICK_LEASE, nodeArgs: COLLECTS });
    let other = await arena.operator({ args: QUICK_LEASE });
    const heaps: { readonly at: number; readonly bytes: number }[] = [];
    const begin = performance.now();
    const end = begin + MINUTES * 60_000;
    while (performance.now() < end || heaps.length < LEAST_ROUNDS) {
      const story: string[] = [];
      for (let made = 0; made < CHANGES; made += 1) {
        if (dice.chance(0.15)) story.push(await trouble(dice, lasting.proxy));
        if (dice.chance(0.15)) story.push(await trouble(dice, other.proxy));
        if (dice.chance(0.03)) other = (await disturb(arena, other, dice)) ?? other;
        story.push(await arena.fleet.change());
        await delay(dice.upTo(CHANGE_MS));
      }
      calm(lasting.proxy);
      calm(other.proxy);
      other.process.signal('SIGCONT');
      try {
        await arena.fleet.isRight(RIGHT_WITHIN_MS);
      } catch (error) {
        throw new Error(`TRUSS_SECRETS_CHAOS_SEED=${seed}\n${story.join('\n')}`, { cause: error });
      }
      for (const { process } of [lasting, other]) {
        expect(process.running()).toBe(true);
        expect(process.output()).not.toContain('crashed');
      }
      await arena.fleet.tidy();
      heaps.push({ at: performance.now(), bytes: await heapOf(lasting.process) });
    }
    for (const { proxy } of [lasting, other]) await fallsSilent(proxy);
    await eventually(async () => expect(await lasting.process.probe('readyz')).toMatchObject({ ok: true }), {
      within: RIGHT_WITHIN_MS,
    });
    const warm = heaps.find(({ at }) => at >= begin + WARM_UP * (end - begin));
    const [first, last] = [warm?.bytes ?? Number.NaN, heaps.at(-1)?.bytes ?? Number.NaN];
    console.log(`heap: ${heaps.map(({ bytes }) => (bytes / 1e6).toFixed(1)).join(', ')} MB`);
    expect(last).toBeLessThan(first * MOST_GROWTH);
  },
  MINUTES * 60_000 + 300_000,
);
