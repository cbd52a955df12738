import type {
  ModelDeploymentSpec,
  SecretRole,
  StoreRef,
  WorkloadRef,
  WorkloadState,
} from '../api/model-deployment.ts';
import type { ModelTrustSpec } from '../api/model-trust.ts';
import type { SecretValue } from '../api/secret-value.ts';
import type { Consent } from './consent.ts';

/**
 * Everything that a plan is made from: what the cluster held at one moment, reduced to what matters.
 * A snapshot is data; whoever gathers it (the controller, a command, a test) does the reading.
 */
export interface Snapshot {
  readonly model: ModelView;
  readonly declaration: Declaration;
  readonly approval: ApprovalView;
  /** One entry per entry of `spec.stores`, in the same order. */
  readonly stores: readonly StoreView[];
  /** UID of the model's namespace; known only when a source pins one. */
  readonly namespaceUid: string | undefined;
  readonly delivered: DeliveredView;
  /** The pull Secret. */
  readonly pull: DeliveredView;
  /** Those that the spec names, and those that still carry what this model injected. */
  readonly workloads: readonly WorkloadView[];
}

export interface ModelIdentity {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

export interface ModelView extends ModelIdentity {
  readonly generation: number;
  /** Being deleted (foreground deletion, somebody's finalizer): nothing is written for it any more. */
  readonly deleting: boolean;
  readonly spec: SpecView;
  readonly prior: PriorStatus;
}

export type SpecView = { readonly kind: 'valid'; readonly spec: ModelDeploymentSpec } | InvalidSpec;

/** It breaks a rule. Whether the model is trusted can be said all the same. */
export interface InvalidSpec {
  readonly kind: 'invalid';
  readonly trusted: boolean;
  readonly issues: readonly string[];
}

/** What an earlier status says that a new plan has to know. */
export interface PriorStatus {
  /** The names of the last config.yaml that could be read, should the present one be unreadable. */
  readonly secrets: readonly PriorSecret[];
  readonly workloads: readonly PriorWorkload[];
  readonly conditions: readonly PriorCondition[];
  /** {@link readySays} of the Ready condition; undefined when there is none. */
  readonly ready: string | undefined;
}

export interface PriorSecret {
  readonly name: string;
  readonly role: SecretRole;
  readonly pull?: PullUse;
  /** Where it was copied from, if it was delivered. */
  readonly source: ValueSource | undefined;
}

/** The Secret and the key that a value was copied from. */
export interface ValueSource {
  readonly namespace: string;
  readonly name: string;
  readonly key: string;
  readonly uid: string;
}

export interface PriorWorkload {
  readonly kind: WorkloadRef['kind'];
  readonly name: string;
  readonly state: WorkloadState;
}

export interface PriorCondition {
  readonly type: string;
  readonly status: string;
  readonly lastTransitionTime: string;
}

export interface DeclaredSecret {
  readonly name: string;
  readonly role: SecretRole;
  /** It is what images are pulled with, or it is that besides. */
  readonly pull?: PullUse;
}

export interface PullUse {
  /** Truss's `auth_method`, or `DOCKER_REGISTRY` for a name with that prefix. */
  readonly method: string;
  readonly registry: string;
}

/** What reading config.yaml came to. */
export type Declaration =
  | {
      readonly kind: 'read';
      readonly secrets: readonly DeclaredSecret[];
      readonly warnings: readonly string[];
      /** Those that matter only to delivery as environment variables. */
      readonly envWarnings: readonly string[];
    }
  | { readonly kind: 'missing'; readonly what: 'ConfigMap' | 'key' }
  | { readonly kind: 'unknown'; readonly why: string }
  | { readonly kind: 'malformed'; readonly errors: readonly string[] };

/** What is known of the ModelTrust of the model's name. */
export type ApprovalView =
  /** The operator does not ask for approval. */
  | { readonly kind: 'not-required' }
  | { readonly kind: 'unknown'; readonly why: string }
  | { readonly kind: 'absent' }
  | { readonly kind: 'found'; readonly trust: TrustView };

export interface TrustView {
  readonly spec:
    | { readonly kind: 'valid'; readonly spec: ModelTrustSpec }
    | { readonly kind: 'invalid'; readonly issues: readonly string[] };
  /** UID of the model that it was found to be for; undefined: of none yet. */
  readonly notedUid: string | undefined;
}

export type StoreView = ReadableStore | UnreadableStore;

export interface ReadableStore {
  readonly kind: 'readable';
  readonly ref: StoreRef;
  /** Every Secret with the store's label there, whether it consents or not: the plan decides that. */
  readonly secrets: readonly SourceSecret[];
}

/** Unknown is not empty: what was delivered from it stays. */
export interface UnreadableStore {
  readonly kind: 'unreadable';
  readonly ref: StoreRef;
  readonly why: string;
}

export interface SourceSecret {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly type: string;
  readonly store: string;
  readonly environment: string | undefined;
  readonly consent: Consent | undefined;
  /** Belongs to a ModelDeployment: a delivered copy is never a source, or it would keep itself alive. */
  readonly delivered: boolean;
  readonly values: ReadonlyMap<string, SecretValue>;
}

export type DeliveredView =
  | {
      readonly kind: 'absent';
      /** What this process last knew of it, so that putting a deleted Secret back does not restart pods. */
      readonly last: DeliveredContent | undefined;
      readonly fight?: Fight | undefined;
    }
  | ({
      readonly kind: 'ours';
      readonly uid: string;
      readonly resourceVersion: string;
      readonly deleting: boolean;
      /** Of the type that we write, and not immutable. */
      readonly replaceable: boolean;
      readonly labelled: boolean;
      /** Nobody but the model owns it, so that it goes with that. */
      readonly soleOwner: boolean;
      /** Who else last wrote it. */
      readonly editor?: string;
      readonly fight?: Fight | undefined;
    } & DeliveredContent);

export interface DeliveredContent {
  readonly revision: string | undefined;
  /** Digest of each value by key, made by {@link Surroundings.digestOf}; it never leaves the process. */
  readonly digests: ReadonlyMap<string, string>;
}

export type WorkloadView =
  | { readonly kind: 'absent'; readonly ref: WorkloadRef }
  /** The operator may not read it. */
  | { readonly kind: 'forbidden'; readonly ref: WorkloadRef }
  | ({ readonly kind: 'present' } & PresentWorkload);

export interface PresentWorkload {
  /** The entry of `spec.workloads`; undefined for one that the spec does not name (any more). */
  readonly ref: WorkloadRef | undefined;
  readonly live: LiveWorkload;
  /** Name of another model that holds the workload: its marker is there, or it is older and asked too. */
  readonly holder: string | undefined;
  /** Of late the same was written more than once: how that goes on. */
  readonly fight?: Fight | undefined;
  /** Milliseconds since the pod template was last written, if a pod of an earlier template holds up the others. */
  readonly blockedForMs?: number | undefined;
}

/** A write that somebody keeps undoing, or that the API server keeps refusing. */
export interface Fight {
  /** Digest of what is written. */
  readonly wanted: string;
  /** Milliseconds until it may be written again. */
  readonly waitMs: number;
  /** What the API server said when it refused it last. */
  readonly refused: string | undefined;
}

/** What is kept of a live workload. */
export interface LiveWorkload {
  readonly apiVersion: string;
  readonly workloadKind: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly deleting: boolean;
  /** `<name>/<uid>` of the model that it is marked for. */
  readonly marker: string | undefined;
  /** Value of the revision annotation in the pod template. */
  readonly revision: string | undefined;
  readonly defaultContainer: string | undefined;
  readonly containers: readonly ContainerView[];
  /** A volume of our name that is not (only) ours. */
  readonly volume: ForeignVolume | undefined;
  /** The first thing found twice in a list that server-side apply keys by name, as a phrase. */
  readonly duplicate: string | undefined;
  /** Digest of all that we own in it, made from {@link ownedFields}; empty when we own nothing. */
  readonly owned: string;
  /** Who else last wrote the pod template. */
  readonly editor: string;
  readonly rollout: Rollout;
  /** Label selector for pods of earlier templates, where somebody has to delete them; otherwise undefined. */
  readonly oldPods: string | undefined;
  /** When the pod template was last written, in milliseconds, if a pod of an earlier template holds up the others. */
  readonly blockedSince: number | undefined;
}

/** How far the pods are with the template. */
export interface Rollout {
  /** The status is about the present template. */
  readonly observed: boolean;
  /** Some pod of the present template surely runs. */
  readonly running: boolean;
  /** Some pod runs. */
  readonly serving: boolean;
  /** There are pods of an earlier template. */
  readonly outdated: boolean;
  /** Why pods of earlier templates are not replaced. */
  readonly held: 'paused' | 'on-delete' | 'partition' | undefined;
  /** A pod of an earlier template is not ready, and no other one is replaced before it is. */
  readonly blocked: boolean;
}

export interface ContainerView {
  readonly name: string;
  readonly init: boolean;
  /** Mounts at /secrets, however it is written. */
  readonly mounts: readonly MountView[];
  readonly env: readonly EnvView[];
}

export interface MountView {
  /** It is what we would write: our volume, whole and read-only, at exactly this path. */
  readonly same: boolean;
  readonly ours: boolean;
  readonly manager: string;
}

export interface EnvView {
  readonly name: string;
  readonly ours: boolean;
  readonly manager: string;
  /** `<secret>/<key>/<optional>` when it refers to a Secret; values of literals are not kept. */
  readonly secretKeyRef: string | undefined;
}

export interface ForeignVolume {
  readonly manager: string;
  /** The volume in the form of {@link flattened}, to see whether it is what we would write. */
  readonly content: string;
}

/** What a plan needs that is not data of the cluster. All three are pure as far as the plan can see. */
export interface Surroundings {
  /** Of a text that is no secret: nothing keeps it from being guessed. */
  readonly digest: (text: string) => string;
  /** Keyed: equal values give equal digests within this process only. */
  readonly digestOf: (value: SecretValue) => string;
  /** The random id to use if the revision must change. */
  readonly freshRevision: string;
}
