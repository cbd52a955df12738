import { shownName } from '../api/messages.ts';
import type { BuildSecret } from './config.ts';
import { detach } from './detach.ts';
import { position } from './diagnostic.ts';
import { REGISTRY_PREFIX } from './names.ts';
import type { Reading } from './reading.ts';
import type { Node } from './yaml/composer.ts';

/** Reads `build.secret_to_path_mapping`: secrets that are mounted while the image is built (table 2, row 3). */
export function readBuild(reading: Reading, root: Node): readonly BuildSecret[] {
  const entry = reading.path(root, 'build', 'secret_to_path_mapping');
  if (entry === undefined) return [];
  const mapping = reading.mapping(entry.value);
  if (mapping === undefined) {
    reading.unexpected('build.secret_to_path_mapping', 'a mapping', entry.value);
    return [];
  }
  for (const key of mapping.otherKeys) reading.nameNotString(key);
  return Array.from(mapping.entries.values(), ({ name, key, value }) => {
    if (!name.startsWith(REGISTRY_PREFIX)) reading.checkName(name, key);
    const path = detach(reading.text(value) ?? (value.kind === 'scalar' ? value.value : ''));
    lintPath(reading, name, path, value);
    return { name, path, ...position(key.mark) };
  });
}

function lintPath(reading: Reading, name: string, path: string, value: Node): void {
  if (reading.text(value) === undefined || path === '') {
    reading.unexpected(`build.secret_to_path_mapping.${shownName(name)}`, 'the path of a file', value);
  } else if (path.split('/').includes('..')) {
    reading.warn(
      'PathTraversal',
      `${shownName(name)}: the path leads out of its folder: write it without '..'`,
      value,
    );
  }
}
