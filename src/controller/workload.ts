import type { WorkloadKind } from '../api/model-deployment.ts';
import {
  DEFAULT_CONTAINER_ANNOTATION,
  MODEL_ANNOTATION,
  MOUNT_PATH,
  REVISION_ANNOTATION,
  VOLUME_NAME,
} from '../api/names.ts';
import {
  canonical,
  flattened,
  type JsonObject,
  listAt,
  objectAt,
  ownedFields,
  textAt,
} from '../plan/flatten.ts';
import { markerOf, refShown } from '../plan/injection.ts';
import type {
  ContainerView,
  EnvView,
  ForeignVolume,
  LiveWorkload,
  ModelIdentity,
  MountView,
  Rollout,
} from '../plan/snapshot.ts';
import type { RawMetadata, RawObject } from '../kube/object.ts';
import { digest } from './digest.ts';
import { type FieldPath, fieldPath, Ownership } from './ownership.ts';
import { projectRollout } from './rollout.ts';
import { shared, sharedText } from './sharing.ts';
import { type KeptVersion, keptVersion } from './version.ts';

/**
 * Reduces a Deployment, StatefulSet, DaemonSet or CronJob at the door. managedFields are read here, for who owns
 * what, and dropped; values of environment variables are not kept.
 *
 * @param namesake the model of the same name, as most workloads have one: its texts are not kept a second time
 */
export function projectWorkload(
  raw: RawObject,
  apiVersion: string,
  kind: WorkloadKind,
  namesake?: ModelIdentity,
): LiveWorkload {
  const { metadata } = raw;
  const path = kind === 'CronJob' ? ['spec', 'jobTemplate', 'spec', 'template'] : ['spec', 'template'];
  const ownership = new Ownership(metadata.managedFields ?? [], fieldPath(path));
  const template = path.reduce<unknown>((value, key) => objectAt(value, key), raw);
  const podPath = [...path, 'spec'];
  const pod = objectAt(template, 'spec');
  const annotations = objectAt(objectAt(template, 'metadata'), 'annotations');
  const containers = [
    ...projectContainers(pod, 'containers', podPath, ownership),
    ...projectContainers(pod, 'initContainers', podPath, ownership),
  ];
  const { rollout, oldPods } = projectRollout(raw, kind);
  const owned = ownership.ours === undefined ? '' : ownedFields(raw, ownership.ours);
  return new KeptWorkload(
    metadata,
    {
      marker: metadata.annotations?.[MODEL_ANNOTATION],
      revision: textAt(annotations, REVISION_ANNOTATION),
      owned: owned === '' ? '' : digest(owned),
    },
    {
      apiVersion,
      workloadKind: kind,
      deleting: metadata.deletionTimestamp !== undefined,
      defaultContainer: textAt(annotations, DEFAULT_CONTAINER_ANNOTATION),
      containers,
      volume: foreignVolume(pod, podPath, ownership),
      duplicate: findDuplicate(pod),
      editor: ownership.editor,
      rollout,
      oldPods,
      blockedSince: rollout.blocked ? ownership.editedAt : undefined,
    },
    namesake,
  );
}

/** What is different in every workload, besides its name. */
type Own = Pick<LiveWorkload, 'marker' | 'revision' | 'owned'>;
/** What most workloads have in common, so that it is there once. */
type Common = Omit<LiveWorkload, keyof Own | 'namespace' | 'name' | 'uid' | 'resourceVersion'>;

class KeptWorkload implements LiveWorkload {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly revision: string | undefined;
  readonly owned: string;
  readonly #version: KeptVersion;
  readonly #common: Common;
  /** Of the model of the same name, where the marker is its own. */
  readonly #namesakeUid: string | undefined;
  readonly #otherMarker: string | undefined;

  constructor(
    { namespace = '', name, uid, resourceVersion }: RawMetadata,
    { marker, revision, owned }: Own,
    common: Common,
    namesake: ModelIdentity | undefined,
  ) {
    this.namespace = sharedText(namespace);
    this.name = namesake?.name ?? name;
    this.uid = uid;
    this.#version = keptVersion(resourceVersion);
    const isNamesakes = namesake !== undefined && marker === markerOf(namesake);
    this.#namesakeUid = isNamesakes ? namesake.uid : undefined;
    this.#otherMarker = isNamesakes ? undefined : marker;
    this.revision = revision;
    this.owned = owned;
    this.#common = shared(common);
  }

