import { API_VERSION, deliveredSecretName, pullSecretName, STORE_LABEL } from '../api/names.ts';
import { messages } from '../api/messages.ts';
import { type Caches, createCaches } from '../controller/caches.ts';
import { gather } from '../controller/gather.ts';
import { Memory } from '../controller/memory.ts';
import type { CachedModel } from '../controller/model.ts';
import { createDiscovery } from '../kube/discovery.ts';
import { isRecord, type RawObject } from '../kube/object.ts';
import { configMaps, modelDeployments, modelTrusts, secrets } from '../kube/resource.ts';
import type { Sink } from '../kube/sink.ts';
import { listAt, textAt } from '../plan/flatten.ts';
import type { Snapshot } from '../plan/snapshot.ts';
import { didYouMean } from './closest.ts';
import type { Cluster } from './cluster.ts';
import { CommandError } from './errors.ts';
import { openReads, type Reads } from './live-reads.ts';

/** What is to be looked at. */
export interface Question {
  readonly model: string;
  /** Puts another object in the place of the model; undefined came in: there is none. */
  readonly rewrite?: (live: RawObject | undefined) => RawObject;
  /** Text of a config.yaml that is to count instead of the model's. */
  readonly config?: string | undefined;
  /** Undefined: found out. */
  readonly requireApproval?: boolean | undefined;
}

/** What the controller would plan from, as far as the user may read it. */
export interface LiveSnapshot {
  readonly snapshot: Snapshot;
  readonly model: CachedModel;
  /** As it is in the cluster; undefined: not applied. */
  readonly liveModel: RawObject | undefined;
  readonly caches: Caches;
  readonly reads: Reads;
  readonly requireApproval: boolean;
  /** Whether the operator asks for approval, as far as it can be found out. */
  readonly approvalFound: boolean;
  readonly config: ConfigSource | undefined;
}

/** Where the config.yaml is. */
export interface ConfigSource {
  readonly text: string;
  /** `ConfigMap models/gfpgan-truss, key config.yaml` */
  readonly where: string;
}

/**
 * Fills the controller's own caches by lists in place of watches, and has the controller's own `gather` put the
 * snapshot together: so that commands can't disagree with it. Nothing is written.
 *
 * @throws CommandError when there is no such model; ApiError when models can't be listed
 */
export async function readLiveSnapshot(cluster: Cluster, question: Question): Promise<LiveSnapshot> {
  const { namespace } = cluster;
  const reads = openReads(cluster.client);
  const listed = await listModels(reads, namespace);
  const liveModel = listed.find(({ metadata }) => metadata.name === question.model);
  const raw = wantedModel(question, liveModel, listed, namespace);
  const models = [...listed.filter((one) => one !== liveModel), raw];
  const trusts = await reads.listAll(modelTrusts, { namespace });
  const approvalFound = findsApproval(liveModel, listed, trusts ?? []);
  const requireApproval = question.requireApproval ?? approvalFound;

  const caches = await createCaches(createDiscovery(reads.client), { requireApproval });
  fill(caches.models.sink(namespace), models);
  if (caches.trusts) fill(caches.trusts.sink(namespace), trusts);
  const model = caches.models.get(namespace, question.model);
  if (!model) throw new TypeError(`${question.model} was not kept`);
  await Promise.all([
    readSources(caches, reads, model),
    readDelivered(caches, reads, model),
    readWorkloads(caches, reads, namespace),
  ]);
  const config = await readConfig(caches, reads, model, raw, question.config);
  const snapshot = await gather(model, caches, reads.client, new Memory());
  return { snapshot, model, liveModel, caches, reads, requireApproval, approvalFound, config };
}

async function listModels(reads: Reads, namespace: string): Promise<readonly RawObject[]> {
  const found: RawObject[] = [];
  for await (const page of reads.client.list(modelDeployments, { namespace })) found.push(...page);
  return found;
}

function wantedModel(
  { model, rewrite, config }: Question,
  live: RawObject | undefined,
  listed: readonly RawObject[],
  namespace: string,
): RawObject {
  const wanted = rewrite ? rewrite(live) : live;
  if (!wanted) {
    const names = listed.map(({ metadata }) => metadata.name);
    throw new CommandError(
      `there is no ModelDeployment ${model} in namespace ${namespace}${didYouMean(model, names)}`,
    );
  }
  const { spec } = wanted;
  const inline = isRecord(spec) && isRecord(spec['config']) && typeof spec['config']['inline'] === 'string';
  if (config === undefined || !inline) return wanted;
  return withSpec(wanted, { ...spec, config: { inline: config } });
}

