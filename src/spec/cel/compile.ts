// Compiles a CEL syntax tree to closures over a frame, checking types as far as they are known. No eval, no Function.
// The meaning is that of google/cel-spec, held to its conformance suite; extensions: docs/decisions/001. Pure.
import type { Constant, Expr } from '@bufbuild/cel-spec/cel/expr/syntax_pb.js';
import { nearest } from '../../step/nearest.ts';
import { BOOL, comparable, DYN, INT, isNumeric, join, STRING, showType, type Type } from '../schema/type.ts';
import { arithmetic, compare, negate, type Operator } from './arithmetic.ts';
import { compileComprehension } from './comprehension.ts';
import { celEquals, entriesOf, mapGet } from './equals.ts';
import { type CelFunction, FUNCTIONS, METHODS } from './functions.ts';
import { compilePattern } from './pattern.ts';
import type { CelProblem, Compiled, Scope } from './scope.ts';
import {
  CelError,
  CelType,
  CelUint,
  celAbsent,
  celError,
  type Frame,
  isCelError,
  isCelObject,
  type Value,
} from './value.ts';

export { type Compiled, Scope, type ScopeHost } from './scope.ts';

/** Frame slot that counts comprehension rounds; the host sets it to 0 before each evaluation. */
export const BUDGET_SLOT = 15;

const TYPE_NAMES = ['bool', 'int', 'uint', 'double', 'string', 'bytes', 'list', 'map', 'null_type', 'type'];
const LONG_TYPE_NAMES = ['google.protobuf.Timestamp', 'google.protobuf.Duration'];
const NAMESPACES = ['math', 'cel'];

export function compileExpr(expr: Expr, scope: Scope): Compiled {
  const kind = expr.exprKind;
  switch (kind.case) {
    case 'constExpr':
      return constant(kind.value);
    case 'identExpr':
      return ident(expr, kind.value.name, scope);
    case 'selectExpr':
      return select(expr, kind.value.operand!, kind.value.field, kind.value.testOnly, scope);
    case 'callExpr':
      return call(expr, scope);
    case 'listExpr': {
      const elements = kind.value.elements.map((element) => compileExpr(element, scope));
      const of = elements.length === 0 ? DYN : elements.map((element) => element.type).reduce(join);
      const literal = elements.every((element) => element.constant !== undefined)
        ? elements.map((element) => element.constant!)
        : undefined;
      if (literal !== undefined) return { type: { t: 'list', of }, eval: () => literal };
      return { type: { t: 'list', of }, eval: (frame) => evaluateAll(elements, frame) };
    }
    case 'structExpr':
      return struct(expr, scope);
    case 'comprehensionExpr':
      return compileComprehension(kind.value, scope, compileExpr);
    default:
      return unsupported(expr, scope, 'this form of expression');
  }
}

function evaluateAll(parts: readonly Compiled[], frame: Frame): Value {
  const values: Value[] = [];
  for (const part of parts) {
    const value = part.eval(frame);
    if (isCelError(value)) return value;
    values.push(value);
  }
  return values;
}

export function problem(
  scope: Scope,
  expr: Expr,
  code: CelProblem['code'],
  message: string,
  extra: { word?: string; suggestion?: string | null; severity?: 'warning' } = {},
): Compiled {
  scope.host.problem({
    code,
    severity: extra.severity ?? 'error',
    message,
    expr,
    ...(extra.word === undefined ? {} : { word: extra.word }),
    ...(extra.suggestion ? { suggestion: extra.suggestion } : {}),
  });
  return { type: DYN, eval: () => celError('error', message) };
}

function unsupported(expr: Expr, scope: Scope, what: string): Compiled {
  return problem(scope, expr, 'unsupported', `${what} is not part of the spec language`);
}

function constant(value: Constant): Compiled {
  const kind = value.constantKind;
  const of = (type: Type, constantValue: Value): Compiled => ({
    type,
    constant: constantValue,
    eval: () => constantValue,
  });
  switch (kind.case) {
    case 'boolValue':
      return of(BOOL, kind.value);
    case 'int64Value':
      return of(INT, kind.value);
    case 'uint64Value':
      return of({ t: 'uint' }, new CelUint(kind.value));
    case 'doubleValue':
      return of({ t: 'double' }, kind.value);
    case 'stringValue':
      return of(STRING, kind.value);
    case 'bytesValue':
      return of({ t: 'bytes' }, kind.value);
    default:
      return of({ t: 'null' }, null);
  }
}

