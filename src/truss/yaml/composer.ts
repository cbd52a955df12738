import { type Mark, YamlError } from './error.ts';
import type { CollectionEvent, Event, ScalarEvent } from './events.ts';
import { Parser } from './parser.ts';
import { resolveScalar, TAG } from './resolver.ts';

/** A node of the document. Aliases share nodes, and a node may contain itself. */
export type Node = ScalarNode | SequenceNode | MappingNode;

export interface ScalarNode {
  readonly kind: 'scalar';
  /** In full, as in `tag:yaml.org,2002:str`. Changed by `flattenMerges`, as PyYAML does. */
  tag: string;
  readonly mark: Mark;
  readonly value: string;
}

export interface SequenceNode {
  readonly kind: 'sequence';
  tag: string;
  readonly mark: Mark;
  readonly items: Node[];
}

export interface MappingNode {
  readonly kind: 'mapping';
  tag: string;
  readonly mark: Mark;
  /** In the order of the text, duplicates and all; after `flattenMerges` the merged ones come first. */
  pairs: Pair[];
  /** How many of the pairs, from the first on, were merged in by `<<`. */
  merged: number;
}

export type Pair = readonly [key: Node, value: Node];

export interface Composed {
  /** What was read, up to the error if there is one; none for an empty document. */
  readonly root: Node | undefined;
  readonly error: YamlError | undefined;
}

/** Nested lists and mappings: Python's recursion limit stops PyYAML at 493 or 494. */
export const MAX_DEPTH = 492;

/**
 * How many nodes aliases may stand for, nested ones multiplied. PyYAML shares the nodes and has no bound; whoever
 * writes the result out again, as Truss does, pays for each.
 */
export const MAX_ALIASED_NODES = 100_000;

/** Nodes in a text. It bounds the time, a second or so, and the memory; a real config has some hundred. */
export const MAX_NODES = 500_000;

interface Frame {
  readonly node: SequenceNode | MappingNode;
  readonly anchor: string | undefined;
  /** A mapping's key that waits for its value. */
  key: Node | undefined;
  /** Nodes in it, those behind aliases counted each time. */
  size: number;
}

interface Anchored {
  readonly node: Node;
  size: number;
}

/** Reads the single document of `text` to nodes, as PyYAML's `Composer` does. Never throws for its content. */
export function compose(text: string): Composed {
  const composition = new Composition(text);
  try {
    composition.run();
    return { root: composition.root, error: undefined };
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    return { root: composition.root, error };
  }
}

class Composition {
  root: Node | undefined;
  readonly #parser: Parser;
  readonly #open: Frame[] = [];
  readonly #anchors = new Map<string, Anchored>();
  #created = 0;

  constructor(text: string) {
    this.#parser = new Parser(text);
  }

  run(): void {
    this.#parser.next();
    if (this.#parser.next().kind === 'stream end') return;
    for (let event = this.#parser.next(); event.kind !== 'document end'; event = this.#parser.next()) {
      this.#take(event);
    }
    const rest = this.#parser.next();
    if (rest.kind !== 'stream end') {
      throw new YamlError('SeveralDocuments', 'a second document: keep one only', rest.mark);
    }
  }

  #take(event: Event): void {
    switch (event.kind) {
      case 'alias':
        return this.#alias(event.name, event.mark);
      case 'scalar':
        return this.#scalar(event);
      case 'sequence':
      case 'mapping':
        return this.#start(event);
      case 'collection end':
        return this.#end(event.mark);
      case 'stream start':
      case 'stream end':
      case 'document start':
      case 'document end':
        throw new YamlError('InvalidYaml', 'the document ends too early', event.mark);
    }
  }

  #alias(name: string, mark: Mark): void {
    const anchored = this.#anchors.get(name);
    if (anchored === undefined) {
      throw new YamlError(
        'InvalidYaml',
        `no anchor ('&') for this alias: put a value that starts with '*' into quotes`,
        mark,
      );
    }
    this.#attach(anchored.node);
    this.#grow(anchored.size, mark);
  }

  #scalar(event: ScalarEvent): void {
    const tag = event.tag ?? (event.plain ? resolveScalar(event.value) : TAG.str);
    const node: Node = { kind: 'scalar', tag, mark: event.mark, value: event.value };
    this.#create(event.anchor, node);
    this.#grow(1, event.mark);
  }

  #start(event: CollectionEvent): void {
    const { mark } = event;
    const node: SequenceNode | MappingNode =
      event.kind === 'sequence'
        ? { kind: 'sequence', tag: event.tag ?? TAG.seq, mark, items: [] }
        : { kind: 'mapping', tag: event.tag ?? TAG.map, mark, pairs: [], merged: 0 };
    if (this.#open.length === MAX_DEPTH) {
      throw new YamlError('TooDeep', `lists and mappings are nested more than ${MAX_DEPTH} deep`, mark);
    }
    this.#create(event.anchor, node);
    this.#open.push({ node, anchor: event.anchor, key: undefined, size: 1 });
  }

  #end(mark: Mark): void {
    const frame = this.#open.pop();
    if (frame === undefined) return;
    const anchored = frame.anchor === undefined ? undefined : this.#anchors.get(frame.anchor);
    if (anchored !== undefined) anchored.size = frame.size;
    this.#grow(frame.size, mark);
  }

  #create(anchor: string | undefined, node: Node): void {
    this.#created += 1;
    if (this.#created > MAX_NODES) {
      throw new YamlError('TooLarge', `the file holds more than ${MAX_NODES} values`, node.mark);
    }
    this.#anchor(anchor, node);
    this.#attach(node);
  }

  #anchor(name: string | undefined, node: Node): void {
    if (name === undefined) return;
    const first = this.#anchors.get(name);
    if (first !== undefined) {
      const line = first.node.mark.line + 1;
      throw new YamlError('InvalidYaml', `this anchor ('&') is in line ${line} already`, node.mark);
    }
    // While a collection is open its size is not known: an alias to it, from inside, counts as one.
    this.#anchors.set(name, { node, size: 1 });
  }

  /** Nodes are attached when they start, so that what was read is there when an error ends the reading. */
  #attach(node: Node): void {
    const frame = this.#open.at(-1);
    if (frame === undefined) {
      this.root = node;
    } else if (frame.node.kind === 'sequence') {
      frame.node.items.push(node);
    } else if (frame.key === undefined) {
      frame.key = node;
    } else {
      frame.node.pairs.push([frame.key, node]);
      frame.key = undefined;
    }
  }

  #grow(size: number, mark: Mark): void {
    const frame = this.#open.at(-1);
    if (frame === undefined) return;
    frame.size += size;
    if (frame.size > this.#created + MAX_ALIASED_NODES) {
      throw new YamlError(
        'TooManyAliases',
        `aliases ('*') stand for more than ${MAX_ALIASED_NODES} values`,
        mark,
      );
    }
  }
}
