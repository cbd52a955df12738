import { readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parse } from 'yaml';
import { expect } from 'vitest';
import { type Access, type Api, apiOf } from '../cluster/api.ts';
import { cluster, namespace } from '../cluster/cluster.ts';
import { kubeconfigWith } from '../cluster/credentials.ts';
import { temporaryFolder } from '../cluster/guard.ts';
import { eventually } from '../cluster/eventually.ts';
import { identityWith, type PolicyRule } from '../cluster/identity.ts';
import { operatorRules } from '../cluster/operator.ts';
import { Fleet } from './fleet.ts';
import {
  type OperatorProcess,
  type OperatorProcessOptions,
  startOperatorProcess,
} from './operator-process.ts';
import { type FaultProxy, type Seen, startProxy } from './proxy.ts';
import { diceFrom } from './random.ts';

const LEASE_ROLE = new URL('../../deploy/base/leader-election.yaml', import.meta.url);

/** A third of the default: long enough for a machine that is busy with many operators. */
export const QUICK_LEASE_MS = 5_000;
export const QUICK_LEASE = [
  '--leader-elect-lease-duration=5s',
  '--leader-elect-renew-deadline=3s',
  '--leader-elect-retry-period=600ms',
] as const;

/** How long nothing is written when everything is right; and how soon that is so. */
const QUIET_MS = 700;
const SILENT_WITHIN_MS = 10_000;

/** A namespace, the way to its API server, and operators for it, each behind a fault proxy of its own. */
export interface Arena extends AsyncDisposable {
  readonly namespace: string;
  /** As cluster-admin, past the proxies. */
  readonly api: Api;
  readonly fleet: Fleet;
  readonly operator: (options?: Partial<Omit<OperatorProcessOptions, 'kubeconfig'>>) => Promise<Guarded>;
}

/** An operator with its proxy. */
export interface Guarded {
  readonly process: OperatorProcess;
  readonly proxy: FaultProxy;
  /** From now on it presents this token, once it is refused with the one it has. */
  readonly renewToken: (token: string) => void;
}

export interface ArenaOptions {
  readonly seed: number;
  /** A control plane to break; without one that of the run, with exactly the operator's rights. */
  readonly own?: { readonly access: Access };
}

export async function openArena({ seed, own }: ArenaOptions): Promise<Arena> {
  const stack = new AsyncDisposableStack();
  const [api, place] = own ? [apiOf(own.access), `arena-${seed}`] : [cluster().api, await namespace()];
  if (own) await api.post('/api/v1/namespaces', { metadata: { name: place } });
  const { server, ca, token = '' } = own?.access ?? (await operatorAccess(place));
  const folder = stack.use(await temporaryFolder(join(tmpdir(), 'truss-secrets-arena-')));
  let started = 0;
  return {
    namespace: place,
    api,
    fleet: new Fleet(place, api, diceFrom(seed)),
    operator: async ({ args = [], ...rest } = {}) => {
      started += 1;
      const proxy = stack.use(await startProxy({ server, ca, seed }));
      const kubeconfig = join(folder.path, `kubeconfig-${started}`);
      const renewToken = (fresh: string): void =>
        writeFileSync(kubeconfig, kubeconfigWith({ server: proxy.url }, fresh), { mode: 0o600 });
      renewToken(token);
      const lease = ['--leader-elect', `--leader-elect-resource-namespace=${place}`];
      const process = stack.use(
        await startOperatorProcess({
          kubeconfig,
          args: [`--namespaces=${place}`, ...lease, ...args],
          ...rest,
        }),
      );
      return { process, proxy, renewToken };
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** Somebody with the rights that the manifests give to the operator, in one namespace. */
async function operatorAccess(place: string): Promise<Access> {
  const [role] = readFileSync(LEASE_ROLE, 'utf8').split('---\n');
  const { rules }: { rules: readonly PolicyRule[] } = parse(role ?? '');
  const { access } = await identityWith({ rules: { [place]: [...operatorRules(), ...rules] } });
  return access;
}

export const leads = async ({ process }: Pick<Guarded, 'process'>, within = 10_000): Promise<void> =>
  await eventually(
    async () =>
      expect((await process.metrics()).get('leader_election_master_status{name="truss-secrets"}')).toBe(1),
    { within },
  );

const isWrite = ({ method, path }: Seen): boolean => method !== 'GET' && !/\/leases(\/|\?|$)/.test(path);

/** Waits for a while in which nothing is written: all that was to do is done. */
export async function fallsSilent(proxy: FaultProxy): Promise<void> {
  await eventually(
    async () => {
      const start = performance.now();
      await delay(QUIET_MS);
      expect([...writesSince(proxy, start)]).toEqual([]);
    },
    { within: SILENT_WITHIN_MS },
  );
}

/** Tries to write since a moment of `performance.now()`, by `METHOD path`; the lease is not counted. */
export function writesSince(proxy: FaultProxy, since: number): ReadonlyMap<string, number> {
  const tries = proxy.seen.filter((one) => one.at >= since && isWrite(one));
  const groups = Map.groupBy(tries, ({ method, path }) => `${method} ${path.replace(/\?.*/, '')}`);
  return new Map([...groups].map(([name, some]) => [name, some.length]));
}
