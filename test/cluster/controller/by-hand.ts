import { onTestFinished } from 'vitest';
import { MANAGED_BY_LABEL, MANAGER, STORE_LABEL } from '../../../src/api/names.ts';
import { type Caches, createCaches } from '../../../src/controller/caches.ts';
import { Memory } from '../../../src/controller/memory.ts';
import { createRecorder } from '../../../src/controller/recorder.ts';
import { reconcile } from '../../../src/controller/reconcile.ts';
import { connectWakes } from '../../../src/controller/wake.ts';
import type { Client } from '../../../src/kube/client.ts';
import { connect } from '../../../src/kube/connection.ts';
import { createDiscovery } from '../../../src/kube/discovery.ts';
import { fenced } from '../../../src/kube/fence.ts';
import { createClient } from '../../../src/kube/http-client.ts';
import type { RawObject } from '../../../src/kube/object.ts';
import { configMaps, modelDeployments, type Resource, secrets } from '../../../src/kube/resource.ts';
import type { Store } from '../../../src/kube/store.ts';
import type { Outcome } from '../../../src/kube/workers.ts';
import { cluster } from '../cluster.ts';

/** The controller without watches and queue: a test says when it hears of the cluster, and when it looks at a model. */
export interface ByHand {
  readonly caches: Caches;
  readonly memory: Memory;
  /** Hears of all that is there now. */
  readonly hear: () => Promise<void>;
  readonly look: (model: string) => Promise<Outcome>;
  /** A model as it is there now. */
  readonly read: (model: string) => Promise<RawObject>;
  /** Looks until nothing is stale any more. */
  readonly settle: (model: string) => Promise<Outcome>;
  /** Keys of models that something woke since the last call. */
  readonly woken: () => ReadonlySet<string>;
  /** Requests since the last call: `get /api/v1/namespaces/{namespace}/secrets/{name}`. */
  readonly requests: () => readonly string[];
}

/** On the real API server, as its administrator unless `wrap` puts something between. Ended with the test. */
export async function byHand(
  namespace: string,
  wrap: (client: Client) => Client = (client) => client,
): Promise<ByHand> {
  let requests: string[] = [];
  let woken = new Set<string>();
  const connection = await connect({ kind: 'kubeconfig', path: cluster().kubeconfig });
  const plain = createClient(connection, {
    observe: ({ verb, template }) => requests.push(`${verb} ${template}`),
  });
  onTestFinished(() => plain.close());
  // not the plain one, as a test may replace some of its functions
  const client = wrap(fenced(plain, { mayWrite: () => true, onWrite: () => {} }));
  const caches = await createCaches(createDiscovery(client));
  const memory = new Memory();
  connectWakes(caches, memory, (keys) => {
    for (const key of keys) woken.add(key);
  });
  const recorder = createRecorder(client, (error) => {
    throw error;
  });
  const fill = async <T, I extends string>(
    store: Store<T, I>,
    resource: Resource,
    labelSelector?: string,
  ): Promise<void> => {
    const sink = store.sink(namespace);
    sink.begin();
    for await (const page of plain.list(resource, { namespace, labelSelector })) sink.page(page);
    sink.end();
    sink.freshness({ kind: 'synced' });
  };
  const look = async (model: string): Promise<Outcome> =>
    await reconcile(`${namespace}/${model}`, { caches, client, memory, recorder });
  return {
    caches,
    memory,
    look,
    read: async (name) => {
      const model = await plain.get(modelDeployments, { namespace, name });
      if (!model) throw new Error(`there is no ${name}`);
      return model;
    },
    settle: async (model) => {
      for (let tries = 0; tries < 5; tries++) {
        const outcome = await look(model);
        if (outcome.kind !== 'retry' || outcome.policy) return outcome;
      }
      throw new Error(`${model} does not settle`);
    },
    hear: async () => {
      await fill(caches.models, modelDeployments);
      await fill(caches.sources, secrets, STORE_LABEL);
      await fill(caches.delivered, secrets, `${MANAGED_BY_LABEL}=${MANAGER}`);
      await fill(caches.configs, configMaps);
      for (const { store, resource } of caches.workloads.values()) await fill(store, resource);
    },
    woken: () => {
      const keys = woken;
      woken = new Set();
      return keys;
    },
    requests: () => {
      const made = requests;
      requests = [];
      return made;
    },
  };
}