function ident(expr: Expr, name: string, scope: Scope): Compiled {
  const plainName = name.startsWith('.') ? name.slice(1) : name;
  const variable = scope.find(plainName);
  if (variable !== null) {
    const { slot, type } = variable;
    return { type, eval: (frame) => frame[slot] as Value };
  }
  if (TYPE_NAMES.includes(plainName)) {
    const type = new CelType(plainName);
    return { type: { t: 'type' }, eval: () => type, constant: type };
  }
  const names = scope.names();
  return problem(
    scope,
    expr,
    'unknown-name',
    `no variable \`${plainName}\`; there are ${[...new Set(names)].join(', ')}`,
    { word: plainName, suggestion: nearest(plainName, names) },
  );
}

/** A value that may be null, or the error that it is not there. */
function present(value: Value | undefined, message: () => string): Value {
  return value === undefined ? celAbsent(message()) : value;
}

/** `a.b.c` as one dotted name, when it is nothing but names. */
function dottedName(expr: Expr): string | null {
  if (expr.exprKind.case === 'identExpr') return expr.exprKind.value.name;
  if (expr.exprKind.case !== 'selectExpr' || expr.exprKind.value.testOnly) return null;
  const operand = dottedName(expr.exprKind.value.operand!);
  return operand === null ? null : `${operand}.${expr.exprKind.value.field}`;
}

function select(expr: Expr, operandExpr: Expr, field: string, testOnly: boolean, scope: Scope): Compiled {
  const dotted = dottedName(expr);
  if (dotted !== null && !testOnly) {
    const name = dotted.startsWith('.') ? dotted.slice(1) : dotted;
    if (scope.has(name)) return ident(expr, name, scope);
    if (LONG_TYPE_NAMES.includes(name)) {
      const type = new CelType(name);
      return { type: { t: 'type' }, eval: () => type, constant: type };
    }
  }
  const operand = compileExpr(operandExpr, scope);
  const type = fieldType(expr, operand.type, field, scope, dottedName(operandExpr) ?? 'this value');
  if (testOnly) {
    return {
      type: BOOL,
      eval: (frame) => {
        const value = operand.eval(frame);
        if (isCelError(value)) return value;
        const entries = isCelObject(value) || value instanceof Map;
        return entries
          ? mapGet(value, field) !== undefined
          : celError('error', `has(): no fields on ${typeof value}`);
      },
    };
  }
  const path = dotted ?? field;
  return {
    type,
    eval: (frame) => {
      const value = operand.eval(frame);
      if (isCelError(value)) return value;
      if (isCelObject(value))
        return Object.hasOwn(value, field) ? (value[field] as Value) : celAbsent(`there is no \`${path}\``);
      if (value instanceof Map) return present(mapGet(value, field), () => `there is no \`${path}\``);
      return value === null
        ? celAbsent(`there is no \`${path}\`: the value above it is null`)
        : celError('error', `no field \`${field}\` on a value that is no map`);
    },
  };
}

function fieldType(expr: Expr, type: Type, field: string, scope: Scope, of: string): Type {
  if (type.t === 'map') return type.of;
  if (type.t === 'dyn') return DYN;
  if (type.t !== 'object') {
    problem(scope, expr, 'type', `\`${of}\` is ${showType(type)}, which has no fields`, { word: field });
    return DYN;
  }
  const known = type.fields.get(field);
  if (known !== undefined) return known.type;
  const near = nearest(field, type.fields.keys());
  const fields = [...type.fields.keys()].slice(0, 12).join(', ') || 'none';
  if (!type.open || near !== null) {
    problem(scope, expr, 'unknown-field', `\`${of}\` has no field \`${field}\`; it has ${fields}`, {
      word: field,
      suggestion: near,
    });
  }
  return DYN;
}

