// Where the parser read each node of a syntax tree: kept beside the tree, so that a tree put together from several
// sources (`let`) still knows which node came from which. Pure.
import type { Expr, SourceInfo } from '@bufbuild/cel-spec/cel/expr/syntax_pb.js';
import { childrenOf } from '../free.ts';

interface Position {
  readonly source: string;
  readonly offset: number;
}

const positions = new WeakMap<Expr, Position>();

export function keepPositions(root: Expr, info: SourceInfo | undefined, source: string): void {
  if (info === undefined) return;
  const stack = [root];
  for (let expr = stack.pop(); expr !== undefined; expr = stack.pop()) {
    const offset = info.positions[String(expr.id)];
    if (offset !== undefined) positions.set(expr, { source, offset });
    if (expr.exprKind.case === 'callExpr') {
      // `past` operators hide their pattern and variable from `childrenOf`; they have places all the same.
      if (expr.exprKind.value.target) stack.push(expr.exprKind.value.target);
      stack.push(...expr.exprKind.value.args);
    } else for (const child of childrenOf(expr)) stack.push(child.expr);
  }
}

/**
 * The parser's offset of a node in `source`; null for a node of another source. Names, literals, lists and maps: their
 * beginning; fields and methods: the dot before; functions: the bracket after; operators: the operator, or blanks before.
 */
export function offsetIn(source: string, expr: Expr): number | null {
  const position = positions.get(expr);
  return position?.source === source ? position.offset : null;
}
