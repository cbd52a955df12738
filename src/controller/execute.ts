import { messages } from '../api/messages.ts';
import { API_VERSION, MANAGED_BY_LABEL, MANAGER, REVISION_ANNOTATION } from '../api/names.ts';
import type { Client } from '../kube/client.ts';
import { ApiError, isApiError } from '../kube/errors.ts';
import { NotLeadingError } from '../kube/fence.ts';
import type { OwnerReference } from '../kube/object.ts';
import { namespaces, secrets } from '../kube/resource.ts';
import { secretBody, withSent } from '../kube/secret-body.ts';
import type { ActPlan } from '../plan/plan.ts';
import type { SecretContent, SecretPlan } from '../plan/owned-secret.ts';
import type { LiveWorkload, ModelIdentity } from '../plan/snapshot.ts';
import type { Outcome, WriteFailure } from '../plan/outcome.ts';
import type { WorkloadAction, WorkloadPlan } from '../plan/workload.ts';
import type { Caches, WorkloadCache } from './caches.ts';
import { isCurrent } from './current.ts';
import { type Memory, secretId } from './memory.ts';
import { type ForeignMetadata, projectDelivered } from './secret.ts';
import { StaleError } from './stale.ts';
import { dropUnlabelled } from './unlabelled.ts';

/** The namespace, and with it everything in it, is going away. */
export class TerminatingError extends Error {
  override readonly name = 'TerminatingError';
}

/**
 * Carries out a plan, in the one order that never leaves a pod with a reference to something that is not there,
 * nor a Secret longer than trust lasts: the Secret first, then the pod templates. Each write names the
 * resourceVersion or uid that it was planned for, so that a late one does no harm.
 *
 * @throws StaleError, TerminatingError
 */
export async function execute(
  acted: ActPlan,
  model: ModelIdentity,
  caches: Caches,
  client: Client,
  memory: Memory,
): Promise<Outcome> {
  const writeOwn = (planned: SecretPlan): Promise<WriteFailure | undefined> =>
    writeSecret(planned, model, caches, client, memory);
  const [secret, pull] =
    acted.pull.action.kind === 'none'
      ? [await writeOwn(acted.secret), undefined]
      : await allSettled([writeOwn(acted.secret), writeOwn(acted.pull)]);
  const due = acted.workloads.filter(({ action }) => action.kind !== 'none');
  const failures = new Map<string, WriteFailure>();
  if (due.length > 0) {
    await allSettled(
      due.map(async (workload) => {
        const failure = await writeWorkload(workload, secret ?? pull, caches, client, memory);
        if (failure && workload.ref) failures.set(`${workload.ref.kind}/${workload.ref.name}`, failure);
      }),
    );
  }
  return { secret, pull, workloads: failures };
}

/**
 * Waits for all of them even if one fails: a write that is still under way must not land after those of the next
 * look at the model.
 *
 * @throws what the first one that failed threw
 */
async function allSettled<T>(writes: readonly Promise<T>[]): Promise<readonly T[]> {
  if (writes.length > 1) await Promise.allSettled(writes);
  return await Promise.all(writes);
}

/**
 * What the status says of a write that failed.
 *
 * @throws StaleError when the plan was made for what is not there any more, and all that is no failure of the write
 */
function failureOf(
  error: unknown,
  what: string,
  forbidden: (what: string, said: string) => string,
): WriteFailure {
  const isNoFailure = [StaleError, TerminatingError, NotLeadingError].some((kind) => error instanceof kind);
  if (isNoFailure || !(error instanceof Error)) throw error;
  if (isApiError(error, 'Conflict') || isApiError(error, 'NotFound'))
    throw new StaleError(what, { cause: error });
  return isApiError(error, 403)
    ? { reason: 'NotAuthorized', message: forbidden(what, error.message) }
    : { reason: 'WriteFailed', message: messages.writeFailed(what, error.message) };
}

