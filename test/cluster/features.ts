import { type Access, ApiError, apiOf } from './api.ts';

/** What differs between the API servers that the tests run on. */
export interface Features {
  /** CEL rules in a CRD (1.25); an older server drops them silently. */
  readonly cel: boolean;
  /** 1.30 */
  readonly validatingAdmissionPolicy: boolean;
  /** CronJob in `batch/v1` (1.21); before, in `batch/v1beta1`. */
  readonly batchV1CronJob: boolean;
  /** PodDisruptionBudget in `policy/v1` (1.21). */
  readonly policyV1: boolean;
  /** A kube-controller-manager: ServiceAccounts, garbage collection, namespace removal, ReplicaSets. */
  readonly controllers: boolean;
  /** A node that runs pods. */
  readonly nodes: boolean;
  /** Programs to start another control plane with, which a test may break. */
  readonly ownControlPlane: boolean;
  /** Its nodes can be given images that no registry has. */
  readonly importsImages: boolean;
}

/** Why a test that needs a feature is skipped. */
export const LACKS: Readonly<Record<keyof Features, string>> = {
  cel: 'this API server has no CEL rules in CRDs (1.25)',
  validatingAdmissionPolicy: 'this API server has no ValidatingAdmissionPolicy (1.30)',
  batchV1CronJob: 'this API server has CronJob in batch/v1beta1 only (batch/v1: 1.21)',
  policyV1: 'this API server has no policy/v1 (1.21)',
  controllers: 'this cluster has no kube-controller-manager',
  nodes: 'this cluster has no node that runs pods (starting one needs root, on Debian 12)',
  importsImages: 'the nodes of this cluster take images from registries only',
  ownControlPlane:
    'a named or kind cluster must not be broken; on Debian 12 or with KUBEBUILDER_ASSETS this runs',
};

export interface Version {
  readonly major: number;
  readonly minor: number;
}

/** Reads `/version`; managed clusters say things like "27+". */
export function parseVersion({ major, minor }: { readonly major: string; readonly minor: string }): Version {
  return { major: Number.parseInt(major, 10), minor: Number.parseInt(minor, 10) };
}

export async function versionOf(access: Access): Promise<Version> {
  return parseVersion(await apiOf(access).get('/version'));
}

/** What the API server itself shows of its {@link Features}. */
export async function featuresOf(
  access: Access,
): Promise<Omit<Features, 'ownControlPlane' | 'importsImages'>> {
  const api = apiOf(access);
  const serves = async (groupVersion: string, resource: string): Promise<boolean> => {
    try {
      const list = await api.get<{ resources: { name: string }[] }>(`/apis/${groupVersion}`);
      return list.resources.some(({ name }) => name === resource);
    } catch (error) {
      if (error instanceof ApiError && error.code === 404) return false;
      throw error;
    }
  };
  const { minor } = await versionOf(access);
  return {
    cel: minor >= 25,
    validatingAdmissionPolicy: await serves('admissionregistration.k8s.io/v1', 'validatingadmissionpolicies'),
    batchV1CronJob: await serves('batch/v1', 'cronjobs'),
    policyV1: await serves('policy/v1', 'poddisruptionbudgets'),
    controllers: await hasDefaultServiceAccount(access),
    nodes: await hasReadyNode(access),
  };
}

/** The controllers make one in each namespace. */
async function hasDefaultServiceAccount(access: Access): Promise<boolean> {
  try {
    await apiOf(access).get('/api/v1/namespaces/default/serviceaccounts/default');
    return true;
  } catch (error) {
    if (error instanceof ApiError && error.code === 404) return false;
    throw error;
  }
}

async function hasReadyNode(access: Access): Promise<boolean> {
  return (await nodesOf(access)).some(({ status }) =>
    status.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True'),
  );
}

/** True where a node has an image, so that it need not be pulled. */
export async function hasImage(access: Access, image: string): Promise<boolean> {
  return (await nodesOf(access)).some(({ status }) =>
    status.images?.some(({ names }) => names?.includes(image)),
  );
}

interface Node {
  readonly status: {
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    readonly images?: readonly { readonly names?: readonly string[] }[];
  };
}

async function nodesOf(access: Access): Promise<readonly Node[]> {
  const { items } = await apiOf(access).get<{ items: readonly Node[] }>('/api/v1/nodes');
  return items;
}
