import { decodeYaml, findUnreadable } from '../../../src/truss/decode.ts';
import { compose, type Node } from '../../../src/truss/yaml/composer.ts';
import { findConstructorError } from '../../../src/truss/yaml/constructor.ts';
import { flattenMerges, newMergeBudget } from '../../../src/truss/yaml/merge.ts';
import { TAG } from '../../../src/truss/yaml/resolver.ts';
import { constructScalar, isScalarTag } from '../../../src/truss/yaml/scalars.ts';
import type { Verdict } from './oracle.ts';

/** What our reader makes of a document, in the oracle's words. */
export function ourVerdict(document: Uint8Array): Verdict {
  const decoded = decodeYaml(document);
  if ('error' in decoded) return { error: decoded.error.code };
  const unreadable = findUnreadable(decoded.text);
  if (unreadable !== undefined) return { error: unreadable.code };
  const { root, error } = compose(decoded.text);
  if (error !== undefined) {
    return { error: error.code, message: error.message, at: [error.mark.line, error.mark.column] };
  }
  const nodes = root === undefined ? [] : listNodes(root);
  if (root === undefined) return { nodes, data: null };
  const invalid = findConstructorError(root, newMergeBudget());
  if (invalid !== undefined) {
    return {
      error: invalid.code,
      message: invalid.message,
      at: [invalid.mark.line, invalid.mark.column],
      nodes,
    };
  }
  return { nodes, data: plain(root, 0) };
}

const childrenOf = (node: Node): readonly Node[] => {
  if (node.kind === 'scalar') return [];
  return node.kind === 'sequence' ? node.items : node.pairs.flat();
};

function listNodes(root: Node): readonly unknown[] {
  const seen = new Set<Node>();
  const out: unknown[] = [];
  const todo = [root];
  for (let node = todo.pop(); node !== undefined; node = todo.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    const children = childrenOf(node);
    const { line, column } = node.mark;
    out.push([node.tag, line, column, node.kind === 'scalar' ? node.value : children.length]);
    for (const child of children.toReversed()) todo.push(child);
  }
  return out;
}

function plain(node: Node, depth: number): unknown {
  if (depth > 40) return '...';
  if (isScalarTag(node.tag)) {
    const scalar = constructScalar(node);
    switch (scalar.kind) {
      case 'string':
        return scalar.value;
      case 'null':
        return null;
      case 'date':
        return { date: true };
      case 'boolean':
      case 'number':
      case 'bytes':
        return { [scalar.kind]: !scalar.falsy };
    }
  }
  if (node.tag === TAG.seq) return childrenOf(node).map((item) => plain(item, depth + 1));
  if (node.tag === TAG.omap || node.tag === TAG.pairs) {
    return childrenOf(node).map((item) => ({ pair: childrenOf(item).map((part) => plain(part, depth + 2)) }));
  }
  if (node.kind !== 'mapping') throw new Error('a constructed mapping is a mapping');
  flattenMerges(node, newMergeBudget());
  const strings = new Map<string, Node>();
  for (const [key, value] of node.pairs) {
    const name = constructScalar(key);
    if (name.kind === 'string') strings.set(name.value, value);
  }
  const entries = [...strings].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const empty = node.pairs.length === 0;
  if (node.tag === TAG.set) return { set: entries.map(([name]) => name), empty };
  return { mapping: entries.map(([name, value]) => [name, plain(value, depth + 1)]), empty };
}
