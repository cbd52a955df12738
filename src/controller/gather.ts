import type { StoreRef, WorkloadRef } from '../api/model-deployment.ts';
import { messages } from '../api/messages.ts';
import { deliveredSecretName, pullSecretName } from '../api/names.ts';
import type { Client } from '../kube/client.ts';
import { isApiError } from '../kube/errors.ts';
import { configMaps, namespaces } from '../kube/resource.ts';
import { approvalOf, approvesWorkload } from '../plan/approval.ts';
import { dependsOnNamespaceUid } from '../plan/consent.ts';
import { markerOf } from '../plan/injection.ts';
import type {
  Declaration,
  DeliveredView,
  LiveWorkload,
  Snapshot,
  StoreView,
  WorkloadView,
} from '../plan/snapshot.ts';
import { type Caches, configId, markedModel, workloadKey } from './caches.ts';
import { type Memory, secretId } from './memory.ts';
import type { CachedModel } from './model.ts';
import { storeSecrets } from './store-secrets.ts';
import { approvalView } from './trust.ts';

/**
 * Puts together what a plan for one model is made from. Everything comes from memory, but for what was not of
 * interest until this model asked for it.
 *
 * @throws ApiError, TransportError when such a read fails for another reason than missing rights
 */
export async function gather(
  model: CachedModel,
  caches: Caches,
  client: Client,
  memory: Memory,
): Promise<Snapshot> {
  const { namespace, name, uid, generation, deleting, spec, prior } = model;
  const refs = spec.kind === 'valid' ? spec.spec.workloads : prior.workloads;
  const declaration = model.inline ?? (await readDeclaration(model, caches, client, memory));
  const unknown = refs.filter((ref) => isUnknown(ref, model, caches, memory));
  const forbidden = unknown.length > 0 ? await readWorkloads(unknown, model, caches, client, memory) : NONE;
  const stores =
    spec.kind === 'valid' ? spec.spec.stores.map((ref) => storeView(ref, namespace, caches)) : [];
  const pinnedUid = isPinned(model, stores) ? await namespaceUid(model, client, memory) : undefined;
  return {
    model: { namespace, name, uid, generation, deleting, spec, prior },
    declaration,
    approval: approvalView(model, caches.trusts),
    stores,
    namespaceUid: pinnedUid,
    delivered: deliveredView(model, caches, memory),
    pull: pullView(model, caches, memory),
    workloads: workloadViews(refs, forbidden, model, caches, memory),
  };
}

async function readDeclaration(
  model: CachedModel,
  caches: Caches,
  client: Client,
  memory: Memory,
): Promise<Declaration> {
  const { configs } = caches;
  const ref = model.spec.kind === 'valid' ? model.spec.spec.config.configMapRef : undefined;
  if (!ref) return { kind: 'malformed', errors: [] };
  const { namespace } = model;
  const id = configId(`${namespace}/${ref.name}`);
  const isAbsent = memory.isAbsent(id) && configs.freshness(namespace).kind === 'synced';
  if (!isAbsent && !configs.get(namespace, ref.name)?.keys.has(ref.key)) {
    try {
      const raw = await client.get(configMaps, { namespace, name: ref.name });
      // what is there was read for other keys
      if (raw) configs.setAnew(raw);
      else configs.remove(`${namespace}/${ref.name}`);
      if (!raw && isStillAsked(model, caches)) memory.rememberAbsent(id);
    } catch (error) {
      if (!isApiError(error, 'Forbidden')) throw error;
      return { kind: 'unknown', why: messages.notAuthorized(`read ConfigMap ${namespace}/${ref.name}`) };
    }
  }
  const config = configs.get(namespace, ref.name);
  return config
    ? (config.declarations.get(ref.key) ?? { kind: 'missing', what: 'key' })
    : { kind: 'missing', what: 'ConfigMap' };
}

function storeView(ref: StoreRef, home: string, { sources }: Caches): StoreView {
  const namespace = ref.namespace ?? home;
  const freshness = sources.freshness(namespace);
  switch (freshness.kind) {
    case 'synced':
    case 'stale':
      return { kind: 'readable', ref, secrets: storeSecrets(sources, namespace, ref.name) };
    case 'unsynced':
    case 'forbidden': {
      const why = freshness.failure?.kind === 'forbidden' ? messages.storeForbidden : messages.storeUnread;
      return { kind: 'unreadable', ref, why: why(ref.name, namespace) };
    }
  }
}

/** Whether what a store shares with the model depends on the uid of its namespace. */
function isPinned({ namespace, name }: CachedModel, stores: readonly StoreView[]): boolean {
  const asker = { namespace, model: name };
  return stores.some(
    (store) =>
      store.kind === 'readable' && store.secrets.some(({ consent }) => dependsOnNamespaceUid(consent, asker)),
  );
}

/**
 * Read only if somebody pinned this very namespace, and once for each model: a namespace cannot be replaced while a
 * model lives in it. Without the right to read it no pinned entry counts, and nothing else changes: whether there is
 * such an entry is not for the model to know.
 */
async function namespaceUid(
  { namespace, uid }: CachedModel,
  client: Client,
  memory: Memory,
): Promise<string | undefined> {
  const known = memory.namespaceUid(uid);
  if (known !== undefined) return known;
  try {
    const found = await client.get(namespaces, { namespace: '', name: namespace });
    if (found) memory.rememberNamespace(uid, found.metadata.uid);
    return found?.metadata.uid;
  } catch (error) {
    if (isApiError(error, 'Forbidden')) return undefined;
    throw error;
  }
}

