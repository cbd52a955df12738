import {
  type ModelDeploymentSpec,
  modelDeploymentSpec,
  SECRET_ROLES,
  type SecretRole,
  WORKLOAD_KINDS,
  WORKLOAD_STATES,
} from '../api/model-deployment.ts';
import { isReason, type Reason } from '../api/messages.ts';
import { declarationOf } from '../plan/declaration.ts';
import { readySays } from '../plan/events.ts';
import { canonical, isObject, type JsonObject, listAt, objectAt, textAt } from '../plan/flatten.ts';
import type {
  Declaration,
  PriorSecret,
  PriorStatus,
  PriorWorkload,
  SpecView,
  ValueSource,
} from '../plan/snapshot.ts';
import { readTrussConfig } from '../truss/config.ts';
import type { RawObject } from '../kube/object.ts';
import { digest } from './digest.ts';
import { shared, sharedText } from './sharing.ts';

/** What is kept of a ModelDeployment. */
export interface CachedModel {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation: number;
  readonly createdAt: string;
  readonly deleting: boolean;
  readonly spec: SpecView;
  /** What an inline config.yaml declares; the text itself is not kept. */
  readonly inline: Declaration | undefined;
  readonly prior: PriorStatus;
  readonly readiness: Readiness;
  /** By the status, it has a delivered Secret, or a pull Secret. */
  readonly hasSecret: boolean;
  readonly hasPullSecret: boolean;
  /** Of the status without its times: whether a new one says anything new. */
  readonly statusDigest: string;
}

/** What the status says of Ready, in a bounded set of words. */
export interface Readiness {
  readonly ready: 'True' | 'False' | 'Unknown';
  readonly reason: Reason | 'Unknown';
}

/** Reduces a ModelDeployment at the door. `known` saves parsing the spec again when only the status changed. */
export function projectModel(raw: RawObject, known: CachedModel | undefined): CachedModel {
  const { metadata } = raw;
  const generation = metadata.generation ?? 0;
  const unchanged = known?.uid === metadata.uid && known.generation === generation;
  const { spec, inline } = unchanged ? known : parseSpec(raw['spec']);
  return {
    namespace: sharedText(metadata.namespace ?? ''),
    name: metadata.name,
    uid: metadata.uid,
    resourceVersion: metadata.resourceVersion,
    generation,
    createdAt: sharedText(metadata.creationTimestamp ?? ''),
    deleting: metadata.deletionTimestamp !== undefined,
    spec,
    inline,
    prior: projectStatus(raw['status']),
    readiness: shared(readinessOf(raw['status'])),
    hasSecret: textAt(raw['status'], 'secretName') !== undefined,
    hasPullSecret: listAt(raw['status'], 'secrets').some(
      (secret) => objectAt(secret, 'pull') !== undefined && objectAt(secret, 'source') !== undefined,
    ),
    statusDigest: statusDigest(raw['status']),
  };
}

function parseSpec(raw: unknown): Pick<CachedModel, 'spec' | 'inline'> {
  const parsed = modelDeploymentSpec.safeParse(raw);
  if (!parsed.success) {
    const issues = parsed.error.issues.map(
      ({ path, message }) => `${['spec', ...path].join('.')}: ${message}`,
    );
    // it wins over everything, whatever else can be read
    const trusted = isObject(raw) && raw['trusted'] === true;
    return { spec: { kind: 'invalid', trusted, issues }, inline: undefined };
  }
  const { config, stores, workloads, ...rest } = parsed.data;
  // the text is reduced to what it declares, and not kept
  const { inline, ...kept } = config;
  const spec: ModelDeploymentSpec = {
    ...rest,
    config: shared(kept),
    stores: shared(stores),
    // constants stand for what is the same in many a spec
    workloads: workloads.map((ref) => ({
      ...ref,
      kind: WORKLOAD_KINDS.find((kind) => kind === ref.kind) ?? ref.kind,
    })),
  };
  return {
    spec: { kind: 'valid', spec },
    inline: inline === undefined ? undefined : shared(declarationOf(readTrussConfig(inline))),
  };
}

const NO_READINESS: Readiness = { ready: 'Unknown', reason: 'Unknown' };

function readinessOf(status: unknown): Readiness {
  const condition = listAt(status, 'conditions').find(({ type }) => type === 'Ready');
  if (!condition) return NO_READINESS;
  const ready = (['True', 'False'] as const).find((one) => one === condition['status']) ?? 'Unknown';
  const reason = textAt(condition, 'reason') ?? '';
  return { ready, reason: isReason(reason) ? reason : 'Unknown' };
}

const roleOf = (text: string | undefined): SecretRole =>
  SECRET_ROLES.find((role) => role === text) ?? 'Required';

function projectSource(secret: JsonObject): ValueSource | undefined {
  const source = objectAt(secret, 'source');
  const [namespace, name, key, uid] = ['namespace', 'name', 'key', 'uid'].map((field) =>
    textAt(source, field),
  );
  if (namespace === undefined || name === undefined || key === undefined || uid === undefined)
    return undefined;
  return { namespace, name, key, uid };
}

function projectSecret(secret: JsonObject): PriorSecret {
  const pull = objectAt(secret, 'pull');
  const known = {
    name: textAt(secret, 'name') ?? '',
    role: roleOf(textAt(secret, 'role')),
    source: projectSource(secret),
  };
  if (!pull) return known;
  const use = { method: textAt(pull, 'method') ?? '', registry: textAt(pull, 'registry') ?? '' };
  return { ...known, pull: use };
}

function projectWorkloadStatus(workload: JsonObject): readonly PriorWorkload[] {
  // constants stand for what is the same in many a status
  const kind = WORKLOAD_KINDS.find((one) => one === workload['kind']);
  const state = WORKLOAD_STATES.find((one) => one === workload['state']);
  return kind && state ? [{ kind, name: textAt(workload, 'name') ?? '', state }] : [];
}

const sharedDigest = (text: string): string => sharedText(digest(text));

function projectStatus(status: unknown): PriorStatus {
  const conditions = listAt(status, 'conditions').map((condition) => ({
    type: textAt(condition, 'type') ?? '',
    status: textAt(condition, 'status') ?? '',
    lastTransitionTime: textAt(condition, 'lastTransitionTime') ?? '',
  }));
  const ready = listAt(status, 'conditions').find((condition) => condition['type'] === 'Ready');
  return {
    secrets: shared(listAt(status, 'secrets').map(projectSecret)),
    workloads: listAt(status, 'workloads').flatMap(projectWorkloadStatus),
    conditions: shared(conditions),
    ready:
      ready &&
      sharedDigest(
        readySays({
          status:
            textAt(ready, 'status') === 'True'
              ? 'True'
              : textAt(ready, 'status') === 'False'
                ? 'False'
                : 'Unknown',
          reason: textAt(ready, 'reason') ?? '',
          message: textAt(ready, 'message') ?? '',
        }),
      ),
  };
}

/** Digest of a status; when its conditions changed is left out, so that the same findings give the same digest. */
export function statusDigest(status: unknown): string {
  if (!isObject(status)) return '';
  const conditions = listAt(status, 'conditions').map(({ lastTransitionTime: _time, ...said }) => said);
  return digest(canonical({ ...status, conditions }));
}
