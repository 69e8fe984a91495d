// Truth: && and || with CEL's absorption of errors, !, ?:, equality, `in`. Pure.

import { BOOL, comparable, join, showType } from '../schema/type.ts';
import { charge, roundsFor } from './budget.ts';
import { celEquals, isCelMap, mapGet } from './equals.ts';
import { problem, requireBool } from './report.ts';
import type { Compile, Compiled, Scope } from './scope.ts';
import type { Expr } from './tree.ts';
import { CelUint, celError, isCelError, type Value } from './value.ts';

/** Commutative: an error on one side gives way to a decisive value on the other (cel-spec, "Logical operators"). */
export function logic(args: readonly Expr[], scope: Scope, compile: Compile, decisive: boolean): Compiled {
  const [left, right] = args.map((arg) => requireBool(compile(arg, scope), arg, scope)) as [
    Compiled,
    Compiled,
  ];
  return {
    type: BOOL,
    eval: (frame) => {
      const a = left.eval(frame);
      if (a === decisive) return decisive;
      const b = right.eval(frame);
      if (b === decisive) return decisive;
      if (a === !decisive && b === !decisive) return !decisive;
      return isCelError(a)
        ? a
        : isCelError(b)
          ? b
          : celError('error', 'no such overload: && or || of no bool');
    },
  };
}

export function not(args: readonly Expr[], scope: Scope, compile: Compile): Compiled {
  const inner = requireBool(compile(args[0]!, scope), args[0]!, scope);
  return {
    type: BOOL,
    eval: (frame) => {
      const value = inner.eval(frame);
      if (typeof value === 'boolean') return !value;
      return isCelError(value) ? value : celError('error', 'no such overload: ! of no bool');
    },
  };
}

export function ternary(args: readonly Expr[], scope: Scope, compile: Compile): Compiled {
  const [test, yes, no] = args.map((arg) => compile(arg, scope)) as [Compiled, Compiled, Compiled];
  requireBool(test, args[0]!, scope);
  return {
    type: join(yes.type, no.type),
    eval: (frame) => {
      const value = test.eval(frame);
      if (value === true) return yes.eval(frame);
      if (value === false) return no.eval(frame);
      return isCelError(value)
        ? value
        : celError('error', 'no such overload: the condition of ?: is no bool');
    },
  };
}

export function equality(
  expr: Expr,
  args: readonly Expr[],
  scope: Scope,
  compile: Compile,
  negated: boolean,
): Compiled {
  const [left, right] = args.map((arg) => compile(arg, scope)) as [Compiled, Compiled];
  if (!comparable(left.type, right.type))
    problem(scope, expr, 'type', `${showType(left.type)} is never equal to ${showType(right.type)}`);
  const paid = scope.loops > 0;
  const [side, constant] = right.constant === undefined ? [right, left.constant] : [left, right.constant];
  const scalar = constant === undefined ? undefined : plainScalar(constant);
  if (scalar !== undefined) {
    return {
      type: BOOL,
      eval: (frame) => {
        const value = side.eval(frame);
        if (typeof value === typeof scalar) return (value === scalar) !== negated;
        return isCelError(value) ? value : celEquals(value, scalar) !== negated;
      },
    };
  }
  return {
    type: BOOL,
    eval: (frame) => {
      const a = left.eval(frame);
      if (isCelError(a)) return a;
      const b = right.eval(frame);
      if (isCelError(b)) return b;
      if (paid && typeof a === 'object' && typeof b === 'object') {
        const spent = charge(frame, Math.min(roundsFor(a), roundsFor(b)));
        if (spent !== null) return spent;
      }
      return celEquals(a, b) !== negated;
    },
  };
}

/** A literal that JavaScript compares as CEL does, whole numbers as the doubles that JSON has. */
function plainScalar(constant: Value): string | boolean | number | undefined {
  if (typeof constant === 'string' || typeof constant === 'boolean' || typeof constant === 'number')
    return constant;
  return safeNumber(constant) ?? undefined;
}

/** A numeric literal as a double, when that loses nothing. */
export function safeNumber(constant: Value | undefined): number | null {
  if (typeof constant === 'number') return constant;
  const whole = constant instanceof CelUint ? constant.value : constant;
  return typeof whole === 'bigint' && Number.isSafeInteger(Number(whole)) ? Number(whole) : null;
}

export function membership(expr: Expr, args: readonly Expr[], scope: Scope, compile: Compile): Compiled {
  const [item, container] = args.map((arg) => compile(arg, scope)) as [Compiled, Compiled];
  const { type } = container;
  if (type.t === 'list' && !comparable(item.type, type.of))
    problem(scope, expr, 'type', `${showType(item.type)} is never in a ${showType(type)}`);
  else if (type.t !== 'list' && type.t !== 'map' && type.t !== 'object' && type.t !== 'dyn')
    problem(scope, expr, 'type', `\`in\` looks into a list or a map, and this is ${showType(type)}`);
  const paid = scope.loops > 0;
  return {
    type: BOOL,
    eval: (frame) => {
      const value = item.eval(frame);
      if (isCelError(value)) return value;
      const within = container.eval(frame);
      if (isCelError(within)) return within;
      if (Array.isArray(within)) {
        const spent = paid
          ? charge(frame, typeof value === 'object' ? roundsFor(within) : within.length >> 4)
          : null;
        return spent ?? has(within as readonly Value[], value);
      }
      if (!isCelMap(within))
        return celError('error', 'no such overload: `in` something that is no list or map');
      return mapGet(within, value) !== undefined;
    },
  };
}

function has(list: readonly Value[], value: Value): boolean {
  if (typeof value === 'string') return list.includes(value);
  for (const element of list) if (celEquals(value, element)) return true;
  return false;
}
