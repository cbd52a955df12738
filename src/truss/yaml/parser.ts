import { type Mark, YamlError } from './error.ts';
import type { Event, NodeProperties, ScalarEvent } from './events.ts';
import { Scanner } from './scanner.ts';
import type { TagName } from './tag-scanner.ts';
import { describeToken, type Token, type TokenKind } from './tokens.ts';

const DEFAULT_TAGS: ReadonlyMap<string, string> = new Map([
  ['!', '!'],
  ['!!', 'tag:yaml.org,2002:'],
]);

/** What the parser expects next: PyYAML's `parse_...` methods by name. */
type State =
  | 'stream start'
  | 'implicit document start'
  | 'document start'
  | 'document content'
  | 'document end'
  | 'block node'
  | 'block sequence first entry'
  | 'block sequence entry'
  | 'indentless sequence entry'
  | 'block mapping first key'
  | 'block mapping key'
  | 'block mapping value'
  | 'flow sequence first entry'
  | 'flow sequence entry'
  | 'flow sequence pair key'
  | 'flow sequence pair value'
  | 'flow sequence pair end'
  | 'flow mapping first key'
  | 'flow mapping key'
  | 'flow mapping value'
  | 'flow mapping empty value'
  | 'done';

type Context = 'block' | 'block or indentless sequence' | 'flow';

/** PyYAML's `Parser`: tokens to events. Throws a YamlError where the tokens are no YAML. */
export class Parser {
  readonly #scanner: Scanner;
  #state: State = 'stream start';
  /** Where to go on when the current node is complete, the innermost last. */
  readonly #states: State[] = [];
  /** Where the open collections started. */
  readonly #marks: Mark[] = [];
  /** Where the collection that ended last started, and where it ended. */
  #ended: { readonly from: Mark | undefined; readonly at: Mark } | undefined;
  #tags: ReadonlyMap<string, string> = DEFAULT_TAGS;

  constructor(text: string) {
    this.#scanner = new Scanner(text);
  }

  next(): Event {
    switch (this.#state) {
      case 'stream start':
        this.#state = 'implicit document start';
        return { kind: 'stream start', mark: this.#scanner.next().mark };
      case 'implicit document start':
        return this.#implicitDocumentStart();
      case 'document start':
        return this.#documentStart();
      case 'document content':
        if (this.#at('directive', 'document start', 'document end', 'stream end')) {
          return this.#empty(this.#pop(), this.#scanner.peek().mark);
        }
        return this.#node('block');
      case 'document end':
        this.#state = 'document start';
        return { kind: 'document end', mark: (this.#skip('document end') ?? this.#scanner.peek()).mark };
      case 'block node':
        return this.#node('block');
      case 'block sequence first entry':
        this.#marks.push(this.#scanner.next().mark);
        return this.#blockSequenceEntry();
      case 'block sequence entry':
        return this.#blockSequenceEntry();
      case 'indentless sequence entry':
        return this.#indentlessSequenceEntry();
      case 'block mapping first key':
        this.#marks.push(this.#scanner.next().mark);
        return this.#blockMappingKey();
      case 'block mapping key':
        return this.#blockMappingKey();
      case 'block mapping value':
        return this.#blockMappingValue();
      case 'flow sequence first entry':
        this.#marks.push(this.#scanner.next().mark);
        return this.#flowSequenceEntry(true);
      case 'flow sequence entry':
        return this.#flowSequenceEntry(false);
      case 'flow sequence pair key': {
        const key = this.#scanner.next();
        if (this.#at('value', 'flow entry', 'flow sequence end')) {
          return this.#empty('flow sequence pair value', after(key));
        }
        return this.#child('flow sequence pair value', 'flow');
      }
      case 'flow sequence pair value':
        return this.#flowValue('flow sequence pair end', 'flow sequence end');
      case 'flow sequence pair end':
        this.#state = 'flow sequence entry';
        return { kind: 'collection end', mark: this.#scanner.peek().mark };
      case 'flow mapping first key':
        this.#marks.push(this.#scanner.next().mark);
        return this.#flowMappingKey(true);
      case 'flow mapping key':
        return this.#flowMappingKey(false);
      case 'flow mapping value':
        return this.#flowValue('flow mapping key', 'flow mapping end');
      case 'flow mapping empty value':
        return this.#empty('flow mapping key', this.#scanner.peek().mark);
      case 'done':
        return { kind: 'stream end', mark: this.#scanner.peek().mark };
    }
  }

  /** Compared one by one, without a list: it is asked several times for each token. */
  #at(a: TokenKind, b?: TokenKind, c?: TokenKind, d?: TokenKind): boolean {
    const { kind } = this.#scanner.peek();
    return kind === a || kind === b || kind === c || kind === d;
  }

  #skip(kind: TokenKind): Token | undefined {
    return this.#at(kind) ? this.#scanner.next() : undefined;
  }

  #pop(): State {
    return this.#states.pop() ?? 'done';
  }

  #child(then: State, context: Context): Event {
    this.#states.push(then);
    return this.#node(context);
  }

  #empty(then: State, mark: Mark): ScalarEvent {
    this.#state = then;
    return { kind: 'scalar', mark, anchor: undefined, tag: undefined, value: '', plain: true };
  }

