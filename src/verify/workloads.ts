import { DEFAULT_CONTAINER_ANNOTATION, ENV_PREFIX, MODEL_ANNOTATION, VOLUME_NAME } from '../api/names.ts';
import type { WorkloadRef } from '../api/model-deployment.ts';
import type { RawObject } from '../kube/object.ts';
import { type Case, difference, type Finding, namesInPods, unproven } from './case.ts';
import type { Workload } from './evidence.ts';
import { at, type Fields, items, text } from './fields.ts';
import { checkNothingMore, mayBeVariable, namesIn, type Place } from './pod-spec.ts';
import { containersOf, referencesOf } from './references.ts';

const templateOf = ({ kind, raw }: Workload): Fields =>
  kind === 'CronJob' ? at(raw, 'spec', 'jobTemplate', 'spec', 'template') : at(raw, 'spec', 'template');

export const shownWorkload = ({ kind, raw }: Workload): string => `${kind} ${raw.metadata.name}`;

const find = ({ evidence }: Case, { kind, name }: WorkloadRef): Workload | undefined =>
  evidence.workloads.find((one) => one.kind === kind && one.raw.metadata.name === name);

/** The workloads of the spec that are there, with the containers that may have the secrets. */
export const placesOf = (one: Case): readonly (Place & { readonly workload: Workload })[] =>
  (one.evidence.spec?.workloads ?? []).flatMap((ref) => {
    const workload = find(one, ref);
    if (!workload) return [];
    const pod = at(templateOf(workload), 'spec');
    return [{ object: shownWorkload(workload), workload, pod, containers: chosen(ref, one, workload) }];
  });

/** None for a workload that may have nothing. */
function chosen(ref: WorkloadRef, { evidence, approved }: Case, workload: Workload): ReadonlySet<string> {
  const { spec } = evidence;
  if (!spec?.trusted || spec.delivery === 'None') return new Set();
  if (approved && !approved.workloads.has(`${ref.kind}/${ref.name}`)) return new Set();
  const template = templateOf(workload);
  const pod = at(template, 'spec');
  const names = (key: string): readonly string[] => items(pod, key).map((one) => text(one, 'name') ?? '');
  if (ref.containers?.includes('*')) return new Set([...names('containers'), ...names('initContainers')]);
  if (ref.containers) return new Set(ref.containers);
  const wanted = text(at(template, 'metadata', 'annotations'), DEFAULT_CONTAINER_ANNOTATION);
  const all = names('containers');
  return new Set(all.filter((name, index) => (all.includes(wanted ?? '') ? name === wanted : index === 0)));
}

/** Whether each workload of the model has exactly what it should have, and no other one anything. */
export const checkWorkloads = (one: Case): readonly Finding[] => [
  ...(one.evidence.spec?.workloads ?? [])
    .filter(
      (ref) =>
        !find(one, ref) && !one.evidence.unread.some((right) => right.includes(ref.kind.toLowerCase())),
    )
    .map(({ kind, name }) => difference(`${kind} ${name}`, 'is not there')),
  ...placesOf(one).flatMap((place) => (isLeftToUser(one) ? [] : checkPlace(place, place.workload, one))),
  ...others(one).flatMap((workload) => checkOther(workload, one)),
];

/** With `delivery: None` the workloads of the spec mount the Secret as they like. */
export const isLeftToUser = ({ evidence }: Case): boolean =>
  evidence.spec?.trusted === true && evidence.spec.delivery === 'None';

const others = (one: Case): readonly Workload[] => {
  const named = new Set(placesOf(one).map(({ workload }) => workload));
  return one.evidence.workloads.filter((workload) => !named.has(workload));
};

function checkPlace(place: Place, { raw }: Workload, one: Case): readonly Finding[] {
  const { object, pod, containers } = place;
  const names = namesInPods(one);
  const more = checkNothingMore(place, one);
  const marker = raw.metadata.annotations?.[MODEL_ANNOTATION];
  const { name, uid } = one.evidence.model.metadata;
  const gets = containers.size > 0 && (names.length > 0 || one.registries.size > 0);
  if (!gets) {
    const isMarked = marker === `${name}/${uid}`;
    const has = [...namesIn(pod, one)].filter((key) => one.items.get(key)?.inPods);
    return [
      ...more,
      ...has.map((key) => difference(object, `has ${key}, and may have nothing`)),
      ...(isMarked ? [difference(object, "is marked as the model's, and may have nothing")] : []),
    ];
  }
  return [
    ...(marker === `${name}/${uid}`
      ? []
      : [difference(object, `is not marked as the model's (it says ${marker ?? 'nothing'})`)]),
    ...more,
    ...[...containers].flatMap((container) => checkContainer(container, place, names, one)),
    ...checkPulls(place, one),
  ];
}

