// `let`: names for expressions that several rules share. A name stands for its expression: it is put in its place before
// anything is compiled, so that a use means exactly what the written-out expression would. Pure.

import { parseCel } from './cel/parse.ts';
import type { Expr } from './cel/tree.ts';
import type { Expression } from './document.ts';
import { changeChildren, freeNames, identName } from './free.ts';

export interface Let {
  readonly name: string;
  readonly expression: Expression;
}

/** Nodes one expression may grow to: names inside names could double it each time. */
const MAX_NODES = 5_000;

/** The expression with every name of `lets` replaced; null when it grows past the limit. Changes the tree in place. */
export function expandLets(root: Expr, lets: readonly Let[]): Expr | null {
  if (lets.length === 0) return root;
  let nodes = 0;
  const byName = new Map(lets.map((item) => [item.name, item.expression.text]));
  const expand = (expr: Expr, within: readonly string[], bound: ReadonlySet<string>): Expr => {
    if (++nodes > MAX_NODES) return expr;
    const name = identName(expr);
    const text = name === null || bound.has(name) ? undefined : byName.get(name);
    if (name !== null && text !== undefined && !within.includes(name)) {
      const parsed = parseCel(text);
      // Problems of its own, and circles, are reported at the `let`.
      return 'problem' in parsed ? expr : expand(parsed.expr, [...within, name], NOTHING);
    }
    return changeChildren(expr, (child, more) =>
      expand(child, within, more.length === 0 ? bound : new Set([...bound, ...more])),
    );
  };
  const expanded = expand(root, NO_NAMES, NOTHING);
  return nodes > MAX_NODES ? null : expanded;
}

const NOTHING: ReadonlySet<string> = new Set();
const NO_NAMES: readonly string[] = [];

/** Names that stand for themselves, each circle once: the names on the way round. */
export function circlesOf(lets: readonly Let[]): string[][] {
  const uses = new Map<string, string[]>();
  for (const { name, expression } of lets) {
    const parsed = parseCel(expression.text);
    const free = 'problem' in parsed ? [] : [...freeNames(parsed.expr)];
    uses.set(
      name,
      free.filter((used) => lets.some((item) => item.name === used)),
    );
  }
  const circles: string[][] = [];
  const settled = new Set<string>();
  const visit = (name: string, path: readonly string[]): void => {
    const at = path.indexOf(name);
    if (at >= 0) circles.push(path.slice(at));
    if (at >= 0 || settled.has(name)) return;
    for (const used of uses.get(name) ?? []) visit(used, [...path, name]);
    settled.add(name);
  };
  for (const { name } of lets) visit(name, []);
  return circles;
}
