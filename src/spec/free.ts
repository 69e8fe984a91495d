// Which variables a CEL expression reads, with `past` operators binding their own variable. Pure.
import type { Expr } from './cel/tree.ts';

/** `past.exists(...)` and its kin, also under `.within(...)`. */
export const PAST_OPERATORS = ['exists', 'none', 'count', 'sum', 'min', 'max', 'last', 'since'] as const;
export type PastOperator = (typeof PAST_OPERATORS)[number];

export interface PastCall {
  readonly operator: PastOperator;
  readonly args: readonly Expr[];
}

export function pastCall(expr: Expr): PastCall | null {
  if (expr.exprKind.case !== 'callExpr') return null;
  const { target, function: name, args } = expr.exprKind.value;
  if (target?.exprKind.case !== 'identExpr' || target.exprKind.value.name !== 'past') return null;
  return { operator: name as PastOperator, args };
}

/** `past.op(...)` with the `.within(...)` and `.of(...)` that follow it; null when `expr` is something else. */
export function narrowedPast(expr: Expr): {
  readonly past: Expr;
  readonly narrowings: readonly {
    readonly name: 'within' | 'of';
    readonly arg: Expr | undefined;
    readonly expr: Expr;
  }[];
} | null {
  const narrowings: { name: 'within' | 'of'; arg: Expr | undefined; expr: Expr }[] = [];
  let at: Expr | undefined = expr;
  while (at?.exprKind.case === 'callExpr' && pastCall(at) === null) {
    const {
      function: name,
      target,
      args,
    }: {
      readonly function: string;
      readonly target?: Expr | undefined;
      readonly args: readonly Expr[];
    } = at.exprKind.value;
    if (name !== 'within' && name !== 'of') return null;
    narrowings.unshift({ name, arg: args[0], expr: at });
    at = target;
  }
  return at !== undefined && pastCall(at) !== null ? { past: at, narrowings } : null;
}

export function identName(expr: Expr | undefined): string | null {
  return expr?.exprKind.case === 'identExpr' ? expr.exprKind.value.name : null;
}

export function stringConstant(expr: Expr | undefined): string | null {
  if (expr?.exprKind.case !== 'constExpr') return null;
  const { constantKind } = expr.exprKind.value;
  return constantKind.case === 'stringValue' ? constantKind.value : null;
}

/** `cel.bind(name, value, body)`. */
export function isBind(expr: Expr): boolean {
  if (expr.exprKind.case !== 'callExpr') return false;
  const { target, function: name, args } = expr.exprKind.value;
  return name === 'bind' && args.length === 3 && identName(target) === 'cel' && identName(args[0]) !== null;
}

/** Sub-expressions, each with the variables it binds for some of them. */
export function childrenOf(
  expr: Expr,
): readonly { readonly expr: Expr; readonly bound: readonly string[] }[] {
  const kind = expr.exprKind;
  const out: { expr: Expr; bound: readonly string[] }[] = [];
  const add = (child: Expr | undefined, bound: readonly string[] = []) => {
    if (child) out.push({ expr: child, bound });
  };
  switch (kind.case) {
    case 'selectExpr':
      add(kind.value.operand);
      break;
    case 'callExpr': {
      const past = pastCall(expr);
      if (isBind(expr)) {
        const [variable, value, body] = kind.value.args;
        add(value);
        add(body, [identName(variable) ?? '']);
        break;
      }
      if (past === null) {
        add(kind.value.target);
        for (const arg of kind.value.args) add(arg);
        break;
      }
      // past.op(pattern, v, cond[, value]) and past.since(pA, a, condA, pB, b, condB)
      const groups = past.operator === 'since' ? [past.args.slice(0, 3), past.args.slice(3)] : [past.args];
      for (const group of groups) {
        const variable = identName(group[1]);
        for (const arg of group.slice(2)) add(arg, variable === null ? [] : [variable]);
      }
      break;
    }
    case 'listExpr':
      for (const element of kind.value.elements) add(element);
      break;
    case 'structExpr':
      for (const entry of kind.value.entries) {
        if (entry.keyKind.case === 'mapKey') add(entry.keyKind.value);
        add(entry.value);
      }
      break;
    case 'comprehensionExpr': {
      const { iterVar, iterVar2, accuVar, iterRange, accuInit, loopCondition, loopStep, result } = kind.value;
      add(iterRange);
      add(accuInit);
      for (const inner of [loopCondition, loopStep, result]) add(inner, [iterVar, iterVar2, accuVar]);
      break;
    }
  }
  return out;
}

