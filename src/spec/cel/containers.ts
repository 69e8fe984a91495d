// Lists and maps: literals, and indexing, which knows what a missing item or key is called. Pure.

import { DYN, isNumeric, join, showType, type Type } from '../schema/type.ts';
import { evaluateAll } from './calls.ts';
import { isCelMap, mapGet } from './equals.ts';
import { dottedName, fieldType } from './names.ts';
import { problem, unsupported } from './report.ts';
import type { Compile, Compiled, Scope } from './scope.ts';
import type { Expr } from './tree.ts';
import { CelUint, celAbsent, celError, isCelError, type Value } from './value.ts';

export function list(elementExprs: readonly Expr[], scope: Scope, compile: Compile): Compiled {
  const elements = elementExprs.map((element) => compile(element, scope));
  const type: Type = {
    t: 'list',
    of: elements.length === 0 ? DYN : elements.map((e) => e.type).reduce((a, b) => join(a, b)),
  };
  if (!elements.every((element) => element.constant !== undefined))
    return { type, eval: (frame) => evaluateAll(elements, frame) };
  // One list for all evaluations: nothing changes a value.
  const literal = elements.map((element) => element.constant!);
  return { type, eval: () => literal };
}

export function map(expr: Expr, scope: Scope, compile: Compile): Compiled {
  if (expr.exprKind.case !== 'structExpr') throw new Error('not a map');
  const { messageName, entries: entryExprs } = expr.exprKind.value;
  if (messageName !== '') return unsupported(expr, scope, `the message \`${messageName}\``);
  const entries: { key: Compiled; value: Compiled }[] = [];
  for (const entry of entryExprs) {
    // Only a message has fields that are no keys.
    if (entry.keyKind.case !== 'mapKey') return unsupported(expr, scope, 'a message');
    entries.push({ key: compile(entry.keyKind.value, scope), value: compile(entry.value!, scope) });
  }
  const of =
    entries.length === 0 ? DYN : entries.map((entry) => entry.value.type).reduce((a, b) => join(a, b));
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

export function indexing(expr: Expr, args: readonly Expr[], scope: Scope, compile: Compile): Compiled {
  const [container, at] = args.map((arg) => compile(arg, scope)) as [Compiled, Compiled];
  const path = dottedName(args[0]!) ?? '';
  return {
    type: itemType(expr, args[1]!, container.type, at, scope, path === '' ? 'this value' : path),
    eval: (frame) => {
      const value = container.eval(frame);
      if (isCelError(value)) return value;
      const key = at.eval(frame);
      if (isCelError(key)) return key;
      if (Array.isArray(value)) return itemAt(value as readonly Value[], key, path);
      if (!isCelMap(value))
        return celError('error', 'no such overload: [] on something that is no list or map');
      const found = mapGet(value, key);
      return found === undefined ? celAbsent(`there is no \`${path}[${shownKey(key)}]\``) : found;
    },
  };
}

function itemAt(items: readonly Value[], key: Value, path: string): Value {
  const index = key instanceof CelUint ? key.value : key;
  const at = typeof index === 'bigint' || Number.isInteger(index) ? Number(index) : null;
  if (at === null) return celError('error', 'a list is indexed by a whole number');
  return at >= 0 && at < items.length
    ? items[at]!
    : celAbsent(`there is no \`${path}[${at}]\`: the list has ${items.length}`);
}

function shownKey(key: Value): string {
  return typeof key === 'string'
    ? JSON.stringify(key.slice(0, 80))
    : String(key instanceof CelUint ? key.value : key).slice(0, 80);
}

function itemType(expr: Expr, atExpr: Expr, container: Type, at: Compiled, scope: Scope, path: string): Type {
  const wrong = (message: string) => {
    problem(scope, expr, 'type', message);
    return DYN;
  };
  switch (container.t) {
    case 'dyn':
      return DYN;
    case 'list':
      return at.type.t === 'dyn' || isNumeric(at.type)
        ? container.of
        : wrong(`a list is indexed by a whole number, and this is ${showType(at.type)}`);
    case 'map':
      return container.of;
    case 'object':
      return typeof at.constant === 'string' ? fieldType(atExpr, container, at.constant, scope, path) : DYN;
    default:
      return wrong(`\`${path}\` is ${showType(container)}, which has no items`);
  }
}
