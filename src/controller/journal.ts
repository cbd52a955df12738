import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { Client } from '../kube/client.ts';
import { steadyNow } from '../kube/clock.ts';
import { fenced } from '../kube/fence.ts';
import type { Outcome } from '../kube/workers.ts';
import type { Caches } from './caches.ts';

/** What one reconcile did, for the one line that it leaves in the log. */
export interface Journal {
  /** Writes go through it, and are noted. */
  readonly client: Client;
  finished(outcome: Outcome): void;
  failed(error: unknown): void;
}

/** Begins the journal of a reconcile of the model `key`. */
export function openJournal(
  key: string,
  client: Client,
  mayWrite: () => boolean,
  caches: Caches,
  logger: Logger,
): Journal {
  const reconcileID = randomUUID().slice(0, 8);
  const startedAt = steadyNow();
  const did: string[] = [];
  const failed: string[] = [];
  const line = () => ({
    model: key,
    reconcileID,
    ...(did.length > 0 ? { did } : {}),
    ...(failed.length > 0 ? { failed } : {}),
    ...caches.models.getByKey(key)?.readiness,
    ms: Math.round(steadyNow() - startedAt),
  });
  return {
    client: fenced(client, {
      mayWrite,
      onWrite: (what, failure) => {
        if (failure === undefined) did.push(what);
        else failed.push(`${what}: ${failure}`);
      },
    }),
    finished(outcome) {
      const result = { ...line(), result: RESULTS[outcome.kind] };
      if (outcome.kind === 'retry') logger.info(result, 'reconcile is to be tried again');
      // a look that found everything as it should be is nobody's news
      else logger[did.length > 0 ? 'info' : 'debug'](result, 'reconciled');
    },
    failed: (error) =>
      logger.warn(
        { ...line(), result: RESULTS.error, err: shown(error) },
        'reconcile failed, it is tried again',
      ),
  };
}

/** The outcomes in controller-runtime's words, as its dashboards expect them. */
export const RESULTS = {
  done: 'success',
  again: 'requeue_after',
  retry: 'requeue',
  error: 'error',
} as const satisfies Record<Outcome['kind'] | 'error', string>;

/** Errors are logged by their message: what hangs on them besides may be large. */
export const shown = (error: unknown): string => (error instanceof Error ? error.message : String(error));
