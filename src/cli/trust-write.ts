import { setTimeout as delay } from 'node:timers/promises';
import { API_VERSION } from '../api/names.ts';
import { type ModelTrustSpec, modelTrustSpec } from '../api/model-trust.ts';
import { isApiError } from '../kube/errors.ts';
import { isRecord, type RawObject } from '../kube/object.ts';
import { modelDeployments, modelTrusts } from '../kube/resource.ts';
import { listAt, textAt } from '../plan/flatten.ts';
import type { Cluster } from './cluster.ts';
import { CommandError } from './errors.ts';

export const isTrusted = ({ spec }: RawObject): boolean => isRecord(spec) && spec['trusted'] === true;

const ATTEMPTS = 5;

/**
 * Sets `spec.trusted` of the very model, as it was shown: the operator may write its status meanwhile, but nobody
 * may have changed what it asks for.
 *
 * @throws CommandError when somebody did; ApiError
 */
export async function setTrusted(
  { client, namespace }: Cluster,
  shown: RawObject,
  trusted: boolean,
): Promise<RawObject> {
  const { name, uid, generation } = shown.metadata;
  const key = { namespace, name };
  let { resourceVersion } = shown.metadata;
  for (let attempt = 1; ; attempt++) {
    try {
      const body = { metadata: { uid, resourceVersion }, spec: { trusted } };
      return await client.mergePatch(modelDeployments, key, body);
    } catch (error) {
      if (!isApiError(error, 'Conflict') && !isApiError(error, 'NotFound')) throw error;
      const now = await client.get(modelDeployments, key);
      if (now?.metadata.uid !== uid || now.metadata.generation !== generation || attempt === ATTEMPTS) {
        throw new CommandError(
          `ModelDeployment ${name} was changed meanwhile: nothing was done; look at it again`,
          {
            cause: error,
          },
        );
      }
      ({ resourceVersion } = now.metadata);
    }
  }
}

/** A ModelTrust, and what of it could be read. */
export interface ExistingTrust {
  readonly raw: RawObject;
  readonly spec: ModelTrustSpec | undefined;
}

/** The ModelTrust of a model; undefined: there is none, or the user may not read it. */
export async function readTrust(
  { client, namespace }: Cluster,
  name: string,
): Promise<ExistingTrust | undefined> {
  try {
    const raw = await client.get(modelTrusts, { namespace, name });
    const parsed = modelTrustSpec.safeParse(raw?.['spec']);
    return raw && { raw, spec: parsed.success ? parsed.data : undefined };
  } catch (error) {
    if (isApiError(error, 'Forbidden')) return undefined;
    throw error;
  }
}

/** Approves exactly this. @throws ApiError, CommandError */
export async function writeTrust(
  { client, namespace }: Cluster,
  name: string,
  spec: ModelTrustSpec,
  existing: ExistingTrust | undefined,
): Promise<void> {
  try {
    if (existing) {
      const { uid, resourceVersion } = existing.raw.metadata;
      await client.mergePatch(modelTrusts, { namespace, name }, { metadata: { uid, resourceVersion }, spec });
    } else {
      const body = { apiVersion: API_VERSION, kind: 'ModelTrust', metadata: { name, namespace }, spec };
      await client.create(modelTrusts, namespace, body);
    }
  } catch (error) {
    if (!isApiError(error, 'Conflict') && !isApiError(error, 'AlreadyExists')) throw error;
    throw new CommandError(
      `ModelTrust ${name} was changed meanwhile: it was left as it is; look at it again`,
      {
        cause: error,
      },
    );
  }
}

const ANSWER_WITHIN_MS = 10_000;
const LOOK_EVERY_MS = 250;

/**
 * What the operator says of a model once it has seen this generation: the reason of the condition Trusted. Undefined: it has
 * not looked in time.
 */
export async function operatorsAnswer(
  { client, namespace }: Cluster,
  { metadata }: RawObject,
): Promise<string | undefined> {
  const deadline = performance.now() + ANSWER_WITHIN_MS;
  for (;;) {
    const model = await client.get(modelDeployments, { namespace, name: metadata.name });
    const status = isRecord(model?.['status']) ? model['status'] : {};
    const seen = status['observedGeneration'];
    if (typeof seen === 'number' && seen >= (metadata.generation ?? 0)) {
      return textAt(
        listAt(status, 'conditions').find(({ type }) => type === 'Trusted'),
        'reason',
      );
    }
    if (performance.now() > deadline) return undefined;
    await delay(LOOK_EVERY_MS);
  }
}
