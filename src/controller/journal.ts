import type { Logger } from 'pino';
import { steadyNow } from '../kube/clock.ts';
import type { Fence } from '../kube/fence.ts';
import type { Outcome } from '../kube/workers.ts';
import type { Caches } from './caches.ts';
import { randomHex } from './random-hex.ts';

/** What one reconcile of a model did, for the one line that it leaves in the log. */
export class Journal implements Fence {
  readonly #key: string;
  readonly #caches: Caches;
  readonly #logger: Logger;
  readonly #mayWrite: () => boolean;
  readonly #reconcileID = randomHex();
  readonly #startedAt = steadyNow();
  readonly #did: string[] = [];
  readonly #failed: string[] = [];

  constructor(key: string, caches: Caches, logger: Logger, mayWrite: () => boolean) {
    this.#key = key;
    this.#caches = caches;
    this.#logger = logger;
    this.#mayWrite = mayWrite;
  }

  mayWrite(): boolean {
    return this.#mayWrite();
  }

  onWrite(what: string, failure: string | undefined): void {
    if (failure === undefined) this.#did.push(what);
    else this.#failed.push(`${what}: ${failure}`);
  }

  finished(outcome: Outcome): void {
    const result = this.#line(RESULTS[outcome.kind]);
    if (outcome.kind === 'retry') this.#logger.info(result, 'reconcile is to be tried again');
    // a look that found everything as it should be is nobody's news
    else this.#logger[this.#did.length > 0 ? 'info' : 'debug'](result, 'reconciled');
  }

  failed(error: unknown): void {
    const result = this.#line(RESULTS.error);
    this.#logger.warn({ ...result, err: shown(error) }, 'reconcile failed, it is tried again');
  }

  #line(result: string): object {
    return {
      model: this.#key,
      reconcileID: this.#reconcileID,
      ...(this.#did.length > 0 ? { did: this.#did } : {}),
      ...(this.#failed.length > 0 ? { failed: this.#failed } : {}),
      ...this.#caches.models.getByKey(this.#key)?.readiness,
      ms: Math.round(steadyNow() - this.#startedAt),
      result,
    };
  }
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
