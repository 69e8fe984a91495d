// <, <=, >, >= and + - * / %: typed as far as they are known, with the numbers of JSON on a path of their own. Pure.

import { BOOL, comparable, DYN, isNumeric, join, NUMBER, showType, type Type } from '../schema/type.ts';
import { arithmetic, compare, negate, type Operator } from './arithmetic.ts';
import { charge, roundsForCall } from './budget.ts';
import { safeNumber } from './logic.ts';
import { problem } from './report.ts';
import type { Compile, Compiled, Scope } from './scope.ts';
import type { Expr } from './tree.ts';
import { celError, type Frame, isCelError, type Value } from './value.ts';

type Order = '<' | '<=' | '>' | '>=';

const ORDERED = new Set([
  'dyn',
  'number',
  'int',
  'uint',
  'double',
  'string',
  'bool',
  'bytes',
  'timestamp',
  'duration',
]);

const HOLDS: Readonly<Record<Order, (a: number, b: number) => boolean>> = {
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
};

export function ordering(
  expr: Expr,
  symbol: Order,
  args: readonly Expr[],
  scope: Scope,
  compile: Compile,
): Compiled {
  const [left, right] = args.map((arg) => compile(arg, scope)) as [Compiled, Compiled];
  const [a, b] = [left.type, right.type];
  if (!ORDERED.has(a.t) || !ORDERED.has(b.t) || !comparable(a, b))
    problem(scope, expr, 'type', `${showType(a)} has no order with ${showType(b)}`);
  const limit = safeNumber(right.constant);
  const run = limit === null ? between(symbol, left, right) : withLimit(symbol, left, limit);
  return { type: BOOL, eval: run };
}

/** One closure for each operator, so that the engine sees one comparison in each. */
function withLimit(symbol: Order, left: Compiled, limit: number): (frame: Frame) => Value {
  const { eval: read, count } = left;
  const holds = HOLDS[symbol];
  if (count !== undefined) {
    return (frame) => {
      const value = count(frame);
      return typeof value === 'number' ? holds(value, limit) : value;
    };
  }
  const other = (value: Value) => ordered(symbol, value, limit);
  switch (symbol) {
    case '<':
      return (frame) => {
        const value = read(frame);
        return typeof value === 'number' ? value < limit : other(value);
      };
    case '<=':
      return (frame) => {
        const value = read(frame);
        return typeof value === 'number' ? value <= limit : other(value);
      };
    case '>':
      return (frame) => {
        const value = read(frame);
        return typeof value === 'number' ? value > limit : other(value);
      };
    case '>=':
      return (frame) => {
        const value = read(frame);
        return typeof value === 'number' ? value >= limit : other(value);
      };
  }
}

function between(symbol: Order, left: Compiled, right: Compiled): (frame: Frame) => Value {
  const holds = HOLDS[symbol];
  return (frame) => {
    const a = left.eval(frame);
    const b = right.eval(frame);
    return typeof a === 'number' && typeof b === 'number' ? holds(a, b) : ordered(symbol, a, b);
  };
}

function ordered(symbol: Order, a: Value, b: Value): Value {
  if (isCelError(a)) return a;
  if (isCelError(b)) return b;
  const order = compare(a, b);
  return order === null
    ? celError('error', 'no such overload: the two have no order')
    : HOLDS[symbol](order, 0);
}

const OPERANDS: Readonly<Record<Operator, ReadonlySet<string>>> = {
  '+': new Set(['string', 'bytes', 'list', 'timestamp', 'duration']),
  '-': new Set(['timestamp', 'duration']),
  '*': new Set(),
  '/': new Set(),
  '%': new Set(),
};

export function binary(
  expr: Expr,
  symbol: Operator,
  args: readonly Expr[],
  scope: Scope,
  compile: Compile,
): Compiled {
  const [left, right] = args.map((arg) => compile(arg, scope)) as [Compiled, Compiled];
  const type = resultType(symbol, left.type, right.type);
  if (type === null) {
    const [a, b] = [showType(left.type), showType(right.type)];
    const mend = isNumeric(left.type) && isNumeric(right.type) ? '; convert one with int() or double()' : '';
    problem(scope, expr, 'type', `\`${symbol}\` is not for ${a === b ? a : `${a} and ${b}`}${mend}`);
  }
  const json = [left, right].some((side) => side.type.t === 'dyn' || side.type.t === 'number');
  const paid = scope.loops > 0 && symbol === '+' && !isNumeric(left.type) && !isNumeric(right.type);
  return {
    type: type ?? DYN,
    eval: (frame) => {
      const a = left.eval(frame);
      const b = right.eval(frame);
      if (paid && typeof a !== 'number') {
        const spent = charge(frame, roundsForCall([a, b], false));
        if (spent !== null) return spent;
      }
      return arithmetic(symbol, a, b, json);
    },
  };
}

/** Null when no values of the two types go together. */
function resultType(symbol: Operator, a: Type, b: Type): Type | null {
  const fits = (type: Type) => type.t === 'dyn' || isNumeric(type) || OPERANDS[symbol].has(type.t);
  if (!fits(a) || !fits(b)) return null;
  if (a.t === 'dyn' || b.t === 'dyn') return DYN;
  if (isNumeric(a) || isNumeric(b)) {
    if (!isNumeric(a) || !isNumeric(b)) return null;
    if (a.t === 'number' || b.t === 'number') return NUMBER;
    return a.t === b.t && (symbol !== '%' || a.t !== 'double') ? a : null;
  }
  if (a.t === 'timestamp' || b.t === 'timestamp') {
    if (a.t === b.t) return symbol === '-' ? { t: 'duration' } : null;
    const isShift = a.t === 'duration' ? symbol === '+' : b.t === 'duration';
    return isShift ? { t: 'timestamp' } : null;
  }
  return a.t === b.t ? join(a, b) : null;
}

export function negation(expr: Expr, args: readonly Expr[], scope: Scope, compile: Compile): Compiled {
  const inner = compile(args[0]!, scope);
  const { t } = inner.type;
  if (t !== 'dyn' && t !== 'duration' && (!isNumeric(inner.type) || t === 'uint'))
    problem(scope, expr, 'type', `\`-\` is not for ${showType(inner.type)}`);
  return { type: inner.type, eval: (frame) => negate(inner.eval(frame)) };
}
