import { DOT, HASH, isBreakOrEnd, isDigit, isSpaceOrEnd, isWord, SPACE } from './characters.ts';
import type { Cursor } from './cursor.ts';
import { scanTagHandle, scanTagUri } from './tag-scanner.ts';
import type { Directive } from './tokens.ts';

/** Reads a line that starts with `%`; the cursor is at it. */
export function scanDirective(cursor: Cursor): Directive {
  cursor.take(1);
  let length = 0;
  while (isWord(cursor.peek(length))) length += 1;
  if (length === 0) throw cursor.error(`expected the name of a directive after '%'`);
  const name = cursor.take(length);
  if (!isSpaceOrEnd(cursor.peek())) throw cursor.error(`expected a space after the name of a directive`);
  const directive = scanValue(cursor, name);
  cursor.skipSpaces();
  if (cursor.peek() === HASH) cursor.skipLine();
  if (!isBreakOrEnd(cursor.peek())) throw cursor.error('expected the end of the line after a directive');
  cursor.lineBreak();
  return directive;
}

function scanValue(cursor: Cursor, name: string): Directive {
  switch (name) {
    case 'YAML':
      return { name: 'YAML', major: scanVersion(cursor) };
    case 'TAG':
      return scanTagDirective(cursor);
    default:
      cursor.skipLine();
      return { name: 'other' };
  }
}

function scanVersion(cursor: Cursor): number {
  cursor.skipSpaces();
  const major = scanNumber(cursor);
  if (cursor.peek() !== DOT) throw cursor.error(`expected a version such as 1.1 after '%YAML'`);
  cursor.take(1);
  scanNumber(cursor);
  if (!isSpaceOrEnd(cursor.peek())) throw cursor.error(`expected a space after the version`);
  return major;
}

function scanNumber(cursor: Cursor): number {
  let length = 0;
  while (isDigit(cursor.peek(length))) length += 1;
  if (length === 0) throw cursor.error(`expected a version such as 1.1 after '%YAML'`);
  return Number(cursor.take(length));
}

function scanTagDirective(cursor: Cursor): Directive {
  cursor.skipSpaces();
  const handle = scanTagHandle(cursor);
  if (cursor.peek() !== SPACE) throw cursor.error('expected a space after the tag handle');
  cursor.skipSpaces();
  const prefix = scanTagUri(cursor);
  if (!isSpaceOrEnd(cursor.peek())) throw cursor.error('expected a space after the tag prefix');
  return { name: 'TAG', handle, prefix };
}
