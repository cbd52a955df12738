import {
  DASH,
  END,
  GREATER,
  HASH,
  isBreak,
  isBreakOrEnd,
  isDigit,
  isSpaceOrEnd,
  PLUS,
  SPACE,
  TAB,
} from './characters.ts';
import type { Cursor } from './cursor.ts';

/** What becomes of the line breaks at the end: `-` strips, `+` keeps all, neither keeps one. */
type Chomping = 'strip' | 'clip' | 'keep';

interface Header {
  readonly chomping: Chomping;
  /** How far the text is indented below its parent, where the header says so. */
  readonly increment: number | undefined;
}

/** Reads a `|` or `>` scalar; `parentIndent` is the indentation of the collection around it, -1 outside of any. */
export function scanBlock(cursor: Cursor, parentIndent: number): string {
  const folded = cursor.peek() === GREATER;
  cursor.take(1);
  const { chomping, increment } = scanHeader(cursor);
  const minIndent = Math.max(parentIndent + 1, 1);
  let indent: number;
  let breaks: string;
  if (increment === undefined) {
    const found = scanIndentation(cursor);
    indent = Math.max(minIndent, found.maxIndent);
    breaks = found.breaks;
  } else {
    indent = minIndent + increment - 1;
    breaks = scanBreaks(cursor, indent);
  }
  let value = '';
  let lineBreak = '';
  while (cursor.column === indent && cursor.peek() !== END) {
    value += breaks;
    const startsBlank = isBlank(cursor.peek());
    let length = 0;
    while (!isBreakOrEnd(cursor.peek(length))) length += 1;
    value += cursor.take(length);
    lineBreak = cursor.lineBreak();
    breaks = scanBreaks(cursor, indent);
    if (cursor.column !== indent || cursor.peek() === END) break;
    if (folded && lineBreak === '\n' && !startsBlank && !isBlank(cursor.peek())) {
      if (breaks === '') value += ' ';
    } else {
      value += lineBreak;
    }
  }
  if (chomping !== 'strip') value += lineBreak;
  if (chomping === 'keep') value += breaks;
  return value;
}

const isBlank = (c: number): boolean => c === SPACE || c === TAB;

function scanHeader(cursor: Cursor): Header {
  let chomping = scanChomping(cursor);
  const increment = scanIncrement(cursor);
  if (chomping === undefined && increment !== undefined) chomping = scanChomping(cursor);
  if (!isSpaceOrEnd(cursor.peek())) {
    throw cursor.error(`expected '+', '-', a digit or the end of the line after '|' or '>'`);
  }
  cursor.skipSpaces();
  if (cursor.peek() === HASH) cursor.skipLine();
  if (!isBreakOrEnd(cursor.peek())) throw cursor.error(`expected the end of the line after '|' or '>'`);
  cursor.lineBreak();
  return { chomping: chomping ?? 'clip', increment };
}

function scanChomping(cursor: Cursor): Chomping | undefined {
  const c = cursor.peek();
  if (c !== PLUS && c !== DASH) return undefined;
  cursor.take(1);
  return c === PLUS ? 'keep' : 'strip';
}

function scanIncrement(cursor: Cursor): number | undefined {
  if (!isDigit(cursor.peek())) return undefined;
  const increment = cursor.peek() - 0x30;
  if (increment === 0) throw cursor.error('expected an indentation from 1 to 9');
  cursor.take(1);
  return increment;
}

/** Passes the empty lines before the text, and finds out how far its first line is indented. */
function scanIndentation(cursor: Cursor): { readonly breaks: string; readonly maxIndent: number } {
  let breaks = '';
  let maxIndent = 0;
  for (let c = cursor.peek(); c === SPACE || isBreak(c); c = cursor.peek()) {
    if (c === SPACE) {
      cursor.take(1);
      maxIndent = Math.max(maxIndent, cursor.column);
    } else {
      breaks += cursor.lineBreak();
    }
  }
  return { breaks, maxIndent };
}

function scanBreaks(cursor: Cursor, indent: number): string {
  let breaks = '';
  for (;;) {
    while (cursor.column < indent && cursor.peek() === SPACE) cursor.take(1);
    if (!isBreak(cursor.peek())) return breaks;
    breaks += cursor.lineBreak();
  }
}
