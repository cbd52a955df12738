import { at, type Fields, items, text } from './fields.ts';

/** One way in which a pod gets at a Secret. */
export interface Reference {
  readonly secret: string;
  readonly via: 'volume' | 'env' | 'envFrom' | 'imagePullSecrets';
  /** Name of the volume, or of the environment variable. */
  readonly name: string;
  /** Undefined: all of them. */
  readonly key: string | undefined;
  /** The file below the mount; undefined: the key's own name. */
  readonly path: string | undefined;
  /** Undefined for a volume, which containers mount or not, and for imagePullSecrets. */
  readonly container: string | undefined;
}

export const containersOf = (pod: unknown): readonly Fields[] => [
  ...items(pod, 'containers'),
  ...items(pod, 'initContainers'),
  ...items(pod, 'ephemeralContainers'),
];

/** Every Secret that the containers of a pod can get at, or that its images are pulled with. */
export const referencesOf = (pod: unknown): readonly Reference[] => [
  ...items(pod, 'volumes').flatMap(inVolume),
  ...containersOf(pod).flatMap(inContainer),
  ...items(pod, 'imagePullSecrets').map((one) => reference('imagePullSecrets', '', text(one, 'name') ?? '')),
];

const reference = (
  via: Reference['via'],
  name: string,
  secret: string,
  more: Partial<Pick<Reference, 'key' | 'path' | 'container'>> = {},
): Reference => ({ secret, via, name, key: undefined, path: undefined, container: undefined, ...more });

function inVolume(volume: Fields): readonly Reference[] {
  const name = text(volume, 'name') ?? '';
  const sources = [
    { ...at(volume, 'secret'), name: text(at(volume, 'secret'), 'secretName') },
    ...items(at(volume, 'projected'), 'sources').map((source) => at(source, 'secret')),
    // drivers that take a reference (csi, flexVolume, cephfs, ...) hand the whole Secret to the node
    ...Object.values(volume).flatMap((source) =>
      ['secretRef', 'nodePublishSecretRef'].map((key) => at(source, key)),
    ),
  ];
  return sources.flatMap((source): readonly Reference[] => {
    const secret = text(source, 'name');
    if (secret === undefined) return [];
    const chosen = items(source, 'items');
    if (chosen.length === 0) return [reference('volume', name, secret)];
    return chosen.map((item) =>
      reference('volume', name, secret, { key: text(item, 'key'), path: text(item, 'path') }),
    );
  });
}

function inContainer(fields: Fields): readonly Reference[] {
  const container = text(fields, 'name') ?? '';
  const env = items(fields, 'env').flatMap((entry) => {
    const source = at(entry, 'valueFrom', 'secretKeyRef');
    const secret = text(source, 'name');
    return secret === undefined
      ? []
      : [reference('env', text(entry, 'name') ?? '', secret, { key: text(source, 'key'), container })];
  });
  const all = items(fields, 'envFrom').flatMap((entry) => {
    const secret = text(at(entry, 'secretRef'), 'name');
    return secret === undefined ? [] : [reference('envFrom', '', secret, { container })];
  });
  return [...env, ...all];
}
