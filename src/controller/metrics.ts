import { isRead } from '../kube/errors.ts';
import type { RequestReport } from '../kube/client.ts';
import { steadyNow } from '../kube/clock.ts';
import type { WorkReport } from '../kube/workers.ts';
import { Counter, type Family, Histogram, measured } from '../metrics/family.ts';
import { processFamilies } from '../metrics/process.ts';
import type { Controller } from './controller.ts';
import { staleMs } from './health.ts';
import { RESULTS } from './journal.ts';

/** The label of controller-runtime's metrics: it names a controller after its kind. */
const CONTROLLER = 'modeldeployment';

/** Those of controller-runtime, so that its dashboards fit; in seconds. */
const RECONCILE_BUCKETS = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.25, 1.5,
  1.75, 2, 2.5, 3, 3.5, 4, 4.5, 5, 6, 7, 8, 9, 10, 15, 20, 25, 30, 40, 50, 60,
];
const QUEUE_BUCKETS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 1_000];
const REQUEST_BUCKETS = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60];

/** The part of an operator that metrics are read from; undefined until there is one. */
export interface Measured {
  readonly controller: () => Controller | undefined;
  readonly leading: () => boolean;
  readonly lease: string;
  readonly concurrency: number;
  /** Of the API server. */
  readonly host: string;
  readonly version: string;
}

export interface OperatorMetrics {
  readonly families: readonly Family[];
  readonly observeRequest: (report: RequestReport) => void;
  readonly observeWork: (report: WorkReport) => void;
}

/** No label holds the name of a secret, or of anything else that users choose. */
export function operatorMetrics(of: Measured): OperatorMetrics {
  const requests = new Counter({
    name: 'rest_client_requests_total',
    help: 'Requests to the API server, by status code (or <error>), method and host.',
    labels: ['code', 'method', 'host'],
  });
  const requestTime = new Histogram({
    name: 'rest_client_request_duration_seconds',
    help: 'How long requests to the API server took; of a watch, until it began.',
    labels: ['verb', 'host'],
    buckets: REQUEST_BUCKETS,
  });
  const writes = new Counter({
    name: 'truss_secrets_writes_total',
    help: 'Writes to the API server, by resource, verb and status code (or <error>). None when nothing changes.',
    labels: ['resource', 'verb', 'code'],
  });
  const reconciles = new Counter({
    name: 'controller_runtime_reconcile_total',
    help: 'Reconciles, by how they ended.',
    labels: ['controller', 'result'],
  });
  const errors = new Counter({
    name: 'controller_runtime_reconcile_errors_total',
    help: 'Reconciles that ended with an error.',
    labels: ['controller'],
  });
  const reconcileTimes = new Histogram({
    name: 'controller_runtime_reconcile_time_seconds',
    help: 'How long reconciles took.',
    labels: ['controller'],
    buckets: RECONCILE_BUCKETS,
  });
  const queueLabels = ['name', 'controller'] as const;
  const queueTimes = new Histogram({
    name: 'workqueue_queue_duration_seconds',
    help: 'How long keys waited in the queue before they were worked on.',
    labels: queueLabels,
    buckets: QUEUE_BUCKETS,
  });
  const workTimes = new Histogram({
    name: 'workqueue_work_duration_seconds',
    help: 'How long the work on a key took.',
    labels: queueLabels,
    buckets: QUEUE_BUCKETS,
  });
  // what never happened is 0, not absent: rates and alerts need it
  const ended = {
    done: reconciles.of([CONTROLLER, RESULTS.done]),
    again: reconciles.of([CONTROLLER, RESULTS.again]),
    retry: reconciles.of([CONTROLLER, RESULTS.retry]),
    error: reconciles.of([CONTROLLER, RESULTS.error]),
  } satisfies Record<WorkReport['outcome'], unknown>;
  const failed = errors.of([CONTROLLER]);
  const reconcileTime = reconcileTimes.of([CONTROLLER]);
  const queueTime = queueTimes.of([CONTROLLER, CONTROLLER]);
  const workTime = workTimes.of([CONTROLLER, CONTROLLER]);

  return {
    families: [
      ...queueFamilies(of),
      queueTimes,
      workTimes,
      reconciles,
      errors,
      reconcileTimes,
      requests,
      requestTime,
      ...leaderFamilies(of),
      ...ownFamilies(of),
      writes,
      ...processFamilies(),
    ],
    observeRequest({ verb, template, code, durationMs }) {
      const shownCode = code === 0 ? '<error>' : String(code);
      requests.add([shownCode, METHODS[verb], of.host]);
      requestTime.observe([METHODS[verb], of.host], durationMs / 1_000);
      if (!isRead(verb)) writes.add([resourceOf(template), verb, shownCode]);
    },
    observeWork({ outcome, waitedMs, workedMs }) {
      ended[outcome].value += 1;
      if (outcome === 'error') failed.value += 1;
      reconcileTime.observe(workedMs / 1_000);
      queueTime.observe(waitedMs / 1_000);
      workTime.observe(workedMs / 1_000);
    },
  };
}