  get resourceVersion(): string {
    return String(this.#version);
  }
  get marker(): string | undefined {
    const { namespace, name } = this;
    const uid = this.#namesakeUid;
    return uid === undefined ? this.#otherMarker : markerOf({ namespace, name, uid });
  }
  get apiVersion(): string {
    return this.#common.apiVersion;
  }
  get workloadKind(): string {
    return this.#common.workloadKind;
  }
  get deleting(): boolean {
    return this.#common.deleting;
  }
  get defaultContainer(): string | undefined {
    return this.#common.defaultContainer;
  }
  get containers(): readonly ContainerView[] {
    return this.#common.containers;
  }
  get volume(): ForeignVolume | undefined {
    return this.#common.volume;
  }
  get duplicate(): string | undefined {
    return this.#common.duplicate;
  }
  get editor(): string {
    return this.#common.editor;
  }
  get rollout(): Rollout {
    return this.#common.rollout;
  }
  get oldPods(): string | undefined {
    return this.#common.oldPods;
  }
  get blockedSince(): number | undefined {
    return this.#common.blockedSince;
  }
}

/** Every field but the resourceVersion: pods that come and go change that many times, and nothing else that matters. */
type Compared = Exclude<keyof LiveWorkload, 'resourceVersion'>;
const COMPARED: Readonly<Record<Compared, true>> = {
  apiVersion: true,
  workloadKind: true,
  namespace: true,
  name: true,
  uid: true,
  deleting: true,
  marker: true,
  revision: true,
  defaultContainer: true,
  containers: true,
  volume: true,
  duplicate: true,
  owned: true,
  editor: true,
  rollout: true,
  oldPods: true,
  blockedSince: true,
};
const COMPARED_FIELDS = Object.keys(COMPARED).filter((field): field is Compared => field in COMPARED);

/** Whether a workload is for a plan as it was. */
export const sameWorkload = (old: LiveWorkload, now: LiveWorkload): boolean =>
  COMPARED_FIELDS.every(
    (field) => old[field] === now[field] || canonical(old[field]) === canonical(now[field]),
  );

function projectContainers(
  pod: unknown,
  field: 'containers' | 'initContainers',
  podPath: readonly string[],
  ownership: Ownership,
): readonly ContainerView[] {
  return listAt(pod, field).map((container) => {
    const name = textAt(container, 'name') ?? '';
    const path = [...fieldPath(podPath), `f:${field}`, { name }];
    return {
      name,
      init: field === 'initContainers',
      mounts: listAt(container, 'volumeMounts').flatMap((mount) => projectMount(mount, path, ownership)),
      env: listAt(container, 'env').map((entry) => projectEnv(entry, path, ownership)),
    };
  });
}

function projectMount(mount: JsonObject, container: FieldPath, ownership: Ownership): readonly MountView[] {
  const mountPath = textAt(mount, 'mountPath') ?? '';
  if (normalisedPath(mountPath) !== MOUNT_PATH) return [];
  const owners = ownership.of([...container, 'f:volumeMounts', { mountPath }]);
  const same =
    mountPath === MOUNT_PATH &&
    mount['name'] === VOLUME_NAME &&
    mount['readOnly'] === true &&
    mount['subPath'] === undefined &&
    mount['subPathExpr'] === undefined;
  return [{ same, ...owners }];
}

function projectEnv(entry: JsonObject, container: FieldPath, ownership: Ownership): EnvView {
  const name = textAt(entry, 'name') ?? '';
  const ref = objectAt(objectAt(entry, 'valueFrom'), 'secretKeyRef');
  const secret = textAt(ref, 'name');
  const key = textAt(ref, 'key');
  const secretKeyRef =
    secret === undefined || key === undefined
      ? undefined
      : refShown({ name: secret, key, ...(ref?.['optional'] === true ? { optional: true } : {}) });
  return { name, ...ownership.of([...container, 'f:env', { name }]), secretKeyRef };
}

function foreignVolume(
  pod: unknown,
  podPath: readonly string[],
  ownership: Ownership,
): ForeignVolume | undefined {
  const volume = listAt(pod, 'volumes').find(({ name }) => name === VOLUME_NAME);
  if (!volume) return undefined;
  const { ours, manager } = ownership.of([...fieldPath(podPath), 'f:volumes', { name: VOLUME_NAME }]);
  return ours ? undefined : { manager, content: flattened(volume) };
}

/** What server-side apply keys by name and finds twice: older API servers answer 500 to any apply on it. */
function findDuplicate(pod: unknown): string | undefined {
  const lists: readonly (readonly [string, readonly JsonObject[], string])[] = [
    ['volume', listAt(pod, 'volumes'), 'name'],
    ['image pull secret', listAt(pod, 'imagePullSecrets'), 'name'],
    ...[...listAt(pod, 'containers'), ...listAt(pod, 'initContainers')].flatMap((container) => [
      [
        `in container ${textAt(container, 'name') ?? ''} the environment variable`,
        listAt(container, 'env'),
        'name',
      ] as const,
      [
        `in container ${textAt(container, 'name') ?? ''} the mount path`,
        listAt(container, 'volumeMounts'),
        'mountPath',
      ] as const,
    ]),
  ];
  for (const [what, items, key] of lists) {
    const seen = new Set<unknown>();
    for (const item of items) {
      if (seen.has(item[key])) return `${what} ${String(item[key])}`;
      seen.add(item[key]);
    }
  }
  return undefined;
}

/** `/secrets/`, `//secrets` and `/secrets/.` are all `/secrets`. */
function normalisedPath(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}
