import { hash } from 'node:crypto';
import { API_VERSION, MANAGER } from '../api/names.ts';
import type { Client } from '../kube/client.ts';
import { isApiError } from '../kube/errors.ts';
import { events } from '../kube/resource.ts';
import type { EventRecord } from '../plan/events.ts';
import type { ModelIdentity } from '../plan/snapshot.ts';

export interface Recorder {
  /** Never throws: an event that can't be written is logged, and work goes on. */
  record(model: ModelIdentity, records: readonly EventRecord[]): Promise<void>;
}

/**
 * Writes events. What is said again about the same model is the same Event with a higher count, also after a
 * restart, because its name is made of what it says.
 */
export function createRecorder(client: Client, onError: (error: unknown) => void): Recorder {
  return {
    async record(model, records) {
      for (const event of records) {
        try {
          await write(client, model, event);
        } catch (error) {
          onError(error);
        }
      }
    },
  };
}

async function write(
  client: Client,
  model: ModelIdentity,
  { type, reason, message }: EventRecord,
): Promise<void> {
  const { namespace, name, uid } = model;
  const now = new Date().toISOString();
  const id = hash('sha256', `${uid} ${type} ${reason} ${message}`, 'hex').slice(0, 16);
  // the name of a model may have 239 characters, that of an event 253
  const eventName = `${name.slice(0, 230).replace(/[-.]+$/, '')}.${id}`;
  try {
    await client.create(events, namespace, {
      metadata: { name: eventName, namespace },
      involvedObject: { apiVersion: API_VERSION, kind: 'ModelDeployment', namespace, name, uid },
      type,
      reason,
      message,
      source: { component: MANAGER },
      reportingComponent: MANAGER,
      firstTimestamp: now,
      lastTimestamp: now,
      count: 1,
    });
  } catch (error) {
    if (!isApiError(error, 'AlreadyExists')) throw error;
    const known = await client.get(events, { namespace, name: eventName });
    const count = typeof known?.['count'] === 'number' ? known['count'] + 1 : 1;
    await client.mergePatch(events, { namespace, name: eventName }, { count, lastTimestamp: now });
  }
}
