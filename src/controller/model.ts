import {
  type ModelDeploymentSpec,
  type ModelDeploymentStatus,
  modelDeploymentSpec,
} from '../api/model-deployment.ts';
import { declarationOf } from '../plan/declaration.ts';
import { isObject } from '../plan/flatten.ts';
import type { Declaration, PriorStatus, SpecView } from '../plan/snapshot.ts';
import { readTrussConfig } from '../truss/config.ts';
import type { RawObject } from '../kube/object.ts';
import { type CachedStatus, projectStatus, type Readiness, statusDigest } from './model-status.ts';
import { shared, sharedText } from './sharing.ts';
import { type KeptVersion, keptVersion } from './version.ts';

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

/** Reduces a ModelDeployment at the door. `known` saves parsing the spec again when only the status changed. */
export function projectModel(raw: RawObject, known: CachedModel | undefined): CachedModel {
  const { metadata, status } = raw;
  const { namespace = '', name, uid, resourceVersion, generation = 0 } = metadata;
  const isUnchanged = known?.uid === uid && known.generation === generation;
  const { spec, inline } = isUnchanged ? known : parseSpec(raw['spec']);
  return new KeptModel({
    namespace,
    name,
    uid,
    resourceVersion,
    generation,
    createdAt: metadata.creationTimestamp ?? '',
    deleting: metadata.deletionTimestamp !== undefined,
    spec,
    inline,
    status: projectStatus(status),
    statusDigest: statusDigest(status),
  });
}

/**
 * A model once this status is written to it.
 *
 * @param digest of the status without its times
 */
export function withStatus(
  model: CachedModel,
  resourceVersion: string,
  status: ModelDeploymentStatus,
  digest: string,
): CachedModel {
  const { namespace, name, uid, generation, createdAt, deleting, spec, inline } = model;
  return new KeptModel({
    namespace,
    name,
    uid,
    resourceVersion,
    generation,
    createdAt,
    deleting,
    spec,
    inline,
    status: projectStatus(status),
    statusDigest: digest,
  });
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
  // the text is reduced to what it declares, and not kept
  const { inline, ...config } = parsed.data.config;
  const spec: ModelDeploymentSpec = { ...parsed.data, config };
  return {
    spec: { kind: 'valid', spec },
    inline: inline === undefined ? undefined : shared(declarationOf(readTrussConfig(inline))),
  };
}

/**
 * A model of which as much as possible is kept once for all that have it in common, and put together when it is
 * asked for. Most models have one workload of the same name, and differ in nothing else.
 */
class KeptModel implements CachedModel {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly generation: number;
  readonly createdAt: string;
  readonly deleting: boolean;
  readonly inline: Declaration | undefined;
  readonly statusDigest: string;
  readonly #version: KeptVersion;
  /** Workloads of the model's own name have none in these two. */
  readonly #spec: SpecView;
  readonly #status: Omit<CachedStatus, 'conditions'>;
  /** Apart, as their times are more different than the rest. */
  readonly #conditions: PriorStatus['conditions'];

  constructor(model: Omit<CachedModel, keyof CachedStatus | 'prior'> & { readonly status: CachedStatus }) {
    const { name } = model;
    const { conditions, ...status } = model.status;
    this.namespace = sharedText(model.namespace);
    this.name = name;
    this.uid = model.uid;
    this.#version = keptVersion(model.resourceVersion);
    this.generation = model.generation;
    this.createdAt = sharedText(model.createdAt);
    this.deleting = model.deleting;
    this.inline = model.inline;
    this.statusDigest = model.statusDigest;
    this.#spec = shared(renamed(model.spec, name, OWN_NAME));
    this.#conditions = shared(conditions);
    this.#status = shared({ ...status, workloads: namedAs(status.workloads, name, OWN_NAME) });
  }

  get resourceVersion(): string {
    return String(this.#version);
  }

  get spec(): SpecView {
    return renamed(this.#spec, OWN_NAME, this.name);
  }

  get prior(): PriorStatus {
    const { secrets, workloads, ready } = this.#status;
    return {
      secrets,
      workloads: namedAs(workloads, OWN_NAME, this.name),
      conditions: this.#conditions,
      ready,
    };
  }

  get readiness(): Readiness {
    return this.#status.readiness;
  }

  get hasSecret(): boolean {
    return this.#status.hasSecret;
  }

  get hasPullSecret(): boolean {
    return this.#status.hasPullSecret;
  }
}

/** Stands for the name of the model: no workload has it. */
const OWN_NAME = '';

const renamed = (view: SpecView, from: string, to: string): SpecView =>
  view.kind === 'invalid'
    ? view
    : { ...view, spec: { ...view.spec, workloads: [...namedAs(view.spec.workloads, from, to)] } };

const namedAs = <T extends { readonly name: string }>(
  list: readonly T[],
  from: string,
  to: string,
): readonly T[] => list.map((one) => (one.name === from ? { ...one, name: to } : one));
