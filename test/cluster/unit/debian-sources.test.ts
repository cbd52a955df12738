import { describe, expect, test } from 'vitest';
import { debianSources } from '../debian-sources.ts';

const stanza = (type: string, uri: string, suite: string) =>
  `Types: ${type}
URIs: ${uri}
Suites: ${suite}
Components: main
Targets: ${type === 'deb' ? 'Packages' : 'Sources'}
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
`;

function uses(name: string, text: string): readonly string[] {
  const stanzas = debianSources([{ name, text }], 'bookworm').split('\n\n').filter(Boolean);
  return stanzas.flatMap((one) => {
    const [, uri, suite] = /^Types: deb\nURIs: (\S+)\nSuites: (\S+)/.exec(one) ?? [];
    return uri === undefined ? [] : [`${uri} ${suite}`];
  });
}

describe("Debian's own package sources among those of the machine", () => {
  test('become binary and source entries, verified with the keyring of Debian', () => {
    const text = 'deb http://mirror.test/debian bookworm main contrib';
    expect(debianSources([{ name: 'sources.list', text }], 'bookworm')).toBe(
      ['deb', 'deb-src'].map((type) => stanza(type, 'http://mirror.test/debian', 'bookworm')).join('\n'),
    );
  });

  test.each<readonly [title: string, line: string, entries: readonly string[]]>([
    ['with options', 'deb [arch=amd64] http://m.test/d bookworm main', ['http://m.test/d bookworm']],
    ['security updates', 'deb http://m.test/s bookworm-security main', ['http://m.test/s bookworm-security']],
    [
      "with Debian's key named",
      'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://m.test/d bookworm main',
      ['http://m.test/d bookworm'],
    ],
    ['but no source entry', 'deb-src http://m.test/d bookworm main', []],
    ['but no comment', '# deb http://m.test/d bookworm main', []],
    ['but no other release', 'deb http://m.test/d trixie main', []],
    ['but no backports', 'deb http://m.test/d bookworm-backports main', []],
    ['but not without main', 'deb http://m.test/docker bookworm stable', []],
    ['but nobody else', 'deb [signed-by=/etc/apt/keyrings/vendor.gpg] http://m.test/v bookworm main', []],
  ])('are read from lines: %s', (_, line, entries) => {
    expect(uses('any.list', line)).toEqual(entries);
  });

  test('are read from deb822 files, with comments, several suites and switched-off entries', () => {
    const text = `# header
Types: deb deb-src
URIs: http://m.test/d
# a comment inside
Suites: bookworm
 bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://m.test/off
Suites: bookworm
Components: main
Enabled: no

Types: deb
URIs: http://m.test/vendor
Suites: bookworm
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mQINBF
`;
    expect(uses('debian.sources', text)).toEqual([
      'http://m.test/d bookworm',
      'http://m.test/d bookworm-updates',
    ]);
  });

  test('are named once, however often the machine names them', () => {
    const text = 'deb http://m.test/d bookworm main\n'.repeat(2);
    expect(uses('sources.list', text)).toEqual(['http://m.test/d bookworm']);
  });

  test('may be none', () => {
    expect(debianSources([], 'bookworm')).toBe('');
  });
});
