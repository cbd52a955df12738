import type { ModelDeploymentStatus } from '../api/model-deployment.ts';
import { API_VERSION, deliveredSecretName, pullSecretName } from '../api/names.ts';
import type { Client } from '../kube/client.ts';
import { isApiError } from '../kube/errors.ts';
import { modelDeployments, parseKey, secrets } from '../kube/resource.ts';
import { isReadable } from '../kube/sink.ts';
import type { Outcome as WorkOutcome } from '../kube/workers.ts';
import { statusEvents, writeEvents } from '../plan/events.ts';
import { markerOf } from '../plan/injection.ts';
import { type ActPlan, type Plan, plan } from '../plan/plan.ts';
import type { Outcome } from '../plan/outcome.ts';
import type { LiveWorkload } from '../plan/snapshot.ts';
import { dated, statusOf } from '../plan/status.ts';
import { undoing } from '../plan/workload.ts';
import { type Caches, markedModel } from './caches.ts';
import { digest, digestOf, freshRevision } from './digest.ts';
import { applyWorkload, execute, TerminatingError } from './execute.ts';
import { gather, markedWorkloads } from './gather.ts';
import type { Memory } from './memory.ts';
import { type CachedModel, withStatus } from './model.ts';
import { undatedDigest } from './model-status.ts';
import { modelSubject, type Recorder } from './recorder.ts';
import { StaleError } from './stale.ts';
import { noteModel } from './trust.ts';
import { dropUnlabelled, findSecrets, lostSecrets, unwantedSecrets } from './unlabelled.ts';

export interface Reconciler {
  readonly caches: Caches;
  readonly client: Client;
  readonly memory: Memory;
  readonly recorder: Recorder;
}

/** Something of somebody else's is in the way: it is looked at again, ever more rarely, up to every 5 minutes. */
const BLOCKED = { baseMs: 1000, factor: 2, maxMs: 300_000, jitter: 0.2 };
/** The caches are about to hear of what was changed. */
const STALE_MS = 50;

/**
 * Brings one model to where it should be: gather, plan, execute, settle.
 *
 * @param key `<namespace>/<name>`; the model may be gone
 * @throws ApiError, TransportError when the cluster could not be asked; the work queue tries again
 */
export async function reconcile(key: string, at: Reconciler): Promise<WorkOutcome> {
  const model = at.caches.models.getByKey(key);
  try {
    if (!model || model.deleting) return await cleanUp(key, at);
    const planned = await planFor(model, at);
    if (planned.kind === 'leave') return { kind: 'done' };
    const outcome = await execute(planned, model, at.caches, at.client, at.memory);
    const events = writeEvents(planned, outcome);
    if (events.length > 0) await at.recorder.record(modelSubject(model), events);
    const status = statusOf(planned, outcome, model.generation);
    const said = undatedDigest(status);
    if (said !== model.statusDigest) await writeStatus(model, status, said, at);
    return next(planned, outcome);
  } catch (error) {
    if (error instanceof TerminatingError) return { kind: 'done' };
    if (error instanceof StaleError) return { kind: 'retry', afterMs: STALE_MS };
    throw error;
  }
}

async function planFor(model: CachedModel, at: Reconciler): Promise<Plan> {
  const { caches, client, memory } = at;
  const snapshot = await gather(model, caches, client, memory);
  const approval = caches.trusts
    ? await noteModel(snapshot.approval, model, caches.trusts, client)
    : snapshot.approval;
  const planned = plan({ ...snapshot, approval }, { digest, digestOf, freshRevision: freshRevision() });
  if (planned.kind === 'leave') return planned;
  const unwanted = unwantedSecrets(planned);
  const lost = lostSecrets(model, caches, memory).filter((name) => unwanted.includes(name));
  if (lost.length > 0 && (await findSecrets(lost, model, caches, client))) throw new StaleError(model.name);
  if (lost.includes(deliveredSecretName(model.name))) memory.forgetDelivered(model.uid);
  return planned;
}

function next(acted: ActPlan, { secret, pull, workloads }: Outcome): WorkOutcome {
  const failures = [secret, pull, ...workloads.values()].filter((failure) => failure !== undefined);
  if (failures.length === 0) {
    const afterMs = lookAgainMs(acted);
    return afterMs === undefined ? { kind: 'done' } : { kind: 'again', afterMs };
  }
  return failures.some(({ reason }) => reason === 'WriteFailed')
    ? { kind: 'retry' }
    : { kind: 'retry', policy: BLOCKED };
}

