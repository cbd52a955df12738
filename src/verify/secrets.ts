import { API_VERSION, DOCKER_CONFIG_KEY, PULL_SECRET_TYPE, SECRET_TYPE } from '../api/names.ts';
import type { RawObject } from '../kube/object.ts';
import { secretData } from '../kube/secret-body.ts';
import { type Case, difference, type Finding, namesInPods, unproven } from './case.ts';
import { at, isFields, items, text } from './fields.ts';

/** Whether the delivered Secret holds exactly what is declared and allowed, byte for byte. */
export function checkDelivered(one: Case): readonly Finding[] {
  const object = `Secret ${one.secret}`;
  const { delivered } = one.evidence;
  const expected = namesInPods(one).length > 0;
  if (!delivered) return expected ? [difference(object, 'is not there')] : [];
  const foreign = checkOwner(object, delivered, one);
  if (foreign.length > 0) return foreign;
  return [
    ...(expected ? [] : [difference(object, 'is there although the model may have nothing')]),
    ...checkType(object, delivered, SECRET_TYPE),
    ...checkKeys(object, delivered, one),
  ];
}

function checkKeys(object: string, delivered: RawObject, { items: declared }: Case): readonly Finding[] {
  const written = secretData(delivered);
  const present = [...written].flatMap(([key, value]): readonly Finding[] => {
    const item = declared.get(key);
    if (!item?.declared.runtime)
      return [difference(object, `has the key ${key}, which config.yaml does not declare`)];
    const { allowed } = item;
    switch (allowed.kind) {
      case 'no':
        return [difference(object, `has the key ${key}, which the model may not have: ${allowed.why}`)];
      case 'no-value':
        return [difference(object, `has the key ${key}, and ${allowed.why}`)];
      case 'unknown':
        return [unproven(object, `where the value of ${key} is from: ${allowed.why}`)];
      case 'yes': {
        if (allowed.sources.some((source) => source.value.equals(value))) return [];
        const sources = allowed.sources.map(({ namespace, name }) => `${namespace}/${name}`).join(', ');
        return [difference(object, `has another value for ${key} than ${sources}`)];
      }
    }
  });
  const absent = [...declared.values()].flatMap(({ name, allowed }): readonly Finding[] => {
    if (written.has(name) || allowed.kind !== 'yes' || !allowed.certain) return [];
    return [
      difference(
        object,
        `lacks ${name}, which ${allowed.sources[0]?.namespace}/${allowed.sources[0]?.name} has for this model`,
      ),
    ];
  });
  return [...present, ...absent];
}

/** Whether the pull Secret has credentials for declared registries only. */
export function checkPull(one: Case): readonly Finding[] {
  const object = `Secret ${one.pull}`;
  const { pull } = one.evidence;
  if (!pull) return [];
  const foreign = checkOwner(object, pull, one);
  if (foreign.length > 0) return foreign;
  const extra = registriesOf(pull).filter((registry) => !one.registries.has(registry));
  const keys = [...secretData(pull).keys()].filter((key) => key !== DOCKER_CONFIG_KEY);
  return [
    ...checkType(object, pull, PULL_SECRET_TYPE),
    ...(one.registries.size > 0
      ? []
      : [difference(object, 'is there although the model may pull nothing with it')]),
    ...extra.map((registry) =>
      difference(object, `has a credential for ${registry}, which the model may not have`),
    ),
    ...keys.map((key) => difference(object, `has the key ${key}, which does not belong there`)),
  ];
}

/** The names of the registries; the credentials are not looked at. */
export function registriesOf({ data }: RawObject): readonly string[] {
  const encoded = text(data, DOCKER_CONFIG_KEY) ?? '';
  try {
    return Object.keys(at(JSON.parse(Buffer.from(encoded, 'base64').toString()), 'auths'));
  } catch {
    return ['(what is no docker config)'];
  }
}

/** The controller owner reference is what makes a Secret the model's, and what has it deleted with the model. */
function checkOwner(object: string, { metadata }: RawObject, { evidence }: Case): readonly Finding[] {
  const { name, uid } = evidence.model.metadata;
  const controllers = items(metadata, 'ownerReferences').filter(({ controller }) => controller === true);
  const isOurs = controllers.some(
    (owner) =>
      owner['apiVersion'] === API_VERSION &&
      owner['kind'] === 'ModelDeployment' &&
      owner['name'] === name &&
      owner['uid'] === uid,
  );
  return isOurs
    ? []
    : [difference(object, 'does not belong to this ModelDeployment (controller owner reference)')];
}

const checkType = (object: string, { type }: RawObject, wanted: string): readonly Finding[] =>
  type === wanted ? [] : [difference(object, `has the type ${String(type)} in place of ${wanted}`)];

/** Whether the status says what is so. */
export function checkStatus({ evidence, items: declared }: Case): readonly Finding[] {
  const { model, delivered } = evidence;
  const object = `ModelDeployment ${model.metadata.name}`;
  const written = delivered ? secretData(delivered) : new Map<string, unknown>();
  const status = isFields(model['status']) ? model['status'] : {};
  if (status['observedGeneration'] !== model.metadata.generation)
    return [
      difference(object, 'the operator has not looked at its present spec: the status is of an earlier one'),
    ];
  return items(status, 'secrets').flatMap((entry) => {
    const name = text(entry, 'name') ?? '';
    const isPull = declared.get(name)?.declared.runtime === false;
    const says = entry['state'] === 'Delivered';
    if (isPull || says === written.has(name)) return [];
    return [
      difference(
        object,
        `its status says ${String(entry['state'])} of ${name}, which is ${says ? 'not ' : ''}in the Secret`,
      ),
    ];
  });
}
