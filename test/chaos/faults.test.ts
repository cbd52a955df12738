import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { eventually } from '../cluster/eventually.ts';
import { declaring, worldIn } from '../cluster/world.ts';
import { fallsSilent, leads, openArena, writesSince } from './arena.ts';
import type { Fault } from './fault.ts';
import { total } from './operator-process.ts';
import type { FaultProxy, Match, When } from './proxy.ts';
import { chaosSeed } from './random.ts';

const MODELS = 5;
const CHANGES = 4;
const TROUBLE_MS = 1_500;
/** What is wanted is there so long after the faults, whatever they were: short ones, so that no back-off is long. */
const RIGHT_WITHIN_MS = 30_000;
/** Tries to write one object while writes fail for two seconds: 50 ms, doubled each time, and what news adds. */
const MOST_TRIES = 16;
/** Each of the changes and of their retries may have an event, each model a Secret to create: all by the same path. */
const MOST_POSTS = 60;
/** A watch that is out of reach counts after 15 s, and a call that hangs ends after 30 s. */
const TOLD_WITHIN_MS = 60_000;
/** Idle connections that may be left: so few models never need all that the client may have. */
const POOL = 32;

const status = (code: number, reason: string, more: object = {}): object => ({
  kind: 'Status',
  apiVersion: 'v1',
  status: 'Failure',
  code,
  reason,
  message: `chaos: ${reason}`,
  ...more,
});
const answered = (code: number, reason: string, headers: Readonly<Record<string, string>> = {}): Fault => ({
  kind: 'respond',
  status: code,
  headers,
  body: status(code, reason),
});
const inWatch = (line: string): Fault => ({
  kind: 'respond',
  status: 200,
  headers: { 'content-type': 'application/json' },
  body: `${line}\n`,
});

const WRITE: readonly Match[] = ['POST', 'PUT', 'PATCH', 'DELETE'].map((method) => ({ method }));
const ALL: readonly Match[] = [{}];
const LIST: Match = { method: 'GET', watch: false, path: /\?limit=/ };
const WATCH: Match = { watch: true };

interface Trouble {
  readonly matches: readonly Match[];
  readonly fault: Fault;
  readonly when?: When;
}

const troubles: readonly (readonly [string, Trouble])[] = [
  [
    'every second request is reset',
    { matches: ALL, fault: { kind: 'reset' }, when: { kind: 'chance', probability: 0.5 } },
  ],
  [
    'watches are reset in the middle of a line',
    { matches: [WATCH], fault: { kind: 'break-body', after: { bytes: 700 }, how: 'reset' } },
  ],
  [
    'watches are closed in the middle of a line',
    { matches: [WATCH], fault: { kind: 'break-body', after: { bytes: 333 }, how: 'cut' } },
  ],
  [
    'watches end at once, in good order',
    { matches: [WATCH], fault: { kind: 'break-body', after: { bytes: 0 }, how: 'end' } },
  ],
  ['everything takes its time', { matches: ALL, fault: { kind: 'delay', ms: 300 } }],
  ['every body comes drop by drop', { matches: ALL, fault: { kind: 'drip', bytes: 400, everyMs: 5 } }],
  ['429 with Retry-After', { matches: ALL, fault: answered(429, 'TooManyRequests', { 'retry-after': '1' }) }],
  ['429 without', { matches: ALL, fault: answered(429, 'TooManyRequests') }],
  ['500', { matches: ALL, fault: answered(500, 'InternalError') }],
  [
    '502 from something on the way, with a page of HTML',
    { matches: ALL, fault: { kind: 'respond', status: 502, body: '<html>bad gateway</html>' } },
  ],
  [
    '503 with Retry-After',
    { matches: ALL, fault: answered(503, 'ServiceUnavailable', { 'retry-after': '1' }) },
  ],
  ['504', { matches: ALL, fault: answered(504, 'Timeout') }],
  [
    'half of the writes are answered with 500',
    { matches: WRITE, fault: answered(500, 'InternalError'), when: { kind: 'chance', probability: 0.5 } },
  ],
  ['410 on every watch', { matches: [WATCH], fault: answered(410, 'Expired') }],
  [
    '410 within every watch',
    { matches: [WATCH], fault: inWatch(JSON.stringify({ type: 'ERROR', object: status(410, 'Expired') })) },
  ],
  ['410 on lists and watches', { matches: [LIST, WATCH], fault: answered(410, 'Expired') }],
  [
    'an error within every watch',
    {
      matches: [WATCH],
      fault: inWatch(JSON.stringify({ type: 'ERROR', object: status(500, 'InternalError') })),
    },
  ],
  [
    'watches that say what is no JSON',
    { matches: [WATCH], fault: inWatch('{"type": "MODIFIED", "object": {') },
  ],
  [
    'answers that are no Kubernetes',
    { matches: ALL, fault: { kind: 'respond', status: 200, body: '<html>log in</html>' } },
  ],
  [
    'answers that end early',
    { matches: ALL, fault: { kind: 'break-body', after: { bytes: 150 }, how: 'end' } },
  ],
  ['409 on every write', { matches: WRITE, fault: answered(409, 'Conflict') }],
  [
    'answers to writes are lost, after the writes were done',
    { matches: WRITE, fault: { kind: 'lose-response' } },
  ],
  [
    'half of the answers to writes are lost',
    { matches: WRITE, fault: { kind: 'lose-response' }, when: { kind: 'chance', probability: 0.5 } },
  ],
];

/** Begins the trouble; what it gives ends it, once the trouble was met. */
type Begin = (proxy: FaultProxy) => () => Promise<void>;

