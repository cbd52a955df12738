import { ApiError, TransportError, type Verb } from '../kube/errors.ts';
import { CommandError } from './errors.ts';

/** Where a request went, for messages. */
export interface Place {
  readonly server: URL;
  readonly namespace: string;
}

/** RBAC knows no `apply`: it is a patch. */
const RBAC_VERB: Readonly<Record<Verb, string>> = {
  get: 'get',
  list: 'list',
  watch: 'watch',
  create: 'create',
  update: 'update',
  patch: 'patch',
  apply: 'patch',
  delete: 'delete',
};

/** `/apis/apps/v1/namespaces/{namespace}/deployments/{name}/scale` in RBAC's terms: `deployments/scale` in group `apps`. */
function rbacResource(template: string): { readonly resource: string; readonly namespaced: boolean } {
  const [root, ...rest] = template.split('?', 1)[0]?.split('/').filter(Boolean) ?? [];
  const group = root === 'apis' ? rest[0] : undefined;
  const path = rest.slice(group === undefined ? 1 : 2);
  const namespaced = path[0] === 'namespaces' && path.length > 2;
  const [plural = '', , subresource] = namespaced ? path.slice(2) : path;
  const name = subresource === undefined ? plural : `${plural}/${subresource}`;
  return { resource: group === undefined ? name : `${name}.${group}`, namespaced };
}

/** The verb and the resource of a refused request, as `kubectl auth can-i` takes them: `patch secrets -n models`. */
export function missingRight(error: ApiError, namespace: string): string {
  const { resource, namespaced } = rbacResource(error.template);
  return `${RBAC_VERB[error.verb]} ${resource} ${namespaced ? `-n ${namespace}` : '--all-namespaces'}`;
}

/** What to say to whoever lacks a right, in the words of {@link missingRight}. */
export const lacksRight = (right: string): string =>
  `you lack the right to: ${right}\nAsk for it, or check with: kubectl auth can-i ${right} (if that says yes: a quota, an admission policy, or a namespace that is being deleted refused it).`;

/**
 * What the API server's answer, or its silence, means for the user and what to do about it. Errors that a
 * command has an answer for (404, 409, 422) are handled there before.
 */
export function explained(error: unknown, place: Place): unknown {
  if (error instanceof ApiError) {
    if (error.status === 403) {
      return new CommandError(lacksRight(missingRight(error, place.namespace)), { cause: error });
    }
    if (error.status === 401) {
      return new CommandError(
        `${place.server.href} does not accept your credentials: log in again, or check the user of the kubeconfig's context.`,
        { cause: error },
      );
    }
    return new CommandError(error.message, { cause: error });
  }
  if (error instanceof TransportError) {
    return new CommandError(
      `${place.server.href} can't be reached: ${error.message}. Check --context, --kubeconfig and the network.`,
      { cause: error },
    );
  }
  return error;
}
