/** Characters that mean something to YAML, as code units. None is outside of the Basic Multilingual Plane. */

export const END = 0x00;
export const TAB = 0x09;
export const LINE_FEED = 0x0a;
export const CARRIAGE_RETURN = 0x0d;
export const SPACE = 0x20;
export const EXCLAMATION = 0x21;
export const DOUBLE_QUOTE = 0x22;
export const HASH = 0x23;
export const PERCENT = 0x25;
export const AMPERSAND = 0x26;
export const SINGLE_QUOTE = 0x27;
export const ASTERISK = 0x2a;
export const PLUS = 0x2b;
export const COMMA = 0x2c;
export const DASH = 0x2d;
export const DOT = 0x2e;
export const COLON = 0x3a;
export const LESS = 0x3c;
export const GREATER = 0x3e;
export const QUESTION = 0x3f;
export const BRACKET_OPEN = 0x5b;
export const BACKSLASH = 0x5c;
export const BRACKET_CLOSE = 0x5d;
export const BRACE_OPEN = 0x7b;
export const PIPE = 0x7c;
export const BRACE_CLOSE = 0x7d;
export const NEXT_LINE = 0x85;
export const BYTE_ORDER_MARK = 0xfeff;

const LINE_SEPARATOR = 0x2028;
const PARAGRAPH_SEPARATOR = 0x2029;

export const isBreak = (c: number): boolean =>
  c < NEXT_LINE
    ? c === LINE_FEED || c === CARRIAGE_RETURN
    : c === NEXT_LINE || c === LINE_SEPARATOR || c === PARAGRAPH_SEPARATOR;

export const isBreakOrEnd = (c: number): boolean => c === END || isBreak(c);

/** A space, a line break or the end; not a tab (PyYAML makes that difference in places). */
export const isSpaceOrEnd = (c: number): boolean => c === SPACE || isBreakOrEnd(c);

/** A space, a tab, a line break or the end. */
export const isBlankOrEnd = (c: number): boolean =>
  c <= SPACE ? c === SPACE || c === TAB || isBreakOrEnd(c) : c >= NEXT_LINE && isBreak(c);

export const isDigit = (c: number): boolean => c >= 0x30 && c <= 0x39;

export const isHex = (c: number): boolean =>
  isDigit(c) || (c >= 0x41 && c <= 0x46) || (c >= 0x61 && c <= 0x66);

/** An ASCII letter or digit, `-` or `_`: what anchors, directives and tag handles are made of. */
export const isWord = (c: number): boolean =>
  isDigit(c) || (c >= 0x41 && c <= 0x5a) || (c >= 0x61 && c <= 0x7a) || c === DASH || c === 0x5f;

/** The second half of a character that takes two code units: not counted in columns. */
export const isLowSurrogate = (c: number): boolean => c >= 0xdc00 && c <= 0xdfff;
