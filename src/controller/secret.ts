import {
  API_VERSION,
  ENVIRONMENT_LABEL,
  MANAGED_BY_LABEL,
  MANAGER,
  PULL_SECRET_TYPE,
  pullSecretName,
  REVISION_ANNOTATION,
  SECRET_TYPE,
  SHARE_WITH_ANNOTATION,
  STORE_LABEL,
} from '../api/names.ts';
import { parseShareWith } from '../plan/consent.ts';
import type { DeliveredContent, DeliveredView, SourceSecret } from '../plan/snapshot.ts';
import type { OwnerReference, RawMetadata, RawObject } from '../kube/object.ts';
import { secretData } from '../kube/secret-body.ts';
import { digestOf, isRevision } from './digest.ts';
import { Digests, packDigests, type PackedDigests } from './digests.ts';
import { lastEditor } from './managers.ts';
import { shared, sharedText } from './sharing.ts';
import { type KeptVersion, keptVersion } from './version.ts';

const KIND = 'ModelDeployment';

const modelOwner = ({ metadata }: RawObject): OwnerReference | undefined =>
  metadata.ownerReferences?.find(
    ({ controller, kind, apiVersion }) => controller === true && kind === KIND && apiVersion === API_VERSION,
  );

/** Reduces a store-labelled Secret: a source of values. One that is being deleted is gone, whatever finalizer holds it. */
export function projectSource(raw: RawObject): SourceSecret | undefined {
  const { metadata } = raw;
  if (metadata.deletionTimestamp !== undefined) return undefined;
  const share = metadata.annotations?.[SHARE_WITH_ANNOTATION];
  return {
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    uid: metadata.uid,
    type: typeof raw['type'] === 'string' ? raw['type'] : 'Opaque',
    store: metadata.labels?.[STORE_LABEL] ?? '',
    environment: metadata.labels?.[ENVIRONMENT_LABEL],
    consent: share === undefined ? undefined : parseShareWith(share),
    delivered: modelOwner(raw) !== undefined,
    values: secretData(raw),
  };
}

/** What is kept of a Secret that we wrote: digests instead of values. */
export interface CachedDelivered {
  readonly namespace: string;
  readonly name: string;
  /** The model that it belongs to, by its controller owner reference; undefined: it is not ours. */
  readonly owner: ModelOwner | undefined;
  readonly view: Extract<DeliveredView, { kind: 'ours' }>;
  /** What others added: it stays when the Secret is replaced. Undefined: nothing. */
  readonly foreign: ForeignMetadata | undefined;
  /** What becomes of it when this content takes the place of what it holds, and nobody else has a part in it. */
  replaced(resourceVersion: string, owner: ModelOwner, content: DeliveredContent): CachedDelivered;
}

export interface ForeignMetadata {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly finalizers: readonly string[];
}

/** Finds the model of a name, whose texts are then not kept a second time. */
type FindModel = (namespace: string, name: string) => ModelOwner | undefined;
type ModelOwner = { readonly name: string; readonly uid: string };

/** Reduces a Secret with our `managed-by` label, which anybody may forge: only the owner reference counts. */
export function projectDelivered(raw: RawObject, findModel: FindModel = () => undefined): CachedDelivered {
  const { metadata } = raw;
  const owner = modelOwner(raw);
  const model = owner && findModel(metadata.namespace ?? '', owner.name);
  return new KeptSecret(
    metadata,
    model?.uid === owner?.uid ? model : owner,
    projectRevision(metadata.annotations?.[REVISION_ANNOTATION]),
    packDigests(secretData(raw), digestOf),
    shared({
      deleting: metadata.deletionTimestamp !== undefined,
      replaceable: raw['type'] === typeOf(owner, metadata.name) && raw['immutable'] !== true,
      labelled: metadata.labels?.[MANAGED_BY_LABEL] === MANAGER,
      soleOwner: metadata.ownerReferences?.length === 1,
      editor: lastEditor(metadata.managedFields ?? []),
    }),
    foreignMetadata(raw),
  );
}

