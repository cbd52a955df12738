import type { RawObject } from '../kube/object.ts';
import { ENVIRONMENT_LABEL, SHARE_WITH_ANNOTATION, STORE_LABEL } from '../api/names.ts';

/** The model that wants a value. */
export interface Asker {
  readonly namespace: string;
  readonly namespaceUid: string | undefined;
  readonly model: string;
}

/** Types that Kubernetes itself, or Helm, lives by. */
const NO_SOURCE =
  /^(kubernetes\.io\/service-account-token|bootstrap\.kubernetes\.io\/token|helm\.sh\/release\.v1)$/;

/** Whether the owner of a Secret lets the model have its values (DESIGN.md section 5.1), read anew from the annotation. */
export function lets(secret: RawObject, asker: Asker): boolean {
  const { metadata } = secret;
  if (metadata.labels?.[STORE_LABEL] === undefined) return false;
  if (NO_SOURCE.test(String(secret['type']))) return false;
  if (metadata.ownerReferences?.some(({ controller, kind }) => controller && kind === 'ModelDeployment'))
    return false;
  const annotation = metadata.annotations?.[SHARE_WITH_ANNOTATION];
  if (annotation === undefined) return metadata.namespace === asker.namespace;
  return annotation.split(',').some((entry) => names(entry.trim(), asker));
}

const ENTRY =
  /^(?<namespace>[-a-z0-9*]{1,63})(?:@(?<uid>[-a-zA-Z0-9]{1,64}))?(?:\/(?<model>[-.a-z0-9*]{1,253}))?$/;
const EDGES = /^[a-z0-9*](?:.*[a-z0-9*])?$/;

function names(entry: string, { namespace, namespaceUid, model }: Asker): boolean {
  const parts = ENTRY.exec(entry)?.groups;
  if (!parts) return false;
  const { namespace: place = '', uid, model: which = '*' } = parts;
  if (!EDGES.test(place) || !EDGES.test(which)) return false;
  if (uid !== undefined && (place.includes('*') || uid !== namespaceUid)) return false;
  return fits(place, namespace) && fits(which, model);
}

/** `*` stands for any run of characters: the pieces between have to come one after the other. */
export function fits(pattern: string, name: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return pattern === name;
  if (!name.startsWith(first) || name.length < first.length + last.length) return false;
  let from = first.length;
  for (const piece of rest) {
    const found = name.indexOf(piece, from);
    if (found < 0) return false;
    from = found + piece.length;
  }
  return name.endsWith(last) && name.length - last.length >= from;
}

export const environmentOf = ({ metadata }: RawObject): string | undefined =>
  metadata.labels?.[ENVIRONMENT_LABEL];