function struct(expr: Expr, scope: Scope): Compiled {
  if (expr.exprKind.case !== 'structExpr') return unsupported(expr, scope, 'this');
  if (expr.exprKind.value.messageName !== '')
    return unsupported(expr, scope, `the message \`${expr.exprKind.value.messageName}\``);
  const entries = expr.exprKind.value.entries.map((entry) => ({
    key:
      entry.keyKind.case === 'mapKey'
        ? compileExpr(entry.keyKind.value, scope)
        : constant({ constantKind: { case: 'stringValue', value: String(entry.keyKind.value) } } as Constant),
    value: compileExpr(entry.value!, scope),
  }));
  const of = entries.length === 0 ? DYN : entries.map((entry) => entry.value.type).reduce(join);
  return {
    type: { t: 'map', of },
    eval: (frame) => {
      const map = new Map<Value, Value>();
      for (const entry of entries) {
        const key = entry.key.eval(frame);
        if (isCelError(key)) return key;
        if (typeof key === 'number' || (typeof key === 'object' && !(key instanceof CelUint)))
          return celError('error', 'a map key is a bool, int, uint or string');
        const value = entry.value.eval(frame);
        if (isCelError(value)) return value;
        if (mapGet(map, key) !== undefined) return celError('error', 'a map key is repeated');
        map.set(key, value);
      }
      return map;
    },
  };
}

function call(expr: Expr, scope: Scope): Compiled {
  const special = scope.host.special?.(expr, scope);
  if (special) return special;
  if (expr.exprKind.case !== 'callExpr') return unsupported(expr, scope, 'this');
  const { function: name, args: argExprs, target } = expr.exprKind.value;
  if (target === undefined) {
    const builtIn = operator(expr, name, argExprs, scope);
    if (builtIn !== null) return builtIn;
    return invoke(expr, name, FUNCTIONS.get(name), argExprs, scope, [...FUNCTIONS.keys()]);
  }
  const namespace = dottedName(target);
  if (namespace !== null && NAMESPACES.includes(namespace) && !scope.has(namespace)) {
    if (namespace === 'cel' && name === 'bind') return bind(expr, argExprs, scope);
    return invoke(expr, `${namespace}.${name}`, FUNCTIONS.get(`${namespace}.${name}`), argExprs, scope, [
      ...FUNCTIONS.keys(),
    ]);
  }
  return invoke(expr, name, METHODS.get(name), [target, ...argExprs], scope, [
    ...METHODS.keys(),
    'all',
    'exists',
    'exists_one',
    'map',
    'filter',
  ]);
}

/** `cel.bind(name, value, expression)`: a name for a value used more than once. */
function bind(expr: Expr, args: readonly Expr[], scope: Scope): Compiled {
  const name = args[0]?.exprKind.case === 'identExpr' ? args[0].exprKind.value.name : null;
  if (name === null || args.length !== 3)
    return problem(scope, expr, 'type', '`cel.bind` takes (name, value, expression)');
  const value = compileExpr(args[1]!, scope);
  const inner = scope.child(name, value.type);
  const slot = inner.slotOf(name);
  const body = compileExpr(args[2]!, inner);
  return {
    type: body.type,
    eval: (frame) => {
      frame[slot] = value.eval(frame);
      return body.eval(frame);
    },
  };
}

function invoke(
  expr: Expr,
  name: string,
  found: CelFunction | undefined,
  argExprs: readonly Expr[],
  scope: Scope,
  known: readonly string[],
): Compiled {
  if (found === undefined) {
    return problem(scope, expr, 'unknown-function', `no function \`${name}\``, {
      word: name.split('.').at(-1)!,
      suggestion: nearest(name, known),
    });
  }
  const args = argExprs.map((arg) => compileExpr(arg, scope));
  if (!found.arity.includes(args.length)) {
    return problem(scope, expr, 'type', `\`${name}\` does not take ${args.length} values`, {
      word: name.split('.').at(-1)!,
    });
  }
  if (name === 'matches' && typeof args[1]!.constant === 'string') {
    const pattern = compilePattern(args[1]!.constant);
    if (pattern instanceof CelError)
      return problem(scope, expr, 'regex', pattern.message, { word: 'matches' });
  }
  checkReceiver(expr, name, args, scope);
  const literal =
    args.every((arg) => arg.constant !== undefined) && name !== 'matches'
      ? found.call(args.map((arg) => arg.constant!))
      : undefined;
  const { call: run, type } = found;
  if (literal !== undefined && !isCelError(literal)) return { type, constant: literal, eval: () => literal };
  if (args.length === 1) {
    const [only] = args as [Compiled];
    return {
      type,
      eval: (frame) => {
        const value = only.eval(frame);
        return isCelError(value) ? value : run([value]);
      },
    };
  }
  return {
    type,
    eval: (frame) => {
      const values = evaluateAll(args, frame);
      return isCelError(values) ? values : run(values as Value[]);
    },
  };
}

