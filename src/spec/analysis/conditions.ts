// A rule's expressions as formulas: names written out, what the place makes constant folded away. Pure.

import { BUDGET_SLOT, compileExpr, Scope } from '../cel/compile.ts';
import { parseCel } from '../cel/parse.ts';
import type { Expr } from '../cel/tree.ts';
import type { Value } from '../cel/value.ts';
import type { Expression, RuleClause } from '../document.ts';
import { ENGINES } from '../engines/all.ts';
import { changeChildren, freeNames, identName } from '../free.ts';
import { expandLets } from '../let.ts';
import { FIRST_LOCAL } from '../run.ts';
import { VARIABLES } from '../scope.ts';
import { atomOf, hasLoop, shapeOf } from './atom.ts';
import { all, type Formula, literal, NO, some, YES } from './formula.ts';
import type { Place } from './reach.ts';

/** The tree of an expression with every `let` name written out; null when it does not parse. */
export function treeOf(rule: Pick<RuleClause, 'lets'>, expression: Expression): Expr | null {
  const parsed = parseCel(expression.text);
  return 'problem' in parsed ? null : expandLets(parsed.expr, rule.lets);
}

/** What an opaque part of a rule means, as text that is equal for equal meaning. */
export function textOf(rule: Pick<RuleClause, 'lets'>, expression: Expression | null): string | null {
  if (expression === null) return null;
  const tree = treeOf(rule, expression);
  return tree === null ? expression.text : shapeOf(tree);
}

/** Reads the conditions of one rule at one place. Conditions that loop share one budget, in their order. */
export class Conditions {
  readonly #rule: RuleClause;
  readonly #place: Place;
  #loops = 0;

  constructor(rule: RuleClause, place: Place) {
    this.#rule = rule;
    this.#place = place;
  }

  /** That the expression is not false; with `negated`, that it is not true. */
  notFalse(expression: Expression, negated: boolean): Formula {
    const tree = treeOf(this.#rule, expression);
    if (tree === null) return literal({ t: 'whole', term: `text ${expression.text}` }, negated);
    return this.#walk(this.#known(tree), negated);
  }

  #walk(expr: Expr, negated: boolean): Formula {
    const call = expr.exprKind.case === 'callExpr' ? expr.exprKind.value : null;
    if (call?.function === '!_') return this.#walk(call.args[0]!, !negated);
    if (call?.function === '_&&_' || call?.function === '_||_') {
      const parts = call.args.map((arg) => this.#walk(arg, negated));
      return (call.function === '_&&_') === negated ? some(parts) : all(parts);
    }
    const constant = constantOf(expr);
    if (constant !== undefined) return constant === null || constant !== negated ? YES : NO;
    const { atom, negated: opposite } = atomOf(expr);
    // Only the first that loops has the whole budget, in whatever rule it stands.
    const term =
      hasLoop(expr) && this.#loops++ > 0 ? `${this.#rule.id} ${this.#loops} ${atom.term}` : atom.term;
    return literal({ ...atom, term }, negated !== opposite);
  }

  /** Puts what the place says for `name`, `kind` and the fields of `tool`. Changes the tree in place. */
  #known(expr: Expr, bound: ReadonlySet<string> = NOTHING): Expr {
    const { kind, name, tool } = this.#place;
    const ident = identName(expr);
    if (ident !== null && !bound.has(ident)) {
      if (ident === 'kind') return constantExpr(expr, kind);
      if (ident === 'name' && name !== null) return constantExpr(expr, name);
    }
    const field =
      expr.exprKind.case === 'selectExpr' &&
      !expr.exprKind.value.testOnly &&
      identName(expr.exprKind.value.operand) === 'tool' &&
      !bound.has('tool')
        ? expr.exprKind.value.field
        : null;
    if (field !== null && tool !== null) {
      if (field === 'effect') return constantExpr(expr, tool.effect);
      if (field === 'reversible') return constantExpr(expr, tool.reversible);
      if (field === 'declared') return constantExpr(expr, true);
      if (field === 'trust') return constantExpr(expr, tool.trust);
    }
    return changeChildren(expr, (child, more) =>
      this.#known(child, more.length === 0 ? bound : new Set([...bound, ...more])),
    );
  }
}

const NOTHING: ReadonlySet<string> = new Set();
const LOOKS_OUT: ReadonlySet<string> = new Set(['past', 'origin', ...VARIABLES]);

function constantExpr(at: Expr, value: string | boolean): Expr {
  const constantKind =
    typeof value === 'string'
      ? ({ case: 'stringValue', value } as const)
      : ({ case: 'boolValue', value } as const);
  return {
    ...at,
    exprKind: { case: 'constExpr', value: { constantKind } },
  };
}

/** The value of an expression that reads nothing: a truth value, null when it is neither, undefined when it reads something. */
function constantOf(expr: Expr): boolean | null | undefined {
  if ([...freeNames(expr)].some((name) => LOOKS_OUT.has(name))) return undefined;
  let next = FIRST_LOCAL;
  let closed = true;
  const scope = Scope.root(
    {
      engines: ENGINES,
      nextSlot: () => next++,
      problem: () => {
        closed = false;
      },
    },
    {},
  );
  const compiled = compileExpr(expr, scope);
  if (!closed) return undefined;
  const frame: Value[] = new Array<Value>(next).fill(null);
  frame[BUDGET_SLOT] = 0;
  const value = compiled.eval(frame);
  // What runs out of budget here might not elsewhere.
  if (hasLoop(expr) && typeof value !== 'boolean') return undefined;
  return typeof value === 'boolean' ? value : null;
}

/** Whether evaluating the expression may spend what a later one then lacks. */
export function loops(rule: RuleClause, expression: Expression | null): boolean {
  const tree = expression === null ? null : treeOf(rule, expression);
  return tree !== null && hasLoop(tree);
}