/** What is missing in one container. */
function checkContainer(
  name: string,
  { object, pod }: Place,
  names: readonly string[],
  one: Case,
): readonly Finding[] {
  const container = containersOf(pod).find((each) => each['name'] === name);
  if (!container) return [difference(object, `has no container ${name}`)];
  const references = referencesOf(pod).filter(({ secret }) => secret === one.secret);
  const isMounted = items(container, 'volumeMounts').some((mount) => mount['name'] === VOLUME_NAME);
  const variables = new Set(
    references.flatMap((reference) =>
      reference.via === 'env' && reference.container === name ? [`${reference.name}=${reference.key}`] : [],
    ),
  );
  const { spec } = one.evidence;
  return names.flatMap((key) => {
    const plain = spec?.overrides?.find((override) => override.name === key)?.env ?? [];
    const wanted = [...(spec?.delivery === 'Env' ? [`${ENV_PREFIX}${key}`] : []), ...plain].filter(
      (variable) => mayBeVariable(variable, key, one),
    );
    const lacking = wanted.filter((variable) => !variables.has(`${variable}=${key}`));
    const inVolume = references.some((reference) => reference.via === 'volume' && reference.key === key);
    const noFile = spec?.delivery === 'Mount' && !(isMounted && inVolume);
    return [
      ...(noFile ? [difference(object, `container ${name} lacks the file of ${key}`)] : []),
      ...lacking.map((variable) =>
        difference(object, `container ${name} lacks the environment variable ${variable}`),
      ),
    ];
  });
}

const checkPulls = ({ object, pod }: Place, one: Case): readonly Finding[] =>
  one.registries.size > 0 && !items(pod, 'imagePullSecrets').some(({ name }) => name === one.pull)
    ? [difference(object, `does not pull images with Secret ${one.pull}`)]
    : [];

/** A workload that the model does not name must have nothing of it. */
function checkOther(workload: Workload, one: Case): readonly Finding[] {
  const object = shownWorkload(workload);
  const { name, uid } = one.evidence.model.metadata;
  const isMarked = workload.raw.metadata.annotations?.[MODEL_ANNOTATION] === `${name}/${uid}`;
  return [
    ...(isMarked ? [difference(object, "is marked as the model's, which does not name it")] : []),
    ...checkStranger(object, at(templateOf(workload), 'spec'), one),
  ];
}

/** Whoever is not of the model refers to none of its Secrets. */
export function checkStranger(
  object: string,
  pod: unknown,
  { secret, pull, evidence }: Case,
): readonly Finding[] {
  const found = new Set(referencesOf(pod).map((reference) => reference.secret));
  return [secret, pull]
    .filter((name) => found.has(name))
    .map((name) =>
      evidence.spec?.delivery === 'None'
        ? unproven(object, `refers to Secret ${name}: with spec.delivery None nobody says who may`)
        : difference(object, `refers to Secret ${name}, and is not of this model`),
    );
}

/** ReplicaSets and Jobs that no workload stands behind. */
export const checkLoners = (one: Case): readonly Finding[] =>
  one.evidence.between
    .filter(({ metadata }) => !metadata.ownerReferences?.some(({ controller }) => controller === true))
    .flatMap((raw) =>
      checkStranger(
        `${raw.kind ?? 'controller'} ${raw.metadata.name}`,
        at(raw, 'spec', 'template', 'spec'),
        one,
      ),
    );

/** Whether a pod is of a workload: by its controller, and that one's controller. */
export function isOf(pod: RawObject, { raw }: Workload, between: readonly RawObject[]): boolean {
  const controllerOf = ({ metadata }: RawObject): string | undefined =>
    metadata.ownerReferences?.find(({ controller }) => controller === true)?.uid;
  const first = controllerOf(pod);
  if (first === undefined) return false;
  const middle = between.find(({ metadata }) => metadata.uid === first);
  return first === raw.metadata.uid || (middle !== undefined && controllerOf(middle) === raw.metadata.uid);
}
