import type { RawObject } from '../kube/object.ts';
import { secretData } from '../kube/secret-body.ts';
import { type Case, difference, type Finding, type Item, namesInPods, openCase, unproven } from './case.ts';
import type { Evidence } from './evidence.ts';
import { at } from './fields.ts';
import { checkNothingMore, namesIn, type Place } from './pod-spec.ts';
import { referencesOf } from './references.ts';
import { checkDelivered, checkPull, checkStatus, registriesOf } from './secrets.ts';
import { checkLoners, checkStranger, checkWorkloads, isLeftToUser, isOf, placesOf } from './workloads.ts';

/** One name, through all that could be looked at. */
export interface Row {
  readonly name: string;
  readonly declared: 'yes' | 'no' | 'for pulling';
  readonly allowed: 'yes' | 'no' | 'no value' | 'unknown';
  readonly written: boolean;
  /** The workloads whose pod template has it. */
  readonly mounted: readonly string[];
  /** The pods that have it. */
  readonly pods: number;
}

export interface Proof {
  readonly rows: readonly Row[];
  readonly findings: readonly Finding[];
}

/**
 * Proves from the live objects alone that declared = allowed = written = mounted, and nothing more. It shares no decision with
 * the operator: what it needs of the rules is written anew in this folder.
 */
export function prove(evidence: Evidence, requireApproval: boolean): Proof {
  const blind = evidence.unread.map((right) => unproven('your rights', `you lack the right to: ${right}`));
  const one = openCase(evidence, requireApproval);
  if (!('items' in one)) return { rows: [], findings: [one, ...blind] };
  const findings = [
    ...checkStatus(one),
    ...checkDelivered(one),
    ...checkPull(one),
    ...checkWorkloads(one),
    ...checkLoners(one),
    ...checkPods(one),
    ...blind,
  ];
  return { rows: rowsOf(one), findings };
}

function checkPods(one: Case): readonly Finding[] {
  const { evidence } = one;
  const places = placesOf(one);
  const names = namesInPods(one);
  return evidence.pods
    .filter(({ status }) => !['Succeeded', 'Failed'].includes(String(at(status)['phase'])))
    .flatMap((pod) => {
      const object = `Pod ${pod.metadata.name}`;
      const spec = at(pod, 'spec');
      const place = places.find(({ workload }) => isOf(pod, workload, evidence.between));
      if (!place) return checkStranger(object, spec, one);
      if (isLeftToUser(one)) return [];
      const own: Place = { object, pod: spec, containers: place.containers };
      const has = namesIn(spec, one);
      const missing = place.containers.size > 0 ? names.filter((name) => !has.has(name)) : [];
      const denied = place.containers.size > 0 ? [] : [...has].filter((name) => one.items.get(name)?.inPods);
      return [
        ...checkNothingMore(own, one),
        ...missing.map((name) => difference(object, `was started without ${name}`)),
        ...denied.map((name) => difference(object, `has ${name}, and may have nothing`)),
      ];
    });
}

function rowsOf(one: Case): readonly Row[] {
  const written = keysOf(one.evidence.delivered);
  const places = placesOf(one).map(({ object, pod }) => ({ object, pod, names: namesIn(pod, one) }));
  const pods = one.evidence.pods.map((pod) => namesIn(at(pod, 'spec'), one));
  const names = new Set([...one.items.keys(), ...written, ...places.flatMap((place) => [...place.names])]);
  return [...names].toSorted().map((name): Row => {
    const item = one.items.get(name);
    if (item && !item.declared.runtime) return pullRow(item, one);
    const allowed = item?.allowed.kind ?? 'no';
    return {
      name,
      declared: item ? 'yes' : 'no',
      allowed: allowed === 'no-value' ? 'no value' : allowed,
      written: written.has(name),
      mounted: places.filter((place) => place.names.has(name)).map(({ object }) => object),
      pods: pods.filter((has) => has.has(name)).length,
    };
  });
}

const keysOf = (secret: RawObject | undefined): ReadonlySet<string> =>
  new Set(secret ? secretData(secret).keys() : []);

/** What images are pulled with is in a Secret of its own. */
function pullRow({ name, declared }: Item, one: Case): Row {
  const { registries, evidence, pull } = one;
  const pulls = (pod: unknown): boolean => referencesOf(pod).some(({ secret }) => secret === pull);
  return {
    name,
    declared: 'for pulling',
    allowed: declared.registry !== undefined && registries.has(declared.registry) ? 'yes' : 'no',
    written: evidence.pull !== undefined && registriesOf(evidence.pull).includes(declared.registry ?? ''),
    mounted: placesOf(one).flatMap(({ object, pod }) => (pulls(pod) ? [object] : [])),
    pods: evidence.pods.filter((pod) => pulls(at(pod, 'spec'))).length,
  };
}
