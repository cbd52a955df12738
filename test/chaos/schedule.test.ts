import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { eventually } from '../cluster/eventually.ts';
import { openArena, QUICK_LEASE } from './arena.ts';
import type { Fault } from './fault.ts';
import type { ActiveRule, FaultProxy, Match } from './proxy.ts';
import { chaosSeed, type Dice, diceFrom } from './random.ts';

const MODELS = 6;
const TURNS = 25;
const TURN_MS = 400;
/** Faults in a row make back-offs long; the longest is 30 s. */
const RIGHT_WITHIN_MS = 60_000;

const FAULTS: readonly Fault[] = [
  { kind: 'reset' },
  { kind: 'lose-response' },
  { kind: 'delay', ms: 500 },
  { kind: 'drip', bytes: 200, everyMs: 10 },
  { kind: 'break-body', after: { bytes: 400 }, how: 'cut' },
  { kind: 'break-body', after: { lines: 2 }, how: 'reset' },
  { kind: 'break-body', after: { lines: 1 }, how: 'end' },
  ...[409, 410, 429, 500, 503].map(
    (status): Fault => ({
      kind: 'respond',
      status,
      body: { kind: 'Status', status: 'Failure', code: status, reason: 'InternalError' },
    }),
  ),
];
const MATCHES: readonly Match[] = [
  {},
  { watch: true },
  { watch: false },
  { method: 'PATCH' },
  { method: 'POST' },
  { method: 'PUT' },
  { path: /\/secrets/ },
  { path: /\/deployments/ },
  { path: /\/leases/ },
];

/** What one turn does to a way to the API server. */
async function trouble({ pick, chance }: Dice, proxy: FaultProxy, rules: ActiveRule[]): Promise<string> {
  if (chance(0.3)) for (const rule of rules.splice(0)) rule.remove();
  if (chance(0.1)) {
    await proxy.refuse();
    await delay(TURN_MS);
    await proxy.accept();
    return 'refused';
  }
  if (chance(0.2)) proxy.breakAll();
  const [match, fault] = [pick(MATCHES), pick(FAULTS)];
  if (!match || !fault) return '';
  rules.push(proxy.add({ match, fault, when: { kind: 'chance', probability: 0.4 } }));
  return JSON.stringify({ ...match, path: match.path?.source, fault });
}

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
    const rules = operators.map((): ActiveRule[] => []);
    const story: string[] = [];
    for (let turn = 0; turn < TURNS; turn += 1) {
      const at = dice.upTo(operators.length);
      const operator = operators[at];
      if (operator) story.push(`${at}: ${await trouble(dice, operator.proxy, rules[at] ?? [])}`);
      if (dice.chance(0.08)) operator?.process.signal(dice.chance(0.5) ? 'SIGSTOP' : 'SIGCONT');
      story.push(await arena.fleet.change());
      await delay(dice.upTo(TURN_MS));
    }
    for (const rule of rules.flat()) rule.remove();
    for (const { process } of operators) process.signal('SIGCONT');
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
