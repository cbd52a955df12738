import type { Mark } from './error.ts';
import type { TagName } from './tag-scanner.ts';

/** Tokens that say nothing but where they are. */
export type Indicator =
  | 'stream start'
  | 'stream end'
  | 'document start'
  | 'document end'
  | 'block sequence start'
  | 'block mapping start'
  | 'block end'
  | 'flow sequence start'
  | 'flow sequence end'
  | 'flow mapping start'
  | 'flow mapping end'
  | 'block entry'
  | 'flow entry'
  | 'key'
  | 'value';

export type Token =
  | { readonly kind: Indicator; readonly mark: Mark }
  | { readonly kind: 'directive'; readonly mark: Mark; readonly directive: Directive }
  | { readonly kind: 'alias' | 'anchor'; readonly mark: Mark; readonly name: string }
  | { readonly kind: 'tag'; readonly mark: Mark; readonly tag: TagName }
  | { readonly kind: 'scalar'; readonly mark: Mark; readonly value: string; readonly plain: boolean };

export type TokenKind = Token['kind'];

export type Directive =
  | { readonly name: 'YAML'; readonly major: number }
  | { readonly name: 'TAG'; readonly handle: string; readonly prefix: string }
  | { readonly name: 'other' };

/** What a reader of an error message calls a token. */
export const describeToken = (token: Token): string => DESCRIPTIONS[token.kind];

const DESCRIPTIONS: Readonly<Record<TokenKind, string>> = {
  'stream start': 'the start of the text',
  'stream end': 'the end of the text',
  'document start': "'---'",
  'document end': "'...'",
  'block sequence start': 'a list',
  'block mapping start': 'a mapping',
  'block end': 'a smaller indentation',
  'flow sequence start': "'['",
  'flow sequence end': "']'",
  'flow mapping start': "'{'",
  'flow mapping end': "'}'",
  'block entry': "'-'",
  'flow entry': "','",
  key: 'a key',
  value: "':'",
  directive: "a '%' directive",
  alias: "an alias ('*')",
  anchor: "an anchor ('&')",
  tag: "a tag ('!')",
  scalar: 'a value',
};
