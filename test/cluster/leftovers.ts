import { type Api, ApiError, type KubernetesObject } from './api.ts';
import { eventually } from './eventually.ts';

/** On every namespace and cluster-wide object that tests make; its value is the run's. */
export const RUN_LABEL = 'truss-test-run';

const CLUSTER_WIDE = [
  '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings',
  '/apis/rbac.authorization.k8s.io/v1/clusterroles',
  '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
];

/**
 * Removes what a run left in a cluster that goes on living. With `controllers` it waits until the namespaces are gone;
 * without, nobody removes them.
 */
export async function removeLeftovers(api: Api, run: string, controllers: boolean): Promise<void> {
  const selector = `?labelSelector=${RUN_LABEL}%3D${run}`;
  const namespaces = () => api.get<{ items: KubernetesObject[] }>(`/api/v1/namespaces${selector}`);
  for (const { metadata } of (await namespaces()).items)
    await removeIfThere(api, `/api/v1/namespaces/${metadata.name}`);
  await eventually(
    async () => {
      const left = (controllers ? (await namespaces()).items : []).map(({ metadata }) => metadata.name);
      if (left.length > 0) throw new Error(`namespaces are not gone: ${left.join(', ')}`);
    },
    { within: 60_000 },
  );
  for (const path of CLUSTER_WIDE) await api.delete(`${path}${selector}`);
}

export async function removeIfThere(api: Api, path: string, options?: object): Promise<void> {
  try {
    await api.delete(path, options);
  } catch (error) {
    if (!(error instanceof ApiError && (error.code === 404 || error.code === 409))) throw error;
  }
}

export async function isThere(api: Api, path: string): Promise<boolean> {
  try {
    await api.get(path);
    return true;
  } catch (error) {
    if (error instanceof ApiError && error.code === 404) return false;
    throw error;
  }
}
