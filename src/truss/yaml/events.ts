import type { Mark } from './error.ts';

/** What the parser says of a document, in the order of the text. */
export type Event =
  | { readonly kind: 'stream start' | 'stream end' | 'document start' | 'document end'; readonly mark: Mark }
  | { readonly kind: 'alias'; readonly mark: Mark; readonly name: string }
  | ScalarEvent
  | CollectionEvent
  | { readonly kind: 'collection end'; readonly mark: Mark };

export interface ScalarEvent extends NodeProperties {
  readonly kind: 'scalar';
  readonly value: string;
  /** Without a tag its type is found from its text: it was not quoted. */
  readonly plain: boolean;
}

export interface CollectionEvent extends NodeProperties {
  readonly kind: 'sequence' | 'mapping';
}

export interface NodeProperties {
  readonly mark: Mark;
  readonly anchor: string | undefined;
  /** In full (`tag:yaml.org,2002:str`); none where the text has none, or a lone `!`. */
  readonly tag: string | undefined;
}
