import fc from 'fast-check';
import { ANCHORED, ANCHORS, ENDS, GLITCHES, HEADERS, PLAIN, QUOTED, STARTS, TAGS } from './vocabulary.ts';

/** Documents that use all of YAML 1.1, and some that break its rules a little. */

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

const glitch = fc.record({ at: fc.nat(), put: fc.constantFrom('', ...GLITCHES), cut: fc.nat(2) });

const whole: fc.Arbitrary<string> = fc
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
  })
  .map(({ start, tree: node, end, breaks }) =>
    (start + render(node, 2, false) + end).replaceAll('\n', breaks),
  );

/** A text with a few characters put in or taken out, or its end cut off. */
export const glitched = (texts: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc
    .tuple(texts, fc.array(glitch, { minLength: 1, maxLength: 3 }), fc.option(fc.nat(), { freq: 8 }))
    .map(([text, glitches, end]) => {
      let changed = end === null ? text : text.slice(0, end % (text.length + 1));
      for (const { at, put, cut } of glitches) {
        const place = at % (changed.length + 1);
        changed = changed.slice(0, place) + put + changed.slice(place + cut);
      }
      return changed;
    });

/** Documents, a third of them glitched. */
export const documents: fc.Arbitrary<string> = fc.oneof(
  { weight: 2, arbitrary: whole },
  { weight: 1, arbitrary: glitched(whole) },
);

const numeric = fc.constantFrom(...Array.from('0123456789001101.:_+-eExbofTZ '));
const digits = fc.stringMatching(/^[0-9]{1,2}$/);
const time = fc
  .tuple(digits, digits, digits, fc.constantFrom('', '.5', 'Z', ' +2', '-23:59', '+24', ' +1:75'))
  .map(([h, m, s, zone]) => `${h}:${m}:${s}${zone}`);
const date = fc
  .tuple(
    fc.constantFrom('0000', '1900', '2000', '2023'),
    digits,
    digits,
    fc.constantFrom('', 'T', 't', ' ', ' \t'),
    time,
  )
  .map(
    ([year, month, day, separator, hour]) =>
      `${year}-${month}-${day}${separator}${separator === '' ? '' : hour}`,
  );

/** Scalars that YAML 1.1 may hold for something else than text, with a tag or without one. */
export const scalars: fc.Arbitrary<readonly string[]> = fc.array(
  fc
    .tuple(
      fc.oneof(
        { weight: 20, arbitrary: fc.constant('') },
        {
          weight: 1,
          arbitrary: fc.constantFrom('! ', '!!int ', '!!float ', '!!timestamp ', '!!binary ', '!!bool '),
        },
      ),
      fc.oneof(fc.string({ unit: numeric, maxLength: 8 }), date, time, fc.constantFrom(...PLAIN)),
      fc.constantFrom('', '', '', '"', "'"),
    )
    .map(([tag, text, quote]) => tag + quote + text + quote),
  { minLength: 1, maxLength: 3 },
);

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
