import { describe, expect, it } from 'vitest';
import { eventually } from '../cluster/eventually.ts';
import { type Guarded, leads, openArena, QUICK_LEASE } from './arena.ts';
import { chaosSeed } from './random.ts';

const STOPPED_WITHIN_MS = 5_000;
const RIGHT_WITHIN_MS = 30_000;

/** Sends the signal; milliseconds until the process has ended, and how. */
async function stop({ process }: Guarded, signal: NodeJS.Signals = 'SIGTERM') {
  const start = performance.now();
  process.signal(signal);
  const ended = await process.exited;
  return { ...ended, ms: performance.now() - start };
}

interface Lease {
  readonly spec: { readonly holderIdentity?: string };
}

describe.concurrent('told to stop', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('by %s it gives its lease back and ends with 0', async (signal) => {
    await using arena = await openArena({ seed: chaosSeed() });
    const operator = await arena.operator();
    await leads(operator);
    const { ms, ...ended } = await stop(operator, signal);
    expect(ended).toEqual({ code: 0, signal: null });
    expect(ms).toBeLessThan(STOPPED_WITHIN_MS);
    const lease = `/apis/coordination.k8s.io/v1/namespaces/${arena.namespace}/leases/truss-secrets`;
    expect((await arena.api.get<Lease>(lease)).spec.holderIdentity).toBeUndefined();
  });

  it('it finishes the write in hand', async () => {
    await using arena = await openArena({ seed: chaosSeed() });
    await arena.fleet.populate(4);
    const operator = await arena.operator();
    await leads(operator);
    await arena.fleet.isRight(RIGHT_WITHIN_MS);
    const slow = operator.proxy.add({
      match: { path: /-truss-secrets$/ },
      fault: { kind: 'delay', ms: 1_000 },
    });
    await arena.fleet.rotate();
    await eventually(() => expect(slow.applied).toBeGreaterThan(0));
    const { ms, ...ended } = await stop(operator);
    expect(ended).toEqual({ code: 0, signal: null });
    expect(ms).toBeLessThan(STOPPED_WITHIN_MS);
    // nobody else works here: what is right now, it has done
    await arena.fleet.isRight(1);
  });

  it('it waits no longer for an API server that does not answer', async () => {
    await using arena = await openArena({ seed: chaosSeed() });
    await arena.fleet.populate(4);
    const operator = await arena.operator();
    await leads(operator);
    await arena.fleet.isRight(RIGHT_WITHIN_MS);
    const hung = operator.proxy.add({ match: { watch: false }, fault: { kind: 'hang' } });
    await arena.fleet.rotate();
    await eventually(() => expect(hung.applied).toBeGreaterThan(1));
    const { ms, ...ended } = await stop(operator);
    expect(ended).toEqual({ code: 0, signal: null });
    expect(ms).toBeLessThan(STOPPED_WITHIN_MS);
    // the next one does what was left
    await arena.operator({ args: QUICK_LEASE });
    await arena.fleet.isRight(20_000 + RIGHT_WITHIN_MS);
  });

  it('twice, it ends at once', async () => {
    await using arena = await openArena({ seed: chaosSeed() });
    const operator = await arena.operator();
    await leads(operator);
    operator.proxy.add({ match: {}, fault: { kind: 'hang' } });
    operator.process.signal('SIGTERM');
    await eventually(() => expect(operator.process.said('stopping')).toHaveLength(1));
    const { ms, ...ended } = await stop(operator);
    // of its own accord: to the first process of a container the kernel would not do it
    expect(ended).toEqual({ code: 143, signal: null });
    expect(ms).toBeLessThan(500);
  });

  it('before it could do anything, it ends as well', async () => {
    await using arena = await openArena({ seed: chaosSeed() });
    const operator = await arena.operator();
    expect(await stop(operator)).toMatchObject({ code: 0, signal: null });
  });
});
