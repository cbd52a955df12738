import { onTestFinished, beforeAll, describe, expect, test } from 'vitest';
import { type Election, startElection } from '../../../src/kube/election.ts';
import { connect } from '../../../src/kube/connection.ts';
import type { Client } from '../../../src/kube/client.ts';
import { createClient } from '../../../src/kube/http-client.ts';
import { type FaultProxy, startProxy } from '../../chaos/proxy.ts';
import { cluster, namespace } from '../cluster.ts';
import { eventually } from '../eventually.ts';
import { type Identity, identityWith } from '../identity.ts';

const TIMINGS = { leaseMs: 3_000, renewDeadlineMs: 1_500, retryMs: 300 };
const LEASE = 'election';

let place: string;
let identity: Identity;
beforeAll(async () => {
  place = await namespace();
  identity = await identityWith({
    rules: {
      [place]: [
        { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['create'] },
        {
          apiGroups: ['coordination.k8s.io'],
          resources: ['leases'],
          resourceNames: [LEASE],
          verbs: ['get', 'list', 'watch', 'patch'],
        },
      ],
    },
  });
});

interface Candidate {
  readonly election: Election;
  /** Every change, with `performance.now()`. */
  readonly changes: { readonly leading: boolean; readonly at: number }[];
  readonly problems: unknown[];
}

/** Somebody who stands for the lease of the test, with exactly the rights of the operator's Role. */
async function candidate(name: string, client?: Client): Promise<Candidate> {
  const own = client ?? createClient(await connect({ kind: 'kubeconfig', path: identity.kubeconfig }));
  const changes: Candidate['changes'] = [];
  const problems: unknown[] = [];
  const election = startElection({
    client: own,
    lease: { namespace: place, name: LEASE },
    identity: name,
    timings: TIMINGS,
    onChange: (leading) => changes.push({ leading, at: performance.now() }),
    onProblem: (error) => problems.push(error),
  });
  onTestFinished(async () => {
    await election.stop();
    await own.close();
  });
  return { election, changes, problems };
}

const leads = async ({ election }: Candidate, within = 5_000): Promise<void> =>
  await eventually(() => expect(election.leading).toBe(true), { within });

const leasePath = (): string => `/apis/coordination.k8s.io/v1/namespaces/${place}/leases/${LEASE}`;

/** A way to the API server that can be broken. */
async function behindProxy(): Promise<{ readonly proxy: FaultProxy; readonly client: Client }> {
  const { server, ca } = cluster().access;
  const proxy = await startProxy({ server, ca });
  onTestFinished(() => proxy.close());
  const connection = await connect({ kind: 'kubeconfig', path: identity.kubeconfig });
  return { proxy, client: createClient({ ...connection, server: new URL(proxy.url) }) };
}

describe('leader election on a Lease', () => {
  test('has one leader, renewed in the words of every Kubernetes leader', async () => {
    const a = await candidate('a');
    await leads(a);
    const b = await candidate('b');
    await eventually(() => expect(b.election.holder).toBe('a'));
    expect(b.election.leading).toBe(false);
    const { spec } = await cluster().api.get<{ spec: Record<string, unknown> }>(leasePath());
    expect(spec).toMatchObject({ holderIdentity: 'a', leaseDurationSeconds: 3 });
    expect(spec['renewTime']).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
    // renewed beyond its own length, it still has the same holder
    await eventually(
      async () => {
        const { spec: later } = await cluster().api.get<{ spec: Record<string, string> }>(leasePath());
        expect(Date.parse(later['renewTime'] ?? '') - Date.parse(String(spec['renewTime']))).toBeGreaterThan(
          3_000,
        );
      },
      { within: 8_000 },
    );
    expect(a.changes.map(({ leading }) => leading)).toEqual([true]);
    expect([...a.problems, ...b.problems]).toEqual([]);
  });

  test('changes hands in under a second when the leader stops', async () => {
    const a = await candidate('a');
    await leads(a);
    const b = await candidate('b');
    await eventually(() => expect(b.election.holder).toBe('a'));
    const start = performance.now();
    await a.election.stop();
    await leads(b, 1_000);
    expect((b.changes[0]?.at ?? Infinity) - start).toBeLessThan(1_000);
    const { spec } = await cluster().api.get<{ spec: Record<string, unknown> }>(leasePath());
    expect(spec['holderIdentity']).toBe('b');
  });

  test('changes hands when the leader can reach the API server no more, and it is the first to know', async () => {
    const { proxy, client } = await behindProxy();
    const a = await candidate('a', client);
    await leads(a);
    const b = await candidate('b');
    await eventually(() => expect(b.election.holder).toBe('a'));
    await proxy.refuse();
    await leads(b, TIMINGS.leaseMs + 2_000);
    expect(a.election.leading).toBe(false);
    expect(a.changes.map(({ leading }) => leading)).toEqual([true, false]);
    expect(a.changes[1]?.at).toBeLessThan(b.changes[0]?.at ?? 0);
    expect(a.problems.length).toBeGreaterThan(0);

    await proxy.accept();
    await eventually(() => expect(a.election.holder).toBe('b'), { within: 10_000 });
    expect(a.election.leading).toBe(false);
  });

  test('is not given up by the leader when an answer is lost', async () => {
    const { proxy, client } = await behindProxy();
    const rule = proxy.add({
      match: { method: 'POST' },
      when: { kind: 'first', count: 1 },
      fault: { kind: 'lose-response' },
    });
    await cluster().api.delete(leasePath());
    const a = await candidate('a', client);
    await leads(a);
    expect(rule.applied).toBe(1);
    proxy.add({
      match: { method: 'PATCH' },
      when: { kind: 'chance', probability: 0.5 },
      fault: { kind: 'lose-response' },
    });
    await eventually(() => expect(proxy.count({ method: 'PATCH' })).toBeGreaterThan(8));
    expect(a.changes.map(({ leading }) => leading)).toEqual([true]);
  });

  test('survives a Lease that somebody deletes or annotates', async () => {
    const a = await candidate('a');
    await leads(a);
    await cluster().api.patch(leasePath(), { metadata: { annotations: { seen: 'yes' } } });
    await cluster().api.delete(leasePath());
    await eventually(async () => {
      const { spec } = await cluster().api.get<{ spec: Record<string, unknown> }>(leasePath());
      expect(spec['holderIdentity']).toBe('a');
    });
    await leads(a);
  });

  test('goes on where a Lease is taken away: the one that took it leads', async () => {
    const a = await candidate('a');
    await leads(a);
    await cluster().api.patch(leasePath(), { spec: { holderIdentity: 'usurper' } });
    await eventually(() => expect(a.election.leading).toBe(false), { within: 1_000 });
    // nobody renews it, so that it comes back
    await leads(a, TIMINGS.leaseMs + 2_000);
    expect(a.changes.map(({ leading }) => leading)).toEqual([true, false, true]);
  });
});
