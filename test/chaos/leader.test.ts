import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { CONCURRENCY } from '../../src/controller/controller.ts';
import { eventually } from '../cluster/eventually.ts';
import {
  type Arena,
  fallsSilent,
  type Guarded,
  leads,
  openArena,
  QUICK_LEASE,
  QUICK_LEASE_MS,
  writesSince,
} from './arena.ts';
import { chaosSeed } from './random.ts';

/** For a machine that is busy: all else is by the clock of the operators. */
const RIGHT_WITHIN_MS = 30_000;
const MODELS = 4;
/** A call that hangs ends after 30 s. */
const LISTED_WITHIN_MS = 20_000;

interface Pair {
  readonly arena: Arena;
  readonly leader: Guarded;
  readonly standby: Guarded;
}

/** A leader that has brought everything to where it should be, and a standby with warm caches. */
async function pair(stack: AsyncDisposableStack, args: readonly string[] = QUICK_LEASE): Promise<Pair> {
  const arena = stack.use(await openArena({ seed: chaosSeed() }));
  await arena.fleet.populate(MODELS);
  const leader = await arena.operator({ args });
  await leads(leader);
  const standby = await arena.operator({ args });
  await eventually(() => expect(standby.process.said('standing for leader')).toHaveLength(1));
  await arena.fleet.isRight(RIGHT_WITHIN_MS);
  return { arena, leader, standby };
}

/** What was written in the namespace so far, by everybody: a change of anything changes it. */
async function versions({ api, namespace }: Arena): Promise<readonly string[]> {
  const paths = [
    `/api/v1/namespaces/${namespace}/secrets`,
    `/apis/apps/v1/namespaces/${namespace}/deployments`,
    `/apis/truss-secrets.dev/v1alpha1/namespaces/${namespace}/modeldeployments`,
  ];
  const lists = await Promise.all(
    paths.map((path) => api.get<{ items: { metadata: { uid: string; resourceVersion: string } }[] }>(path)),
  );
  return lists
    .flatMap(({ items }) => items.map(({ metadata }) => `${metadata.uid}@${metadata.resourceVersion}`))
    .sort();
}

const writes = ({ proxy }: Guarded, since = 0): number =>
  [...writesSince(proxy, since).values()].reduce((sum, tries) => sum + tries, 0);

/** The time of the first log line with this message, in Unix milliseconds; a line may be written later than it says. */
const when = async ({ process }: Guarded, message: string): Promise<number> =>
  await eventually(() => {
    const [line] = process.said(message);
    expect(line, `a line of the log: ${message}`).toBeDefined();
    return Date.parse(String(line?.['time']));
  });

// alone, as it is about time
it('of two operators the other one works in under a second after the leader was told to stop, and changes nothing that is right', async () => {
  await using stack = new AsyncDisposableStack();
  const { arena, leader, standby } = await pair(stack, []);
  await fallsSilent(leader.proxy);
  const before = await versions(arena);
  const lists = () => standby.proxy.count({ method: 'GET', watch: false, path: /limit=/ });
  const listed = lists();
  leader.process.signal('SIGTERM');
  await leads(standby);
  expect((await when(standby, 'leading')) - (await when(leader, 'stopping'))).toBeLessThan(1_000);
  expect(await leader.process.exited).toEqual({ code: 0, signal: null });
  await delay(1_000);
  expect(await versions(arena)).toEqual(before);
  // its caches were warm
  expect(lists()).toBe(listed);
  await arena.fleet.rotate();
  await arena.fleet.isRight(RIGHT_WITHIN_MS);
});

