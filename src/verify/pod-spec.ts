import { ENV_PREFIX, MOUNT_PATH, VOLUME_NAME } from '../api/names.ts';
import { SecretValue } from '../api/secret-value.ts';
import { type Case, difference, type Finding } from './case.ts';
import { at, type Fields, items, text } from './fields.ts';
import { containersOf, type Reference, referencesOf } from './references.ts';

/** A pod spec that may have the secrets. */
export interface Place {
  /** `Deployment gfpgan`, `Pod gfpgan-0` */
  readonly object: string;
  readonly pod: Fields;
  /** Names of the containers that may have them. */
  readonly containers: ReadonlySet<string>;
}

/** The names that a pod spec hands out, as files or as environment variables. */
export const namesIn = (pod: unknown, { secret }: Case): ReadonlySet<string> =>
  new Set(
    referencesOf(pod).flatMap((one) => (one.secret === secret && one.key !== undefined ? [one.key] : [])),
  );

/** Everything in a pod spec that is more than declared and allowed, or is somewhere else. */
export function checkNothingMore(place: Place, one: Case): readonly Finding[] {
  const { object, pod } = place;
  return [
    ...referencesOf(pod).flatMap((reference) => {
      const message = wrongReference(reference, place, one);
      return message === undefined ? [] : [difference(object, message)];
    }),
    ...checkVolume(object, pod, one),
    ...containersOf(pod).flatMap((container) => [
      ...checkMounts(container, place),
      ...checkPlainText(container, place, one),
    ]),
  ];
}

function wrongReference(reference: Reference, { containers }: Place, one: Case): string | undefined {
  const { secret, via, name, key, path, container } = reference;
  if (secret === one.pull) {
    if (via !== 'imagePullSecrets') return `hands Secret ${secret} to containers (${via} ${name})`;
    return one.registries.size > 0
      ? undefined
      : `pulls images with Secret ${secret}, which the model may not have`;
  }
  if (secret !== one.secret) return undefined;
  if (via === 'imagePullSecrets') return `pulls images with Secret ${secret}`;
  if (key === undefined)
    return `hands out all of Secret ${secret}, whatever comes into it (${via} ${name || container || ''})`;
  const item = one.items.get(key);
  if (!item?.declared.runtime) return `has ${key} (${via} ${name}), which config.yaml does not declare`;
  if (!item.inPods) return `has ${key} (${via} ${name}), which the model may not have`;
  if (via === 'volume') {
    if (name !== VOLUME_NAME) return `has ${key} in a volume ${name} besides`;
    return path === key ? undefined : `has ${key} as a file of another name: ${path}`;
  }
  if (container !== undefined && !containers.has(container))
    return `hands ${key} to container ${container} (env ${name})`;
  return mayBeVariable(name, key, one) ? undefined : `has ${key} as the environment variable ${name}`;
}

export function mayBeVariable(variable: string, key: string, { evidence, approved }: Case): boolean {
  if (variable === `${ENV_PREFIX}${key}`) return evidence.spec?.delivery === 'Env';
  const plain = evidence.spec?.overrides?.find(({ name }) => name === key)?.env ?? [];
  return plain.includes(variable) && (approved?.env.has(variable) ?? true);
}

/** Our volume projects our Secret, and nothing else beside it. */
function checkVolume(object: string, pod: Fields, { secret }: Case): readonly Finding[] {
  const volume = items(pod, 'volumes').find(({ name }) => name === VOLUME_NAME);
  if (!volume) return [];
  const kinds = Object.keys(volume).filter((key) => key !== 'name');
  if (kinds.some((kind) => kind !== 'projected'))
    return [difference(object, `volume ${VOLUME_NAME} is ${kinds.join(', ')}`)];
  return items(at(volume, 'projected'), 'sources').flatMap((source) => {
    const isOurs =
      Object.keys(source).every((key) => key === 'secret') && text(at(source, 'secret'), 'name') === secret;
    return isOurs
      ? []
      : [difference(object, `volume ${VOLUME_NAME} has something else beside Secret ${secret}`)];
  });
}

function checkMounts(container: Fields, { object, containers }: Place): readonly Finding[] {
  const name = text(container, 'name') ?? '';
  return items(container, 'volumeMounts').flatMap((mount) => {
    const path = text(mount, 'mountPath') ?? '';
    const isOurs = mount['name'] === VOLUME_NAME;
    const atPlace = `${path}/`.replaceAll(/\/+/g, '/') === `${MOUNT_PATH}/`;
    if (!isOurs)
      return atPlace ? [difference(object, `container ${name} has another volume at ${MOUNT_PATH}`)] : [];
    const problems = [
      ...(containers.has(name) ? [] : ['although it is none of those that may have the secrets']),
      ...(atPlace ? [] : [`at ${path}`]),
      ...(mount['readOnly'] === true ? [] : ['not read-only']),
      ...(mount['subPath'] === undefined && mount['subPathExpr'] === undefined
        ? []
        : ['by a subPath, which is never updated']),
    ];
    return problems.map((problem) => difference(object, `container ${name} has the volume ${problem}`));
  });
}

/** A secret in plain text in a pod spec is for everybody who may read pods. */
function checkPlainText(container: Fields, { object }: Place, one: Case): readonly Finding[] {
  const name = text(container, 'name') ?? '';
  const values = [...one.items.values()].flatMap(({ name: secret, allowed }) =>
    allowed.kind === 'yes' ? allowed.sources.map(({ value }) => ({ secret, value })) : [],
  );
  return items(container, 'env').flatMap((entry) => {
    const variable = text(entry, 'name') ?? '';
    const plain = text(entry, 'value');
    const source = at(entry, 'valueFrom', 'secretKeyRef');
    if (variable.startsWith(ENV_PREFIX) && text(source, 'name') !== one.secret) {
      const how = plain === undefined ? 'from elsewhere' : 'in plain text';
      return [difference(object, `container ${name} has ${variable} ${how}`)];
    }
    if (plain === undefined || plain === '') return [];
    const encoded = new SecretValue(Buffer.from(plain).toString('base64'));
    const found = values.find(({ value }) => value.equals(encoded));
    return found
      ? [
          difference(
            object,
            `container ${name} has the value of ${found.secret} in plain text (env ${variable})`,
          ),
        ]
      : [];
  });
}