function lookAgainMs({ secret, pull, workloads }: ActPlan): number | undefined {
  const times = [secret.standoff?.waitMs, pull.standoff?.waitMs, ...workloads.map((one) => one.lookAgainMs)];
  const known = times.filter((time) => time !== undefined);
  return known.length > 0 ? Math.min(...known) : undefined;
}

/** Writes a status that says something new, and the event that goes with it. */
async function writeStatus(
  model: CachedModel,
  undated: ModelDeploymentStatus,
  said: string,
  at: Reconciler,
): Promise<void> {
  const { namespace, name, resourceVersion, prior } = model;
  const status = dated(undated, prior.conditions, `${new Date().toISOString().slice(0, 19)}Z`);
  at.memory.expectStatus(model.uid, said);
  try {
    // a PUT costs the API server a fifth less than a patch
    const version = await at.client.replaceStatus(
      modelDeployments,
      { namespace, name },
      {
        apiVersion: API_VERSION,
        kind: 'ModelDeployment',
        metadata: { namespace, name, resourceVersion },
        status,
      },
    );
    at.caches.models.amend(`${namespace}/${name}`, version, (now) =>
      now.uid === model.uid && now.generation === model.generation
        ? withStatus(now, version, status, said)
        : undefined,
    );
  } catch (error) {
    // somebody changed the model meanwhile, or it is gone: its watch says so
    if (isApiError(error, 'Conflict') || isApiError(error, 'NotFound'))
      throw new StaleError(name, { cause: error });
    throw error;
  } finally {
    at.memory.forgetExpectedStatus(model.uid);
  }
  await at.recorder.record(modelSubject(model), statusEvents(status, prior, digest));
}

/**
 * The model is gone, or going: somebody's finalizer may keep it for as long as he likes, and it must not keep its
 * secrets with it. Its Secrets go (the garbage collector would take them with their owner, unless somebody gave them
 * another one); then what it injected is found by the marker and taken out, unless a model of that very uid is there.
 */
async function cleanUp(key: string, { caches, client, memory }: Reconciler): Promise<WorkOutcome> {
  const { namespace } = parseKey(key);
  // unknown is not gone
  if (!isReadable(caches.models.freshness(namespace))) return { kind: 'done' };
  try {
    const model = caches.models.getByKey(key);
    const lost = model ? lostSecrets(model, caches, memory) : memory.left(key);
    await findSecrets(lost, parseKey(key), caches, client);
    await removeSecrets(key, caches, client, memory);
    for (const live of markedWorkloads(key, caches)) {
      const action = undoing(live);
      if (live.owned === '' || live.deleting || isHeld(live, caches) || action.kind === 'none') continue;
      const failure = await applyWorkload(action, caches, client);
      if (failure) return { kind: 'retry', policy: BLOCKED };
    }
  } catch (error) {
    if (isApiError(error, 'Conflict') || isApiError(error, 'NotFound'))
      throw new StaleError(namespace, { cause: error });
    throw error;
  }
  return { kind: 'done' };
}

function isHeld(live: LiveWorkload, { models }: Caches): boolean {
  const marked = markedModel(live);
  const holder = marked === undefined ? undefined : models.getByKey(marked);
  return holder !== undefined && !holder.deleting && markerOf(holder) === live.marker;
}

async function removeSecrets(key: string, caches: Caches, client: Client, memory: Memory): Promise<void> {
  const { namespace, name: modelName } = parseKey(key);
  const { models, delivered } = caches;
  const model = models.getByKey(key);
  for (const name of [deliveredSecretName(modelName), pullSecretName(modelName)]) {
    const found = delivered.get(namespace, name);
    if (found?.owner?.name !== modelName || found.view.deleting) continue;
    if (model && !model.deleting && model.uid === found.owner.uid) continue;
    const { uid, resourceVersion } = found.view;
    memory.rememberLeft(key, [...memory.left(key), name]);
    try {
      await client.delete(secrets, { namespace, name }, { uid, resourceVersion });
    } catch (error) {
      dropUnlabelled(namespace, name, caches);
      throw error;
    }
    delivered.remove(`${namespace}/${name}`, resourceVersion);
  }
  memory.forgetLeft(key);
}
