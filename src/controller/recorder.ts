import { hash } from 'node:crypto';
import { API_VERSION, MANAGER } from '../api/names.ts';
import type { Client } from '../kube/client.ts';
import { steadyNow } from '../kube/clock.ts';
import { isApiError } from '../kube/errors.ts';
import { events } from '../kube/resource.ts';
import type { EventRecord } from '../plan/events.ts';
import type { ModelIdentity } from '../plan/snapshot.ts';
import { EventBudget } from './event-budget.ts';

/** What an event is about. */
export interface Subject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

export const modelSubject = ({ namespace, name, uid }: ModelIdentity): Subject => ({
  apiVersion: API_VERSION,
  kind: 'ModelDeployment',
  namespace,
  name,
  uid,
});

export interface Recorder {
  /** Never throws: an event that can't be written is logged, and work goes on. */
  record(about: Subject, records: readonly EventRecord[]): Promise<void>;
}

/**
 * Writes events. What is said again about the same object is the same Event with a higher count, also after a
 * restart, because its name is made of what it says. One object can't cause any number of them.
 */
export function createRecorder(client: Client, onError: (error: unknown) => void): Recorder {
  const budget = new EventBudget();
  return {
    async record(about, records) {
      for (const event of records) {
        if (!budget.spend(about.uid, steadyNow())) return;
        try {
          await write(client, about, event);
        } catch (error) {
          onError(error);
        }
      }
    },
  };
}

async function write(client: Client, about: Subject, { type, reason, message }: EventRecord): Promise<void> {
  const { namespace, name, uid } = about;
  const now = new Date().toISOString();
  const id = hash('sha256', `${uid} ${type} ${reason} ${message}`, 'hex').slice(0, 16);
  // the name of an object may have 253 characters, and that of an event too
  const eventName = `${name.slice(0, 230).replace(/[-.]+$/, '')}.${id}`;
  try {
    await client.create(events, namespace, {
      metadata: { name: eventName, namespace },
      involvedObject: about,
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