describe.concurrent('of two operators', () => {
  it('one works; the other one reads all, writes nothing, and is ready', async () => {
    await using stack = new AsyncDisposableStack();
    const { arena, leader, standby } = await pair(stack);
    for (let made = 0; made < 5; made += 1) await arena.fleet.change();
    await arena.fleet.isRight(RIGHT_WITHIN_MS);
    expect(writes(leader)).toBeGreaterThan(0);
    expect(writes(standby)).toBe(0);
    expect(await standby.process.probe('readyz')).toMatchObject({ ok: true });
    expect((await standby.process.metrics()).get('leader_election_master_status{name="truss-secrets"}')).toBe(
      0,
    );
  });

  it('the other one works within the lease time after the leader was killed amid changes: none is lost', async () => {
    await using stack = new AsyncDisposableStack();
    const { arena, leader, standby } = await pair(stack, []);
    for (let made = 0; made < 3; made += 1) await arena.fleet.change();
    const killed = Date.now();
    leader.process.signal('SIGKILL');
    for (let made = 0; made < 3; made += 1) await arena.fleet.change();
    await leads(standby, 30_000);
    // the default, from the last renewal on, and the time that it takes to take the lease
    expect((await when(standby, 'leading')) - killed).toBeLessThan(15_000 + 1_000);
    await arena.fleet.isRight(RIGHT_WITHIN_MS);
  });

  it('the other one takes over from one that was paused; when that goes on, it writes nothing any more', async () => {
    await using stack = new AsyncDisposableStack();
    const { arena, leader, standby } = await pair(stack);
    // something is in hand when it is paused
    leader.proxy.add({ match: { path: /-truss-secrets$/ }, fault: { kind: 'delay', ms: 400 } });
    for (let made = 0; made < 4; made += 1) await arena.fleet.change();
    await arena.fleet.rotate();
    leader.process.signal('SIGSTOP');
    await leads(standby, QUICK_LEASE_MS + 10_000);
    for (let made = 0; made < 4; made += 1) await arena.fleet.change();
    await arena.fleet.isRight(RIGHT_WITHIN_MS);
    const resumed = performance.now();
    leader.process.signal('SIGCONT');
    await eventually(() => expect(leader.process.said(DEPOSED)).not.toEqual([]));
    await arena.fleet.isRight(RIGHT_WITHIN_MS);
    await arena.fleet.rotate();
    await arena.fleet.isRight(RIGHT_WITHIN_MS);
    expect(writes(leader, resumed)).toBe(0);
  });

  it('the leader that is cut off stops to work before the other one begins, and comes back as a standby', async () => {
    await using stack = new AsyncDisposableStack();
    const { arena, leader, standby } = await pair(stack);
    await leader.proxy.refuse();
    await leads(standby, QUICK_LEASE_MS + 10_000);
    expect(await when(leader, DEPOSED)).toBeLessThan(await when(standby, 'leading'));
    for (let made = 0; made < 4; made += 1) await arena.fleet.change();
    await arena.fleet.isRight(RIGHT_WITHIN_MS);
    const back = performance.now();
    await leader.proxy.accept();
    await eventually(async () => expect(await leader.process.probe('readyz')).toMatchObject({ ok: true }), {
      within: 15_000,
    });
    await arena.fleet.rotate();
    await arena.fleet.isRight(RIGHT_WITHIN_MS);
    expect(writes(leader, back)).toBe(0);
    // its caches are warm; its watch of the lease may rest for a while yet, but then the lease runs out
    standby.process.signal('SIGTERM');
    await leads(leader, QUICK_LEASE_MS + 5_000);
    await arena.fleet.rotate();
    await arena.fleet.isRight(RIGHT_WITHIN_MS);
  });

  it('the leader stays that, however many of its writes hang', async () => {
    await using stack = new AsyncDisposableStack();
    const { arena, leader, standby } = await pair(stack);
    const hung = leader.proxy.add({
      match: { path: /^(?!.*\/leases)/, write: true },
      fault: { kind: 'hang' },
    });
    await arena.fleet.populate(CONCURRENCY + MODELS);
    await eventually(() => expect(hung.applied).toBeGreaterThanOrEqual(CONCURRENCY), {
      within: RIGHT_WITHIN_MS,
    });
    await delay(2 * QUICK_LEASE_MS);
    expect(leader.process.said(DEPOSED)).toEqual([]);
    expect(writes(standby)).toBe(0);
    hung.remove();
    leader.proxy.breakAll();
    await arena.fleet.isRight(RIGHT_WITHIN_MS);
  });

  it('lists are read, however many writes hang', async () => {
    await using stack = new AsyncDisposableStack();
    const { arena, leader } = await pair(stack);
    const hung = leader.proxy.add({
      match: { path: /^(?!.*\/leases)/, write: true },
      fault: { kind: 'hang' },
    });
    await arena.fleet.populate(2 * CONCURRENCY);
    const unwatched = leader.proxy.add({ match: { watch: true }, fault: { kind: 'respond', status: 503 } });
    await eventually(() => expect(hung.applied).toBeGreaterThanOrEqual(CONCURRENCY), {
      within: RIGHT_WITHIN_MS,
    });
    leader.proxy.breakAll();
    await eventually(() => expect(hung.applied).toBeGreaterThanOrEqual(2 * CONCURRENCY), {
      within: RIGHT_WITHIN_MS,
    });
    const list = { method: 'GET', watch: false, path: /\/modeldeployments\?/ };
    const before = leader.proxy.count(list);
    unwatched.remove();
    leader.proxy.add({ match: { watch: true }, fault: { kind: 'respond', status: 410 } });
    // before any of these writes can be given up
    await eventually(() => expect(leader.proxy.count(list)).toBeGreaterThan(before), {
      within: LISTED_WITHIN_MS,
    });
  });

  it('a late write of one that leads no more changes nothing for long', async () => {
    await using stack = new AsyncDisposableStack();
    const { arena, leader, standby } = await pair(stack);
    // what it sends now reaches the API server only when the other one has taken over and is done
    const late = ['POST', 'PUT', 'PATCH', 'DELETE'].map((method) =>
      leader.proxy.add({
        match: { path: /^(?!.*\/leases)/, method },
        fault: { kind: 'delay', ms: QUICK_LEASE_MS + 3_000 },
      }),
    );
    for (let made = 0; made < 3; made += 1) await arena.fleet.change();
    await arena.fleet.rotate();
    await eventually(() => expect(late.reduce((sum, { applied }) => sum + applied, 0)).toBeGreaterThan(0));
    leader.proxy.add({ match: { path: /\/leases/ }, fault: { kind: 'reset' } });
    await leads(standby, QUICK_LEASE_MS + 10_000);
    for (let made = 0; made < 3; made += 1) await arena.fleet.change();
    await delay(QUICK_LEASE_MS + 1_000);
    await arena.fleet.isRight(RIGHT_WITHIN_MS);
  });

  it('leaders come and go, killed, paused and stopped at random, and every change arrives', async () => {
    await using stack = new AsyncDisposableStack();
    const arena = stack.use(await openArena({ seed: chaosSeed() }));
    await arena.fleet.populate(MODELS);
    for (const signal of ['SIGKILL', 'SIGTERM', 'SIGSTOP', 'SIGTERM'] as const) {
      const [one, other] = await Promise.all([
        arena.operator({ args: QUICK_LEASE }),
        arena.operator({ args: QUICK_LEASE }),
      ]);
      await eventually(
        () => expect([one, other].flatMap(({ process }) => process.said('leading'))).not.toEqual([]),
        {
          within: QUICK_LEASE_MS + 10_000,
        },
      );
      for (let made = 0; made < 3; made += 1) await arena.fleet.change();
      const [first, second] = one.process.said('leading').length > 0 ? [one, other] : [other, one];
      first.process.signal(signal);
      for (let made = 0; made < 3; made += 1) await arena.fleet.change();
      await arena.fleet.isRight(QUICK_LEASE_MS + RIGHT_WITHIN_MS);
      first.process.signal('SIGCONT');
      for (const { process } of [first, second]) process.signal('SIGTERM');
      await Promise.all([first.process.exited, second.process.exited]);
    }
  });
});

const DEPOSED = 'leading no more: caches stay warm, work is left to the leader';
