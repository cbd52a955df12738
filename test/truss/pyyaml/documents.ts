import fc from 'fast-check';

/** Documents that use all of YAML 1.1, and some that break its rules a little. */

const PLAIN = [
  ...[
    'a',
    'secrets',
    'x y',
    'a: b',
    'a:b',
    '-a',
    '- a',
    '?a',
    ':a',
    'a#b',
    'a #b',
    '%a',
    '@a',
    '`a',
    "a'b",
    'é',
    '😀 a',
    'a\tb',
  ],
  ...[
    '',
    '~',
    'null',
    'Null',
    'nULL',
    'yes',
    'y',
    'No',
    'on',
    'OFF',
    'true',
    'False',
    'tRUE',
    '=',
    '<<',
    '!',
    '&',
    '*',
  ],
  ...[
    '0',
    '-0',
    '+1',
    '010',
    '08',
    '0o7',
    '0x1F',
    '0x_',
    '0b101',
    '0b_',
    '1_000',
    '_1',
    '1e3',
    '1.e+3',
    '1.5',
    '.5',
    '.',
    '-.inf',
    '.NaN',
  ],
  ...[
    '1:30',
    '1:60',
    '190:20:30.15',
    '0:0',
    '2001-01-01',
    '2001-1-1',
    '2001-02-30',
    '2001-12-14t21:59:43.10-05:00',
    '2001-12-14 21:59:43 +25',
  ],
  ...[
    'http://x.y/z',
    'DOCKER_REGISTRY_https://index.docker.io/v1/',
    '***',
    'a,b',
    '[a',
    '{a',
    'a]',
    '}',
    '---',
    '...',
    '--- a',
  ],
];
const QUOTED = [
  ...[
    "''",
    "'a'",
    "'it''s'",
    "'a\n  b'",
    "'a\n\n b '",
    "'a",
    '""',
    '"a"',
    '"\\x41\\u00e9\\U0001F600"',
    '"\\ud800"',
    '"a\\\n  b"',
    '"a \n b"',
  ],
  ...['"\\q"', '"\\x4"', '"\\U00110000"', '"a\n--- b"', '"\t\\t"', "'on'", '"0"', '"é😀"'],
];
const TAGS = [
  ...[
    '!!str',
    '!!int',
    '!!float',
    '!!bool',
    '!!null',
    '!!timestamp',
    '!!binary',
    '!!seq',
    '!!map',
    '!!set',
    '!!omap',
    '!!pairs',
    '!!merge',
    '!!value',
  ],
  ...[
    '!',
    '!foo',
    '!!python/object:os.system',
    '!<tag:yaml.org,2002:str>',
    '!e!x',
    '!%21',
    '!!str,',
    '!<',
    '!!',
  ],
];
const HEADERS = ['|', '>', '|-', '>+', '|2', '>1-', '|+1', '|0', '| # c', '|x'];
const ANCHORS = ['a', 'b', 'a-1'];

interface Leaf {
  readonly kind: 'leaf';
  readonly text: string;
}
interface Block {
  readonly kind: 'block';
  readonly header: string;
  readonly lines: readonly string[];
}
interface Collection {
  readonly kind: 'list' | 'map';
  readonly flow: boolean;
  readonly step: number;
  readonly items: readonly { readonly key: Tree; readonly value: Tree; readonly comment: string }[];
}
type Tree = { readonly properties: string } & (Leaf | Block | Collection);

const properties = fc.oneof(
  { weight: 40, arbitrary: fc.constant('') },
  { weight: 1, arbitrary: fc.constantFrom(...TAGS).map((tag) => `${tag} `) },
  { weight: 1, arbitrary: fc.constantFrom(...ANCHORS).map((name) => `&${name} `) },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.constantFrom(...ANCHORS), fc.constantFrom(...TAGS)).map(([a, t]) => `&${a} ${t} `),
  },
);
const multiline = fc
  .array(fc.constantFrom('a', 'b c', '# c', '', 'd: e', '- f', ' g', '\th'), { minLength: 2, maxLength: 4 })
  .map((lines) => lines.join('\n   '));
const leafText = fc.oneof(
  { weight: 20, arbitrary: fc.constantFrom('a', 'b c', 'null', '', '1', 'on', 'x-y_z', "'q'", '"d"', '~') },
  { weight: 6, arbitrary: fc.constantFrom(...PLAIN) },
  { weight: 2, arbitrary: fc.constantFrom(...QUOTED) },
  { weight: 1, arbitrary: fc.constantFrom(...ANCHORS).map((name) => `*${name}`) },
  { weight: 1, arbitrary: multiline },
  {
    weight: 1,
    arbitrary: fc.string({
      unit: fc.constantFrom('a', ' ', ':', '-', '#', 'é', '😀', ',', '\t'),
      maxLength: 8,
    }),
  },
);
const comment = fc.oneof(
  { weight: 30, arbitrary: fc.constantFrom('', ' # c', '\n# c', '\n\n') },
  { weight: 1, arbitrary: fc.constantFrom(' #', '\t# c', '#c', '\n  # c', '\t') },
);

const key: fc.Arbitrary<Tree> = fc.record({
  kind: fc.constant('leaf' as const),
  properties: fc.constant(''),
  text: fc.constantFrom('a', 'b', 'c', 'd e', '<<', '<<', 'on', '1', '=', 'secrets', '"q"'),
});

