import type { ModelDeploymentStatus } from '../api/model-deployment.ts';
import type { Client } from '../kube/client.ts';
import { isApiError } from '../kube/errors.ts';
import { modelDeployments, parseKey } from '../kube/resource.ts';
import type { Outcome as WorkOutcome } from '../kube/workers.ts';
import { eventsOf } from '../plan/events.ts';
import { markerOf } from '../plan/injection.ts';
import { type ActPlan, plan } from '../plan/plan.ts';
import { type Outcome, statusOf } from '../plan/status.ts';
import { undoing } from '../plan/workload.ts';
import { type Caches, markedModel } from './caches.ts';
import { digest, digestOf, freshRevision } from './digest.ts';
import { applyWorkload, execute, TerminatingError } from './execute.ts';
import { gather, markedWorkloads } from './gather.ts';
import type { Memory } from './memory.ts';
import { type CachedModel, statusDigest } from './model.ts';
import { modelSubject, type Recorder } from './recorder.ts';
import { StaleError } from './stale.ts';
import { noteModel } from './trust.ts';

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
    if (!model) return await cleanUp(key, at);
    const snapshot = await gather(model, at.caches, at.client, at.memory);
    const approval = await noteModel(snapshot.approval, model, at.caches.trusts, at.client);
    const planned = plan({ ...snapshot, approval }, { digest, digestOf, freshRevision: freshRevision() });
    if (planned.kind === 'leave') return { kind: 'done' };
    const outcome = await execute(planned, model, at.caches, at.client);
    await settle(model, planned, outcome, at);
    return next(outcome);
  } catch (error) {
    if (error instanceof TerminatingError) return { kind: 'done' };
    if (error instanceof StaleError) return { kind: 'retry', afterMs: STALE_MS };
    throw error;
  }
}

function next({ secret, pull, workloads }: Outcome): WorkOutcome {
  const failures = [secret, pull, ...workloads.values()].filter((failure) => failure !== undefined);
  if (failures.length === 0) return { kind: 'done' };
  return failures.some(({ reason }) => reason === 'WriteFailed')
    ? { kind: 'retry' }
    : { kind: 'retry', policy: BLOCKED };
}

/** Writes the status if it says anything new, and the events that go with it. */
async function settle(model: CachedModel, acted: ActPlan, outcome: Outcome, at: Reconciler): Promise<void> {
  const { namespace, name, resourceVersion, generation, prior } = model;
  const status = statusOf(
    acted,
    outcome,
    generation,
    prior.conditions,
    new Date().toISOString().replace(/\.\d+Z$/, 'Z'),
  );
  if (statusDigest(status) === model.statusDigest) return;
  try {
    const written = await at.client.mergePatch(
      modelDeployments,
      { namespace, name },
      { metadata: { resourceVersion }, status: withRemovals(status) },
      { subresource: 'status' },
    );
    at.caches.models.set(written);
  } catch (error) {
    // somebody changed the model meanwhile, or it is gone: its watch says so
    if (isApiError(error, 'Conflict') || isApiError(error, 'NotFound'))
      throw new StaleError(name, { cause: error });
    throw error;
  }
  await at.recorder.record(modelSubject(model), eventsOf(acted, status, prior, digest));
}

/** A field that the new status lacks has to be taken out of the old one. */
const withRemovals = (status: ModelDeploymentStatus): object => ({ secretName: null, ...status });

/**
 * The model is gone. Its Secrets go with it by their owner reference; what it injected is found by the marker and
 * taken out, unless a model of that very uid is there.
 */
async function cleanUp(key: string, { caches, client }: Reconciler): Promise<WorkOutcome> {
  const { namespace } = parseKey(key);
  for (const live of markedWorkloads(key, caches)) {
    const marked = markedModel(live);
    const holder = marked === undefined ? undefined : caches.models.getByKey(marked);
    if (live.owned === '' || live.deleting || (holder && markerOf(holder) === live.marker)) continue;
    const action = undoing(live);
    if (action.kind === 'none') continue;
    try {
      const failure = await applyWorkload(action, caches, client);
      if (failure) return { kind: 'retry', policy: BLOCKED };
    } catch (error) {
      if (isApiError(error, 'Conflict') || isApiError(error, 'NotFound'))
        throw new StaleError(namespace, { cause: error });
      throw error;
    }
  }
  return { kind: 'done' };
}
