import { messages } from '../api/messages.ts';
import { modelTrustSpec } from '../api/model-trust.ts';
import type { Client } from '../kube/client.ts';
import { isApiError } from '../kube/errors.ts';
import type { RawObject } from '../kube/object.ts';
import { modelTrusts } from '../kube/resource.ts';
import type { Store } from '../kube/store.ts';
import { awaitsModel } from '../plan/approval.ts';
import { canonical, textAt } from '../plan/flatten.ts';
import type { ApprovalView, ModelIdentity, TrustView } from '../plan/snapshot.ts';
import { isCurrent } from './current.ts';
import { StaleError } from './stale.ts';

/** What is kept of a ModelTrust. */
export interface CachedTrust {
  readonly resourceVersion: string;
  readonly trust: TrustView;
}

/** Reduces a ModelTrust. One that is being deleted is gone: deleting it revokes, whatever finalizer it has. */
export function projectTrust({ metadata, spec, status }: RawObject): CachedTrust | undefined {
  if (metadata.deletionTimestamp !== undefined) return undefined;
  const parsed = modelTrustSpec.safeParse(spec);
  return {
    resourceVersion: metadata.resourceVersion,
    trust: {
      spec: parsed.success
        ? { kind: 'valid', spec: parsed.data }
        : {
            kind: 'invalid',
            issues: parsed.error.issues.map(
              ({ path, message }) => `${['spec', ...path].join('.')}: ${message}`,
            ),
          },
      notedUid: textAt(status, 'modelUid'),
    },
  };
}

export const sameTrust = (old: CachedTrust, now: CachedTrust): boolean =>
  canonical(old.trust) === canonical(now.trust);

/** What is known of the ModelTrust of a model's name; without the cache the operator asks for no approval. */
export function approvalView(
  { namespace, name }: { readonly namespace: string; readonly name: string },
  trusts: Store<CachedTrust> | undefined,
): ApprovalView {
  if (!trusts) return { kind: 'not-required' };
  switch (trusts.freshness(namespace).kind) {
    case 'unsynced':
    case 'forbidden':
      return { kind: 'unknown', why: messages.modelTrustsUnread(namespace) };
    case 'synced':
    case 'stale': {
      const found = trusts.get(namespace, name);
      return found ? { kind: 'found', trust: found.trust } : { kind: 'absent' };
    }
  }
}

/**
 * Notes on a ModelTrust that says of no model yet which one it is for, before that model gets anything by it: what
 * a later model of the same name finds is not for it.
 *
 * @throws StaleError when the model or the ModelTrust is not what it was any more
 */
export async function noteModel(
  view: ApprovalView,
  { namespace, name, uid }: ModelIdentity,
  trusts: Store<CachedTrust>,
  client: Client,
): Promise<ApprovalView> {
  const known = trusts.get(namespace, name);
  if (!known || view.kind !== 'found' || !awaitsModel(view.trust)) return view;
  const key = { namespace, name };
  if (!(await isCurrent({ namespace, name, uid }, client))) throw new StaleError(name);
  try {
    const { resourceVersion } = known;
    const body = { metadata: { resourceVersion }, status: { modelUid: uid } };
    trusts.set(await client.mergePatch(modelTrusts, key, body, { subresource: 'status' }));
    return approvalView(key, trusts);
  } catch (error) {
    if (isApiError(error, 'Conflict') || isApiError(error, 'NotFound'))
      throw new StaleError(name, { cause: error });
    if (!isApiError(error, 'Forbidden')) throw error;
    return { kind: 'unknown', why: messages.notAuthorized(`patch the status of ModelTrust ${name}`) };
  }
}