const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.record({ kind: fc.constant('leaf' as const), properties, text: leafText }),
    fc.record({
      kind: fc.constant('block' as const),
      properties,
      header: fc.constantFrom(...HEADERS),
      lines: fc.array(fc.constantFrom('a', ' b', '', '\tc', '  d ', '# e', '---'), { maxLength: 4 }),
    }),
    fc.record({
      kind: fc.constantFrom('list' as const, 'map' as const, 'map' as const),
      properties,
      flow: fc.boolean(),
      step: fc.constantFrom(0, 1, 2, 2, 2, 2, 2, 2, 2, 4),
      items: fc.array(
        fc.record({
          key: fc.oneof({ weight: 12, arbitrary: key }, { weight: 1, arbitrary: tie('tree') }),
          value: tie('tree'),
          comment,
        }),
        {
          maxLength: 4,
        },
      ),
    }),
  ),
}));
function render(node: Tree, indent: number, flow: boolean): string {
  const pad = ' '.repeat(indent);
  switch (node.kind) {
    case 'leaf':
      return node.properties + node.text;
    case 'block':
      return `${node.properties}${node.header}\n${node.lines.map((line) => `${pad}  ${line}`).join('\n')}`;
    case 'list':
    case 'map':
      return node.flow || flow ? renderFlow(node, indent) : renderBlock(node, indent);
  }
}

function renderFlow(node: Extract<Tree, Collection>, indent: number): string {
  const items = node.items.map(({ key: name, value, comment: note }) => {
    const shown = render(value, indent, true) + (note.includes('\n') ? note : '');
    return node.kind === 'list' ? shown : `${render(name, indent, true)}: ${shown}`;
  });
  const [open, close] = node.kind === 'list' ? ['[', ']'] : ['{', '}'];
  return node.properties + open + items.join(', ') + close;
}

function renderBlock(node: Extract<Tree, Collection>, indent: number): string {
  const inner = indent + node.step;
  const pad = `\n${' '.repeat(inner)}`;
  const items = node.items.map(({ key: name, value, comment: note }) => {
    const shown = render(value, inner + 1, false) + note;
    if (node.kind === 'list') return `${pad}- ${shown}`;
    return name.kind === 'leaf'
      ? `${pad}${render(name, inner, true)}: ${shown}`
      : `${pad}? ${render(name, inner + 1, false)}${pad}: ${shown}`;
  });
  return node.properties.trimEnd() + items.join('');
}

const GLITCHES = [
  '\t',
  ' ',
  '\n',
  ':',
  ': ',
  '- ',
  '#',
  '"',
  "'",
  '[',
  ']',
  '{',
  '}',
  ',',
  '?',
  '|',
  '&a ',
  '*a',
  '!',
  '%',
  '\ufeff',
  '\u0085',
  '\u2028',
  '\x07',
  '\ud800',
  '\\',
];

/** Anchors for what follows to use. */
const ANCHORED = 'x: &a {a: 1, b: [c], <<: {d: e}}\ny: &b [*a, {d: f, secrets: ~}]\nz: ';
const STARTS = [
  '--- ',
  '%YAML 1.1\n---\n',
  '%YAML 1.2\n---\n',
  '%YAML 2.0\n---\n',
  '%TAG !e! tag:e.org,2000:\n--- ',
  '%x y\n---\n',
  '%',
  '%TAG !! tag:yaml.org,2002:\n---\n',
];
const ENDS = ['\n...\n', '\n---\n', '\n--- a', '\n...\n%YAML 1.1\n', '\n...\n...\n# c'];
const glitch = fc.record({ at: fc.nat(), put: fc.constantFrom('', ...GLITCHES), cut: fc.nat(2) });

/** A document, and what is done to it: characters put in or taken out, other line breaks, a byte order mark. */
export const documents: fc.Arbitrary<string> = fc
  .record({
    start: fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom('', ANCHORED, ANCHORED, '---', '# c\n', '\ufeff') },
      { weight: 1, arbitrary: fc.constantFrom(...STARTS) },
    ),
    tree,
    end: fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom('', '\n', '\n...', '\n\n# c') },
      { weight: 1, arbitrary: fc.constantFrom(...ENDS) },
    ),
    breaks: fc.constantFrom('\n', '\n', '\n', '\n', '\r\n', '\r', '\u0085', '\u2028', '\u2029'),
    glitches: fc.oneof(
      { weight: 2, arbitrary: fc.constant([]) },
      { weight: 1, arbitrary: fc.array(glitch, { maxLength: 2 }) },
    ),
  })
  .map(({ start, tree: node, end, breaks, glitches }) => {
    const text = (start + render(node, 2, false) + end).replaceAll('\n', breaks);
    return glitches.reduce((glitched, { at, put, cut }) => {
      const place = at % (glitched.length + 1);
      return glitched.slice(0, place) + put + glitched.slice(place + cut);
    }, text);
  });

/** The bytes of a text as UTF-8 or UTF-16; without half surrogate pairs, which have none. */
export const encodings: fc.Arbitrary<(text: string) => Uint8Array> = fc.constantFrom(
  (text: string) => Buffer.from(text, 'utf8'),
  (text: string) => Buffer.from(text, 'utf8'),
  (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le'),
  (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le').swap16(),
  (text: string) => Buffer.from(text, 'utf8'),
  (text: string) => Buffer.from(text, 'utf8'),
  (text: string) => Buffer.from(text, 'latin1'),
);
