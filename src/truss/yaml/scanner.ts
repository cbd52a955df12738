import { scanBlock } from './block-scalar.ts';
import {
  AMPERSAND,
  ASTERISK,
  BRACE_CLOSE,
  BRACE_OPEN,
  BRACKET_CLOSE,
  BRACKET_OPEN,
  BYTE_ORDER_MARK,
  COLON,
  COMMA,
  DASH,
  DOT,
  DOUBLE_QUOTE,
  END,
  EXCLAMATION,
  GREATER,
  HASH,
  isBlankOrEnd,
  isWord,
  PERCENT,
  PIPE,
  QUESTION,
  SINGLE_QUOTE,
  TAB,
} from './characters.ts';
import { Cursor } from './cursor.ts';
import { scanDirective } from './directive-scanner.ts';
import type { Mark, YamlError } from './error.ts';
import { scanPlain } from './plain-scalar.ts';
import { scanQuoted } from './quoted-scalar.ts';
import { SimpleKeys } from './simple-keys.ts';
import { scanTag } from './tag-scanner.ts';
import type { Indicator, Token } from './tokens.ts';

/** Characters that start no plain scalar; '-', '?' and ':' do when no space follows. */
const RESERVED = new Set(Array.from('-?:,[]{}#&*!|>\'"%@`', (c) => c.charCodeAt(0)));
/** What may follow the name of an anchor or alias directly, besides blanks. */
const AFTER_ANCHOR = new Set(Array.from('?:,]}%@`', (c) => c.charCodeAt(0)));

interface PlainScalar {
  readonly from: Mark;
  /** The index behind it, and behind the spaces that follow. */
  readonly end: number;
  /** Nothing but its lacking ':' keeps it from being a key. */
  readonly mayBeKey: boolean;
}

/** PyYAML's `Scanner`: text to tokens. Throws a YamlError at the first place that is no token. */
export class Scanner {
  readonly #cursor: Cursor;
  readonly #keys: SimpleKeys;
  readonly #tokens: Token[] = [];
  /** The first of them, once it is known to be the next one. */
  #next: Token | undefined;
  #taken = 0;
  #done = false;
  /** How many `[` and `{` are open. */
  #flowLevel = 0;
  /** The column of the innermost block collection; -1 outside of all. */
  #indent = -1;
  readonly #outerIndents: number[] = [];
  /** A key, and in block context a new collection, may start here. */
  #keyAllowed = true;
  /** The unquoted scalar that was read last. */
  #plain: PlainScalar | undefined;

  constructor(text: string) {
    this.#cursor = new Cursor(text);
    this.#keys = new SimpleKeys(this.#cursor);
    this.#push('stream start');
  }

