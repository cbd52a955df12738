import { onTestFinished } from 'vitest';
import type { Client, RequestReport } from '../../../src/kube/client.ts';
import type { Connection } from '../../../src/kube/connection.ts';
import { createClient } from '../../../src/kube/http-client.ts';
import type { RawObject } from '../../../src/kube/object.ts';
import { type Reflector, startReflector } from '../../../src/kube/reflector.ts';
import { configMaps, type Resource } from '../../../src/kube/resource.ts';
import type { Freshness } from '../../../src/kube/sink.ts';
import { Store } from '../../../src/kube/store.ts';
import { type FaultProxy, startProxy } from '../../chaos/proxy.ts';
import type { Access, Api } from '../api.ts';
import { cluster, namespace } from '../cluster.ts';
import { identityWith, type Rights } from '../identity.ts';

/** The API server of the run behind a fault proxy, a client that goes through it, and a namespace of one's own. */
export interface Rig {
  readonly namespace: string;
  readonly proxy: FaultProxy;
  readonly client: Client;
  /** The same past the proxy. */
  readonly direct: Client;
  /** What the client reported of its requests, oldest first. */
  readonly reports: readonly RequestReport[];
  /** Straight to the API server, as cluster-admin. */
  readonly api: Api;
}

const EVERYTHING: Rights = { clusterRules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }] };

let everything: Promise<Access> | undefined;

/** The rig of one test; ended with it. Without an access: one that may do everything. */
export async function rig(access?: Access): Promise<Rig> {
  everything ??= identityWith(EVERYTHING).then((identity) => identity.access);
  const [as, own] = await Promise.all([access ?? everything, namespace()]);
  const proxy = await startProxy({ server: as.server, ca: as.ca });
  const reports: RequestReport[] = [];
  const client = clientOf(connectionTo(proxy.url, as), (report) => reports.push(report));
  onTestFinished(() => proxy.close());
  const direct = clientOf(connectionTo(as.server, as));
  return { namespace: own, proxy, client, direct, reports, api: cluster().api };
}

/** A client that is closed with the test. */
export function clientOf(connection: Connection, observe?: (report: RequestReport) => void): Client {
  const client = createClient(connection, observe === undefined ? {} : { observe });
  onTestFinished(() => client.close());
  return client;
}

/** To an API server, or a proxy before it, with the token of somebody. */
export function connectionTo(url: string, { token = '', ca }: Access): Connection {
  const access = {
    headers: { Authorization: `Bearer ${token}` },
    tls: { ca, cert: undefined, key: undefined, serverName: undefined, verify: true },
  };
  return {
    server: new URL(url),
    proxy: undefined,
    namespace: 'default',
    access: async () => access,
    renew: async () => access,
  };
}

/** What a reflector made of a namespace's objects: their resourceVersions by name, and everything that was told. */
export interface Watched {
  readonly reflector: Reflector;
  readonly store: Store<string>;
  /** `+name`, `~name`, `-name` */
  readonly changes: string[];
  readonly freshness: Freshness['kind'][];
  /** The same names and versions as the API server has. */
  readonly names: () => string[];
}

export type Timing = Parameters<typeof startReflector>[0]['timing'];

/** Quick, so that a test need not wait for what takes minutes. */
const QUICK: Timing = {
  backoff: { baseMs: 20, factor: 2, maxMs: 200, jitter: 0.5 },
};

/** Starts a reflector that ends with the test. */
export function watchThrough(
  { client, namespace: own }: Rig,
  {
    resource = configMaps,
    timing = {},
    ...more
  }: { resource?: Resource; timing?: Timing } & Partial<Parameters<typeof startReflector>[0]> = {},
): Watched {
  const store = new Store<string>({ project: versionOf });
  const changes: string[] = [];
  const freshness: Freshness['kind'][] = [];
  store.onChange((key, old, now) => {
    const sign = old === undefined ? '+' : now === undefined ? '-' : '~';
    changes.push(sign + key.slice(key.indexOf('/') + 1));
  });
  store.onFreshness((value) => freshness.push(value.kind));
  const reflector = startReflector({
    client,
    resource,
    namespace: own,
    store,
    ...more,
    timing: { ...QUICK, ...timing },
  });
  onTestFinished(() => reflector.stop());
  return {
    reflector,
    store,
    changes,
    freshness,
    names: () => [...store.keys()].map((key) => key.slice(key.indexOf('/') + 1)).sort(),
  };
}

/** Every namespace has one from the start, on newer servers. */
const versionOf = ({ metadata }: RawObject): string | undefined =>
  metadata.name === 'kube-root-ca.crt' ? undefined : metadata.resourceVersion;
