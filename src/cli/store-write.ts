import { setTimeout as sleep } from 'node:timers/promises';
import { ENVIRONMENT_LABEL, STORE_LABEL } from '../api/names.ts';
import type { SecretValue } from '../api/secret-value.ts';
import { ApiError, isApiError } from '../kube/errors.ts';
import { secrets } from '../kube/resource.ts';
import type { Cluster } from './cluster.ts';
import { CommandError } from './errors.ts';
import { getSecret, type StoreSecret } from './store-secret.ts';
import { checkTarget, type Target } from './store-target.ts';
import { MAX_SECRET_BYTES } from './value.ts';

const ATTEMPTS = 10;
const MAX_PAUSE_MS = 200;

/**
 * Whether the Secret is another one by now, so that looking again helps. 404: deleted meanwhile (of a create: the
 * namespace is not there); 409: created meanwhile, or too many writers at once; 422: the uid is not that of the
 * object any more, unless it still is.
 */
function isRace(error: unknown, before: StoreSecret | undefined, lastUid: string | undefined): boolean {
  if (!(error instanceof ApiError)) return false;
  switch (error.status) {
    case 404:
      return before !== undefined;
    case 409:
      return true;
    case 422:
      return before !== undefined && before.uid !== lastUid;
    default:
      return false;
  }
}

export interface Written {
  /** The Secret as it was before; undefined: there was none. */
  readonly before: StoreSecret | undefined;
  readonly warnings: readonly string[];
}

/**
 * Sets (or, with null, removes) keys of one Secret in one request, and leaves its other keys to others who
 * write at the same time: a merge patch, and a create where there is none.
 */
export async function writeKeys(
  cluster: Cluster,
  target: Target,
  changes: ReadonlyMap<string, SecretValue | null>,
): Promise<Written> {
  let lastUid: string | undefined;
  for (let attempt = 1; ; attempt += 1) {
    const before = await getSecret(cluster, target.secret);
    const warnings = before === undefined ? [] : checkTarget(before, target);
    checkSize(target, before, changes);
    try {
      await (before === undefined ? create(cluster, target, changes) : patch(cluster, before, changes));
      return { before, warnings };
    } catch (error) {
      const again = attempt < ATTEMPTS && isRace(error, before, lastUid);
      if (!again) throw refused(error, target, cluster, before);
      lastUid = before?.uid;
      await sleep(Math.random() * MAX_PAUSE_MS);
    }
  }
}

async function create(
  { client, namespace }: Cluster,
  { secret, store, environment }: Target,
  changes: ReadonlyMap<string, SecretValue | null>,
): Promise<void> {
  const labels = {
    [STORE_LABEL]: store,
    ...(environment === undefined ? {} : { [ENVIRONMENT_LABEL]: environment }),
  };
  const data = Object.fromEntries([...changes].filter(([, value]) => value !== null));
  if (Object.keys(data).length === 0) return;
  await client.create(
    secrets,
    namespace,
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: secret, labels }, type: 'Opaque', data },
    { as: 'metadata' },
  );
}

function refused(
  error: unknown,
  { secret }: Target,
  { namespace }: Cluster,
  before: StoreSecret | undefined,
): unknown {
  if (isApiError(error, 404) && before === undefined) {
    return new CommandError(`namespace ${namespace} does not exist: kubectl create namespace ${namespace}`, {
      cause: error,
    });
  }
  if (isApiError(error, 422)) {
    return new CommandError(
      `the API server does not take this change of Secret ${secret}: its type may need a key that it would lose, or lack`,
      { cause: error },
    );
  }
  return error;
}

/** The uid makes sure that it is the Secret that was looked at. */
async function patch(
  { client }: Cluster,
  { namespace, name, uid }: StoreSecret,
  changes: ReadonlyMap<string, SecretValue | null>,
): Promise<void> {
  const body = { metadata: { uid }, data: Object.fromEntries(changes) };
  await client.mergePatch(secrets, { namespace, name }, body, { as: 'metadata' });
}

function checkSize(
  target: Target,
  before: StoreSecret | undefined,
  changes: ReadonlyMap<string, SecretValue | null>,
): void {
  const after = new Map<string, SecretValue | null>([...(before?.data ?? []), ...changes]);
  const size = [...after.values()].reduce((sum, value) => sum + (value?.size ?? 0), 0);
  if (size > MAX_SECRET_BYTES) {
    throw new CommandError(
      `Secret ${target.secret} would be larger than the 1 MiB that a Secret may hold: name another object with --secret`,
    );
  }
}
