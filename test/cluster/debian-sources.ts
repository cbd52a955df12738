const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

export interface SourcesFile {
  /** Ends in `.list` (one line an entry) or `.sources` (deb822), as apt reads them. */
  readonly name: string;
  readonly text: string;
}

interface Entry {
  readonly uri: string;
  readonly suite: string;
}

/**
 * Of the package sources that a machine is configured with, Debian's own of this release, binary and source
 * packages, in deb822 format; empty when there is none. Everything is verified with Debian's keyring; entries with
 * another key (those of third parties) are left out. See sources.list(5).
 */
export function debianSources(files: readonly SourcesFile[], codename: string): string {
  const entries = files.flatMap(({ name, text }) =>
    name.endsWith('.sources') ? deb822(text) : oneLine(text),
  );
  const suites = new Set(['', '-updates', '-security', '/updates'].map((ending) => codename + ending));
  const unique = new Map(
    entries.filter(({ suite }) => suites.has(suite)).map((entry) => [`${entry.uri} ${entry.suite}`, entry]),
  );
  return [...unique.values()]
    .flatMap((entry) => [stanza('deb', 'Packages', entry), stanza('deb-src', 'Sources', entry)])
    .join('\n');
}

/** `Targets` keeps apt from fetching anything else that packages of the machine ask for (icons, contents, ...). */
function stanza(type: string, target: string, { uri, suite }: Entry): string {
  return [
    `Types: ${type}`,
    `URIs: ${uri}`,
    `Suites: ${suite}`,
    'Components: main',
    `Targets: ${target}`,
    `Signed-By: ${KEYRING}`,
    '',
  ].join('\n');
}

function isDebians(key: string | undefined): boolean {
  return key === undefined || key.includes('/debian-archive');
}

function oneLine(text: string): Entry[] {
  return text.split('\n').flatMap((line) => {
    const parts =
      /^deb\s+(?:\[(?<options>[^\]]*)\]\s+)?(?<uri>\S+)\s+(?<suite>\S+)\s+(?<components>.*)$/.exec(
        line.trim(),
      );
    if (parts?.groups === undefined) return [];
    const { options = '', uri = '', suite = '', components = '' } = parts.groups;
    const key = /signed-by=(\S+)/i.exec(options)?.[1];
    return isDebians(key) && hasMain(components) ? [{ uri, suite }] : [];
  });
}

function deb822(text: string): Entry[] {
  return text.split(/\n\s*\n/).flatMap((paragraph) => {
    const fields = fieldsOf(paragraph);
    const words = (field: string) => fields.get(field)?.split(/\s+/).filter(Boolean) ?? [];
    const usable =
      words('types').includes('deb') &&
      fields.get('enabled')?.toLowerCase() !== 'no' &&
      isDebians(fields.get('signed-by')) &&
      hasMain(fields.get('components') ?? '');
    if (!usable) return [];
    return words('uris').flatMap((uri) => words('suites').map((suite) => ({ uri, suite })));
  });
}

function fieldsOf(paragraph: string): Map<string, string> {
  const lines = paragraph
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .join('\n')
    .replaceAll(/\n[ \t]+/g, ' ')
    .split('\n');
  return new Map(
    lines.flatMap((line) => {
      const colon = line.indexOf(':');
      return colon < 0 ? [] : [[line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const];
    }),
  );
}

function hasMain(components: string): boolean {
  return components.split(/\s+/).includes('main');
}
