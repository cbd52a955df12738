import type { Client } from '../kube/client.ts';
import { isApiError } from '../kube/errors.ts';
import { fenced } from '../kube/fence.ts';
import { keyOfObject, type RawObject } from '../kube/object.ts';
import { keyOf, type ObjectKey, type Resource } from '../kube/resource.ts';
import { missingRight } from './api-problem.ts';

/** A client that cannot write, and what became of its reads. */
export interface Reads {
  readonly client: Client;
  /** Rights that the user lacks, as `kubectl auth can-i` takes them: `list secrets -n org`. */
  readonly unread: ReadonlySet<string>;
  /** The object as it was read. */
  object(of: Resource, key: ObjectKey): RawObject | undefined;
  /** All objects of a list; undefined when the user may not list them, or the API server does not serve them. */
  listAll(of: Resource, options: ListOptions): Promise<readonly RawObject[] | undefined>;
  /** 'unread': the user may not read it. */
  getOne(of: Resource, key: ObjectKey): Promise<RawObject | 'absent' | 'unread'>;
}

interface ListOptions {
  readonly namespace: string;
  readonly labelSelector?: string;
}

const idOf = ({ group, plural }: Resource, key: string): string => `${group}/${plural}/${key}`;

/** Reads with the user's own rights, and notes which ones were not enough. */
export function openReads(cluster: Client): Reads {
  const unread = new Set<string>();
  const objects = new Map<string, RawObject>();
  const noting = async <T>(namespace: string, read: () => Promise<T>): Promise<T> => {
    try {
      return await read();
    } catch (error) {
      if (isApiError(error, 403)) unread.add(missingRight(error, namespace));
      throw error;
    }
  };
  const keep = (of: Resource, raw: RawObject): void => {
    objects.set(idOf(of, keyOfObject(raw)), raw);
  };
  // nothing that plans may write: not by mistake either
  const fence = fenced(cluster, { mayWrite: () => false, onWrite: () => {} });
  const get: Client['get'] = async (of, key, options) => {
    const raw = await noting(key.namespace, () => cluster.get(of, key, options));
    if (raw) keep(of, raw);
    return raw;
  };
  const client = Object.assign(fence, { get });
  return {
    client,
    unread,
    object: (of, key) => objects.get(idOf(of, keyOf(key))),
    listAll: async (of, options) => {
      try {
        return await noting(options.namespace, async () => {
          const found: RawObject[] = [];
          for await (const page of cluster.list(of, options)) found.push(...page);
          for (const raw of found) keep(of, raw);
          return found;
        });
      } catch (error) {
        if (isApiError(error, 403) || isApiError(error, 404)) return undefined;
        throw error;
      }
    },
    getOne: async (of, key) => {
      try {
        return (await client.get(of, key)) ?? 'absent';
      } catch (error) {
        if (isApiError(error, 403)) return 'unread';
        throw error;
      }
    },
  };
}