const TEXT_METHODS = [
  'contains',
  'startsWith',
  'endsWith',
  'matches',
  'mentions',
  'lowerAscii',
  'upperAscii',
  'trim',
  'split',
  'replace',
  'substring',
  'charAt',
  'indexOf',
  'lastIndexOf',
];

function checkReceiver(expr: Expr, name: string, args: readonly Compiled[], scope: Scope): void {
  const type = args[0]?.type;
  if (type === undefined || type.t === 'dyn' || !TEXT_METHODS.includes(name)) return;
  if (type.t !== 'string')
    problem(scope, expr, 'type', `\`${name}\` is for text, and this is ${showType(type)}`, { word: name });
}

function operator(expr: Expr, name: string, args: readonly Expr[], scope: Scope): Compiled | null {
  switch (name) {
    case '_&&_':
      return logic(args, scope, false);
    case '_||_':
      return logic(args, scope, true);
    case '!_': {
      const [inner] = args.map((arg) => compileExpr(arg, scope)) as [Compiled];
      return {
        type: BOOL,
        eval: (frame) => {
          const value = inner.eval(frame);
          return typeof value === 'boolean'
            ? !value
            : isCelError(value)
              ? value
              : celError('error', 'no such overload: ! of no bool');
        },
      };
    }
    case '-_': {
      const [inner] = args.map((arg) => compileExpr(arg, scope)) as [Compiled];
      return { type: inner.type, eval: (frame) => negate(inner.eval(frame)) };
    }
    case '_?_:_':
      return ternary(args, scope);
    case '_==_':
    case '_!=_':
      return equality(expr, args, scope, name === '_!=_');
    case '_<_':
    case '_<=_':
    case '_>_':
    case '_>=_':
      return ordering(expr, name.slice(1, -1), args, scope);
    case '_+_':
    case '_-_':
    case '_*_':
    case '_/_':
    case '_%_':
      return binary(expr, name[1] as Operator, args, scope);
    case '@in':
    case '_in_':
    case 'in':
      return membership(args, scope);
    case '_[_]':
      return indexing(args, scope);
    case '@not_strictly_false': {
      const [inner] = args.map((arg) => compileExpr(arg, scope)) as [Compiled];
      return { type: BOOL, eval: (frame) => inner.eval(frame) !== false };
    }
    default:
      return null;
  }
}

/** Commutative: an error on one side gives way to a decisive value on the other. */
function logic(args: readonly Expr[], scope: Scope, decisive: boolean): Compiled {
  const sides = args.map((arg) => compileExpr(arg, scope));
  for (const [i, side] of sides.entries()) {
    if (side.type.t !== 'bool' && side.type.t !== 'dyn')
      problem(scope, args[i]!, 'type', `this must be true or false, and it is ${showType(side.type)}`);
  }
  const [left, right] = sides as [Compiled, Compiled];
  return {
    type: BOOL,
    eval: (frame) => {
      const a = left.eval(frame);
      if (a === decisive) return decisive;
      const b = right.eval(frame);
      if (b === decisive) return decisive;
      if (typeof a === 'boolean' && typeof b === 'boolean') return !decisive;
      return isCelError(a)
        ? a
        : isCelError(b)
          ? b
          : celError('error', 'no such overload: && or || of no bool');
    },
  };
}

