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
import type { DeliveredView, SourceSecret } from '../plan/snapshot.ts';
import type { OwnerReference, RawObject } from '../kube/object.ts';
import { secretData } from '../kube/secret-body.ts';
import { digestOf, isRevision } from './digest.ts';
import { Digests } from './digests.ts';
import { lastEditor } from './managers.ts';
import { sharedText } from './sharing.ts';

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
  readonly owner: { readonly name: string; readonly uid: string } | undefined;
  readonly view: Extract<DeliveredView, { kind: 'ours' }>;
  /** What others added: it stays when the Secret is replaced. Undefined: nothing. */
  readonly foreign: ForeignMetadata | undefined;
}

export interface ForeignMetadata {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly finalizers: readonly string[];
  readonly ownerReferences: readonly OwnerReference[];
}

/** Reduces a Secret with our `managed-by` label, which anybody may forge: only the owner reference counts. */
export function projectDelivered(raw: RawObject): CachedDelivered {
  const { metadata } = raw;
  const owner = modelOwner(raw);
  const digests = new Digests(new Map([...secretData(raw)].map(([key, value]) => [key, digestOf(value)])));
  return {
    namespace: sharedText(metadata.namespace ?? ''),
    name: metadata.name,
    owner: owner && { name: owner.name, uid: owner.uid },
    view: {
      kind: 'ours',
      uid: metadata.uid,
      resourceVersion: metadata.resourceVersion,
      deleting: metadata.deletionTimestamp !== undefined,
      replaceable: raw['type'] === typeOf(owner, metadata.name) && raw['immutable'] !== true,
      labelled: metadata.labels?.[MANAGED_BY_LABEL] === MANAGER,
      revision: projectRevision(metadata.annotations?.[REVISION_ANNOTATION]),
      digests,
      editor: lastEditor(metadata.managedFields ?? []),
    },
    foreign: foreignMetadata(raw, owner),
  };
}

/** It goes into pod templates: what nobody but somebody else can have written does not. */
const projectRevision = (text: string | undefined): string | undefined =>
  text !== undefined && isRevision(text) ? text : undefined;

const typeOf = (owner: OwnerReference | undefined, name: string): string =>
  owner && name === pullSecretName(owner.name) ? PULL_SECRET_TYPE : SECRET_TYPE;

function foreignMetadata(
  { metadata }: RawObject,
  owner: OwnerReference | undefined,
): ForeignMetadata | undefined {
  const { [MANAGED_BY_LABEL]: _label, ...labels } = { ...metadata.labels };
  const { [REVISION_ANNOTATION]: _revision, ...annotations } = { ...metadata.annotations };
  const finalizers = metadata.finalizers ?? [];
  const ownerReferences = (metadata.ownerReferences ?? []).filter((reference) => reference !== owner);
  const sizes = [Object.keys(labels), Object.keys(annotations), finalizers, ownerReferences].map(
    (part) => part.length,
  );
  return sizes.some((size) => size > 0) ? { labels, annotations, finalizers, ownerReferences } : undefined;
}
