import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { apiOf } from '../cluster/api.ts';
import { cluster, ownControlPlane, skipUnless } from '../cluster/cluster.ts';
import type { ControlPlane } from '../cluster/control-plane.ts';
import { installCrds } from '../cluster/crds.ts';
import { eventually } from '../cluster/eventually.ts';
import { type Arena, type Guarded, leads, openArena, writesSince } from './arena.ts';
import { total } from './operator-process.ts';
import { chaosSeed } from './random.ts';

const MODELS = 5;
const RIGHT_WITHIN_MS = 20_000;
/** The longest back-off of a watch, and time to use it. */
const AFTER_LONG_TROUBLE_MS = 45_000;

/** An API server of our own, to kill, to stop and to make forget. The tests follow one another: it is one for all. */
describe('an operator whose API server', () => {
  let plane: ControlPlane | undefined;
  beforeAll(async () => {
    if (!cluster().features.ownControlPlane) return;
    plane = await ownControlPlane({ controllerManagerArgs: ['--controllers=namespace,serviceaccount'] });
    await installCrds(apiOf(plane.access), 'chaos');
  });
  beforeEach((context) => skipUnless(context, 'ownControlPlane'));
  afterAll(async () => await plane?.stop());

  const own = (): ControlPlane => {
    if (!plane) throw new Error('not started');
    return plane;
  };

  async function working(stack: AsyncDisposableStack): Promise<{ arena: Arena; operator: Guarded }> {
    const arena = stack.use(await openArena({ seed: chaosSeed(), own: own() }));
    await arena.fleet.populate(MODELS);
    const operator = await arena.operator();
    await leads(operator);
    await arena.fleet.isRight(RIGHT_WITHIN_MS);
    return { arena, operator };
  }

  async function changes({ fleet }: Arena, count = 5): Promise<void> {
    for (let made = 0; made < count; made += 1) await fleet.change();
    await fleet.rotate();
  }

  it('is killed and started again goes on where it was', async () => {
    await using stack = new AsyncDisposableStack();
    const { arena, operator } = await working(stack);
    await changes(arena);
    await own().signal('kube-apiserver', 'SIGKILL');
    await own().start('kube-apiserver');
    await changes(arena);
    await arena.fleet.isRight(RIGHT_WITHIN_MS);
    expect(operator.process.running()).toBe(true);
  });

  it('is away for two minutes says so, waits, and is right soon after', { timeout: 300_000 }, async () => {
    await using stack = new AsyncDisposableStack();
    const { arena, operator } = await working(stack);
    const { process, proxy } = operator;
    const before = await process.metrics();
    await own().signal('kube-apiserver', 'SIGKILL');
    // each watch has a clock of its own: they are stale within milliseconds of each other, and not at once
    await eventually(
      async () => {
        const { ok, text } = await process.probe('readyz');
        expect(ok).toBe(false);
        expect(text).toMatch(/^\[-\] secrets in \S+: stale for \d+ s: /m);
      },
      { within: 20_000 },
    );
    expect(await process.probe('livez')).toMatchObject({ ok: true });
    await eventually(async () =>
      expect(total(await process.metrics(), 'leader_election_master_status')).toBe(0),
    );
    const away = await process.metrics();
    expect(total(away, 'truss_secrets_watch_stale_seconds', /"deployments"/)).toBeGreaterThan(10);
    const quiet = performance.now();
    await delay(100_000);
    expect([...writesSince(proxy, quiet)]).toEqual([]);
    // a few tries a second, for the lease and all watches together, and ever fewer: no hot loop
    expect(proxy.seen.filter(({ at }) => at >= quiet).length).toBeLessThan(300);

    await own().start('kube-apiserver');
    await changes(arena);
    await arena.fleet.isRight(AFTER_LONG_TROUBLE_MS);
    await eventually(async () => expect(await process.probe('readyz')).toMatchObject({ ok: true }), {
      within: 20_000,
    });
    const after = await process.metrics();
    expect(total(after, 'leader_election_master_status')).toBe(1);
    expect(total(after, 'nodejs_heap_size_used_bytes')).toBeLessThan(
      total(before, 'nodejs_heap_size_used_bytes') * 2,
    );
    expect(process.output()).not.toContain('crashed');
  });

  it('does not answer for longer than a lease stops to work meanwhile', async () => {
    await using stack = new AsyncDisposableStack();
    const { arena, operator } = await working(stack);
    await own().signal('kube-apiserver', 'SIGSTOP');
    const leadsNo = async () =>
      expect(total(await operator.process.metrics(), 'leader_election_master_status')).toBe(0);
    await eventually(leadsNo, { within: 15_000 });
    await own().signal('kube-apiserver', 'SIGCONT');
    await changes(arena);
    await leads(operator, AFTER_LONG_TROUBLE_MS);
    await arena.fleet.isRight(AFTER_LONG_TROUBLE_MS);
  });

  it('has forgotten what was meanwhile (compaction) reads everything anew', async () => {
    await using stack = new AsyncDisposableStack();
    const { arena, operator } = await working(stack);
    await operator.proxy.refuse();
    await changes(arena);
    await own().compact();
    // a new one has no cache of events either
    await own().signal('kube-apiserver', 'SIGKILL');
    await own().start('kube-apiserver');
    await changes(arena);
    const lists = operator.proxy.count({ method: 'GET', watch: false, path: /limit=/ });
    await operator.proxy.accept();
    await arena.fleet.isRight(AFTER_LONG_TROUBLE_MS);
    expect(operator.proxy.count({ method: 'GET', watch: false, path: /limit=/ })).toBeGreaterThan(lists);
  });

  it('does not answer the very first call ends within five seconds when it is told to', async () => {
    await using stack = new AsyncDisposableStack();
    const arena = stack.use(await openArena({ seed: chaosSeed(), own: own() }));
    await own().signal('kube-apiserver', 'SIGSTOP');
    const { process, proxy } = await arena.operator();
    await eventually(() => expect(proxy.seen.length).toBeGreaterThan(0));
    const told = performance.now();
    process.signal('SIGTERM');
    expect(await process.exited).toEqual({ code: 0, signal: null });
    expect(performance.now() - told).toBeLessThan(5_000);
    await own().signal('kube-apiserver', 'SIGCONT');
  });

  it('is not there yet when it starts waits for it, and can be told to stop meanwhile', async () => {
    await using stack = new AsyncDisposableStack();
    const arena = stack.use(await openArena({ seed: chaosSeed(), own: own() }));
    await arena.fleet.populate(MODELS);
    await own().signal('kube-apiserver', 'SIGKILL');
    const [operator, given_up] = await Promise.all([arena.operator(), arena.operator()]);
    await eventually(() =>
      expect(operator.process.said('the API server does not answer yet, it is asked again')).not.toEqual([]),
    );
    expect(await operator.process.probe('readyz')).toMatchObject({ ok: false });
    expect(await operator.process.probe('livez')).toMatchObject({ ok: true });
    given_up.process.signal('SIGTERM');
    expect(await given_up.process.exited).toEqual({ code: 0, signal: null });
    await own().start('kube-apiserver');
    await arena.fleet.isRight(AFTER_LONG_TROUBLE_MS);
  });

  it('sends ten thousand events at once keeps up, and writes only what is new', async () => {
    await using stack = new AsyncDisposableStack();
    const { arena, operator } = await working(stack);
    const { process, proxy } = operator;
    const start = performance.now();
    await storm(arena, 10_000);
    await arena.fleet.rotate();
    await arena.fleet.isRight(RIGHT_WITHIN_MS);
    const writes = [...writesSince(proxy, start).values()].reduce((sum, tries) => sum + tries, 0);
    expect(writes).toBeLessThan(20);
    expect(await process.probe('readyz')).toMatchObject({ ok: true });
    // asked twice a second, it shows up to half a second less than a turn took: none took 1.1 s
    expect(total(await process.metrics(), 'nodejs_eventloop_lag_max_seconds')).toBeLessThan(0.6);
  });
});

/** Changes of Secrets with a store label that no model uses: as many events for the operator. */
async function storm({ api, namespace }: Arena, events: number): Promise<void> {
  const secrets = `/api/v1/namespaces/${namespace}/secrets`;
  const names = Array.from({ length: 50 }, (_, index) => `storm-${index}`);
  const labels = { 'truss-secrets.dev/store': 'default' };
  for (const name of names) await api.post(secrets, { metadata: { name, labels }, data: { [name]: 'AA==' } });
  const each = Math.ceil(events / names.length) - 1;
  await Promise.all(
    names.map(async (name) => {
      for (let turn = 0; turn < each; turn += 1) {
        await api.patch(`${secrets}/${name}`, { metadata: { annotations: { turn: String(turn) } } });
      }
    }),
  );
}
