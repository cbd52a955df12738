import { ApiError } from '../kube/errors.ts';
import { isRecord, type RawObject } from '../kube/object.ts';
import { modelDeployments, type ObjectKey } from '../kube/resource.ts';
import type { Cluster } from './cluster.ts';
import type { Io } from './io.ts';
import { withProgress } from './progress.ts';

/** A key of a Secret that a model's status says its value comes from. */
interface Source {
  readonly namespace: string;
  readonly name: string;
  readonly key: string;
}

interface Model extends ObjectKey {
  readonly sources: readonly Source[];
}

/** The models that could be seen, and whether those are all that there are. */
export interface Models {
  readonly seen: 'all' | 'namespace' | 'none';
  /** The models that use a key of a Secret, sorted. */
  usersOf(secret: ObjectKey, key: string): readonly ObjectKey[];
}

/**
 * Reads which model uses what. A value may be shared with models of any namespace, so all are asked for; who
 * may not list them sees those of the namespace.
 */
export async function readModels(io: Io, cluster: Cluster): Promise<Models> {
  return withProgress(io, 'Reading the models', async (update) => {
    for (const [seen, namespace] of [
      ['all', undefined],
      ['namespace', cluster.namespace],
    ] as const) {
      try {
        return modelsOf(seen, await readAll(cluster, namespace, update));
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        // 404: no ModelDeployment can exist where the CRD is not installed.
        if (error.status === 404) return modelsOf('all', []);
        if (error.status !== 403) throw error;
      }
    }
    return modelsOf('none', []);
  });
}

async function readAll(
  { client }: Cluster,
  namespace: string | undefined,
  update: (text: string) => void,
): Promise<readonly Model[]> {
  const models: Model[] = [];
  for await (const page of client.list(modelDeployments, { namespace })) {
    models.push(...page.map(project));
    update(`Reading the models: ${models.length}`);
  }
  return models;
}

function project({ metadata, status }: RawObject): Model {
  const entries: unknown = isRecord(status) ? status['secrets'] : undefined;
  const sources = (Array.isArray(entries) ? entries : []).flatMap((entry: unknown): Source[] => {
    const source = isRecord(entry) ? entry['source'] : undefined;
    if (!isRecord(source)) return [];
    const { namespace, name, key } = source;
    return typeof namespace === 'string' && typeof name === 'string' && typeof key === 'string'
      ? [{ namespace, name, key }]
      : [];
  });
  return { namespace: metadata.namespace ?? '', name: metadata.name, sources };
}

const path = (...parts: readonly string[]): string => parts.join('/');

function modelsOf(seen: Models['seen'], models: readonly Model[]): Models {
  const users = new Map<string, ObjectKey[]>();
  for (const { namespace, name, sources } of models) {
    for (const source of sources) {
      const at = path(source.namespace, source.name, source.key);
      users.set(at, [...(users.get(at) ?? []), { namespace, name }]);
    }
  }
  return {
    seen,
    usersOf: (secret, key) =>
      (users.get(path(secret.namespace, secret.name, key)) ?? []).toSorted((a, b) =>
        path(a.namespace, a.name).localeCompare(path(b.namespace, b.name), 'en'),
      ),
  };
}