  /** The next token, which stays the next one. After the end of the text there is none to ask for. */
  peek(): Token {
    return (this.#next ??= this.#findNext());
  }

  next(): Token {
    const token = this.peek();
    this.#next = undefined;
    this.#tokens.shift();
    this.#taken += 1;
    return token;
  }

  #findNext(): Token {
    while (this.#needsMore()) this.#fetch();
    const token = this.#tokens[0];
    if (token === undefined) throw this.#cursor.error('nothing follows the end of the text');
    return token;
  }

  #needsMore(): boolean {
    if (this.#done) return false;
    if (this.#tokens.length === 0) return true;
    // The next token may turn out to be a key, which has a token of its own before it.
    this.#keys.dropStale();
    return this.#keys.nearest() === this.#taken;
  }

  #fetch(): void {
    const cursor = this.#cursor;
    this.#skipToToken();
    this.#keys.dropStale();
    this.#unwind(cursor.column);
    const c = cursor.peek();
    if (c === END) return this.#fetchEnd();
    if (cursor.column === 0) {
      if (c === PERCENT) return this.#fetchDirective();
      if ((c === DASH || c === DOT) && cursor.atDocumentMarker()) return this.#fetchDocumentMarker(c);
    }
    switch (c) {
      case BRACKET_OPEN:
        return this.#fetchFlowStart('flow sequence start');
      case BRACE_OPEN:
        return this.#fetchFlowStart('flow mapping start');
      case BRACKET_CLOSE:
        return this.#fetchFlowEnd('flow sequence end');
      case BRACE_CLOSE:
        return this.#fetchFlowEnd('flow mapping end');
      case COMMA:
        return this.#fetchFlowEntry();
      case ASTERISK:
      case AMPERSAND:
        return this.#fetchAnchor(c);
      case EXCLAMATION:
        return this.#fetchTag();
      case SINGLE_QUOTE:
      case DOUBLE_QUOTE:
        return this.#fetchQuoted();
      case PIPE:
      case GREATER:
        if (this.#flowLevel === 0) return this.#fetchBlock();
        break;
      case DASH:
        if (isBlankOrEnd(cursor.peek(1))) return this.#fetchBlockEntry();
        break;
      case QUESTION:
        if (this.#flowLevel !== 0 || isBlankOrEnd(cursor.peek(1))) return this.#fetchKey();
        break;
      case COLON:
        if (this.#flowLevel !== 0 || isBlankOrEnd(cursor.peek(1))) return this.#fetchValue();
        break;
      default:
    }
    if (this.#startsPlain(c)) return this.#fetchPlain();
    throw cursor.error(
      c === TAB
        ? 'a tab cannot stand here: indent with spaces'
        : `'${String.fromCharCode(c)}' cannot start a value: put the value into quotes`,
    );
  }

  #startsPlain(c: number): boolean {
    if (!isBlankOrEnd(c) && !RESERVED.has(c)) return true;
    if (isBlankOrEnd(this.#cursor.peek(1))) return false;
    return c === DASH || (this.#flowLevel === 0 && (c === QUESTION || c === COLON));
  }

  #push(kind: Indicator): void {
    this.#tokens.push({ kind, mark: this.#cursor.mark() });
  }

  #skipToToken(): void {
    const cursor = this.#cursor;
    if (cursor.index === 0 && cursor.peek() === BYTE_ORDER_MARK) cursor.forward();
    for (;;) {
      cursor.skipSpaces();
      if (cursor.peek() === HASH) cursor.skipLine();
      if (cursor.lineBreak() === '') return;
      if (this.#flowLevel === 0) this.#keyAllowed = true;
    }
  }

  #savePossibleKey(): void {
    if (!this.#keyAllowed) return;
    const cursor = this.#cursor;
    this.#keys.add({
      level: this.#flowLevel,
      tokenNumber: this.#taken + this.#tokens.length,
      required: this.#flowLevel === 0 && this.#indent === cursor.column,
      point: cursor.point,
      mark: cursor.mark(),
    });
  }

  #unwind(column: number): void {
    if (this.#flowLevel !== 0) return;
    while (this.#indent > column) {
      this.#indent = this.#outerIndents.pop() ?? -1;
      this.#push('block end');
    }
  }

  /** Whether `column` starts a new block collection. */
  #indentTo(column: number): boolean {
    if (this.#indent >= column) return false;
    this.#outerIndents.push(this.#indent);
    this.#indent = column;
    return true;
  }

  #fetchEnd(): void {
    this.#unwind(-1);
    this.#keys.remove(this.#flowLevel);
    this.#keyAllowed = false;
    this.#keys.clear();
    this.#push('stream end');
    this.#done = true;
  }

  #fetchDirective(): void {
    this.#unwind(-1);
    this.#keys.remove(this.#flowLevel);
    this.#keyAllowed = false;
    const mark = this.#cursor.mark();
    this.#tokens.push({ kind: 'directive', mark, directive: scanDirective(this.#cursor) });
  }

  #fetchDocumentMarker(c: number): void {
    this.#unwind(-1);
    this.#keys.remove(this.#flowLevel);
    this.#keyAllowed = false;
    this.#push(c === DASH ? 'document start' : 'document end');
    this.#cursor.take(3);
  }

  #fetchFlowStart(kind: 'flow sequence start' | 'flow mapping start'): void {
    this.#savePossibleKey();
    this.#flowLevel += 1;
    this.#keyAllowed = true;
    this.#push(kind);
    this.#cursor.take(1);
  }

