import {
  type ModelDeploymentStatus,
  SECRET_ROLES,
  type SecretRole,
  WORKLOAD_KINDS,
  WORKLOAD_STATES,
} from '../api/model-deployment.ts';
import { isReason, type Reason } from '../api/messages.ts';
import { readySays } from '../plan/events.ts';
import { canonical, isObject, type JsonObject, listAt, objectAt, textAt } from '../plan/flatten.ts';
import type { PriorSecret, PriorStatus, PriorWorkload, ValueSource } from '../plan/snapshot.ts';
import { digest } from './digest.ts';

/** What the status says of Ready, in a bounded set of words. */
export interface Readiness {
  readonly ready: 'True' | 'False' | 'Unknown';
  readonly reason: Reason | 'Unknown';
}

/** What is kept of the status of a ModelDeployment. Models that are served alike have it in common. */
export interface CachedStatus extends PriorStatus {
  readonly readiness: Readiness;
  /** By the status, it has a delivered Secret, or a pull Secret. */
  readonly hasSecret: boolean;
  readonly hasPullSecret: boolean;
}

const NO_READINESS: Readiness = { ready: 'Unknown', reason: 'Unknown' };

function readinessOf(condition: JsonObject | undefined): Readiness {
  if (!condition) return NO_READINESS;
  const reason = textAt(condition, 'reason') ?? '';
  return { ready: conditionStatus(condition), reason: isReason(reason) ? reason : 'Unknown' };
}

const conditionStatus = ({ status }: JsonObject): Readiness['ready'] =>
  (['True', 'False'] as const).find((one) => one === status) ?? 'Unknown';

const roleOf = (text: string | undefined): SecretRole =>
  SECRET_ROLES.find((role) => role === text) ?? 'Required';

function projectSource(secret: JsonObject): ValueSource | undefined {
  const source = objectAt(secret, 'source');
  const [namespace, name, key, uid] = ['namespace', 'name', 'key', 'uid'].map((field) =>
    textAt(source, field),
  );
  if (namespace === undefined || name === undefined || key === undefined || uid === undefined)
    return undefined;
  return { key, name, namespace, uid };
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

export function projectStatus(status: unknown): CachedStatus {
  const secrets = listAt(status, 'secrets');
  const conditions = listAt(status, 'conditions');
  const ready = conditions.find(({ type }) => type === 'Ready');
  return {
    secrets: secrets.map(projectSecret),
    workloads: listAt(status, 'workloads').flatMap(projectWorkloadStatus),
    conditions: conditions.map((condition) => ({
      type: textAt(condition, 'type') ?? '',
      status: textAt(condition, 'status') ?? '',
      lastTransitionTime: textAt(condition, 'lastTransitionTime') ?? '',
    })),
    ready: ready && digest(readySays(projectReady(ready))),
    readiness: readinessOf(ready),
    hasSecret: textAt(status, 'secretName') !== undefined,
    hasPullSecret: secrets.some(
      (secret) => objectAt(secret, 'pull') !== undefined && objectAt(secret, 'source') !== undefined,
    ),
  };
}

const projectReady = (ready: JsonObject) => ({
  status: conditionStatus(ready),
  reason: textAt(ready, 'reason') ?? '',
  message: textAt(ready, 'message') ?? '',
});

/** Digest of a status; when its conditions changed is left out, so that the same findings give the same digest. */
export function statusDigest(status: unknown): string {
  if (!isObject(status)) return '';
  const conditions = listAt(status, 'conditions').map((said) => ({ ...said, lastTransitionTime: '' }));
  return digest(canonical({ ...status, conditions }));
}

/**
 * The same of what `statusOf` made: it has no times, and its fields are in order. If they were not, a status would be taken for
 * news for ever.
 */
export const undatedDigest = (status: ModelDeploymentStatus): string => digest(JSON.stringify(status));
