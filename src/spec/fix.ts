// Machine-readable repairs, derived from a rule's condition: the call that is missing, with its arguments; the bound an
// argument must keep; the values it may have. Only a condition that does not hold now offers one. Pure.

import type { Json } from '../step/types.ts';
import type { Compiled, Scope } from './cel/compile.ts';
import type { Expr } from './cel/tree.ts';
import { isCelError, type Value } from './cel/value.ts';
import { childrenOf, conjuncts, freeNames, identName, pastCall, stringConstant } from './free.ts';
import { parsePattern } from './pattern.ts';
import type { Fix } from './terms.ts';
import { addDecimal, type Evaluate } from './view.ts';

/** Answers what would mend the condition on the step in the frame. */
export type Fixer = (frame: Value[]) => readonly Fix[];

type Compile = (expr: Expr, scope: Scope) => Compiled;

const MAX_FIXES = 8;

/** For `require: EXPR`. Conditions joined by `||` offer nothing: which side to mend is the agent's choice. */
export function compileFixes(expr: Expr, scope: Scope, compile: Compile): Fixer {
  const fixers = conjuncts(expr).flatMap((part) => {
    const own = fixersOf(part, scope, compile);
    if (own.length === 0) return [];
    const holds = compile(part, scope).eval;
    return [(frame: Value[]) => (holds(frame) === true ? [] : own.flatMap((fix) => fix(frame)))];
  });
  return (frame) => fixers.flatMap((fix) => fix(frame)).slice(0, MAX_FIXES);
}

function fixersOf(part: Expr, scope: Scope, compile: Compile): Fixer[] {
  const comparison = comparisonFix(part, scope, compile);
  return [...missingSteps(part, scope, compile), ...(comparison === null ? [] : [comparison])];
}

/** `past.exists(...)` and `past.last(...)` that find nothing: the step to take first. */
function missingSteps(expr: Expr, scope: Scope, compile: Compile): Fixer[] {
  const past = pastCall(expr);
  if (past === null) {
    const logic =
      expr.exprKind.case === 'callExpr' && ['_||_', '!_', '_?_:_'].includes(expr.exprKind.value.function);
    return logic
      ? []
      : childrenOf(expr).flatMap((child) =>
          child.bound.length > 0 ? [] : missingSteps(child.expr, scope, compile),
        );
  }
  const pattern = parsePattern(stringConstant(past.args[0]) ?? '');
  if ((past.operator !== 'exists' && past.operator !== 'last') || !('pattern' in pattern)) return [];
  const { kind, name } = pattern.pattern;
  if ((kind !== 'tool.call' && kind !== 'tool.result') || name.t !== 'glob' || name.glob.includes('*'))
    return [];
  const variable = identName(past.args[1]);
  const given =
    variable === null || !past.args[2] ? [] : joinedArguments(past.args[2], variable, scope, compile);
  const found = compile(expr, scope).eval;
  return [
    (frame) => {
      const value = found(frame);
      const missing =
        past.operator === 'exists' ? value === false : isCelError(value) && value.code === 'absent';
      if (!missing) return [];
      const args: Record<string, Json> = {};
      for (const { field, now } of given) {
        const json = jsonOf(now(frame));
        if (json !== undefined) args[field] = json;
      }
      return [{ t: 'call-first', tool: name.glob, args }];
    },
  ];
}

/** `e.args.customer_id == args.customer_id`: what the missing call's argument must be. */
function joinedArguments(
  condition: Expr,
  variable: string,
  scope: Scope,
  compile: Compile,
): { field: string; now: Evaluate }[] {
  return conjuncts(condition).flatMap((part) => {
    if (part.exprKind.case !== 'callExpr' || part.exprKind.value.function !== '_==_') return [];
    const [left, right] = part.exprKind.value.args as [Expr, Expr];
    for (const [then, now] of [
      [left, right],
      [right, left],
    ] as const) {
      const path = pathOf(then);
      if (path?.root !== variable || path.fields.length !== 2 || path.fields[0] !== 'args') continue;
      if (freeNames(now).has(variable)) continue;
      return [{ field: path.fields[1]!, now: compile(now, scope).eval }];
    }
    return [];
  });
}

const MIRROR: Readonly<Record<string, string>> = {
  '_<=_': '_>=_',
  '_>=_': '_<=_',
  '_<_': '_>_',
  '_>_': '_<_',
  '_==_': '_==_',
};

