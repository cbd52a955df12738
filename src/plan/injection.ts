import type { ModelDeploymentSpec } from '../api/model-deployment.ts';
import { ENV_PREFIX, MODEL_ANNOTATION, MOUNT_PATH, REVISION_ANNOTATION, VOLUME_NAME } from '../api/names.ts';
import type { JsonObject } from './flatten.ts';
import { needOf, type Resolution } from './resolve.ts';
import type { LiveWorkload, ModelIdentity } from './snapshot.ts';

/** What the pods of a model get, the same for each of its workloads. */
export interface Injection {
  readonly marker: string;
  /** The pod template annotation; undefined where a change must not restart pods. */
  readonly revision: string | undefined;
  readonly volume: JsonObject | undefined;
  readonly env: readonly EnvEntry[];
  /** Names that the pods refer to. */
  readonly names: readonly string[];
  /** Name of the Secret that images are pulled with, if any. */
  readonly pullSecret: string | undefined;
}

export interface EnvEntry {
  readonly name: string;
  readonly valueFrom: { readonly secretKeyRef: SecretKeyRef };
}

interface SecretKeyRef {
  readonly name: string;
  readonly key: string;
  readonly optional?: true;
}

/** Readable by every uid: images run as any user, and Truss' own non-root user is not known here. */
const FILE_MODE = 0o444;

/** In order, as {@link projectedVolume}: what is flattened in order need not be sorted. */
export const VOLUME_MOUNT = { mountPath: MOUNT_PATH, name: VOLUME_NAME, readOnly: true } as const;

export const markerOf = ({ name, uid }: ModelIdentity): string => `${name}/${uid}`;

/**
 * Works out what goes into the pod templates; undefined when that is nothing at all.
 *
 * It depends on the declaration, never on a value, so that a pod template changes only when config.yaml or the
 * spec does, but for the revision.
 */
export function injectionOf(
  model: ModelIdentity,
  spec: ModelDeploymentSpec,
  resolutions: readonly Resolution[],
  secret: { readonly name: string; readonly revision: string | undefined },
  pull: { readonly name: string; readonly referred: boolean },
): Injection | undefined {
  if (!spec.trusted || spec.delivery === 'None') return undefined;
  if (secret.revision === undefined && !pull.referred) return undefined;
  const names = (need: 'required' | 'optional'): readonly string[] =>
    resolutions.filter((one) => needOf(one, spec.onMissing) === need).map(({ name }) => name);
  const required = names('required');
  const optional = names('optional');
  const env = envEntries(spec, secret.name, required, optional);
  const onChange = spec.onChange ?? (env.length > 0 ? 'Restart' : 'Keep');
  return {
    marker: markerOf(model),
    revision: onChange === 'Restart' ? secret.revision : undefined,
    volume:
      spec.delivery === 'Mount' && secret.revision !== undefined
        ? projectedVolume(secret.name, required, optional)
        : undefined,
    env,
    names: [...required, ...optional],
    pullSecret: pull.referred ? pull.name : undefined,
  };
}

/**
 * Two sources of one Secret: a pod waits for the items of the first, and takes what it finds of the second. The fields
 * are in order, so that {@link canonical} need not copy them for each look at a model.
 *
 * @see https://kubernetes.io/docs/concepts/storage/projected-volumes/
 */
function projectedVolume(
  secretName: string,
  required: readonly string[],
  optional: readonly string[],
): JsonObject {
  const source = (keys: readonly string[], rest: JsonObject): readonly JsonObject[] =>
    keys.length > 0
      ? [{ secret: { items: keys.map((key) => ({ key, path: key })), name: secretName, ...rest } }]
      : [];
  return {
    name: VOLUME_NAME,
    projected: {
      defaultMode: FILE_MODE,
      sources: [...source(required, {}), ...source(optional, { optional: true })],
    },
  };
}

function envEntries(
  spec: ModelDeploymentSpec,
  secretName: string,
  required: readonly string[],
  optional: readonly string[],
): readonly EnvEntry[] {
  if (spec.delivery !== 'Env' && !spec.overrides) return [];
  const plain = new Map((spec.overrides ?? []).map(({ name, env }) => [name, env ?? []]));
  const entries = (keys: readonly string[], rest: { readonly optional?: true }): readonly EnvEntry[] =>
    keys.flatMap((key) =>
      [...(spec.delivery === 'Env' ? [`${ENV_PREFIX}${key}`] : []), ...(plain.get(key) ?? [])].map(
        (name) => ({
          name,
          valueFrom: { secretKeyRef: { name: secretName, key, ...rest } },
        }),
      ),
    );
  return [...entries(required, {}), ...entries(optional, { optional: true })];
}

/** The form in which {@link EnvView} keeps a reference. */
export const refShown = ({ name, key, optional }: SecretKeyRef): string =>
  `${name}/${key}/${optional === true}`;

/**
 * The body of the server-side apply: all that we want to own in a workload. Its uid is in it so that an apply
 * never creates a workload that is gone.
 */
export function applyBody(
  live: LiveWorkload,
  injection: Injection | undefined,
  containers: ReadonlySet<string>,
): JsonObject {
  const { apiVersion, workloadKind: kind, name, namespace, uid } = live;
  const metadata = { name, namespace, uid };
  if (!injection) return { apiVersion, kind, metadata };
  const { marker, revision, volume, env, pullSecret } = injection;
  const patched = (init: boolean): readonly JsonObject[] =>
    live.containers
      .filter((container) => container.init === init && containers.has(container.name))
      .map((container) => ({
        name: container.name,
        ...(volume ? { volumeMounts: [VOLUME_MOUNT] } : {}),
        ...(env.length > 0 ? { env } : {}),
      }));
  const section = (field: string, list: readonly JsonObject[]): JsonObject =>
    list.length > 0 ? { [field]: list } : {};
  const rolls = revision !== undefined && kind !== 'CronJob';
  const template = {
    ...(rolls ? { metadata: { annotations: { [REVISION_ANNOTATION]: revision } } } : {}),
    spec: {
      ...section('containers', patched(false)),
      ...section('initContainers', patched(true)),
      ...section('volumes', volume ? [volume] : []),
      ...section('imagePullSecrets', pullSecret === undefined ? [] : [{ name: pullSecret }]),
    },
  };
  return {
    apiVersion,
    kind,
    metadata: { ...metadata, annotations: { [MODEL_ANNOTATION]: marker } },
    spec: kind === 'CronJob' ? { jobTemplate: { spec: { template } } } : { template },
  };
}
