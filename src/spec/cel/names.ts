// Names and fields: variables, the names of types, and selection, checked against what the types know. Pure.

import { nearest } from '../../step/nearest.ts';
import { BOOL, DYN, showType, type Type } from '../schema/type.ts';
import { kindOf } from './arithmetic.ts';
import { isCelMap, mapGet } from './equals.ts';
import { problem } from './report.ts';
import type { Compile, Compiled, Scope } from './scope.ts';
import type { Expr } from './tree.ts';
import { CelType, celAbsent, celError, isCelError, isCelObject, type Value } from './value.ts';

const TYPE_NAMES = new Set([
  'bool',
  'int',
  'uint',
  'double',
  'string',
  'bytes',
  'list',
  'map',
  'null_type',
  'type',
]);
const LONG_TYPE_NAMES = new Set(['google.protobuf.Timestamp', 'google.protobuf.Duration']);
const SHOWN_FIELDS = 12;

/** `a.b.c` as one dotted name, when it is nothing but names. */
export function dottedName(expr: Expr): string | null {
  if (expr.exprKind.case === 'identExpr') return expr.exprKind.value.name;
  if (expr.exprKind.case !== 'selectExpr' || expr.exprKind.value.testOnly) return null;
  const operand = dottedName(expr.exprKind.value.operand!);
  return operand === null ? null : `${operand}.${expr.exprKind.value.field}`;
}

/** A leading dot asks for the outermost scope; there is but one. */
function withoutDot(name: string): string {
  return name.startsWith('.') ? name.slice(1) : name;
}

export function ident(expr: Expr, written: string, scope: Scope): Compiled {
  const name = withoutDot(written);
  const variable = scope.find(name);
  if (variable !== null) {
    const { slot, type } = variable;
    return { type, eval: (frame) => frame[slot] as Value };
  }
  if (TYPE_NAMES.has(name)) return typeValue(name);
  const names = scope.names().filter((known) => !known.startsWith('@'));
  return problem(
    scope,
    expr,
    'unknown-name',
    `no variable \`${name}\`; there are ${[...new Set(names)].join(', ')}`,
    { word: name, suggestion: nearest(name, names) },
  );
}

function typeValue(name: string): Compiled {
  const type = new CelType(name);
  return { type: { t: 'type' }, eval: () => type, constant: type };
}

export function select(expr: Expr, scope: Scope, compile: Compile): Compiled {
  if (expr.exprKind.case !== 'selectExpr') throw new Error('not a selection');
  const { operand: operandExpr, field, testOnly } = expr.exprKind.value;
  const dotted = dottedName(expr);
  if (dotted !== null) {
    const name = withoutDot(dotted);
    if (scope.has(name)) return ident(expr, name, scope);
    if (LONG_TYPE_NAMES.has(name)) return typeValue(name);
  }
  const operand = compile(operandExpr!, scope);
  const of = dottedName(operandExpr!);
  const type = fieldType(expr, operand.type, field, scope, of ?? 'this value', testOnly);
  return testOnly
    ? presence(operand, field)
    : selection(operand, field, type, of === null ? field : `${of}.${field}`);
}

function presence(operand: Compiled, field: string): Compiled {
  return {
    type: BOOL,
    eval: (frame) => {
      const value = operand.eval(frame);
      if (isCelError(value)) return value;
      return isCelMap(value)
        ? mapGet(value, field) !== undefined
        : celError('error', `has(): a ${kindOf(value)} has no fields`);
    },
  };
}

function selection(operand: Compiled, field: string, type: Type, path: string): Compiled {
  const absent = celAbsent(`there is no \`${path}\``);
  return {
    type,
    eval: (frame) => {
      const value = operand.eval(frame);
      // Own fields only: a field named like one of Object.prototype's is data or absent.
      if (isCelObject(value)) return Object.hasOwn(value, field) ? (value[field] as Value) : absent;
      if (isCelError(value)) return value;
      if (value instanceof Map) {
        const found = mapGet(value, field);
        return found === undefined ? absent : found;
      }
      return value === null
        ? celAbsent(`there is no \`${path}\`: the value above it is null`)
        : celError('error', `no field \`${field}\` on a value that is no map`);
    },
  };
}

/**
 * The type of a field. One that a closed type lacks is an error, and so is one an open type lacks that is close to one
 * it has; any other is a warning, for an open type may well hold it, unless `has()` asks whether it does.
 */
export function fieldType(
  expr: Expr,
  type: Type,
  field: string,
  scope: Scope,
  of: string,
  isTested = false,
): Type {
  if (type.t === 'map') return type.of;
  if (type.t === 'dyn') return DYN;
  if (type.t !== 'object') {
    problem(scope, expr, 'type', `\`${of}\` is ${showType(type)}, which has no fields`, { word: field });
    return DYN;
  }
  const known = type.fields.get(field);
  if (known !== undefined) return known.type;
  if (type.fields.size === 0 && type.open) return DYN;
  const suggestion = nearest(field, type.fields.keys());
  const fields = [...type.fields.keys()].slice(0, SHOWN_FIELDS).join(', ') || 'none';
  if (type.open && suggestion === null) {
    if (isTested) return DYN;
    const message = `\`${field}\` is not among the fields that \`${of}\` is said to have: ${fields}`;
    problem(scope, expr, 'unknown-field', message, { word: field, severity: 'warning' });
  } else {
    const message = `\`${of}\` has no field \`${field}\`; it has ${fields}`;
    problem(scope, expr, 'unknown-field', message, { word: field, suggestion });
  }
  return DYN;
}
