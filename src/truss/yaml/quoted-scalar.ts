import {
  BACKSLASH,
  DOUBLE_QUOTE,
  END,
  isBlankOrEnd,
  isBreak,
  isHex,
  SINGLE_QUOTE,
  SPACE,
  TAB,
} from './characters.ts';
import type { Cursor } from './cursor.ts';

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['0', '\0'],
  ['a', '\x07'],
  ['b', '\b'],
  ['t', '\t'],
  ['\t', '\t'],
  ['n', '\n'],
  ['v', '\v'],
  ['f', '\f'],
  ['r', '\r'],
  ['e', '\x1b'],
  [' ', ' '],
  ['"', '"'],
  ['\\', '\\'],
  ['/', '/'],
  ['N', '\x85'],
  ['_', '\xa0'],
  ['L', '\u2028'],
  ['P', '\u2029'],
]);

/** How many hexadecimal digits follow `\x`, `\u` and `\U`. */
const CODE_LENGTHS: ReadonlyMap<string, number> = new Map([
  ['x', 2],
  ['u', 4],
  ['U', 8],
]);

const MAX_CODE_POINT = 0x10ffff;

/** Reads a scalar in single or double quotes; the cursor is at the opening one. */
export function scanQuoted(cursor: Cursor): string {
  const quote = cursor.peek();
  cursor.take(1);
  let value = scanText(cursor, quote);
  while (cursor.peek() !== quote) {
    value += scanSpaces(cursor);
    value += scanText(cursor, quote);
  }
  cursor.take(1);
  return value;
}

function scanText(cursor: Cursor, quote: number): string {
  const double = quote === DOUBLE_QUOTE;
  let text = '';
  for (;;) {
    let length = 0;
    for (let c = cursor.peek(); !isBlankOrEnd(c); c = cursor.peek(length)) {
      if (c === SINGLE_QUOTE || c === DOUBLE_QUOTE || c === BACKSLASH) break;
      length += 1;
    }
    text += cursor.take(length);
    const c = cursor.peek();
    if (!double && c === SINGLE_QUOTE && cursor.peek(1) === SINGLE_QUOTE) {
      text += "'";
      cursor.take(2);
    } else if (double && c === BACKSLASH) {
      text += scanEscape(cursor);
    } else if (c !== quote && (c === SINGLE_QUOTE || c === DOUBLE_QUOTE || c === BACKSLASH)) {
      text += cursor.take(1);
    } else {
      return text;
    }
  }
}

function scanEscape(cursor: Cursor): string {
  cursor.take(1);
  if (isBreak(cursor.peek())) {
    cursor.lineBreak();
    return scanBreaks(cursor);
  }
  const name = String.fromCharCode(cursor.peek());
  const replacement = cursor.peek() === END ? undefined : ESCAPES.get(name);
  if (replacement !== undefined) {
    cursor.take(1);
    return replacement;
  }
  const length = CODE_LENGTHS.get(name);
  if (length === undefined)
    throw cursor.error(`unknown escape in double quotes: write '\\\\' for a backslash`);
  cursor.take(1);
  for (let i = 0; i < length; i += 1) {
    if (!isHex(cursor.peek(i))) throw cursor.error(`expected ${length} hexadecimal digits after '\\${name}'`);
  }
  const mark = cursor.mark();
  const code = Number.parseInt(cursor.take(length), 16);
  if (code > MAX_CODE_POINT) throw cursor.error(`'\\U' with a number that is no character`, mark);
  return String.fromCodePoint(code);
}

function scanSpaces(cursor: Cursor): string {
  let length = 0;
  for (let c = cursor.peek(); c === SPACE || c === TAB; c = cursor.peek(length)) length += 1;
  const spaces = cursor.take(length);
  const c = cursor.peek();
  if (c === END) throw cursor.error('the text ends inside of quotes: a closing quote is missing');
  if (!isBreak(c)) return spaces;
  const lineBreak = cursor.lineBreak();
  const breaks = scanBreaks(cursor);
  if (lineBreak !== '\n') return lineBreak + breaks;
  return breaks === '' ? ' ' : breaks;
}

function scanBreaks(cursor: Cursor): string {
  let breaks = '';
  for (;;) {
    if (cursor.atDocumentMarker()) {
      throw cursor.error('the document ends inside of quotes: a closing quote is missing');
    }
    for (let c = cursor.peek(); c === SPACE || c === TAB; c = cursor.peek()) cursor.take(1);
    if (!isBreak(cursor.peek())) return breaks;
    breaks += cursor.lineBreak();
  }
}
