import { type Api, ApiError, type KubernetesObject } from '../cluster/api.ts';
import { eventually } from '../cluster/eventually.ts';
import type { Manifest } from './kustomize.ts';

/** Where objects of the kinds in deploy/ are, below their group and version. */
const PLURALS: Readonly<Record<string, string>> = {
  NetworkPolicy: 'networkpolicies',
  ValidatingAdmissionPolicy: 'validatingadmissionpolicies',
};

export function pathOf({ apiVersion, kind, metadata }: Manifest): string {
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const place = metadata.namespace === undefined ? '' : `/namespaces/${metadata.namespace}`;
  return `${root}${place}/${PLURALS[kind] ?? `${kind.toLowerCase()}s`}/${metadata.name}`;
}

/** What `kubectl apply --server-side` does; gives the objects as they are then. */
export async function applyAll(api: Api, objects: readonly Manifest[]): Promise<readonly KubernetesObject[]> {
  const applied: KubernetesObject[] = [];
  for (const object of objects) {
    applied.push(await api.patch(`${pathOf(object)}?fieldManager=kubectl&force=true`, object, 'apply-patch'));
    if (object.kind === 'CustomResourceDefinition') await eventually(() => isServed(api, object));
  }
  return applied;
}

async function isServed(api: Api, crd: Manifest): Promise<void> {
  const { status } = await api.get<{ status?: { conditions?: { type: string; status: string }[] } }>(
    pathOf(crd),
  );
  const established = status?.conditions?.find(({ type }) => type === 'Established');
  if (established?.status !== 'True') throw new Error(`${crd.metadata.name} is not served yet`);
}

/** What `kubectl delete` does, in the opposite order. */
export async function removeAll(api: Api, objects: readonly Manifest[]): Promise<void> {
  for (const object of objects.toReversed()) {
    try {
      await api.delete(pathOf(object));
    } catch (error) {
      if (!(error instanceof ApiError && error.code === 404)) throw error;
    }
  }
}
