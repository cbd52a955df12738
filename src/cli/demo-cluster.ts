import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { modelDeploymentCrd } from '../api/crd.ts';
import type { ModelDeploymentStatus } from '../api/model-deployment.ts';
import { modelDeploymentStatus } from '../api/model-deployment.ts';
import { deliveredSecretName } from '../api/names.ts';
import type { SecretValue } from '../api/secret-value.ts';
import type { Client } from '../kube/client.ts';
import { isApiError } from '../kube/errors.ts';
import type { RawObject } from '../kube/object.ts';
import {
  configMaps,
  deployments,
  modelDeployments,
  namespaces,
  type Resource,
  secrets,
} from '../kube/resource.ts';
import { secretData } from '../kube/secret-body.ts';
import { objectAt } from '../plan/flatten.ts';
import { asset } from './assets.ts';
import { CommandError } from './errors.ts';

const crds: Resource = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  plural: 'customresourcedefinitions',
  kind: 'CustomResourceDefinition',
  namespaced: false,
};

export const MODEL = 'gfpgan';

/** The demo's own corner of a cluster: a namespace of a random name, and the CRDs if they were not there. */
export interface DemoCluster {
  readonly namespace: string;
  readonly client: Client;
  /** Creates what a file of examples/gfpgan holds; `change` may alter it first. */
  readonly apply: (file: string, change?: (manifest: Manifest) => void) => Promise<void>;
  readonly applyConfig: () => Promise<void>;
  /** One key of the store's Secret. */
  readonly setStoreKey: (key: string, value: string | null) => Promise<void>;
  readonly setTrusted: (trusted: boolean) => Promise<void>;
  readonly status: () => Promise<ModelDeploymentStatus>;
  /** The values of the delivered Secret; undefined when there is none. */
  readonly delivered: () => Promise<ReadonlyMap<string, SecretValue> | undefined>;
  readonly stored: () => Promise<ReadonlyMap<string, SecretValue>>;
  readonly deployment: () => Promise<RawObject>;
  readonly deleteModel: () => Promise<void>;
  readonly cleanUp: () => Promise<void>;
}

export interface Manifest {
  readonly metadata: { readonly name: string };
  stringData?: Record<string, string>;
  readonly [field: string]: unknown;
}

const text = (file: string): string => readFileSync(asset(`examples/gfpgan/${file}`), 'utf8');

/** @throws CommandError when the namespace or the CRDs can't be made */
export async function openDemoCluster(client: Client): Promise<DemoCluster> {
  const ownCrd = await installCrd(client);
  const namespace = `truss-secrets-demo-${randomBytes(3).toString('hex')}`;
  const created = await client.create(namespaces, '', { metadata: { name: namespace } });
  const key = (name: string) => ({ namespace, name });
  const get = async (resource: Resource, name: string): Promise<RawObject> => {
    const found = await client.get(resource, key(name));
    if (!found) throw new CommandError(`${resource.kind} ${name} is gone`);
    return found;
  };
  return {
    namespace,
    client,
    apply: async (file, change) => {
      const manifest: Manifest = parse(text(file));
      change?.(manifest);
      await client.create(resourceOf(manifest), namespace, manifest);
    },
    applyConfig: async () => {
      const data = { 'config.yaml': text('config.yaml') };
      await client.create(configMaps, namespace, { metadata: { name: 'gfpgan-truss' }, data });
    },
    setStoreKey: async (name, value) => {
      const data = { [name]: value === null ? null : Buffer.from(value).toString('base64') };
      await client.mergePatch(secrets, key('org'), { data });
    },
    setTrusted: async (trusted) => {
      await client.mergePatch(modelDeployments, key(MODEL), { spec: { trusted } });
    },
    status: async () => {
      const { metadata, status } = await get(modelDeployments, MODEL);
      const parsed = modelDeploymentStatus.safeParse(status ?? {});
      const current = parsed.success && parsed.data.observedGeneration === metadata.generation;
      return current ? parsed.data : {};
    },
    delivered: async () => {
      const found = await client.get(secrets, key(deliveredSecretName(MODEL)));
      return found && secretData(found);
    },
    stored: async () => secretData(await get(secrets, 'org')),
    deployment: async () => await get(deployments, MODEL),
    deleteModel: async () => {
      const { uid } = (await get(modelDeployments, MODEL)).metadata;
      await client.delete(modelDeployments, key(MODEL), { uid });
    },
    cleanUp: async () => {
      await client.delete(namespaces, { namespace: '', name: namespace }, { uid: created.metadata.uid });
      if (ownCrd)
        await client.delete(
          crds,
          { namespace: '', name: ownCrd.metadata.name },
          { uid: ownCrd.metadata.uid },
        );
    },
  };
}

function resourceOf({ kind }: Manifest): Resource {
  const found = [secrets, deployments, modelDeployments].find((resource) => resource.kind === kind);
  if (!found) throw new Error(`examples/gfpgan holds a ${String(kind)}, which the demo does not know`);
  return found;
}

/** @returns the CRD if the demo made it, and so has to take it away again */
async function installCrd(client: Client): Promise<RawObject | undefined> {
  try {
    return await client.create(crds, '', modelDeploymentCrd());
  } catch (error) {
    if (isApiError(error, 'AlreadyExists')) return undefined;
    throw error;
  }
}

/** Whether the CRD's endpoints answer already, which takes a moment. */
export async function isServed(client: Client, namespace: string): Promise<boolean> {
  try {
    await client.listPage(modelDeployments, { namespace, limit: 1 });
    return true;
  } catch (error) {
    if (isApiError(error, 'NotFound')) return false;
    throw error;
  }
}

/** The volume that a pod template has under our name, or undefined. */
export function injectedVolume(deployment: RawObject): unknown {
  const pod = objectAt(objectAt(deployment['spec'], 'template'), 'spec');
  const volumes = pod?.['volumes'];
  return Array.isArray(volumes)
    ? volumes.find((volume: unknown) => objectAt({ volume }, 'volume')?.['name'] === 'truss-secrets')
    : undefined;
}