/** `args.amount <= LIMIT`, `TOTAL >= args.amount + REST`, `args.kind in [...]`, `args.to == X`. */
function comparisonFix(part: Expr, scope: Scope, compile: Compile): Fixer | null {
  if (part.exprKind.case !== 'callExpr') return null;
  const { function: name, args } = part.exprKind.value;
  const [left, right] = args as [Expr, Expr];
  if (name === '@in' || name === '_in_') {
    const path = argumentPath(left);
    const list = compile(right, scope).eval;
    return path === null ? null : (frame) => oneOf(path, list(frame));
  }
  if (!Object.hasOwn(MIRROR, name)) return null;
  const asLeft = boundOf(left, right, name, scope, compile);
  return asLeft ?? boundOf(right, left, MIRROR[name]!, scope, compile);
}

function boundOf(side: Expr, other: Expr, operator: string, scope: Scope, compile: Compile): Fixer | null {
  const term = argumentTerm(side);
  if (term === null) return null;
  const limit = compile(other, scope).eval;
  const rest = term.rest === null ? null : compile(term.rest, scope).eval;
  const { path } = term;
  return (frame) => {
    const bound = limit(frame);
    if (operator === '_==_') return rest === null ? oneOf(path, isCelError(bound) ? bound : [bound]) : [];
    const more = rest === null ? 0 : rest(frame);
    const value = typeof bound === 'bigint' ? Number(bound) : bound;
    const taken = typeof more === 'bigint' ? Number(more) : more;
    if (typeof value !== 'number' || typeof taken !== 'number') return [];
    const exclusive = operator === '_<_' || operator === '_>_';
    const t = operator === '_<=_' || operator === '_<_' ? 'at-most' : 'at-least';
    return [{ t, path, value: addDecimal(value, -taken), exclusive }];
  };
}

/** `args.x`, or a sum of `args.x` and something else. */
function argumentTerm(expr: Expr): { path: string; rest: Expr | null } | null {
  const path = argumentPath(expr);
  if (path !== null) return { path, rest: null };
  if (expr.exprKind.case !== 'callExpr' || expr.exprKind.value.function !== '_+_') return null;
  const [left, right] = expr.exprKind.value.args as [Expr, Expr];
  const first = argumentPath(left);
  if (first !== null) return { path: first, rest: right };
  const second = argumentPath(right);
  return second === null ? null : { path: second, rest: left };
}

function argumentPath(expr: Expr): string | null {
  const path = pathOf(expr);
  return path?.root === 'args' && path.fields.length > 0 ? `args.${path.fields.join('.')}` : null;
}

function pathOf(expr: Expr): { root: string; fields: string[] } | null {
  const fields: string[] = [];
  let at: Expr | undefined = expr;
  while (at?.exprKind.case === 'selectExpr' && !at.exprKind.value.testOnly) {
    fields.unshift(at.exprKind.value.field);
    at = at.exprKind.value.operand;
  }
  const root = identName(at);
  return root === null ? null : { root, fields };
}

function oneOf(path: string, list: Value): readonly Fix[] {
  if (!Array.isArray(list)) return [];
  const values = list.map((item) => jsonOf(item as Value)).filter((item) => item !== undefined);
  return values.length === 0 ? [] : [{ t: 'one-of', path, values }];
}

function jsonOf(value: Value): Json | undefined {
  if (typeof value === 'bigint') return Number(value);
  return value === null || ['string', 'number', 'boolean'].includes(typeof value)
    ? (value as Json)
    : undefined;
}

/** A fix in words, for a rule whose author wrote no repair. */
export function fixText(fix: Fix): string {
  switch (fix.t) {
    case 'call-first': {
      const args = Object.entries(fix.args).map(([name, value]) => `${name} ${JSON.stringify(value)}`);
      return `Call ${fix.tool}${args.length === 0 ? '' : ` with ${args.join(', ')}`} first.`;
    }
    case 'at-most':
      return `${fix.path} may be ${fix.exclusive ? 'less than' : 'at most'} ${fix.value}.`;
    case 'at-least':
      return `${fix.path} must be ${fix.exclusive ? 'more than' : 'at least'} ${fix.value}.`;
    case 'one-of':
      return `${fix.path} must be ${fix.values.length === 1 ? '' : 'one of '}${fix.values.map((value) => JSON.stringify(value)).join(', ')}.`;
    case 'run-check': {
      const about = fix.subject === null ? '' : ` of ${JSON.stringify(fix.subject)}`;
      return `Have the check ${fix.check}${about} made, and pass, first.`;
    }
    case 'approval':
      return `Needs the approval of ${fix.by.join(' or ')}.`;
  }
}