/** Changes while it lasts; afterwards all is right in time, nothing was overdone, and nothing is left behind. */
async function survives(begin: Begin): Promise<void> {
  const seed = chaosSeed();
  await using arena = await openArena({ seed });
  const { process, proxy } = await arena.operator();
  await arena.fleet.populate(MODELS);
  await leads({ process }, RIGHT_WITHIN_MS);
  await arena.fleet.isRight(RIGHT_WITHIN_MS);
  const watches = proxy.openWatches;
  const files = total(await process.metrics(), 'process_open_fds');

  const start = performance.now();
  const end = begin(proxy);
  const changes: string[] = [];
  for (let made = 0; made < CHANGES; made += 1) changes.push(await arena.fleet.change());
  await arena.fleet.rotate();
  await delay(TROUBLE_MS);
  expect(await process.probe('livez')).toMatchObject({ ok: true });
  await end();
  try {
    await arena.fleet.isRight(RIGHT_WITHIN_MS);
  } catch (error) {
    throw new Error(`seed ${seed}, after ${changes.join('; ')}`, { cause: error });
  }
  for (const [what, tries] of writesSince(proxy, start)) {
    expect(tries, what).toBeLessThanOrEqual(
      /^POST .*\/(events|secrets)$/.test(what) ? MOST_POSTS : MOST_TRIES,
    );
  }
  await eventually(() => expect(proxy.openWatches).toBe(watches), { within: RIGHT_WITHIN_MS });
  await eventually(async () => expect(await process.probe('readyz')).toMatchObject({ ok: true }), {
    within: RIGHT_WITHIN_MS,
  });
  await fallsSilent(proxy);
  expect(total(await process.metrics(), 'process_open_fds')).toBeLessThanOrEqual(files + POOL);
  process.signal('SIGTERM');
  expect(await process.exited).toEqual({ code: 0, signal: null });
  expect(process.output()).not.toContain('crashed');
}

describe.concurrent('an operator behind a network that fails', () => {
  it.each(troubles)('%s', async (_, { matches, fault, when }) => {
    await survives((proxy) => {
      const rules = matches.map((match) => proxy.add({ match, fault, ...(when ? { when } : {}) }));
      // what is under way is to meet the fault too
      proxy.breakAll();
      return async () => {
        await eventually(() =>
          expect(rules.reduce((sum, { applied }) => sum + applied, 0)).toBeGreaterThan(0),
        );
        for (const rule of rules) rule.remove();
      };
    });
  });

  it('connections are refused', async () => {
    await survives((proxy) => {
      const refused = proxy.refuse();
      return async () => {
        await refused;
        await proxy.accept();
      };
    });
  });

  it('all connections are reset, again and again', async () => {
    await survives((proxy) => {
      const timer = setInterval(() => proxy.breakAll(), 100);
      return async () => clearInterval(timer);
    });
  });
});

describe.concurrent('a conflict that is over soon', () => {
  it('keeps no workload from being freed of a model that is gone', async () => {
    await using arena = await openArena({ seed: chaosSeed() });
    const { process, proxy } = await arena.operator();
    const world = worldIn(arena.namespace, arena.api);
    await world.storeSecret('source', { hf_token: 'value' });
    await world.deployment('gone');
    await world.model('gone', { config: declaring('hf_token') });
    await leads({ process }, RIGHT_WITHIN_MS);
    await world.ready('gone');
    const conflict = proxy.add({
      match: { method: 'PATCH', path: /\/deployments\/gone/ },
      fault: answered(409, 'Conflict'),
      when: { kind: 'first', count: 2 },
    });
    await arena.api.delete(world.path('modeldeployments', 'gone'));
    await eventually(async () => expect((await world.podSpec('gone')).volumes).toBeUndefined(), {
      within: RIGHT_WITHIN_MS,
    });
    expect(conflict.applied).toBe(2);
  });
});

describe.concurrent('health tells the truth while', () => {
  it.each([
    ['500', [answered(500, 'InternalError'), ALL]],
    ['429', [answered(429, 'TooManyRequests'), ALL]],
    ['503 without Retry-After', [answered(503, 'ServiceUnavailable'), ALL]],
    ['410', [answered(410, 'Expired'), [LIST, WATCH]]],
    ['nothing', [{ kind: 'hang' }, ALL]],
  ] as const satisfies readonly (readonly [string, readonly [Fault, readonly Match[]]])[])(
    'the API server answers %s: alive, not ready, and why',
    async (_, [fault, matches]) => {
      await using arena = await openArena({ seed: chaosSeed() });
      const { process, proxy } = await arena.operator();
      await arena.fleet.populate(2);
      await arena.fleet.isRight(RIGHT_WITHIN_MS);
      await eventually(async () => expect(await process.probe('readyz')).toMatchObject({ ok: true }));
      const rules = matches.map((match) => proxy.add({ match, fault }));
      proxy.breakAll();
      await eventually(async () => expect(await process.probe('readyz')).toMatchObject({ ok: false }), {
        within: TOLD_WITHIN_MS,
      });
      expect((await process.probe('readyz')).text).toMatch(/^\[-\] \S+ in \S+: stale for \d+ s: \S/m);
      expect(await process.probe('livez')).toMatchObject({ ok: true });
      for (const rule of rules) rule.remove();
      // calls that hang end by their own deadline
      await eventually(async () => expect(await process.probe('readyz')).toMatchObject({ ok: true }), {
        within: 2 * RIGHT_WITHIN_MS,
      });
      await arena.fleet.rotate();
      await arena.fleet.isRight(RIGHT_WITHIN_MS);
    },
  );
});
