import { parseRequestCounts, type RequestCounts } from '../cluster/requests.ts';
import type { BenchCluster } from './bench-cluster.ts';

/**
 * The kinds that the operator deals with. What the controllers ask for on their own is left out by that, and leases. So are
 * namespaces, at which the API server itself looks every now and then.
 */
const COUNTED =
  /^(POST|PUT|PATCH|APPLY|DELETE|GET) (secrets|deployments|statefulsets|daemonsets|cronjobs|modeldeployments|modeldeployments\/status|modeltrusts|modeltrusts\/status|events|configmaps)$/;

/** What the API server has answered since, by `VERB resource`. */
export async function requestsSince(cluster: BenchCluster): Promise<() => Promise<RequestCounts>> {
  const total = async (): Promise<RequestCounts> =>
    parseRequestCounts((await cluster.pool.send('GET', '/metrics')).toString());
  const before = await total();
  return async () =>
    Object.fromEntries(
      Object.entries(await total())
        .map(([key, number]) => [key, number - (before[key] ?? 0)] as const)
        .filter(([key, number]) => number > 0 && COUNTED.test(key)),
    );
}

const sumOf = (counts: RequestCounts, belongs: (key: string) => boolean): number =>
  Object.entries(counts).reduce((sum, [key, number]) => (belongs(key) ? sum + number : sum), 0);

const isRead = (key: string): boolean => key.startsWith('GET ');
const isEvent = (key: string): boolean => key.endsWith(' events');

/** Besides events. */
export const writes = (counts: RequestCounts): number =>
  sumOf(counts, (key) => !isRead(key) && !isEvent(key));
export const eventWrites = (counts: RequestCounts): number =>
  sumOf(counts, (key) => !isRead(key) && isEvent(key));
export const singleReads = (counts: RequestCounts): number => sumOf(counts, isRead);