export function freeNames(
  expr: Expr,
  into = new Set<string>(),
  bound: ReadonlySet<string> = new Set(),
): Set<string> {
  const name = identName(expr);
  if (name !== null && !bound.has(name)) into.add(name);
  for (const child of childrenOf(expr)) {
    freeNames(child.expr, into, child.bound.length === 0 ? bound : new Set([...bound, ...child.bound]));
  }
  return into;
}

export function conjuncts(expr: Expr): Expr[] {
  if (expr.exprKind.case === 'callExpr' && expr.exprKind.value.function === '_&&_')
    return expr.exprKind.value.args.flatMap(conjuncts);
  return [expr];
}

/** Paths that `expr` selects from variable `name`; a path is empty when the variable is used whole. */
export function pathsFrom(name: string, expr: Expr, into: string[][] = []): string[][] {
  const path = selectPathOf(expr);
  if (path !== null && path.root === name) {
    into.push(path.fields);
    return into;
  }
  for (const child of childrenOf(expr)) if (!child.bound.includes(name)) pathsFrom(name, child.expr, into);
  return into;
}

function selectPathOf(expr: Expr): { root: string; fields: string[] } | null {
  const fields: string[] = [];
  let at: Expr | undefined = expr;
  while (at?.exprKind.case === 'selectExpr') {
    fields.unshift(at.exprKind.value.field);
    at = at.exprKind.value.operand;
  }
  const root = identName(at);
  return root === null ? null : { root, fields };
}

/** For each `past.last(...)` in the expression: the paths that are read of what it gives. */
export function lastPaths(
  expr: Expr,
  above: readonly string[] = [],
  into = new Map<Expr, string[][]>(),
): Map<Expr, string[][]> {
  const kind = expr.exprKind;
  if (kind.case === 'selectExpr' && kind.value.operand)
    return lastPaths(kind.value.operand, [kind.value.field, ...above], into);
  const narrowed = narrowedPast(expr);
  if (narrowed !== null && narrowed.narrowings.length > 0) {
    for (const { arg } of narrowed.narrowings) if (arg) lastPaths(arg, [], into);
    return lastPaths(narrowed.past, above, into);
  }
  const past = pastCall(expr);
  if (past?.operator === 'last') into.set(expr, [...(into.get(expr) ?? []), [...above]]);
  for (const child of childrenOf(expr)) lastPaths(child.expr, [], into);
  return into;
}

/** Changes the tree in place: puts what `change` gives in the place of every child; `more` are the variables that the parent binds for it. */
export function changeChildren(expr: Expr, change: (child: Expr, more: readonly string[]) => Expr): Expr {
  const kind = expr.exprKind;
  switch (kind.case) {
    case 'selectExpr':
      kind.value.operand = change(kind.value.operand!, []);
      break;
    case 'callExpr': {
      const past = pastCall(expr);
      if (isBind(expr)) {
        const [variable, value, body] = kind.value.args;
        kind.value.args = [variable!, change(value!, []), change(body!, [identName(variable) ?? ''])];
        break;
      }
      if (past === null && kind.value.target) kind.value.target = change(kind.value.target, []);
      const width = past?.operator === 'since' ? 3 : kind.value.args.length;
      kind.value.args = kind.value.args.map((arg, i) => {
        if (past === null) return change(arg, []);
        const place = i % width;
        if (place < 2) return arg;
        const variable = identName(kind.value.args[i - place + 1]);
        return change(arg, variable === null ? [] : [variable]);
      });
      break;
    }
    case 'listExpr':
      kind.value.elements = kind.value.elements.map((element) => change(element, []));
      break;
    case 'structExpr':
      for (const entry of kind.value.entries) {
        if (entry.keyKind.case === 'mapKey') entry.keyKind.value = change(entry.keyKind.value, []);
        if (entry.value) entry.value = change(entry.value, []);
      }
      break;
    case 'comprehensionExpr': {
      const c = kind.value;
      const more = [c.iterVar, c.iterVar2, c.accuVar];
      if (c.iterRange) c.iterRange = change(c.iterRange, []);
      if (c.accuInit) c.accuInit = change(c.accuInit, []);
      if (c.loopCondition) c.loopCondition = change(c.loopCondition, more);
      if (c.loopStep) c.loopStep = change(c.loopStep, more);
      if (c.result) c.result = change(c.result, more);
      break;
    }
  }
  return expr;
}

/** Whether the expression asks for history or origins. */
export function looksBack(expr: Expr): boolean {
  const call = expr.exprKind.case === 'callExpr' ? expr.exprKind.value : null;
  if (pastCall(expr) !== null || (call?.function === 'origin' && call.target === undefined)) return true;
  return childrenOf(expr).some((child) => looksBack(child.expr));
}
