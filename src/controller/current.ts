import type { Client } from '../kube/client.ts';
import { modelDeployments } from '../kube/resource.ts';
import type { ModelIdentity } from '../plan/snapshot.ts';

/**
 * Whether the model is still the one of its name, asked of the API server: this process may hear of other objects before it
 * hears that the model has been replaced. By a list of one, as the operator needs no right to get a model besides.
 */
export async function isCurrent({ namespace, name, uid }: ModelIdentity, client: Client): Promise<boolean> {
  const { items } = await client.listPage(modelDeployments, {
    namespace,
    fieldSelector: `metadata.name=${name}`,
    as: 'metadata',
  });
  const [live] = items;
  return live?.metadata.uid === uid && live.metadata.deletionTimestamp === undefined;
}
