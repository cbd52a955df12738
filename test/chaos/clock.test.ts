import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { PackagesUnavailable } from '../cluster/debian.ts';
import { eventually } from '../cluster/eventually.ts';
import { type Guarded, leads, openArena, QUICK_LEASE, QUICK_LEASE_MS, writesSince } from './arena.ts';
import { type FakeClock, fakeClock } from './fake-clock.ts';
import { chaosSeed } from './random.ts';

const RIGHT_WITHIN_MS = 30_000;
const HOUR_MS = 3_600_000;

it.concurrent.for([
  { whose: 'the leader', hours: 2 },
  { whose: 'the leader', hours: -2 },
  { whose: 'the standby', hours: 2 },
  { whose: 'the standby', hours: -2 },
])('a clock of $whose that jumps by $hours hours deposes nobody', async ({ whose, hours }, context) => {
  await using stack = new AsyncDisposableStack();
  const clocks: FakeClock[] = [];
  try {
    for (let made = 0; made < 2; made += 1) clocks.push(stack.use(await fakeClock()));
  } catch (error) {
    if (!(error instanceof PackagesUnavailable)) throw error;
    context.skip(true, `no clock can be faked: ${error.message}`);
  }
  const [leaderClock, standbyClock] = clocks;
  const arena = stack.use(await openArena({ seed: chaosSeed() }));
  await arena.fleet.populate(2);
  const leader = await arena.operator({ args: QUICK_LEASE, env: leaderClock?.env ?? {} });
  await leads(leader);
  const standby = await arena.operator({ args: QUICK_LEASE, env: standbyClock?.env ?? {} });
  await eventually(() => expect(standby.process.said('standing for leader')).toHaveLength(1));
  await arena.fleet.isRight(RIGHT_WITHIN_MS);

  const [clock, jumper] = whose === 'the leader' ? [leaderClock, leader] : [standbyClock, standby];
  clock?.set(hours);
  // longer than a lease, in which a change still arrives
  await arena.fleet.rotate();
  await arena.fleet.isRight(RIGHT_WITHIN_MS);
  await delay(QUICK_LEASE_MS + 2_000);
  expect(standby.process.said('leading')).toEqual([]);
  expect([...writesSince(standby.proxy, 0)]).toEqual([]);
  await arena.fleet.rotate();
  await arena.fleet.isRight(RIGHT_WITHIN_MS);

  const hasJumped = () => expect(Math.round((lastTime(jumper) - Date.now()) / HOUR_MS)).toBe(hours);
  if (jumper === leader) await eventually(hasJumped);
  // what it wrote into the lease by its own clock keeps nobody waiting either
  leader.process.signal('SIGKILL');
  await leads(standby, QUICK_LEASE_MS + 10_000);
  await arena.fleet.rotate();
  await arena.fleet.isRight(RIGHT_WITHIN_MS);
  if (jumper === standby) await eventually(hasJumped);
});

/** Of its log, by its own clock, in Unix milliseconds. */
function lastTime({ process }: Guarded): number {
  const [time] = [...process.output().matchAll(/"time":"([^"]+)"/g)].at(-1)?.slice(1) ?? [];
  return Date.parse(time ?? '');
}