  #fetchFlowEnd(kind: 'flow sequence end' | 'flow mapping end'): void {
    this.#keys.remove(this.#flowLevel);
    this.#flowLevel -= 1;
    this.#keyAllowed = false;
    this.#push(kind);
    this.#cursor.take(1);
  }

  #fetchFlowEntry(): void {
    this.#keyAllowed = true;
    this.#keys.remove(this.#flowLevel);
    this.#push('flow entry');
    this.#cursor.take(1);
  }

  #fetchBlockEntry(): void {
    const cursor = this.#cursor;
    if (this.#flowLevel === 0) {
      if (!this.#keyAllowed) throw cursor.error(`a '- ' list cannot start here: put it on a line of its own`);
      if (this.#indentTo(cursor.column)) this.#push('block sequence start');
    }
    this.#keyAllowed = true;
    this.#keys.remove(this.#flowLevel);
    this.#push('block entry');
    cursor.take(1);
  }

  #fetchKey(): void {
    const cursor = this.#cursor;
    if (this.#flowLevel === 0) {
      if (!this.#keyAllowed) throw cursor.error(`a '? ' key cannot start here: put it on a line of its own`);
      if (this.#indentTo(cursor.column)) this.#push('block mapping start');
    }
    this.#keyAllowed = this.#flowLevel === 0;
    this.#keys.remove(this.#flowLevel);
    this.#push('key');
    cursor.take(1);
  }

  #fetchValue(): void {
    const cursor = this.#cursor;
    const key = this.#keys.take(this.#flowLevel);
    if (key !== undefined) {
      const at = key.tokenNumber - this.#taken;
      const before: Token[] = [{ kind: 'key', mark: key.mark }];
      if (this.#flowLevel === 0 && this.#indentTo(key.mark.column)) {
        before.unshift({ kind: 'block mapping start', mark: key.mark });
      }
      this.#tokens.splice(at, 0, ...before);
      this.#keyAllowed = false;
    } else {
      if (this.#flowLevel === 0) {
        if (!this.#keyAllowed) throw this.#misplacedColon();
        if (this.#indentTo(cursor.column)) this.#push('block mapping start');
      }
      this.#keyAllowed = this.#flowLevel === 0;
      this.#keys.remove(this.#flowLevel);
    }
    this.#push('value');
    cursor.take(1);
  }

  #misplacedColon(): YamlError {
    const { line, index } = this.#cursor;
    const plain = this.#plain;
    if (plain === undefined || plain.end !== index || plain.from.line === line) {
      return this.#cursor.error(`a ': ' cannot stand here: put a value that contains it into quotes`);
    }
    const from = `line ${plain.from.line + 1}`;
    const remedy = plain.mayBeKey ? `end ${from} with a ':'` : 'correct the indentation';
    return this.#cursor.error(
      `this line goes on with the text from ${from}, in which no ': ' can stand: ${remedy}, or put all of that text into quotes`,
    );
  }

  #fetchAnchor(c: number): void {
    const cursor = this.#cursor;
    this.#savePossibleKey();
    this.#keyAllowed = false;
    const mark = cursor.mark();
    cursor.take(1);
    let length = 0;
    while (isWord(cursor.peek(length))) length += 1;
    const name = cursor.take(length);
    const after = cursor.peek();
    if (length === 0 || !(isBlankOrEnd(after) || AFTER_ANCHOR.has(after))) {
      throw cursor.error(
        `expected letters, digits, '-' or '_' after '*' or '&': put a value that starts so into quotes`,
      );
    }
    this.#tokens.push({ kind: c === ASTERISK ? 'alias' : 'anchor', mark, name });
  }

  #fetchTag(): void {
    this.#savePossibleKey();
    this.#keyAllowed = false;
    const mark = this.#cursor.mark();
    this.#tokens.push({ kind: 'tag', mark, tag: scanTag(this.#cursor) });
  }

  #fetchBlock(): void {
    this.#keyAllowed = true;
    this.#keys.remove(this.#flowLevel);
    const mark = this.#cursor.mark();
    this.#tokens.push({ kind: 'scalar', mark, value: scanBlock(this.#cursor, this.#indent), plain: false });
  }

  #fetchQuoted(): void {
    this.#savePossibleKey();
    this.#keyAllowed = false;
    const mark = this.#cursor.mark();
    this.#tokens.push({ kind: 'scalar', mark, value: scanQuoted(this.#cursor), plain: false });
  }

  #fetchPlain(): void {
    this.#savePossibleKey();
    const mark = this.#cursor.mark();
    const mayBeKey = this.#keyAllowed;
    const { value, endsLine } = scanPlain(this.#cursor, this.#indent + 1, this.#flowLevel !== 0);
    this.#keyAllowed = endsLine;
    this.#plain = { from: mark, end: this.#cursor.index, mayBeKey };
    this.#tokens.push({ kind: 'scalar', mark, value, plain: true });
  }
}
