import {
  EXCLAMATION,
  GREATER,
  isBlankOrEnd,
  isHex,
  isSpaceOrEnd,
  isWord,
  LESS,
  PERCENT,
  SPACE,
} from './characters.ts';
import type { Cursor } from './cursor.ts';

/** A tag as written: `!!str` is `{handle: '!!', suffix: 'str'}`; a verbatim one, or a lone `!`, has no handle. */
export interface TagName {
  readonly handle: string | undefined;
  readonly suffix: string;
}

const URI_PUNCTUATION = new Set(Array.from("-;/?:@&=+$,_.!~*'()[]%", (c) => c.charCodeAt(0)));
const isUri = (c: number): boolean => isWord(c) || URI_PUNCTUATION.has(c);

/** Reads a tag; the cursor is at its `!`. */
export function scanTag(cursor: Cursor): TagName {
  const tag = scanTagName(cursor);
  if (!isSpaceOrEnd(cursor.peek())) throw cursor.error('expected a space after the tag');
  return tag;
}

function scanTagName(cursor: Cursor): TagName {
  const next = cursor.peek(1);
  if (next === LESS) {
    cursor.take(2);
    const suffix = scanTagUri(cursor);
    if (cursor.peek() !== GREATER) throw cursor.error(`expected '>' at the end of the tag`);
    cursor.take(1);
    return { handle: undefined, suffix };
  }
  if (isBlankOrEnd(next)) {
    cursor.take(1);
    return { handle: undefined, suffix: '!' };
  }
  if (hasHandle(cursor)) return { handle: scanTagHandle(cursor), suffix: scanTagUri(cursor) };
  cursor.take(1);
  return { handle: '!', suffix: scanTagUri(cursor) };
}

/** Whether there is a second `!` before the next space, as in `!!str`; a tab does not end the search, as in PyYAML. */
function hasHandle(cursor: Cursor): boolean {
  for (let length = 1; ; length += 1) {
    const c = cursor.peek(length);
    if (c === EXCLAMATION) return true;
    if (isSpaceOrEnd(c)) return false;
  }
}

/** Reads `!`, `!!` or `!name!`. */
export function scanTagHandle(cursor: Cursor): string {
  if (cursor.peek() !== EXCLAMATION) throw cursor.error(`expected '!' at the start of a tag handle`);
  let length = 1;
  if (cursor.peek(length) !== SPACE) {
    while (isWord(cursor.peek(length))) length += 1;
    if (cursor.peek(length) !== EXCLAMATION) {
      cursor.take(length);
      throw cursor.error(`expected '!' at the end of a tag handle`);
    }
    length += 1;
  }
  return cursor.take(length);
}

export function scanTagUri(cursor: Cursor): string {
  let uri = '';
  for (;;) {
    let length = 0;
    while (isUri(cursor.peek(length)) && cursor.peek(length) !== PERCENT) length += 1;
    uri += cursor.take(length);
    if (cursor.peek() !== PERCENT) break;
    uri += scanUriEscapes(cursor);
  }
  if (uri === '') throw cursor.error('expected the name of a tag');
  return uri;
}

/** Reads `%xx%xx...`, which is UTF-8. */
function scanUriEscapes(cursor: Cursor): string {
  const mark = cursor.mark();
  const bytes: number[] = [];
  while (cursor.peek() === PERCENT) {
    cursor.take(1);
    if (!isHex(cursor.peek()) || !isHex(cursor.peek(1))) {
      throw cursor.error(`expected two hexadecimal digits after '%'`);
    }
    bytes.push(Number.parseInt(cursor.take(2), 16));
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(bytes));
  } catch {
    throw cursor.error('the escapes of this tag are not UTF-8', mark);
  }
}