  #end(): Event {
    const { mark } = this.#scanner.next();
    this.#ended = { from: this.#marks.pop(), at: mark };
    this.#state = this.#pop();
    return { kind: 'collection end', mark };
  }

  #unexpected(expected: string): YamlError {
    const token = this.#scanner.peek();
    return new YamlError(
      'InvalidYaml',
      `expected ${expected}, but found ${describeToken(token)}`,
      token.mark,
    );
  }

  #unexpectedIn(collection: string, expected: string): YamlError {
    const line = (this.#marks.at(-1)?.line ?? 0) + 1;
    return this.#unexpected(`${expected} of the ${collection} from line ${line}`);
  }

  /** A collection that starts where an entry should: had its line the indentation of the open one, it would be an entry. */
  #unexpectedInBlock(collection: string, expected: string): YamlError {
    if (!this.#at('block mapping start', 'block sequence start')) {
      return this.#unexpectedIn(collection, expected);
    }
    const { mark } = this.#scanner.peek();
    const { line, column } = this.#marks.at(-1) ?? mark;
    const { from, at } = this.#ended ?? {};
    // what this very line ended is the other one that may be meant
    const inside = at?.line === mark.line && at.column === mark.column ? from : undefined;
    return new YamlError(
      'InvalidYaml',
      `this line is indented by ${mark.column}, which fits nothing before it: ` +
        `the ${collection} from line ${line + 1} has ${column}` +
        (inside ? `, and what is in it, from line ${inside.line + 1}, has ${inside.column}` : ''),
      mark,
    );
  }

  #implicitDocumentStart(): Event {
    if (this.#at('directive', 'document start', 'stream end')) return this.#documentStart();
    this.#states.push('document end');
    this.#state = 'block node';
    return { kind: 'document start', mark: this.#scanner.peek().mark };
  }

  #documentStart(): Event {
    while (this.#skip('document end') !== undefined);
    const { kind, mark } = this.#scanner.peek();
    if (kind === 'stream end') {
      this.#state = 'done';
      return { kind: 'stream end', mark };
    }
    this.#tags = this.#directives();
    if (this.#skip('document start') === undefined) throw this.#unexpected(`'---'`);
    this.#states.push('document end');
    this.#state = 'document content';
    return { kind: 'document start', mark };
  }

  #directives(): ReadonlyMap<string, string> {
    const tags = new Map<string, string>();
    let version = false;
    for (let token = this.#scanner.peek(); token.kind === 'directive'; token = this.#scanner.peek()) {
      const { directive, mark } = token;
      this.#scanner.next();
      switch (directive.name) {
        case 'YAML':
          if (version) throw new YamlError('InvalidYaml', 'a second %YAML directive', mark);
          if (directive.major !== 1) throw new YamlError('InvalidYaml', 'only YAML 1.x can be read', mark);
          version = true;
          break;
        case 'TAG':
          if (tags.has(directive.handle)) {
            throw new YamlError('InvalidYaml', 'a second %TAG directive for the same handle', mark);
          }
          tags.set(directive.handle, directive.prefix);
          break;
        case 'other':
          break;
      }
    }
    return new Map([...DEFAULT_TAGS, ...tags]);
  }

  #resolveTag(name: TagName | undefined, mark: Mark): string | undefined {
    if (name === undefined) return undefined;
    if (name.handle === undefined) return name.suffix === '!' ? undefined : name.suffix;
    const prefix = this.#tags.get(name.handle);
    if (prefix === undefined)
      throw new YamlError('InvalidYaml', 'a tag handle without a %TAG directive', mark);
    const tag = prefix + name.suffix;
    return tag === '!' ? undefined : tag;
  }

  #node(context: Context): Event {
    const first = this.#scanner.peek();
    if (first.kind === 'alias') {
      this.#scanner.next();
      this.#state = this.#pop();
      return { kind: 'alias', mark: first.mark, name: first.name };
    }
    const { mark, anchor, tag, marked } = this.#properties(first);
    const token = this.#scanner.peek();
    switch (token.kind) {
      case 'block entry':
        if (context !== 'block or indentless sequence') break;
        this.#state = 'indentless sequence entry';
        return { kind: 'sequence', mark, anchor, tag };
      case 'scalar': {
        this.#scanner.next();
        this.#state = this.#pop();
        return {
          kind: 'scalar',
          mark,
          anchor,
          tag,
          value: token.value,
          plain: token.plain || marked === 'lone !',
        };
      }
      case 'flow sequence start':
        this.#state = 'flow sequence first entry';
        return { kind: 'sequence', mark, anchor, tag };
      case 'flow mapping start':
        this.#state = 'flow mapping first key';
        return { kind: 'mapping', mark, anchor, tag };
      case 'block sequence start':
        if (context === 'flow') break;
        this.#state = 'block sequence first entry';
        return { kind: 'sequence', mark, anchor, tag };
      case 'block mapping start':
        if (context === 'flow') break;
        this.#state = 'block mapping first key';
        return { kind: 'mapping', mark, anchor, tag };
      default:
    }
    if (marked === 'no') {
      throw context === 'flow'
        ? this.#unexpectedIn('brackets', 'a value or the end')
        : this.#unexpected('a value');
    }
    this.#state = this.#pop();
    return { kind: 'scalar', mark, anchor, tag, value: '', plain: true };
  }

  /** An anchor and a tag in either order; `lone !` is a tag too, but one that says nothing. */
  #properties(first: Token): NodeProperties & { readonly marked: 'no' | 'yes' | 'lone !' } {
    let anchor: string | undefined;
    let name: TagName | undefined;
    let { mark: tagMark } = first;
    for (let left = 2; left > 0; left -= 1) {
      const token = this.#scanner.peek();
      if (token.kind === 'anchor' && anchor === undefined) {
        anchor = token.name;
      } else if (token.kind === 'tag' && name === undefined) {
        name = token.tag;
        tagMark = token.mark;
      } else {
        break;
      }
      this.#scanner.next();
    }
    const tag = this.#resolveTag(name, tagMark);
    if (name !== undefined && tag === undefined) return { mark: first.mark, anchor, tag, marked: 'lone !' };
    return {
      mark: first.mark,
      anchor,
      tag,
      marked: name === undefined && anchor === undefined ? 'no' : 'yes',
    };
  }

  #blockSequenceEntry(): Event {
    const entry = this.#skip('block entry');
    if (entry !== undefined) {
      if (this.#at('block entry', 'block end')) return this.#empty('block sequence entry', after(entry));
      return this.#child('block sequence entry', 'block');
    }
    if (!this.#at('block end')) throw this.#unexpectedInBlock('list', `'-' or the end`);
    return this.#end();
  }

  #indentlessSequenceEntry(): Event {
    const entry = this.#skip('block entry');
    if (entry === undefined) {
      this.#state = this.#pop();
      return { kind: 'collection end', mark: this.#scanner.peek().mark };
    }
    if (this.#at('block entry', 'key', 'value', 'block end')) {
      return this.#empty('indentless sequence entry', after(entry));
    }
    return this.#child('indentless sequence entry', 'block');
  }

  #blockMappingKey(): Event {
    const key = this.#skip('key');
    if (key !== undefined) {
      if (this.#at('key', 'value', 'block end')) return this.#empty('block mapping value', after(key));
      return this.#child('block mapping value', 'block or indentless sequence');
    }
    if (!this.#at('block end')) throw this.#unexpectedInBlock('mapping', 'a key or the end');
    return this.#end();
  }

  #blockMappingValue(): Event {
    const value = this.#skip('value');
    if (value === undefined) return this.#empty('block mapping key', this.#scanner.peek().mark);
    if (this.#at('key', 'value', 'block end')) return this.#empty('block mapping key', after(value));
    return this.#child('block mapping key', 'block or indentless sequence');
  }

  #flowSequenceEntry(first: boolean): Event {
    if (!this.#at('flow sequence end')) {
      if (!first && this.#skip('flow entry') === undefined)
        throw this.#unexpectedIn('list', `',' or the end`);
      if (this.#at('key')) {
        this.#state = 'flow sequence pair key';
        return { kind: 'mapping', mark: this.#scanner.peek().mark, anchor: undefined, tag: undefined };
      }
      if (!this.#at('flow sequence end')) return this.#child('flow sequence entry', 'flow');
    }
    return this.#end();
  }

  #flowMappingKey(first: boolean): Event {
    if (!this.#at('flow mapping end')) {
      if (!first && this.#skip('flow entry') === undefined)
        throw this.#unexpectedIn('mapping', `',' or the end`);
      const key = this.#skip('key');
      if (key !== undefined) {
        if (this.#at('value', 'flow entry', 'flow mapping end')) {
          return this.#empty('flow mapping value', after(key));
        }
        return this.#child('flow mapping value', 'flow');
      }
      if (!this.#at('flow mapping end')) return this.#child('flow mapping empty value', 'flow');
    }
    return this.#end();
  }

  #flowValue(then: State, end: TokenKind): Event {
    const value = this.#skip('value');
    if (value === undefined) return this.#empty(then, this.#scanner.peek().mark);
    if (this.#at('flow entry', end)) return this.#empty(then, after(value));
    return this.#child(then, 'flow');
  }
}

/** The place behind an indicator of one character. (A key's token may have no text; then a node follows.) */
const after = (token: Token): Mark => ({ line: token.mark.line, column: token.mark.column + 1 });