/** The model with another spec. Its generation tells the caches that it has to be read again. */
export const withSpec = (raw: RawObject, spec: unknown): RawObject => ({
  ...raw,
  metadata: { ...raw.metadata, generation: (raw.metadata.generation ?? 0) + 1 },
  spec,
});

/** What a list brought; undefined: the user may not read it. */
function fill(sink: Sink, objects: readonly RawObject[] | undefined): void {
  if (!objects) {
    const message = 'the user may not list them';
    sink.freshness({
      kind: 'forbidden',
      since: 0,
      failure: { kind: 'forbidden', message, retryAfterMs: undefined },
    });
    return;
  }
  sink.begin();
  sink.page(objects);
  sink.end();
  sink.freshness({ kind: 'synced' });
}

/**
 * Whether the operator asks for approval: as it said of this model, else of another one in the namespace. Where
 * it said nothing yet: if somebody approved something.
 */
export function findsApproval(
  model: RawObject | undefined,
  models: readonly RawObject[],
  trusts: readonly RawObject[],
): boolean {
  const said = [...(model ? [model] : []), ...models].map(approvalSaid).find((one) => one !== undefined);
  return said ?? trusts.length > 0;
}

function approvalSaid({ status }: RawObject): boolean | undefined {
  const trusted = listAt(status, 'conditions').find(({ type }) => type === 'Trusted');
  const reason = textAt(trusted, 'reason');
  if (reason === 'AwaitingApproval' || reason === 'ApprovalUnreadable') return true;
  if (textAt(trusted, 'status') !== 'True') return undefined;
  return textAt(trusted, 'message') === messages.approved;
}

/** The Secrets of the stores that the model names, and of no others. */
async function readSources({ sources }: Caches, reads: Reads, model: CachedModel): Promise<void> {
  const stores = model.spec.kind === 'valid' ? model.spec.spec.stores : [];
  const byNamespace = Map.groupBy(stores, ({ namespace }) => namespace ?? model.namespace);
  await Promise.all(
    [...byNamespace].map(async ([namespace, refs]) => {
      const labelSelector = `${STORE_LABEL} in (${refs.map(({ name }) => name).join(',')})`;
      fill(sources.sink(namespace), await reads.listAll(secrets, { namespace, labelSelector }));
    }),
  );
}

/** By name, so that one of that name which belongs to somebody else is seen too. */
async function readDelivered({ delivered }: Caches, reads: Reads, model: CachedModel): Promise<void> {
  const { namespace } = model;
  const names = [deliveredSecretName(model.name), pullSecretName(model.name)];
  const found = await Promise.all(names.map((name) => reads.getOne(secrets, { namespace, name })));
  for (const one of found) if (typeof one !== 'string') delivered.set(one);
}

/** All of them, to find what carries the model's marker. Where that is not allowed `gather` reads those that it names. */
async function readWorkloads({ workloads }: Caches, reads: Reads, namespace: string): Promise<void> {
  await Promise.all(
    [...workloads.values()].map(async ({ resource, store }) => {
      const found = await reads.listAll(resource, { namespace });
      if (found) fill(store.sink(namespace), found);
    }),
  );
}

async function readConfig(
  { configs }: Caches,
  reads: Reads,
  { namespace, spec }: CachedModel,
  raw: RawObject,
  local: string | undefined,
): Promise<ConfigSource | undefined> {
  const ref = spec.kind === 'valid' ? spec.spec.config.configMapRef : undefined;
  if (!ref) {
    const config = isRecord(raw['spec']) ? raw['spec']['config'] : undefined;
    const text = isRecord(config) ? config['inline'] : undefined;
    return typeof text === 'string' ? { text, where: 'spec.config.inline of the model' } : undefined;
  }
  const { name, key } = ref;
  if (local !== undefined) {
    configs.set({ ...unborn(configMaps.kind, 'v1', namespace, name), data: { [key]: local } });
    return { text: local, where: 'the file given with --config' };
  }
  const found = await reads.getOne(configMaps, { namespace, name });
  if (typeof found === 'string') return undefined;
  configs.set(found);
  const text = isRecord(found['data']) ? found['data'][key] : undefined;
  return typeof text === 'string' ? { text, where: `ConfigMap ${namespace}/${name}, key ${key}` } : undefined;
}

/** What stands for the uid of an object that is not in the cluster yet. */
const NO_UID = '<uid>';

/** The frame of an object that is not in the cluster yet. */
export const unborn = (kind: string, version: string, namespace: string, name: string): RawObject => ({
  apiVersion: version,
  kind,
  metadata: { name, namespace, uid: NO_UID, resourceVersion: '0', creationTimestamp: '9999' },
});

/** A ModelDeployment that was never applied: the youngest of all. */
export const unbornModel = (namespace: string, name: string): RawObject =>
  unborn(modelDeployments.kind, API_VERSION, namespace, name);
