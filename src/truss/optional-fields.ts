import type { SecretReference } from './config.ts';
import { position } from './diagnostic.ts';
import type { Entry, Reading } from './reading.ts';
import type { Node } from './yaml/composer.ts';

const FIELD = 'runtime_secret_name';
/** Truss sets it for public models too, so a missing one never blocks. */
const DEFAULT_NAME = 'hf_access_token';

/** Reads the secrets that a model uses when they are there, for downloads (table 2, rows 9 and 10). */
export function readOptional(reading: Reading, root: Node): readonly SecretReference[] {
  const cache = reading.field(root, 'model_cache');
  return [
    ...readCache(reading, 'model_cache', cache),
    // Truss reads the older field only where the newer one is missing.
    ...(reading.mapping(root)?.entries.has('model_cache')
      ? []
      : readCache(reading, 'hf_cache', reading.field(root, 'hf_cache'))),
    ...readCache(reading, 'cache_internal', reading.field(root, 'cache_internal')),
    ...readCheckpoint(reading, root),
  ];
}

function readCache(reading: Reading, field: string, cache: Entry | undefined): readonly SecretReference[] {
  if (cache === undefined) return [];
  return reading.items(field, cache.value).flatMap((item, index) => {
    if (reading.mapping(item) !== undefined) return runtimeSecret(reading, `${field}[${index}]`, item, item);
    reading.unexpected(`${field}[${index}]`, 'a mapping', item);
    return [];
  });
}

function readCheckpoint(reading: Reading, root: Node): readonly SecretReference[] {
  const repository = reading.path(root, 'trt_llm', 'build', 'checkpoint_repository');
  if (repository === undefined) return [];
  const field = 'trt_llm.build.checkpoint_repository';
  if (reading.mapping(repository.value) !== undefined) {
    return runtimeSecret(reading, field, repository.value, repository.key);
  }
  reading.unexpected(field, 'a mapping', repository.value);
  return [];
}

/** `at`: where the default is said to stand. */
function runtimeSecret(reading: Reading, field: string, node: Node, at: Node): readonly SecretReference[] {
  const entry = reading.field(node, FIELD);
  const name = entry === undefined ? undefined : reading.name(entry);
  const mark = entry !== undefined && name !== undefined ? entry.key.mark : at.mark;
  return [{ name: name ?? DEFAULT_NAME, field: `${field}.${FIELD}`, ...position(mark) }];
}