function ternary(args: readonly Expr[], scope: Scope): Compiled {
  const [test, yes, no] = args.map((arg) => compileExpr(arg, scope)) as [Compiled, Compiled, Compiled];
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

function equality(expr: Expr, args: readonly Expr[], scope: Scope, negated: boolean): Compiled {
  const [left, right] = args.map((arg) => compileExpr(arg, scope)) as [Compiled, Compiled];
  if (!comparable(left.type, right.type)) {
    problem(scope, expr, 'type', `${showType(left.type)} is never equal to ${showType(right.type)}`);
  }
  return {
    type: BOOL,
    eval: (frame) => {
      const a = left.eval(frame);
      if (isCelError(a)) return a;
      const b = right.eval(frame);
      if (isCelError(b)) return b;
      return celEquals(a, b) !== negated;
    },
  };
}

const ORDERS: Readonly<Record<string, (order: number) => boolean>> = {
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
  '>': (order) => order > 0,
  '>=': (order) => order >= 0,
};

function ordering(expr: Expr, symbol: string, args: readonly Expr[], scope: Scope): Compiled {
  const [left, right] = args.map((arg) => compileExpr(arg, scope)) as [Compiled, Compiled];
  if (!comparable(left.type, right.type))
    problem(scope, expr, 'type', `${showType(left.type)} has no order with ${showType(right.type)}`);
  const test = ORDERS[symbol]!;
  return {
    type: BOOL,
    eval: (frame) => {
      const a = left.eval(frame);
      const b = right.eval(frame);
      const order = compare(a, b);
      if (order !== null) return test(order);
      return isCelError(a)
        ? a
        : isCelError(b)
          ? b
          : celError('error', 'no such overload: the two have no order');
    },
  };
}

const ADDABLE = new Set(['string', 'bytes', 'list', 'timestamp', 'duration', 'dyn']);

function binary(expr: Expr, symbol: Operator, args: readonly Expr[], scope: Scope): Compiled {
  const [left, right] = args.map((arg) => compileExpr(arg, scope)) as [Compiled, Compiled];
  const json = [left, right].some((side) => side.type.t === 'dyn' || side.type.t === 'number');
  for (const side of [left, right]) {
    if (
      !isNumeric(side.type) &&
      !((symbol === '+' || symbol === '-') && ADDABLE.has(side.type.t)) &&
      side.type.t !== 'dyn'
    ) {
      problem(scope, expr, 'type', `\`${symbol}\` is not for ${showType(side.type)}`);
    }
  }
  const type =
    left.type.t === 'dyn' || right.type.t === 'dyn'
      ? DYN
      : isNumeric(left.type)
        ? json
          ? { t: 'number' as const }
          : left.type
        : symbol === '-' && left.type.t === 'timestamp'
          ? DYN
          : join(left.type, right.type);
  return { type, eval: (frame) => arithmetic(symbol, left.eval(frame), right.eval(frame), json) };
}

function membership(args: readonly Expr[], scope: Scope): Compiled {
  const [item, container] = args.map((arg) => compileExpr(arg, scope)) as [Compiled, Compiled];
  return {
    type: BOOL,
    eval: (frame) => {
      const value = item.eval(frame);
      if (isCelError(value)) return value;
      const within = container.eval(frame);
      if (isCelError(within)) return within;
      if (Array.isArray(within)) return within.some((element) => celEquals(value, element as Value));
      if (entriesOf(within) === null)
        return celError('error', 'no such overload: `in` something that is no list or map');
      return mapGet(within, value) !== undefined;
    },
  };
}

function indexing(args: readonly Expr[], scope: Scope): Compiled {
  const [container, at] = args.map((arg) => compileExpr(arg, scope)) as [Compiled, Compiled];
  const of = container.type.t === 'list' || container.type.t === 'map' ? container.type.of : DYN;
  return {
    type: of,
    eval: (frame) => {
      const value = container.eval(frame);
      if (isCelError(value)) return value;
      const key = at.eval(frame);
      if (isCelError(key)) return key;
      if (Array.isArray(value)) {
        const index =
          key instanceof CelUint
            ? Number(key.value)
            : typeof key === 'bigint'
              ? Number(key)
              : typeof key === 'number' && Number.isInteger(key)
                ? key
                : null;
        if (index === null) return celError('error', 'a list is indexed by a whole number');
        return index >= 0 && index < value.length
          ? (value[index] as Value)
          : celAbsent(`index out of range: ${index}`);
      }
      if (entriesOf(value) === null)
        return celError('error', 'no such overload: [] on something that is no list or map');
      return present(mapGet(value, key), () => `there is no key ${String(key).slice(0, 80)}`);
    },
  };
}
