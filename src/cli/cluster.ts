import type { Client } from '../kube/client.ts';
import { connect, CredentialsError } from '../kube/connection.ts';
import { explained } from './api-problem.ts';
import { CommandError, UsageError } from './errors.ts';
import type { Io } from './io.ts';

/** The cluster that the user's own kubeconfig names, with the user's own rights. */
export interface Cluster {
  readonly client: Client;
  readonly namespace: string;
}

interface ClusterValues {
  readonly namespace?: string | undefined;
  readonly context?: string | undefined;
  readonly kubeconfig?: string | undefined;
}

const NAMESPACE = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

/** Connects, works, and closes the connections. Errors of the API server come out as CommandErrors. */
export async function withCluster<T>(
  io: Io,
  { namespace, context, kubeconfig }: ClusterValues,
  work: (cluster: Cluster) => Promise<T>,
): Promise<T> {
  if (namespace !== undefined && !NAMESPACE.test(namespace)) {
    throw new UsageError(`--namespace ${JSON.stringify(namespace)} is no name of a namespace`);
  }
  const connection = await connect({ kind: 'kubeconfig', path: kubeconfig, context }).catch(
    (error: unknown) => {
      throw error instanceof CredentialsError ? new CommandError(error.message, { cause: error }) : error;
    },
  );
  // undici takes longer to load than all of the rest: not for --help.
  const { createClient } = await import('../kube/http-client.ts');
  const client = createClient(connection, { connections: 4 });
  const place = { server: connection.server, namespace: namespace ?? connection.namespace };
  try {
    return await work({ client, namespace: place.namespace });
  } catch (error) {
    throw explained(error, place);
  } finally {
    await client.close();
  }
}