const METHODS = {
  get: 'GET',
  list: 'GET',
  watch: 'GET',
  create: 'POST',
  update: 'PUT',
  patch: 'PATCH',
  apply: 'PATCH',
  delete: 'DELETE',
} as const satisfies Record<RequestReport['verb'], string>;

const resourcesOf = new Map<string, string>();

/** `deployments` of `/apis/apps/v1/namespaces/{namespace}/deployments/{name}`, with a subresource after a slash. */
function resourceOf(template: string): string {
  const known = resourcesOf.get(template);
  if (known !== undefined) return known;
  const [resource = '', name, subresource] = template
    .replace(/^\/(?:api|apis\/[^/]+)\/[^/]+\//, '')
    .replace(/^namespaces\/\{namespace\}\//, '')
    .split('/');
  const found = name === undefined || subresource === undefined ? resource : `${resource}/${subresource}`;
  resourcesOf.set(template, found);
  return found;
}

function queueFamilies({ controller, concurrency }: Measured): readonly Family[] {
  const labels = [
    ['name', CONTROLLER],
    ['controller', CONTROLLER],
  ] as const;
  const only = [['controller', CONTROLLER]] as const;
  const stats = () => controller()?.stats;
  const value = (of: number | undefined, with_: typeof labels | typeof only = labels) => [
    { labels: with_, value: of ?? 0 },
  ];
  return [
    measured('gauge', 'workqueue_depth', 'Models that are to be looked at, now.', () =>
      value(stats()?.depth),
    ),
    measured('counter', 'workqueue_adds_total', 'How often a model was put into the queue.', () =>
      value(stats()?.added),
    ),
    measured(
      'counter',
      'workqueue_retries_total',
      'How often a model was put back after a try that did not succeed.',
      () => value(stats()?.retries),
    ),
    measured('gauge', 'controller_runtime_active_workers', 'Models that are worked on, now.', () =>
      value(stats()?.inHand, only),
    ),
    measured(
      'gauge',
      'controller_runtime_max_concurrent_reconciles',
      'How many models may be worked on at a time.',
      () => value(concurrency, only),
    ),
  ];
}

const leaderFamilies = ({ leading, lease }: Measured): readonly Family[] => [
  measured('gauge', 'leader_election_master_status', '1: this process leads; 0: it stands by.', () => [
    { labels: [['name', lease]], value: leading() ? 1 : 0 },
  ]),
];

function ownFamilies({ controller, version }: Measured): readonly Family[] {
  return [
    measured('gauge', 'truss_secrets_build_info', 'Always 1; the version is in the label.', () => [
      { labels: [['version', version]], value: 1 },
    ]),
    measured(
      'gauge',
      'truss_secrets_models',
      'ModelDeployments by their condition Ready and its reason; each replica shows all.',
      () => modelsByReadiness(controller()),
    ),
    measured(
      'gauge',
      'truss_secrets_delayed_models',
      'Models that wait for the time of their next try.',
      () => controller()?.stats.delayed ?? 0,
    ),
    measured(
      'gauge',
      'truss_secrets_watch_synced',
      '1: what is known of the resource is complete, and may be read; of several namespaces, the worst.',
      () =>
        worst(controller(), 'least', (freshness) =>
          freshness.kind === 'synced' || freshness.kind === 'stale' ? 1 : 0,
        ),
    ),
    measured(
      'gauge',
      'truss_secrets_watch_stale_seconds',
      'For how long the API server was out of reach for the watch; 0: it is not.',
      () => worst(controller(), 'most', (freshness) => staleMs(freshness, steadyNow()) / 1_000),
    ),
  ];
}

function modelsByReadiness(controller: Controller | undefined): ReturnType<Family['samples']> {
  const counts = new Map<string, { labels: readonly (readonly [string, string])[]; value: number }>();
  for (const { readiness } of controller?.caches.models.values() ?? []) {
    const key = `${readiness.ready} ${readiness.reason}`;
    const known = counts.get(key);
    if (known) known.value += 1;
    else
      counts.set(key, {
        labels: [
          ['ready', readiness.ready],
          ['reason', readiness.reason],
        ],
        value: 1,
      });
  }
  return counts.values();
}

type Watches = Controller['watches'];

function worst(
  controller: Controller | undefined,
  which: 'most' | 'least',
  measure: (freshness: ReturnType<Watches[number]['freshness']>) => number,
): ReturnType<Family['samples']> {
  const groups = Map.groupBy(controller?.watches ?? [], ({ name }) => name);
  return [...groups].map(([name, some]) => ({
    labels: [['resource', name]],
    value: Math[which === 'most' ? 'max' : 'min'](...some.map(({ freshness }) => measure(freshness()))),
  }));
}
