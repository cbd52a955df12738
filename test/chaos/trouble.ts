import { setTimeout as delay } from 'node:timers/promises';
import type { Fault } from './fault.ts';
import type { ActiveRule, FaultProxy, Match } from './proxy.ts';
import type { Dice } from './random.ts';

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
const REFUSED_MS = 400;

const rules = new WeakMap<FaultProxy, ActiveRule[]>();

/** Ends everything that {@link trouble} began. */
export function calm(proxy: FaultProxy): void {
  for (const rule of rules.get(proxy)?.splice(0) ?? []) rule.remove();
}

/** Some trouble on the way to the API server; gives what it is, for the log of a failure. */
export async function trouble({ pick, chance }: Dice, proxy: FaultProxy): Promise<string> {
  if (chance(0.3)) calm(proxy);
  if (chance(0.1)) {
    await proxy.refuse();
    await delay(REFUSED_MS);
    await proxy.accept();
    return 'refused';
  }
  if (chance(0.2)) proxy.breakAll();
  const [match, fault] = [pick(MATCHES), pick(FAULTS)];
  if (!match || !fault) return '';
  const rule = proxy.add({ match, fault, when: { kind: 'chance', probability: 0.4 } });
  rules.set(proxy, [...(rules.get(proxy) ?? []), rule]);
  return JSON.stringify({ ...match, path: match.path?.source, fault });
}
