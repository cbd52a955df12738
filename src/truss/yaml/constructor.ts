import type { MappingNode, Node, SequenceNode } from './composer.ts';
import { YamlError } from './error.ts';
import { flattenMerges, type MergeBudget } from './merge.ts';
import { TAG } from './resolver.ts';
import { constructScalar, isScalarTag } from './scalars.ts';

/**
 * The first error that PyYAML's `SafeConstructor` raises for a document, if any: unknown tags, dates that do not
 * exist, lists as keys... The order of the work is PyYAML's, as it decides what a merge key sees.
 */
export function findConstructorError(root: Node, budget: MergeBudget): YamlError | undefined {
  const construction = new Construction(budget);
  try {
    construction.run(root);
    return undefined;
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    return error;
  }
}

class Construction {
  readonly #budget: MergeBudget;
  /** Lists and mappings. */
  readonly #seen = new Set<Node>();
  /** Collections that are there, and still empty. */
  readonly #pending: Node[] = [];

  constructor(budget: MergeBudget) {
    this.#budget = budget;
  }

  run(root: Node): void {
    this.#construct(root);
    // Grows while it is walked.
    for (const node of this.#pending) this.#fill(node);
  }

  #construct(node: Node): void {
    // a scalar costs less than to know whether it was seen
    if (node.kind !== 'scalar') {
      if (this.#seen.has(node)) return;
      this.#seen.add(node);
    }
    if (isScalarTag(node.tag)) {
      constructScalar(node);
    } else if (isCollectionTag(node.tag)) {
      this.#pending.push(node);
    } else {
      throw invalid(node, describeUnknownTag(node));
    }
  }

  #fill(node: Node): void {
    switch (node.tag) {
      case TAG.seq:
        for (const item of asSequence(node).items) this.#construct(item);
        return;
      case TAG.omap:
      case TAG.pairs:
        for (const item of asSequence(node).items) this.#constructSingle(item);
        return;
      default:
        this.#fillMapping(asMapping(node));
    }
  }

  #fillMapping(node: MappingNode): void {
    flattenMerges(node, this.#budget);
    for (const [key, value] of node.pairs) {
      this.#construct(key);
      if (!isScalarTag(key.tag)) throw invalid(key, 'a list or a mapping cannot be a key');
      this.#construct(value);
    }
  }

  #constructSingle(node: Node): void {
    const [pair, second] = asMapping(node).pairs;
    if (pair === undefined || second !== undefined) throw invalid(node, 'expected a mapping of one entry');
    this.#construct(pair[0]);
    this.#construct(pair[1]);
  }
}

const COLLECTIONS: ReadonlySet<string> = new Set([TAG.map, TAG.seq, TAG.set, TAG.omap, TAG.pairs]);
const isCollectionTag = (tag: string): boolean => COLLECTIONS.has(tag);

const invalid = (node: Node, message: string): YamlError => new YamlError('InvalidValue', message, node.mark);

function asSequence(node: Node): SequenceNode {
  if (node.kind !== 'sequence') throw invalid(node, `this tag is for a list, not for a ${node.kind}`);
  return node;
}

function asMapping(node: Node): MappingNode {
  if (node.kind !== 'mapping') throw invalid(node, `expected a mapping, but found a ${node.kind}`);
  return node;
}

/** Never the tag itself: what was meant as a value may start with `!`. */
function describeUnknownTag(node: Node): string {
  switch (node.tag) {
    case TAG.merge:
      return `'<<' is a merge key, and stands before ':' only: put it into quotes if it is meant as text`;
    case TAG.value:
    case TAG.yaml:
      return `this character alone means something to YAML: put it into quotes`;
    default:
      return `unknown tag ('!'): put a value that starts with '!' into quotes`;
  }
}