async function writeSecret(
  planned: SecretPlan,
  model: ModelIdentity,
  caches: Caches,
  client: Client,
  memory: Memory,
): Promise<WriteFailure | undefined> {
  const { name, action, revision, digests, wanted } = planned;
  if (action.kind === 'none') return undefined;
  const id = secretId(model, name);
  // nothing comes back of what is deleted
  if (action.kind !== 'delete') memory.expectSecret(id, { revision, digests });
  try {
    const failure = await carryOut(planned, model, caches, client, memory);
    const isRepeated = action.kind !== 'delete' && (action.kind !== 'create' || action.again);
    if (isRepeated && !failure) memory.rememberWrite(id, wanted, Date.now());
    return failure;
  } catch (error) {
    if (error instanceof ApiError) dropUnlabelled(model.namespace, name, caches);
    return failureOf(error, `write Secret ${name}`, messages.secretForbidden);
  } finally {
    memory.forgetExpectedSecret(id);
  }
}

async function carryOut(
  { name, type, action, digests }: SecretPlan,
  model: ModelIdentity,
  { delivered }: Caches,
  client: Client,
  memory: Memory,
): Promise<WriteFailure | undefined> {
  const { namespace } = model;
  const key = { namespace, name };
  switch (action.kind) {
    case 'none':
      return undefined;
    case 'delete':
      await client.delete(secrets, key, { uid: action.uid, resourceVersion: action.resourceVersion });
      delivered.remove(`${namespace}/${name}`);
      // it was not somebody else: what comes after it is a first write
      memory.forgetDelivered(model.uid);
      return undefined;
    case 'patch': {
      const { labels, annotations, ownerReferences } = identity(model, name, action);
      const metadata = { labels, annotations, ownerReferences, resourceVersion: action.resourceVersion };
      delivered.set(
        await client.mergePatch(secrets, key, { metadata, data: Object.fromEntries(action.changes) }),
      );
      return undefined;
    }
    case 'replace': {
      const foreign = delivered.get(namespace, name)?.foreign;
      const { uid, resourceVersion } = action;
      const metadata = { ...identity(model, name, action, foreign), uid, resourceVersion };
      const stored = await client.replaceSecret({ metadata, type, data: action.data });
      if (stored.kind === 'object') delivered.set(withSent(stored.object, action.data));
      else
        delivered.amend(`${namespace}/${name}`, stored.resourceVersion, (old) =>
          old.replaced(stored.resourceVersion, model, { revision: action.revision, digests }),
        );
      return undefined;
    }
    case 'recreate':
      await client.delete(secrets, key, { uid: action.uid, resourceVersion: action.resourceVersion });
      return await createSecret(model, { name, type, ...action }, delivered, client);
    case 'create':
      return await createSecret(model, { name, type, ...action }, delivered, client);
  }
}

async function createSecret(
  model: ModelIdentity,
  content: SecretContent & Pick<SecretPlan, 'name' | 'type'>,
  delivered: Caches['delivered'],
  client: Client,
): Promise<WriteFailure | undefined> {
  const { namespace } = model;
  const { name, type, data } = content;
  try {
    const metadata = identity(model, name, content);
    const answer = await client.create(secrets, namespace, secretBody({ metadata, type, data }));
    delivered.set(withSent(answer, data));
    return undefined;
  } catch (error) {
    if (isApiError(error, 'Forbidden') && (await isTerminating(namespace, client)))
      throw new TerminatingError(namespace);
    if (!isApiError(error, 'AlreadyExists')) throw error;
    // ours all the same, if only its label was taken away or the answer to an earlier create was lost
    const live = await client.get(secrets, { namespace, name });
    if (!live) throw new StaleError(name);
    const { owner, view } = projectDelivered(live);
    if (owner?.uid === model.uid) {
      delivered.set(live);
      throw new StaleError(name);
    }
    if (owner?.name !== model.name) return { reason: 'Conflict', message: messages.foreignSecret(name) };
    if (view.deleting) return { reason: 'Conflict', message: messages.earlierSecret(name) };
    // then every other uid is that of an earlier one, which is gone
    if (!(await isCurrent(model, client))) throw new StaleError(model.name);
    const { uid, resourceVersion } = view;
    await client.delete(secrets, { namespace, name }, { uid, resourceVersion });
    throw new StaleError(name);
  }
}

