import type { Api } from './api.ts';
import { cluster } from './cluster.ts';

/** Requests that the API server has answered, by `VERB resource` (`PATCH deployments`, `PUT secrets`, `WATCH ...`). */
export type RequestCounts = Readonly<Record<string, number>>;

/**
 * Begins to count what the API server answers; call what it gives for the counts since. Everybody's requests
 * count, also those of tests that run at the same time: look at resources that only the test uses.
 */
export async function countRequests(api: Api = cluster().api): Promise<() => Promise<RequestCounts>> {
  const before = await total(api);
  return async () => {
    const now = await total(api);
    const since = Object.entries(now).map(([key, count]) => [key, count - (before[key] ?? 0)] as const);
    return Object.fromEntries(since.filter(([, count]) => count > 0));
  };
}

async function total(api: Api): Promise<RequestCounts> {
  return parseRequestCounts(await api.text('/metrics'));
}

/** Reads `apiserver_request_total` of a text in Prometheus' format. */
export function parseRequestCounts(metrics: string): RequestCounts {
  const counts: Record<string, number> = {};
  for (const line of metrics.split('\n')) {
    const [, labels, value] = /^apiserver_request_total\{(.*)\} (\S+)$/.exec(line) ?? [];
    if (labels === undefined || value === undefined) continue;
    const label = (name: string) => new RegExp(`(?:^|,)${name}="([^"]*)"`).exec(labels)?.[1] ?? '';
    const subresource = label('subresource');
    const key = `${label('verb')} ${label('resource')}${subresource === '' ? '' : `/${subresource}`}`;
    counts[key] = (counts[key] ?? 0) + Number(value);
  }
  return counts;
}
