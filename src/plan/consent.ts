/**
 * Who may have a source Secret's values (DESIGN.md section 5.1): its owner says so in the annotation
 * `truss-secrets.dev/share-with: "<namespace>[@<uid>][/<model>], ..."`. `*` stands for any run of characters,
 * a pattern matches the whole name, and there is no other wildcard and no regular expression.
 */

export interface Grant {
  readonly namespace: string;
  /** Pins the entry to one incarnation of the namespace; without it a re-created namespace inherits the grant. */
  readonly namespaceUid?: string;
  readonly model: string;
}

export interface Consent {
  readonly grants: readonly Grant[];
  readonly malformed: readonly string[];
}

/** Whoever asks: a model in a namespace. `namespaceUid` is needed for pinned entries only. */
export interface Asker {
  readonly namespace: string;
  readonly namespaceUid?: string | undefined;
  readonly model: string;
}

const NAMESPACE_PATTERN = /^[a-z0-9*]([-a-z0-9*]{0,61}[a-z0-9*])?$/;
const MODEL_PATTERN = /^[a-z0-9*]([-.a-z0-9*]{0,251}[a-z0-9*])?$/;
const UID = /^[-a-zA-Z0-9]{1,64}$/;

/** Reads the annotation. An entry that can't be read grants nothing and is named in `malformed`. */
export function parseShareWith(annotation: string): Consent {
  const grants: Grant[] = [];
  const malformed: string[] = [];
  for (const entry of annotation.split(',').map((text) => text.trim())) {
    if (entry === '') continue;
    const grant = parseGrant(entry);
    if (grant) grants.push(grant);
    else malformed.push(entry);
  }
  return { grants, malformed };
}

function parseGrant(entry: string): Grant | undefined {
  const [place = '', model = '*', ...more] = entry.split('/');
  const [namespace = '', namespaceUid, ...moreUids] = place.split('@');
  if (more.length > 0 || moreUids.length > 0) return undefined;
  if (!NAMESPACE_PATTERN.test(namespace) || !MODEL_PATTERN.test(model)) return undefined;
  if (namespaceUid === undefined) return { namespace, model };
  // a pin names one namespace: together with a wildcard it would look narrower than a reader takes it for
  if (!UID.test(namespaceUid) || namespace.includes('*')) return undefined;
  return { namespace, namespaceUid, model };
}

/**
 * Whether a source Secret consents to the asker. Without the annotation it does so in its own namespace only;
 * with it, only for whom it names, in its own namespace too.
 */
export function consents(
  source: { readonly namespace: string; readonly consent: Consent | undefined },
  asker: Asker,
): boolean {
  if (!source.consent) return source.namespace === asker.namespace;
  return source.consent.grants.some(
    (grant) =>
      globMatches(grant.namespace, asker.namespace) &&
      globMatches(grant.model, asker.model) &&
      (grant.namespaceUid === undefined || grant.namespaceUid === asker.namespaceUid),
  );
}

/** Whether the answer hangs on which incarnation of the asker's namespace this is, so that its uid has to be known. */
export const dependsOnNamespaceUid = (consent: Consent | undefined, asker: Asker): boolean =>
  consent?.grants.some(
    (grant) =>
      grant.namespaceUid !== undefined &&
      grant.namespace === asker.namespace &&
      globMatches(grant.model, asker.model),
  ) ?? false;

/** Whole-name match with `*` as the only wildcard, in time linear in pattern times name (no regular expression). */
export function globMatches(pattern: string, name: string): boolean {
  let p = 0;
  let n = 0;
  let star = -1;
  let resume = 0;
  while (n < name.length) {
    if (pattern[p] === '*') {
      star = p++;
      resume = n;
    } else if (pattern[p] === name[n]) {
      p++;
      n++;
    } else if (star >= 0) {
      p = star + 1;
      n = ++resume;
    } else {
      return false;
    }
  }
  while (pattern[p] === '*') p++;
  return p === pattern.length;
}
