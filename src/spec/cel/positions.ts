// Where the parser read each node of a syntax tree: kept beside the tree, so that a tree put together from several
// sources (`let`) still knows which node came from which. Pure.
import type { Expr } from './tree.ts';

interface Position {
  readonly source: string;
  readonly offset: number;
}

const positions = new WeakMap<Expr, Position>();

export function keepPosition(expr: Expr, source: string, offset: number): void {
  positions.set(expr, { source, offset });
}

/**
 * The parser's offset of a node in `source`; null for a node of another source. Names, literals, lists and maps: their
 * beginning; fields and methods: the dot before; functions: the bracket after; operators: the operator.
 */
export function offsetIn(source: string, expr: Expr): number | null {
  const position = positions.get(expr);
  return position?.source === source ? position.offset : null;
}
