import {
  BYTE_ORDER_MARK,
  CARRIAGE_RETURN,
  END,
  isBreak,
  isLowSurrogate,
  LINE_FEED,
  NEXT_LINE,
} from './characters.ts';
import { type Mark, YamlError } from './error.ts';

const SURROGATE_OR_MARK = /[\ud800-\udfff\ufeff]/;

/** A place in the text that only moves forward, and knows its line and column. */
export class Cursor {
  index = 0;
  line = 0;
  column = 0;
  /** The index in code points, as Python counts. */
  point = 0;
  readonly #text: string;
  /** Whether every code unit is a character that takes one column. */
  readonly #even: boolean;

  constructor(text: string) {
    this.#text = text;
    this.#even = !SURROGATE_OR_MARK.test(text);
  }

  /** The code unit `offset` places ahead; `END` past the last one. */
  peek(offset = 0): number {
    const at = this.index + offset;
    return at < this.#text.length ? this.#text.charCodeAt(at) : END;
  }

  startsWith(prefix: string): boolean {
    return this.#text.startsWith(prefix, this.index);
  }

  mark(): Mark {
    return { line: this.line, column: this.column };
  }

  forward(length = 1): void {
    for (let left = length; left > 0; left -= 1) {
      const c = this.peek();
      this.index += 1;
      if (isLowSurrogate(c)) continue;
      this.point += 1;
      if (isBreak(c) && !(c === CARRIAGE_RETURN && this.peek() === LINE_FEED)) {
        this.line += 1;
        this.column = 0;
      } else if (c !== BYTE_ORDER_MARK) {
        this.column += 1;
      }
    }
  }

  /** Moves past `length` code units, none of them a line break, and returns them. */
  take(length: number): string {
    const taken = this.#text.slice(this.index, this.index + length);
    if (this.#even) {
      this.index += length;
      this.point += length;
      this.column += length;
    } else {
      this.forward(length);
    }
    return taken;
  }

  /** Moves past everything up to a line break or the end. */
  skipLine(): void {
    let length = 0;
    for (let c = this.peek(); c !== END && !isBreak(c); c = this.peek(length)) length += 1;
    this.take(length);
  }

  skipSpaces(): void {
    let length = 0;
    while (this.peek(length) === 0x20) length += 1;
    if (length > 0) this.take(length);
  }

  /** Moves past one line break: `\n` for `\r\n`, `\r`, `\n` and U+0085; itself for U+2028 and U+2029; or ''. */
  lineBreak(): string {
    const c = this.peek();
    if (!isBreak(c)) return '';
    if (c === CARRIAGE_RETURN && this.peek(1) === LINE_FEED) {
      this.forward(2);
      return '\n';
    }
    this.forward();
    return c === CARRIAGE_RETURN || c === LINE_FEED || c === NEXT_LINE ? '\n' : String.fromCharCode(c);
  }

  /** At a line's `---` or `...`, which ends a document. */
  atDocumentMarker(): boolean {
    if (!this.startsWith('---') && !this.startsWith('...')) return false;
    const after = this.peek(3);
    return after === END || after === 0x20 || after === 0x09 || isBreak(after);
  }

  /** The error of a text that PyYAML does not take, here or at `mark`. */
  error(message: string, mark: Mark = this.mark()): YamlError {
    return new YamlError('InvalidYaml', message, mark);
  }
}
