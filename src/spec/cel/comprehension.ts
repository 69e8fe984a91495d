// Comprehensions (all, exists, exists_one, map, filter), as the parser expands them, with a budget of rounds. Pure.
import type { Expr, Expr_Comprehension } from '@bufbuild/cel-spec/cel/expr/syntax_pb.js';
import { DYN, type Type } from '../schema/type.ts';
import { BUDGET_SLOT } from './compile.ts';
import { entriesOf } from './equals.ts';
import type { Compiled, Scope } from './scope.ts';
import { celError, type Frame, isCelError, type Value } from './value.ts';

/** Rounds that one evaluation may take, nested ones counted. */
export const MAX_ROUNDS = 100_000;

export function compileComprehension(
  c: Expr_Comprehension,
  scope: Scope,
  compile: (expr: Expr, scope: Scope) => Compiled,
): Compiled {
  const range = compile(c.iterRange!, scope);
  const init = compile(c.accuInit!, scope);
  const item: Type =
    range.type.t === 'list'
      ? range.type.of
      : range.type.t === 'map' || range.type.t === 'object'
        ? { t: 'string' }
        : DYN;
  const builds = init.type.t === 'list';
  const withItem = scope.child(c.iterVar, item);
  const inner = withItem.child(c.accuVar, builds ? DYN : init.type);
  const itemSlot = withItem.slotOf(c.iterVar);
  const accuSlot = inner.slotOf(c.accuVar);
  const condition = compile(c.loopCondition!, inner);
  const build = builds ? builder(c, inner, compile) : null;
  const step = build === null ? compile(c.loopStep!, inner) : null;
  const result = compile(c.result!, inner);
  const type: Type = build === null ? result.type : { t: 'list', of: build.type };
  return {
    type,
    eval: (frame) => {
      const items = itemsOf(range.eval(frame));
      if (isCelError(items)) return items;
      const outerItem = frame[itemSlot] as Value;
      const outerAccu = frame[accuSlot] as Value;
      const value = loop(items as readonly Value[], frame);
      frame[itemSlot] = outerItem;
      frame[accuSlot] = outerAccu;
      return value;
    },
  };

  function loop(items: readonly Value[], frame: Frame): Value {
    const list: Value[] = [];
    frame[accuSlot] = build === null ? init.eval(frame) : list;
    for (const element of items) {
      const rounds = ((frame[BUDGET_SLOT] as number | null | undefined) ?? 0) + 1;
      frame[BUDGET_SLOT] = rounds;
      if (rounds > MAX_ROUNDS)
        return celError('error', `the expression takes more than ${MAX_ROUNDS} rounds`);
      frame[itemSlot] = element;
      if (build !== null) {
        const error = build.add(frame, list);
        if (error !== null) return error;
        continue;
      }
      if (condition.eval(frame) === false) break;
      frame[accuSlot] = step!.eval(frame);
    }
    return result.eval(frame);
  }
}

function itemsOf(range: Value): Value {
  if (isCelError(range) || Array.isArray(range)) return range;
  const entries = entriesOf(range);
  return entries === null
    ? celError('error', 'a comprehension runs over a list or a map')
    : entries.map(([key]) => key);
}

interface Builder {
  readonly type: Type;
  add(frame: Frame, list: Value[]): Value | null;
}

/** `map` and `filter` append one element a round: done in place, since nothing else sees the list grow. */
function builder(
  c: Expr_Comprehension,
  scope: Scope,
  compile: (expr: Expr, scope: Scope) => Compiled,
): Builder | null {
  const step = c.loopStep!;
  if (step.exprKind.case !== 'callExpr') return null;
  const { function: name, args } = step.exprKind.value;
  const conditional = name === '_?_:_';
  const append = conditional ? args[1] : step;
  const element = appended(append, c.accuVar);
  if (element === null) return null;
  const test = conditional ? compile(args[0]!, scope) : null;
  const value = compile(element, scope);
  return {
    type: value.type,
    add(frame, list) {
      if (test !== null) {
        const passes = test.eval(frame);
        if (passes === false) return null;
        if (passes !== true)
          return isCelError(passes) ? passes : celError('error', 'a filter condition is no bool');
      }
      const item = value.eval(frame);
      if (isCelError(item)) return item;
      list.push(item);
      return null;
    },
  };
}

function appended(expr: Expr | undefined, accu: string): Expr | null {
  if (expr?.exprKind.case !== 'callExpr' || expr.exprKind.value.function !== '_+_') return null;
  const [left, right] = expr.exprKind.value.args;
  if (left?.exprKind.case !== 'identExpr' || left.exprKind.value.name !== accu) return null;
  return right?.exprKind.case === 'listExpr' && right.exprKind.value.elements.length === 1
    ? right.exprKind.value.elements[0]!
    : null;
}
