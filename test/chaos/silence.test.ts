import { describe, expect, it } from 'vitest';
import { type Arena, type Guarded, leads, openArena } from './arena.ts';
import { chaosSeed } from './random.ts';

const MODELS = 4;
const RIGHT_WITHIN_MS = 30_000;
/** A call without an answer is given up after 30 s; one model may meet one after the other. */
const CALL_GIVEN_UP_MS = 30_000;
/** A watch on which nothing comes, no bookmark either, is taken for dead after 150 s (see watcher.ts). */
const WATCH_GIVEN_UP_MS = 150_000;

async function working(arena: Arena): Promise<Guarded> {
  await arena.fleet.populate(MODELS);
  const operator = await arena.operator();
  await leads(operator);
  await arena.fleet.isRight(RIGHT_WITHIN_MS);
  return operator;
}

/** Nothing is refused and nothing breaks: it is only that no answer comes. These take as long as it takes to notice. */
describe.concurrent('an operator to whom nobody says that a connection is dead', () => {
  it('gives up calls that are never answered', async () => {
    await using arena = await openArena({ seed: chaosSeed() });
    const { proxy, process } = await working(arena);
    for (const method of ['PUT', 'POST', 'PATCH']) {
      proxy.add({
        match: { method, path: /^(?!.*\/leases)/ },
        when: { kind: 'first', count: 1 },
        fault: { kind: 'hang' },
      });
    }
    for (let made = 0; made < 6; made += 1) await arena.fleet.change();
    await arena.fleet.isRight(3 * CALL_GIVEN_UP_MS + RIGHT_WITHIN_MS);
    expect(await process.probe('readyz')).toMatchObject({ ok: true });
  }, 120_000);

  it('gives up watches on which nothing comes any more', async () => {
    await using arena = await openArena({ seed: chaosSeed() });
    const { proxy } = await working(arena);
    const stalled = proxy.add({
      match: { watch: true },
      fault: { kind: 'break-body', after: { bytes: 0 }, how: 'stall' },
    });
    proxy.breakAll();
    await expect.poll(() => stalled.applied, { timeout: 20_000 }).toBeGreaterThanOrEqual(8);
    for (let made = 0; made < 6; made += 1) await arena.fleet.change();
    stalled.remove();
    await arena.fleet.isRight(WATCH_GIVEN_UP_MS + 2 * RIGHT_WITHIN_MS);
  }, 240_000);

  it('gives up connections that something on the way has forgotten', async () => {
    await using arena = await openArena({ seed: chaosSeed() });
    const { proxy, process } = await working(arena);
    proxy.forgetAll();
    for (let made = 0; made < 6; made += 1) await arena.fleet.change();
    await arena.fleet.isRight(WATCH_GIVEN_UP_MS + 2 * CALL_GIVEN_UP_MS);
    await leads({ process });
  }, 300_000);
});
