import { deliveredSecretName } from '../api/names.ts';
import { isApiError } from '../kube/errors.ts';
import type { RawObject } from '../kube/object.ts';
import type { Resource } from '../kube/resource.ts';
import { listAt, objectAt, textAt } from '../plan/flatten.ts';
import type { LiveSnapshot } from './live-snapshot.ts';

/** The pods of a workload, as far as the user may see them. */
export type PodsOf =
  | { readonly kind: 'read'; readonly selector: string; readonly pods: readonly PodView[] }
  | { readonly kind: 'unread'; readonly right: string };

export interface PodView {
  readonly name: string;
  readonly ready: boolean;
  /** What a pod that is not ready waits for. */
  readonly why: string;
  /** The keys of the delivered Secret that it refers to. */
  readonly secrets: ReadonlySet<string>;
}

const pods: Resource = { group: '', version: 'v1', plural: 'pods', kind: 'Pod', namespaced: true };

/** The pods of the model's workloads, by `<kind>/<name>`; not those of a CronJob, which come and go. */
export async function readPods({
  snapshot,
  reads,
  caches,
  model,
}: LiveSnapshot): Promise<ReadonlyMap<string, PodsOf>> {
  const found = new Map<string, PodsOf>();
  const { namespace } = model;
  for (const { kind, ref } of snapshot.workloads) {
    const cache = ref && caches.workloads.get(ref.kind);
    if (kind !== 'present' || !cache || ref.kind === 'CronJob') continue;
    const raw = reads.object(cache.resource, { namespace, name: ref.name });
    const selector = selectorText(objectAt(raw?.['spec'], 'selector'));
    if (selector === undefined) continue;
    found.set(`${ref.kind}/${ref.name}`, await podsBy(selector, reads.client, namespace, model.name));
  }
  return found;
}

async function podsBy(
  labelSelector: string,
  client: LiveSnapshot['reads']['client'],
  namespace: string,
  model: string,
): Promise<PodsOf> {
  try {
    const views: PodView[] = [];
    for await (const page of client.list(pods, { namespace, labelSelector })) {
      views.push(...page.filter(isAlive).map((raw) => podView(raw, deliveredSecretName(model))));
    }
    return { kind: 'read', selector: labelSelector, pods: views };
  } catch (error) {
    if (isApiError(error, 403)) return { kind: 'unread', right: `list pods -n ${namespace}` };
    throw error;
  }
}

const isAlive = ({ metadata, status }: RawObject): boolean =>
  metadata.deletionTimestamp === undefined &&
  !['Succeeded', 'Failed'].includes(textAt(status, 'phase') ?? '');

/** A label selector as a query takes it; undefined: one that selects nothing, or in a way of its own. */
export function selectorText(selector: unknown): string | undefined {
  const labels = Object.entries(objectAt(selector, 'matchLabels') ?? {}).map(
    ([key, value]) => `${key}=${String(value)}`,
  );
  const expressions = listAt(selector, 'matchExpressions').map(({ key, operator, values }) => {
    const list = Array.isArray(values) ? values.join(',') : '';
    switch (operator) {
      case 'In':
        return `${String(key)} in (${list})`;
      case 'NotIn':
        return `${String(key)} notin (${list})`;
      case 'Exists':
        return String(key);
      default:
        return `!${String(key)}`;
    }
  });
  const all = [...labels, ...expressions];
  return all.length > 0 ? all.join(',') : undefined;
}

/** Reduces a pod. */
export function podView({ metadata, spec, status }: RawObject, secretName: string): PodView {
  const condition = listAt(status, 'conditions').find(({ type }) => type === 'Ready');
  const containers = [...listAt(spec, 'initContainers'), ...listAt(spec, 'containers')];
  const keys = [
    ...listAt(spec, 'volumes')
      .flatMap((volume) => listAt(objectAt(volume, 'projected'), 'sources'))
      .map((source) => objectAt(source, 'secret'))
      .filter((source) => textAt(source, 'name') === secretName)
      .flatMap((source) => listAt(source, 'items').map((item) => textAt(item, 'key') ?? '')),
    ...containers
      .flatMap((container) => listAt(container, 'env'))
      .map((entry) => objectAt(objectAt(entry, 'valueFrom'), 'secretKeyRef'))
      .filter((source) => textAt(source, 'name') === secretName)
      .map((source) => textAt(source, 'key') ?? ''),
  ];
  return {
    name: metadata.name,
    ready: condition?.['status'] === 'True',
    why: whyNotReady(status),
    secrets: new Set(keys),
  };
}

function whyNotReady(status: unknown): string {
  const states = [...listAt(status, 'initContainerStatuses'), ...listAt(status, 'containerStatuses')];
  const waiting = states.map((state) => objectAt(objectAt(state, 'state'), 'waiting')).find((state) => state);
  const scheduled = listAt(status, 'conditions').find(
    ({ type, status: holds }) => type === 'PodScheduled' && holds === 'False',
  );
  const said = textAt(waiting, 'message');
  return [
    textAt(waiting, 'reason') ?? textAt(scheduled, 'reason') ?? textAt(status, 'phase') ?? 'Pending',
    ...(said === undefined ? [] : [said]),
  ].join(': ');
}
