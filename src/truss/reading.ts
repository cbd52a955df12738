import type { WarningCode } from './codes.ts';
import { detach } from './detach.ts';
import { type ConfigError, type ConfigWarning, diagnostic } from './diagnostic.ts';
import { jfrogProblem, nameProblem, type NameProblem } from './names.ts';
import type { Node } from './yaml/composer.ts';
import { type Mark, YamlError } from './yaml/error.ts';
import { flattenMerges, type MergeBudget } from './yaml/merge.ts';
import { TAG } from './yaml/resolver.ts';
import { constructScalar, isScalarTag, type Scalar } from './yaml/scalars.ts';

/** A mapping's entry with a text as its key. */
export interface Entry {
  readonly name: string;
  readonly key: Node;
  readonly value: Node;
}

export interface Mapping {
  /** The last one of each name, merged ones included. */
  readonly entries: ReadonlyMap<string, Entry>;
  /** The keys that are not text. */
  readonly otherKeys: readonly Node[];
}

/** More are of no use to anybody, and a hostile file has many. */
const MAX_WARNINGS = 1000;
const MAX_ERRORS = 1000;

/** One pass over a composed config: looks into nodes as Python would see them, and collects what is to be said. */
export class Reading {
  readonly errors: ConfigError[] = [];
  readonly warnings: ConfigWarning[] = [];
  readonly #budget: MergeBudget;
  readonly #naming: 'jfrog' | undefined;
  /** A mapping that aliases share is looked into, and warned about, once. */
  readonly #mappings = new Map<Node, Mapping>();

  constructor(budget: MergeBudget, naming: 'jfrog' | undefined) {
    this.#budget = budget;
    this.#naming = naming;
  }

  fail(error: ConfigError): void {
    if (this.errors.length < MAX_ERRORS) this.errors.push(error);
  }

  warn(code: WarningCode, message: string, { mark }: { readonly mark: Mark }): void {
    if (this.warnings.length > MAX_WARNINGS) return;
    this.warnings.push(
      this.warnings.length < MAX_WARNINGS
        ? diagnostic(code, message, mark)
        : diagnostic('TooManyWarnings', `only the first ${MAX_WARNINGS} warnings are shown`, mark),
    );
  }

  /** Warns of a name that is never delivered, or breaks the naming policy. */
  checkName(name: string, node: Node): void {
    const problem: NameProblem | undefined =
      nameProblem(name) ?? (this.#naming === 'jfrog' ? jfrogProblem(name) : undefined);
    if (problem !== undefined) this.warn(problem.code, problem.message, node);
  }

  /** The entries of a mapping; undefined for anything else. */
  mapping(node: Node): Mapping | undefined {
    const known = this.#mappings.get(node);
    if (known !== undefined || node.kind !== 'mapping' || node.tag !== TAG.map) return known;
    try {
      flattenMerges(node, this.#budget);
    } catch (error) {
      // Whatever a constructor raises is reported for the file as a whole; what can be read is read all the same.
      if (!(error instanceof YamlError)) throw error;
    }
    const entries = new Map<string, Entry>();
    const otherKeys: Node[] = [];
    const own = new Set<string>();
    for (const [index, [key, value]] of node.pairs.entries()) {
      const scalar = this.scalar(key);
      if (scalar?.kind !== 'string') {
        otherKeys.push(key);
        continue;
      }
      const name = detach(scalar.value);
      if (own.has(name)) this.warn('DuplicateKey', 'this key stands twice: the last one counts', key);
      if (index >= node.merged) own.add(name);
      entries.set(name, { name, key, value });
    }
    const mapping = { entries, otherKeys };
    this.#mappings.set(node, mapping);
    return mapping;
  }

  /** An entry of a mapping whose value is there: null counts as absent, and so does anything in no mapping. */
  field(node: Node, name: string): Entry | undefined {
    const entry = this.mapping(node)?.entries.get(name);
    return entry === undefined || this.scalar(entry.value)?.kind === 'null' ? undefined : entry;
  }

  /** Like {@link field}, through several mappings; warns where something else is in the way. */
  path(node: Node, first: string, ...rest: readonly string[]): Entry | undefined {
    let entry = this.field(node, first);
    let shown = first;
    for (const name of rest) {
      if (entry === undefined) return undefined;
      if (this.mapping(entry.value) === undefined) {
        this.unexpected(shown, 'a mapping', entry.value);
        return undefined;
      }
      entry = this.field(entry.value, name);
      shown += `.${name}`;
    }
    return entry;
  }

  /** The items of a list; none, with a warning, for anything else. */
  items(field: string, node: Node): readonly Node[] {
    if (node.kind === 'sequence' && node.tag === TAG.seq) return node.items;
    this.unexpected(field, 'a list', node);
    return [];
  }

  unexpected(field: string, expected: string, node: Node): void {
    this.warn('UnexpectedShape', `${field} should be ${expected}, and is ignored`, node);
  }

  /** What a scalar is to Python; undefined for a list, a mapping, and a value that PyYAML cannot construct. */
  scalar(node: Node): Scalar | undefined {
    if (!isScalarTag(node.tag)) return undefined;
    try {
      return constructScalar(node);
    } catch (error) {
      if (!(error instanceof YamlError)) throw error;
      return undefined;
    }
  }

  text(node: Node): string | undefined {
    const scalar = this.scalar(node);
    return scalar?.kind === 'string' ? scalar.value : undefined;
  }

  /** The name of a secret that stands as a value; nothing for an empty one, an error for one that is not text. */
  name(entry: Entry): string | undefined {
    const text = this.text(entry.value);
    if (text === undefined) this.nameNotString(entry.value);
    if (text === undefined || text === '') return undefined;
    const name = detach(text);
    this.checkName(name, entry.value);
    return name;
  }

  nameNotString(node: Node): void {
    const kind = this.scalar(node)?.kind;
    const found = kind === undefined ? `a ${node.kind}` : kind === 'null' ? 'null' : `a ${kind}`;
    this.fail(
      diagnostic(
        'NameNotString',
        `the name of a secret must be text, and this is ${found} in YAML 1.1: quote it`,
        node.mark,
      ),
    );
  }
}
