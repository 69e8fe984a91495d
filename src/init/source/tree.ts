// Reading a Lezer tree: children, texts, lines. The parsers never fail; what they could not read is an error node, which no finder looks for.
import type { SyntaxNode } from '@lezer/common';
import type { Place } from '../types.ts';

/** Nodes looked at in one file. */
export const NODES_MAX = 500_000;
/** Levels of values, schemas and types that are followed. */
export const DEPTH_MAX = 12;

export interface SourceText {
  readonly text: (node: SyntaxNode) => string;
  readonly at: (node: SyntaxNode) => Place;
}

export function sourceText(file: string, source: string): SourceText {
  const starts = [0];
  for (let i = source.indexOf('\n'); i >= 0; i = source.indexOf('\n', i + 1)) starts.push(i + 1);
  return {
    text: (node) => source.slice(node.from, node.to),
    at: (node) => ({ file, line: lineAt(starts, node.from) }),
  };
}

function lineAt(starts: readonly number[], offset: number): number {
  let low = 0;
  let high = starts.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (starts[middle]! <= offset) low = middle;
    else high = middle;
  }
  return low + 1;
}

export function children(node: SyntaxNode): SyntaxNode[] {
  const all: SyntaxNode[] = [];
  for (let child = node.firstChild; child !== null; child = child.nextSibling) all.push(child);
  return all;
}

/** Children that are no punctuation: their names begin with a letter. */
export function parts(node: SyntaxNode): SyntaxNode[] {
  return children(node).filter((child) => /^[A-Za-z]/.test(child.name) && !COMMENTS.has(child.name));
}

const COMMENTS = new Set(['LineComment', 'BlockComment', 'Comment']);

/** Every node below `root`, in order, without recursion. */
export function* walk(root: SyntaxNode): Generator<SyntaxNode> {
  const cursor = root.cursor();
  for (let seen = 0; seen < NODES_MAX; seen++) {
    yield cursor.node;
    if (!cursor.next()) return;
  }
}
