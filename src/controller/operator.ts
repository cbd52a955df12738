import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { MANAGER } from '../api/names.ts';
import { type BackoffPolicy, backoffDelay } from '../kube/backoff.ts';
import type { Client } from '../kube/client.ts';
import { steadyNow } from '../kube/clock.ts';
import type { Connection } from '../kube/connection.ts';
import { type Election, startElection } from '../kube/election.ts';
import { ApiError, TransportError } from '../kube/errors.ts';
import { createClient } from '../kube/http-client.ts';
import type { LeaderTimings } from '../kube/leader.ts';
import type { ObjectKey } from '../kube/resource.ts';
import { CONTENT_TYPE, exposition } from '../metrics/exposition.ts';
import { CONCURRENCY, type Controller, type ControllerOptions, startController } from './controller.ts';
import { type Health, liveness, readiness, type Vitals } from './health.ts';
import { shown } from './journal.ts';
import { operatorMetrics } from './metrics.ts';
import { type Address, type Page, serve } from './serve.ts';
import { processHeap, trimAtRest } from './trim.ts';

export interface OperatorOptions {
  readonly connection: Connection;
  readonly logger: Logger;
  /** Undefined: all namespaces. */
  readonly namespaces: readonly string[] | undefined;
  readonly requireApproval: boolean;
  /** Undefined: it is the only one, and works at once. */
  readonly election: { readonly lease: ObjectKey; readonly timings: LeaderTimings } | undefined;
  /** Undefined: not served. */
  readonly metrics: Address | undefined;
  readonly probes: Address | undefined;
  readonly version: string;
}

/** Calls at a time: one for each model in hand, and some beside them, so that writes that hang do not keep lists from being read. */
const CONNECTIONS = CONCURRENCY + 16;
/** While the API server can't be asked what it serves, at the start. */
const STARTING: BackoffPolicy = { baseMs: 500, factor: 2, maxMs: 10_000, jitter: 0.2 };
/** What is in hand gets so long to end; together with the release of the lease less than 5 s. */
const DRAIN_MS = 2_500;

/** Runs the operator until the signal: then it finishes what is in hand, gives its lease back, and resolves. */
export async function runOperator(options: OperatorOptions, stop: AbortSignal): Promise<void> {
  const { connection, logger, namespaces, requireApproval, election: standing } = options;
  let controller: Controller | undefined;
  let election: Election | undefined;
  let synced = false;
  const leading = (): boolean => (standing ? election?.leading === true : controller !== undefined);
  const vitals = (): Vitals => ({ watches: controller?.watches, synced, stopping: stop.aborted });

  const metrics = operatorMetrics({
    controller: () => controller,
    leading,
    lease: standing?.lease.name ?? MANAGER,
    concurrency: CONCURRENCY,
    host: connection.server.host,
    version: options.version,
  });
  const pages = new Map<string, Page>([
    ['/healthz', () => text({ ok: true, lines: ['[+] ok'] })],
    ['/livez', () => text(liveness(vitals(), steadyNow()))],
    ['/readyz', () => text(readiness(vitals(), steadyNow()))],
  ]);
  await using servers = new AsyncDisposableStack();
  if (options.probes) {
    const { url } = servers.use(await serve(options.probes, pages));
    logger.info({ url }, 'serving /healthz, /readyz and /livez');
  }
  if (options.metrics) {
    const body = (): ReturnType<Page> => ({
      status: 200,
      type: CONTENT_TYPE,
      body: exposition(metrics.families),
    });
    const { url } = servers.use(await serve(options.metrics, new Map([['/metrics', body]])));
    logger.info({ url }, 'serving /metrics');
  }

  const worked = trimAtRest(processHeap());
  const connect = (): Client => {
    const client = createClient(connection, { connections: CONNECTIONS, observe: metrics.observeRequest });
    servers.defer(() => client.close());
    return client;
  };
  controller = await begin(
    {
      client: connect(),
      logger,
      namespaces,
      requireApproval,
      ...(standing ? { mayWrite: () => election?.leading === true } : {}),
      observe: (report) => {
        metrics.observeWork(report);
        worked(report.wasLast);
      },
    },
    stop,
  );
  if (!controller) return;
  const running = controller;
  void running.synced.then(() => {
    synced = true;
    // lists are work too, and a standby does no other
    worked(false);
    if (stop.aborted) return;
    // with connections of its own: writes that hang must not keep the lease from being renewed
    if (standing) election = stand(connect(), standing, running, logger);
    else void running.lead();
  });

  await aborted(stop);
  const drained = await Promise.race([
    running.stop().then(() => true),
    sleep(DRAIN_MS, false, { ref: false }),
  ]);
  if (!drained)
    logger.warn('stopping with work in hand that did not end in time; it is taken up where it was');
  await election?.stop();
}

/** Undefined: it was told to stop before the API server answered. */
async function begin(options: ControllerOptions, stop: AbortSignal): Promise<Controller | undefined> {
  for (let attempt = 0; !stop.aborted; attempt += 1) {
    try {
      const starting = startController(options);
      const started = await Promise.race([starting, aborted(stop).then(() => undefined)]);
      // an answer may take half a minute to fail to come
      if (!started)
        void starting.then(
          (late) => late.stop(),
          () => {},
        );
      return started;
    } catch (error) {
      if (!(error instanceof ApiError || error instanceof TransportError)) throw error;
      options.logger.warn({ err: shown(error) }, 'the API server does not answer yet, it is asked again');
      await sleep(backoffDelay(attempt, Math.random(), STARTING), undefined, { signal: stop }).catch(
        () => {},
      );
    }
  }
  return undefined;
}

function stand(
  client: Client,
  { lease, timings }: { readonly lease: ObjectKey; readonly timings: LeaderTimings },
  controller: Controller,
  logger: Logger,
): Election {
  // one process, one candidate: a container that starts again is somebody else, who has to wait
  const identity = `${hostname()}_${randomUUID()}`;
  let told: string | undefined;
  logger.info({ lease: `${lease.namespace}/${lease.name}`, identity }, 'standing for leader');
  return startElection({
    client,
    lease,
    identity,
    timings,
    onChange: (leading) => {
      told = undefined;
      logger.info(leading ? 'leading' : 'leading no more: caches stay warm, work is left to the leader');
      void (leading ? controller.lead() : controller.follow());
    },
    onProblem: (error) => {
      const problem = shown(error);
      if (problem === told) return;
      told = problem;
      logger.warn({ err: problem }, 'the lease could not be read or written, it is tried again');
    },
  });
}

const text = ({ ok, lines }: Health): ReturnType<Page> => ({
  status: ok ? 200 : 503,
  type: 'text/plain; charset=utf-8',
  body: `${lines.join('\n')}\n${ok ? 'ok' : 'not ok'}\n`,
});

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  signal.addEventListener('abort', () => resolve(), { once: true });
  await promise;
}