/** What most delivered Secrets have in common, so that it is there once. */
type Common = Pick<CachedDelivered['view'], 'deleting' | 'replaceable' | 'labelled' | 'soleOwner' | 'editor'>;

type Identity = Pick<RawMetadata, 'namespace' | 'name' | 'uid' | 'resourceVersion'>;

/** Nobody else has a part in it. */
const REPLACED: Common = {
  deleting: false,
  replaceable: true,
  labelled: true,
  soleOwner: true,
  editor: lastEditor([]),
};

class KeptSecret implements CachedDelivered {
  readonly namespace: string;
  readonly name: string;
  readonly foreign: ForeignMetadata | undefined;
  readonly #ownerName: string | undefined;
  readonly #ownerUid: string | undefined;
  readonly #uid: string;
  readonly #version: KeptVersion;
  readonly #revision: string | undefined;
  readonly #keys: readonly string[];
  readonly #digests: string;
  readonly #common: Common;

  constructor(
    { namespace = '', name, uid, resourceVersion }: Identity,
    owner: ModelOwner | undefined,
    revision: string | undefined,
    digests: PackedDigests,
    common: Common,
    foreign: ForeignMetadata | undefined,
  ) {
    this.namespace = sharedText(namespace);
    this.name = name;
    this.foreign = foreign;
    this.#ownerName = owner?.name;
    this.#ownerUid = owner?.uid;
    this.#uid = uid;
    this.#version = keptVersion(resourceVersion);
    this.#revision = revision;
    this.#keys = digests.keys;
    // models of a namespace often get the same values
    this.#digests = sharedText(digests.text);
    this.#common = common;
  }

  replaced(
    resourceVersion: string,
    owner: ModelOwner,
    { revision, digests }: DeliveredContent,
  ): CachedDelivered {
    const { namespace, name, foreign } = this;
    const identity = { namespace, name, uid: this.#uid, resourceVersion };
    const packed = packDigests(digests, (digest) => digest);
    return new KeptSecret(identity, owner, revision, packed, REPLACED, foreign);
  }

  get owner(): ModelOwner | undefined {
    const name = this.#ownerName;
    const uid = this.#ownerUid;
    return name === undefined || uid === undefined ? undefined : { name, uid };
  }

  get view(): CachedDelivered['view'] {
    return {
      kind: 'ours',
      uid: this.#uid,
      resourceVersion: String(this.#version),
      revision: this.#revision,
      digests: new Digests({ keys: this.#keys, text: this.#digests }),
      ...this.#common,
    };
  }
}

/** It goes into pod templates: what nobody but somebody else can have written does not. */
const projectRevision = (text: string | undefined): string | undefined =>
  text !== undefined && isRevision(text) ? text : undefined;

const typeOf = (owner: OwnerReference | undefined, name: string): string =>
  owner && name === pullSecretName(owner.name) ? PULL_SECRET_TYPE : SECRET_TYPE;

/** Other owners are no part of it: one of them would keep the values when the model is gone. */
function foreignMetadata({ metadata }: RawObject): ForeignMetadata | undefined {
  const labels = besides(MANAGED_BY_LABEL, metadata.labels);
  const annotations = besides(REVISION_ANNOTATION, metadata.annotations);
  const finalizers = metadata.finalizers ?? [];
  const isNothing = !labels && !annotations && finalizers.length === 0;
  return isNothing ? undefined : { labels: labels ?? {}, annotations: annotations ?? {}, finalizers };
}

/** What is there besides an entry of ours; undefined: nothing. */
function besides(
  own: string,
  all: Readonly<Record<string, string>> | undefined,
): Readonly<Record<string, string>> | undefined {
  const others = Object.entries(all ?? {}).filter(([key]) => key !== own);
  return others.length > 0 ? Object.fromEntries(others) : undefined;
}
