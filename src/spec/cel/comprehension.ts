// Comprehensions (all, exists, exists_one, map, filter), as the parser expands them, with a budget of rounds. Pure.

import { BOOL, DYN, showType, type Type } from '../schema/type.ts';
import { charge } from './budget.ts';
import { problem, requireBool } from './report.ts';
import type { Compile, Compiled, Scope } from './scope.ts';
import type { Comprehension, Expr } from './tree.ts';
import { celError, type Frame, isCelError, isCelObject, type Value } from './value.ts';

/** What is done for one element: null to go on, or the value of the whole. */
type Round = (frame: Frame) => Value | null;

/** A loop, made ready for each evaluation: `start` gives the rounds, `end` the value when none of them ended it. */
interface Loop {
  readonly type: Type;
  start(frame: Frame): { readonly round: Round; readonly end: (frame: Frame) => Value };
}

export function compileComprehension(c: Comprehension, scope: Scope, compile: Compile): Compiled {
  const range = compile(c.iterRange!, scope);
  const item = itemType(range.type);
  if (item === null)
    problem(scope, c.iterRange!, 'type', `this runs over a list or a map, and it is ${showType(range.type)}`);
  const inner = scope.loop(c.iterVar, item ?? DYN);
  const slot = inner.slotOf(c.iterVar);
  const loop =
    quantifier(c, inner, compile) ?? builder(c, inner, compile) ?? folding(c, scope, inner, compile);
  return {
    type: loop.type,
    eval: (frame) => {
      const items = itemsOf(range.eval(frame));
      if (isCelError(items)) return items;
      const { round, end } = loop.start(frame);
      for (const element of items as readonly Value[]) {
        const spent = charge(frame, 1);
        if (spent !== null) return spent;
        frame[slot] = element;
        const value = round(frame);
        if (value !== null) return value;
      }
      return end(frame);
    },
  };
}

function itemType(range: Type): Type | null {
  switch (range.t) {
    case 'list':
      return range.of;
    case 'map':
    case 'dyn':
      return DYN;
    case 'object':
      return { t: 'string' };
    default:
      return null;
  }
}

function itemsOf(range: Value): Value {
  if (isCelError(range) || Array.isArray(range)) return range;
  if (range instanceof Map) return [...(range as ReadonlyMap<Value, Value>).keys()];
  return isCelObject(range)
    ? Object.keys(range)
    : celError('error', 'a comprehension runs over a list or a map');
}

/** `all` and `exists`: one decisive element ends the loop; an error counts only when none is. */
function quantifier(c: Comprehension, scope: Scope, compile: Compile): Loop | null {
  const init = c.accuInit!.exprKind;
  if (init.case !== 'constExpr' || init.value.constantKind.case !== 'boolValue') return null;
  const isAll = init.value.constantKind.value;
  const condition = secondOf(c.loopStep!, isAll ? '_&&_' : '_||_', c.accuVar);
  if (condition === null || !isName(c.result!, c.accuVar)) return null;
  const test = requireBool(compile(condition, scope), condition, scope).eval;
  return {
    type: BOOL,
    start() {
      let error: Value | null = null;
      return {
        round(frame) {
          const value = test(frame);
          if (value === isAll) return null;
          if (value === !isAll) return value;
          error ??= isCelError(value) ? value : celError('error', 'no such overload: && or || of no bool');
          return null;
        },
        end: () => error ?? isAll,
      };
    },
  };
}

/** `map` and `filter` append one element a round: done in place, since nothing else sees the list grow. */
function builder(c: Comprehension, scope: Scope, compile: Compile): Loop | null {
  if (c.accuInit!.exprKind.case !== 'listExpr' || !isName(c.result!, c.accuVar)) return null;
  const step = c.loopStep!.exprKind;
  const conditional = step.case === 'callExpr' && step.value.function === '_?_:_' ? step.value.args : null;
  const appended = secondOf(conditional?.[1] ?? c.loopStep!, '_+_', c.accuVar);
  if (appended?.exprKind.case !== 'listExpr' || appended.exprKind.value.elements.length !== 1) return null;
  const test =
    conditional === null ? null : requireBool(compile(conditional[0]!, scope), conditional[0]!, scope);
  const value = compile(appended.exprKind.value.elements[0]!, scope);
  return {
    type: { t: 'list', of: value.type },
    start() {
      const list: Value[] = [];
      return {
        round(frame) {
          const passes = test === null || test.eval(frame);
          if (passes === false) return null;
          if (passes !== true)
            return isCelError(passes) ? passes : celError('error', 'a filter condition is no bool');
          const item = value.eval(frame);
          if (isCelError(item)) return item;
          list.push(item);
          return null;
        },
        end: () => list,
      };
    },
  };
}

/** Any other comprehension (`exists_one`), by the definition of one: an accumulator that a step changes. */
function folding(c: Comprehension, outer: Scope, scope: Scope, compile: Compile): Loop {
  const init = compile(c.accuInit!, outer);
  const inner = scope.child(c.accuVar, init.type);
  const slot = inner.slotOf(c.accuVar);
  const condition = compile(c.loopCondition!, inner).eval;
  const step = compile(c.loopStep!, inner).eval;
  const result = compile(c.result!, inner);
  return {
    type: result.type,
    start(frame) {
      frame[slot] = init.eval(frame);
      return {
        round(frame) {
          if (condition(frame) === false) return result.eval(frame);
          frame[slot] = step(frame);
          return null;
        },
        end: result.eval,
      };
    },
  };
}

/** The other side of `accumulator operator side`. */
function secondOf(expr: Expr, operator: string, accumulator: string): Expr | null {
  if (expr.exprKind.case !== 'callExpr' || expr.exprKind.value.function !== operator) return null;
  const [left, right] = expr.exprKind.value.args;
  return left !== undefined && right !== undefined && isName(left, accumulator) ? right : null;
}

function isName(expr: Expr, name: string): boolean {
  return expr.exprKind.case === 'identExpr' && expr.exprKind.value.name === name;
}
