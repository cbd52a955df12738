import type { MappingNode, Node, Pair } from './composer.ts';
import { type Mark, YamlError } from './error.ts';
import { TAG } from './resolver.ts';

/**
 * How many entries all merge keys of a text may move around. PyYAML has no bound, and can be made to take any time
 * and memory; a config moves a few dozen.
 */
const MAX_MOVED_ENTRIES = 1_000_000;

/** `<<` in `<<` in `<<`...: Python's recursion limit stops PyYAML there too. */
const MAX_NESTED_MERGES = 900;

/** What the merge keys of one text have done so far. */
export interface MergeBudget {
  moved: number;
  /** The merge key that was found first. */
  first: Mark | undefined;
}

export const newMergeBudget = (): MergeBudget => ({ moved: 0, first: undefined });

/**
 * PyYAML's `flatten_mapping`: replaces the `<<` keys of a mapping by the entries of what they name, put before its
 * own so that its own win. Changes the nodes, so that a second call finds nothing to do.
 */
export function flattenMerges(node: MappingNode, budget: MergeBudget, depth = 0): void {
  if (depth > MAX_NESTED_MERGES) throw tooMany(node);
  const merge: Pair[] = [];
  for (let index = 0; index < node.pairs.length; ) {
    const pair = node.pairs[index];
    if (pair === undefined) break;
    const [key, value] = pair;
    if (key.tag === TAG.merge) {
      budget.first ??= key.mark;
      spend(budget, node, node.pairs.length);
      node.pairs.splice(index, 1);
      for (const pairs of flattened(value, budget, depth + 1).toReversed()) {
        spend(budget, node, pairs.length);
        for (const merged of pairs) merge.push(merged);
      }
    } else {
      if (key.tag === TAG.value) key.tag = TAG.str;
      index += 1;
    }
  }
  if (merge.length === 0) return;
  node.pairs = [...merge, ...node.pairs];
  node.merged += merge.length;
}

/**
 * The entries of the mappings behind a `<<`. Each is flattened before the next is looked at, so that the first error is
 * PyYAML's. In a list of them the first one wins, so it is put last.
 */
function flattened(value: Node, budget: MergeBudget, depth: number): readonly (readonly Pair[])[] {
  const items = value.kind === 'sequence' ? value.items : [value];
  return items.map((item) => {
    if (item.kind !== 'mapping') throw invalidMerge(item);
    flattenMerges(item, budget, depth);
    return item.pairs;
  });
}

const invalidMerge = (node: Node): YamlError =>
  new YamlError('InvalidValue', `'<<' takes a mapping, or a list of mappings`, node.mark);

const tooMany = (node: Node): YamlError =>
  new YamlError('TooManyAliases', `the merge keys ('<<') copy too much`, node.mark);

function spend(budget: MergeBudget, node: Node, entries: number): void {
  budget.moved += entries;
  if (budget.moved > MAX_MOVED_ENTRIES) throw tooMany(node);
}