/** In a namespace that is going away every create is forbidden, whatever the rights. */
async function isTerminating(namespace: string, client: Client): Promise<boolean> {
  try {
    const found = await client.get(namespaces, { namespace: '', name: namespace });
    return found?.metadata.deletionTimestamp !== undefined || found === undefined;
  } catch (error) {
    if (isApiError(error, 'Forbidden')) return false;
    throw error;
  }
}

interface Identity {
  readonly name: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly ownerReferences: readonly OwnerReference[];
  readonly finalizers?: readonly string[];
}

/** Nothing is taken over from the labels and annotations of the model or a source: other controllers act on those. */
function identity(
  model: ModelIdentity,
  name: string,
  { revision }: { readonly revision: string | undefined },
  foreign?: ForeignMetadata,
): Identity {
  return {
    name,
    namespace: model.namespace,
    labels: { ...foreign?.labels, [MANAGED_BY_LABEL]: MANAGER },
    annotations: {
      ...foreign?.annotations,
      ...(revision === undefined ? {} : { [REVISION_ANNOTATION]: revision }),
    },
    ownerReferences: [
      {
        apiVersion: API_VERSION,
        kind: 'ModelDeployment',
        name: model.name,
        uid: model.uid,
        controller: true,
      },
    ],
    ...(foreign && foreign.finalizers.length > 0 ? { finalizers: foreign.finalizers } : {}),
  };
}

async function writeWorkload(
  { action, ref }: WorkloadPlan,
  secret: WriteFailure | undefined,
  caches: Caches,
  client: Client,
  memory: Memory,
): Promise<WriteFailure | undefined> {
  if (action.kind === 'none') return undefined;
  const what = `write ${action.live.workloadKind} ${action.live.name}`;
  // no pod template may refer to a Secret that could not be written
  if (secret && !action.undo) return ref && { reason: secret.reason, message: secret.message };
  const failure = await applyWorkload(action, caches, client).catch((error: unknown) =>
    failureOf(error, what, messages.workloadForbidden),
  );
  const { live, wanted, again } = action;
  const isRefused = failure?.reason === 'Conflict' || failure?.reason === 'TooMany';
  const refusal = isRefused ? { said: failure.message, version: live.resourceVersion } : undefined;
  if (refusal || (again && !failure)) memory.rememberWrite(live.uid, wanted, Date.now(), refusal);
  return failure;
}

/** @throws StaleError when the workload is not what it was any more, or gone */
export async function applyWorkload(
  { live, body: applied }: Extract<WorkloadAction, { kind: 'apply' }>,
  { workloads }: Caches,
  client: Client,
): Promise<WriteFailure | undefined> {
  const cache = [...workloads.values()].find(({ resource }) => resource.kind === live.workloadKind);
  if (!cache) return undefined;
  const { namespace, name } = live;
  try {
    cache.store.set(await client.apply(cache.resource, { namespace, name }, applied));
    return undefined;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.conflicts.length > 0) {
      const detail = error.conflicts.map(({ manager, field }) => `${manager}: ${field}`).join(', ');
      return { reason: 'Conflict', message: messages.applyConflict(detail) };
    }
    if (isApiError(error, 'Invalid'))
      return { reason: 'Conflict', message: messages.applyInvalid(error.message) };
    if (isTooLarge(error)) return { reason: 'TooMany', message: messages.applyTooLarge };
    // a uid that is not the live one's, or only other writers: no watch may ever tell which
    if (isApiError(error, 'Conflict')) await readAnew(cache, live, client);
    if (isApiError(error, 'NotFound')) cache.store.remove(`${namespace}/${name}`);
    if (isApiError(error, 'Forbidden') && (await isTerminating(namespace, client)))
      throw new TerminatingError(namespace);
    throw error;
  }
}

async function readAnew(
  { resource, store }: WorkloadCache,
  { namespace, name }: LiveWorkload,
  client: Client,
): Promise<void> {
  const now = await client.get(resource, { namespace, name });
  if (now) store.set(now);
  else store.remove(`${namespace}/${name}`);
}

/** The API server bounds a request, its client of etcd a message, and etcd an object; only the first has a reason. */
const isTooLarge = ({ status, message }: ApiError): boolean =>
  status === 413 || (status === 500 && /too large|larger than max/.test(message));