function deliveredView(model: CachedModel, { delivered }: Caches, memory: Memory): DeliveredView {
  const { namespace, name, uid } = model;
  const secret = deliveredSecretName(name);
  const found = delivered.get(namespace, secret);
  const fight = memory.fight(secretId(model, secret), Date.now());
  return found?.owner?.uid === uid
    ? { ...found.view, fight }
    : { kind: 'absent', last: memory.lastDelivered(uid), fight };
}

function pullView(model: CachedModel, { delivered }: Caches, memory: Memory): DeliveredView {
  const { namespace, name, uid } = model;
  const secret = pullSecretName(name);
  const found = delivered.get(namespace, secret);
  const fight = memory.fight(secretId(model, secret), Date.now());
  return found?.owner?.uid === uid ? { ...found.view, fight } : { kind: 'absent', last: undefined, fight };
}

const NONE: ReadonlySet<WorkloadRef> = new Set();

/** Those that are named, in that order, then those that only carry this model's marker. */
function workloadViews(
  refs: readonly WorkloadRef[],
  forbidden: ReadonlySet<WorkloadRef>,
  model: CachedModel,
  caches: Caches,
  memory: Memory,
): readonly WorkloadView[] {
  const named = refs.map(
    (ref): WorkloadView =>
      forbidden.has(ref) ? { kind: 'forbidden', ref } : workloadView(ref, model, caches, memory),
  );
  const isNamed = ({ workloadKind, name }: LiveWorkload): boolean =>
    refs.some((ref) => ref.kind === workloadKind && ref.name === name);
  for (const live of markedWorkloads(`${model.namespace}/${model.name}`, caches)) {
    if (isNamed(live)) continue;
    named.push({ kind: 'present', ref: undefined, live, holder: holderOf(live, model, caches) });
  }
  return named;
}

/** All workloads whose marker names a model, whatever its uid. */
export function markedWorkloads(modelKey: string, { workloads }: Caches): readonly LiveWorkload[] {
  const marked: LiveWorkload[] = [];
  for (const { store } of workloads.values()) {
    for (const live of store.byIndex('model', modelKey)) marked.push(live);
  }
  return marked;
}

function workloadView(ref: WorkloadRef, model: CachedModel, caches: Caches, memory: Memory): WorkloadView {
  const live = caches.workloads.get(ref.kind)?.store.get(model.namespace, ref.name);
  if (!live) return { kind: 'absent', ref };
  const now = Date.now();
  return {
    kind: 'present',
    ref,
    live,
    holder: holderOf(live, model, caches),
    fight: memory.fight(live.uid, now, live.resourceVersion),
    blockedForMs: live.blockedSince === undefined ? undefined : now - live.blockedSince,
  };
}

/** Whether only the API server can tell if the workload is there: it was of no interest until now. */
function isUnknown(
  { kind, name }: WorkloadRef,
  { namespace }: CachedModel,
  { workloads }: Caches,
  memory: Memory,
): boolean {
  const store = workloads.get(kind)?.store;
  if (!store || store.get(namespace, name)) return false;
  return !memory.isAbsent(workloadKey(kind, namespace, name)) || store.freshness(namespace).kind !== 'synced';
}

/** Reads workloads into the caches. Returns those that may not be read. */
async function readWorkloads(
  refs: readonly WorkloadRef[],
  model: CachedModel,
  caches: Caches,
  client: Client,
  memory: Memory,
): Promise<ReadonlySet<WorkloadRef>> {
  const { namespace } = model;
  const forbidden = new Set<WorkloadRef>();
  await Promise.all(
    refs.map(async (ref) => {
      const { kind, name } = ref;
      const cache = caches.workloads.get(kind);
      if (!cache) return;
      try {
        const raw = await client.get(cache.resource, { namespace, name });
        if (raw) cache.store.set(raw);
        else if (isStillAsked(model, caches)) memory.rememberAbsent(workloadKey(kind, namespace, name));
      } catch (error) {
        if (!isApiError(error, 'Forbidden')) throw error;
        forbidden.add(ref);
      }
    }),
  );
  return forbidden;
}

/** Whether the caches have kept what the model refers to for as long as the read took. */
function isStillAsked({ namespace, name, uid, generation, spec }: CachedModel, { models }: Caches): boolean {
  const now = models.get(namespace, name);
  return spec.kind === 'valid' && now?.uid === uid && now.generation === generation;
}

/**
 * Name of another model that the workload belongs to: the one that its marker names, as long as that very model
 * exists; without a marker the oldest trusted (and, where that is asked for, approved) model that asks for it.
 */
function holderOf(live: LiveWorkload, model: CachedModel, { models, trusts }: Caches): string | undefined {
  const marked = markedModel(live);
  const holder = marked === undefined ? undefined : models.getByKey(marked);
  if (holder && markerOf(holder) === live.marker) return holder.uid === model.uid ? undefined : holder.name;
  const [oldest] = models
    .byIndex('workload', workloadKey(live.workloadKind, live.namespace, live.name))
    .filter((rival) => asksFor(live, rival, trusts))
    .sort(byAge);
  return oldest === undefined || oldest.uid === model.uid ? undefined : oldest.name;
}

function asksFor(
  { workloadKind: kind, name }: LiveWorkload,
  rival: CachedModel,
  trusts: Caches['trusts'],
): boolean {
  const { spec } = rival;
  if (rival.deleting || spec.kind === 'invalid' || !spec.spec.trusted || spec.spec.delivery === 'None')
    return false;
  return approvesWorkload(approvalOf(rival, approvalView(rival, trusts)), { kind, name }) !== 'no';
}

const byAge = (a: CachedModel, b: CachedModel): number =>
  `${a.createdAt} ${a.name}` < `${b.createdAt} ${b.name}` ? -1 : 1;
