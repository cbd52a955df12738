import { MANAGED_BY_LABEL, MANAGER, STORE_LABEL } from '../../src/api/names.ts';
import { MODELS } from './fixture.ts';
import type { BarePool } from './pool.ts';

/** An object of a list, as far as the yardstick has to know it. */
export interface Listed {
  readonly metadata: {
    readonly namespace: string;
    readonly name: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly managedFields?: unknown;
  };
  readonly spec?: { readonly template?: object };
  readonly status?: unknown;
  readonly data?: Readonly<Record<string, string>>;
}

interface Page {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  readonly items: readonly Listed[];
}

const PAGE = 500;

export const COLLECTIONS = {
  models: `${MODELS}/modeldeployments?`,
  sources: `/api/v1/secrets?labelSelector=${STORE_LABEL}&`,
  delivered: `/api/v1/secrets?labelSelector=${encodeURIComponent(`${MANAGED_BY_LABEL}=${MANAGER}`)}&`,
  configMaps: '/api/v1/configmaps?',
  deployments: '/apis/apps/v1/deployments?',
  statefulSets: '/apis/apps/v1/statefulsets?',
  daemonSets: '/apis/apps/v1/daemonsets?',
} as const;

export type Collection = keyof typeof COLLECTIONS;

/** All pages of a list, and where a watch goes on from. */
export async function listAll(
  pool: BarePool,
  collection: string,
): Promise<{ readonly items: readonly Listed[]; readonly resourceVersion: string }> {
  const items: Listed[] = [];
  let next: string | undefined;
  let resourceVersion: string;
  do {
    const page: Page = await pool.get(
      `${collection}limit=${PAGE}${next === undefined ? '' : `&continue=${encodeURIComponent(next)}`}`,
    );
    items.push(...page.items);
    ({ resourceVersion, continue: next } = page.metadata);
  } while (next);
  return { items, resourceVersion };
}

/** The lists that the operator makes, each followed by its watch, which is drained. */
export async function listAndWatch(pool: BarePool): Promise<Readonly<Record<Collection, readonly Listed[]>>> {
  const follow = async (collection: Collection): Promise<readonly Listed[]> => {
    const { items, resourceVersion } = await listAll(pool, COLLECTIONS[collection]);
    await pool.stream(
      `${COLLECTIONS[collection]}watch=1&allowWatchBookmarks=true&resourceVersion=${resourceVersion}`,
      () => {},
    );
    return items;
  };
  const [models, sources, delivered, configMaps, deployments, statefulSets, daemonSets] = await Promise.all([
    follow('models'),
    follow('sources'),
    follow('delivered'),
    follow('configMaps'),
    follow('deployments'),
    follow('statefulSets'),
    follow('daemonSets'),
  ]);
  return { models, sources, delivered, configMaps, deployments, statefulSets, daemonSets };
}
