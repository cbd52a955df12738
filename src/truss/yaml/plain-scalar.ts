import {
  BRACE_CLOSE,
  BRACE_OPEN,
  BRACKET_CLOSE,
  BRACKET_OPEN,
  COLON,
  COMMA,
  HASH,
  isBlankOrEnd,
  isBreak,
  QUESTION,
  SPACE,
} from './characters.ts';
import type { Cursor } from './cursor.ts';

interface Gap {
  /** What the gap stands for in the value; '' when the scalar ends here. */
  readonly text: string;
  readonly brokeLine: boolean;
}

const isFlowIndicator = (c: number): boolean =>
  c === COMMA || c === BRACKET_OPEN || c === BRACKET_CLOSE || c === BRACE_OPEN || c === BRACE_CLOSE;

/**
 * Reads an unquoted scalar, over several lines if need be.
 * `endsLine`: a line break was passed after its last character, so that a key may follow.
 */
export function scanPlain(
  cursor: Cursor,
  indent: number,
  flow: boolean,
): { readonly value: string; readonly endsLine: boolean } {
  let value = '';
  let gap: Gap = { text: '', brokeLine: false };
  while (cursor.peek() !== HASH) {
    const length = plainLength(cursor, flow);
    if (length === 0) break;
    value += gap.text + cursor.take(length);
    gap = scanGap(cursor);
    if (gap.text === '' || (!flow && cursor.column < indent)) break;
  }
  return { value, endsLine: gap.brokeLine };
}

/** Of what the scalar has on this line, without the spaces behind it. */
function plainLength(cursor: Cursor, flow: boolean): number {
  let length = 0;
  for (let at = 0; ; at += 1) {
    const c = cursor.peek(at);
    if (c === SPACE) continue;
    if (isBlankOrEnd(c) || (c === HASH && at > length)) break;
    if (flow && (c === QUESTION || isFlowIndicator(c))) break;
    if (c === COLON) {
      const next = cursor.peek(at + 1);
      if (isBlankOrEnd(next) || (flow && isFlowIndicator(next))) break;
    }
    length = at + 1;
  }
  return length;
}

/** PyYAML's `scan_plain_spaces`: a tab ends the scalar, as it does there. */
function scanGap(cursor: Cursor): Gap {
  let length = 0;
  while (cursor.peek(length) === SPACE) length += 1;
  const spaces = cursor.take(length);
  if (!isBreak(cursor.peek())) return { text: spaces, brokeLine: false };
  const lineBreak = cursor.lineBreak();
  if (cursor.atDocumentMarker()) return { text: '', brokeLine: true };
  let breaks = '';
  for (let c = cursor.peek(); c === SPACE || isBreak(c); c = cursor.peek()) {
    if (c === SPACE) {
      cursor.take(1);
    } else {
      breaks += cursor.lineBreak();
      if (cursor.atDocumentMarker()) return { text: '', brokeLine: true };
    }
  }
  if (lineBreak !== '\n') return { text: lineBreak + breaks, brokeLine: true };
  return { text: breaks === '' ? ' ' : breaks, brokeLine: true };
}
