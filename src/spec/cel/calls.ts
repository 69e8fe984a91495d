// Calls of functions and methods of the standard library, their arguments checked against its signatures. Pure.

import { nearest } from '../../step/nearest.ts';
import { BOOL, showType } from '../schema/type.ts';
import { charge, roundsForCall } from './budget.ts';
import { type CelFunction, FUNCTIONS, METHODS, sizeOf } from './functions.ts';
import { dottedName } from './names.ts';
import { overload } from './overload.ts';
import { compilePattern, isPattern, matchText } from './pattern.ts';
import { problem } from './report.ts';
import type { Compile, Compiled, Scope } from './scope.ts';
import type { Expr } from './tree.ts';
import { type CelError, type Frame, isCelError, type Value } from './value.ts';

const NAMESPACES = new Set(['math', 'cel', 'path']);

/** Forms the parser expands before they get here, unless they are given the wrong values. */
const MACROS: ReadonlyMap<string, string> = new Map([
  ['all', '(variable, condition)'],
  ['exists', '(variable, condition)'],
  ['exists_one', '(variable, condition)'],
  ['filter', '(variable, condition)'],
  ['map', '(variable, value) or (variable, condition, value)'],
  ['has', '(value.field)'],
]);

export function call(expr: Expr, scope: Scope, compile: Compile): Compiled {
  if (expr.exprKind.case !== 'callExpr') throw new Error('not a call');
  const { function: name, args, target } = expr.exprKind.value;
  const namespace = target === undefined ? null : dottedName(target);
  const isQualified = namespace !== null && NAMESPACES.has(namespace) && !scope.has(namespace);
  if (isQualified && namespace === 'cel' && name === 'bind') return bind(expr, args, scope, compile);
  const isMethod = target !== undefined && !isQualified;
  const table = isMethod ? METHODS : FUNCTIONS;
  const full = isQualified ? `${namespace}.${name}` : name;
  const found = table.get(full);
  if (found !== undefined)
    return invoke(
      expr,
      full,
      found,
      (isMethod ? [target, ...args] : args).map((arg) => compile(arg, scope)),
      scope,
    );
  const form = isQualified ? undefined : MACROS.get(name);
  if (form !== undefined && isMethod === (name !== 'has'))
    return problem(scope, expr, 'type', `\`${name}\` takes ${form}`, { word: name });
  const known = [...table.keys(), ...(isMethod ? MACROS.keys() : [])];
  return problem(scope, expr, 'unknown-function', `no function \`${full}\``, {
    word: name,
    suggestion: nearest(full, known),
  });
}

/** `cel.bind(name, value, expression)`: a name for a value used more than once. */
function bind(expr: Expr, args: readonly Expr[], scope: Scope, compile: Compile): Compiled {
  const name = args[0]?.exprKind.case === 'identExpr' ? args[0].exprKind.value.name : null;
  if (name === null || args.length !== 3)
    return problem(scope, expr, 'type', '`cel.bind` takes (name, value, expression)');
  const value = compile(args[1]!, scope);
  const inner = scope.child(name, value.type);
  const slot = inner.slotOf(name);
  const body = compile(args[2]!, inner);
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
  found: CelFunction,
  args: readonly Compiled[],
  scope: Scope,
): Compiled {
  const word = name.split('.').at(-1)!;
  if (!found.arity.includes(args.length))
    return problem(scope, expr, 'type', `\`${name}\` does not take ${args.length} values`, { word });
  checkArguments(expr, name, word, found, args, scope);
  const { engines } = scope.host;
  if (found.needs !== undefined && engines[found.needs] === null)
    return problem(
      scope,
      expr,
      'unsupported',
      `\`${name}\` is not here: compile with an engine of ${found.needs}`,
      { word },
    );
  const [first, second] = args;
  if (name === 'size') return count(found, first!);
  if (name === 'matches' && typeof second!.constant === 'string')
    return match(expr, first!, second!.constant, scope);
  if (args.every((arg) => arg.constant !== undefined)) {
    const constant = found.call(
      args.map((arg) => arg.constant!),
      engines,
    );
    if (!isCelError(constant)) return { type: found.type, constant, eval: () => constant };
  }
  const paid = scope.loops > 0;
  if (found.test !== undefined && typeof second?.constant === 'string')
    return textTest(name, found, found.test, first!, second.constant, paid);
  const { type, call: run, test } = found;
  return {
    type,
    eval: (frame) => {
      const values = evaluateAll(args, frame);
      if (isCelError(values)) return values;
      const spent = paid ? charge(frame, roundsForCall(values, test !== undefined)) : null;
      return spent ?? run(values, engines);
    },
  };
}

function checkArguments(
  expr: Expr,
  name: string,
  word: string,
  found: CelFunction,
  args: readonly Compiled[],
  scope: Scope,
): void {
  for (const [i, { type }] of args.entries()) {
    const takes = found.takes[Math.min(i, found.takes.length - 1)];
    if (takes === undefined || type.t === 'dyn' || takes.includes(type.t)) continue;
    const words = takes.includes('object') ? takes.filter((kind) => kind !== 'object') : takes;
    const wanted =
      words.includes('int') && words.includes('number') ? words.filter((kind) => kind !== 'number') : words;
    const message = `\`${name}\` is for ${wanted.join(', ')}, and this is ${showType(type)}`;
    problem(scope, expr, 'type', message, { word });
    return;
  }
}

export function evaluateAll(parts: readonly Compiled[], frame: Frame): CelError | Value[] {
  const values: Value[] = [];
  for (const part of parts) {
    const value = part.eval(frame);
    if (isCelError(value)) return value;
    values.push(value);
  }
  return values;
}

/** `size(x)`: a CEL int, or a plain number where it is only compared. */
function count({ type }: CelFunction, of: Compiled): Compiled {
  const read = (frame: Frame): number | CelError => {
    const value = of.eval(frame);
    return isCelError(value) ? value : sizeOf(value);
  };
  return {
    type,
    count: read,
    eval: (frame) => {
      const size = read(frame);
      return typeof size === 'number' ? BigInt(size) : size;
    },
  };
}

function match(expr: Expr, of: Compiled, pattern: string, scope: Scope): Compiled {
  const compiled = compilePattern(scope.host.engines.patterns, pattern);
  if (!isPattern(compiled)) return problem(scope, expr, 'regex', compiled.message, { word: 'matches' });
  const paid = scope.loops > 0;
  return {
    type: BOOL,
    eval: (frame) => {
      const text = of.eval(frame);
      if (typeof text !== 'string') return isCelError(text) ? text : overload('matches', [text, pattern]);
      const spent = paid ? charge(frame, roundsForCall([text], false)) : null;
      return spent ?? matchText(text, compiled);
    },
  };
}

/** `text.endsWith("...")` and its kin: no list of arguments is made. */
function textTest(
  name: string,
  found: CelFunction,
  test: (text: string, part: string) => boolean,
  of: Compiled,
  part: string,
  paid: boolean,
): Compiled {
  return {
    type: found.type,
    eval: (frame) => {
      const text = of.eval(frame);
      if (typeof text !== 'string') return isCelError(text) ? text : overload(name, [text, part]);
      const spent = paid && text.length > MAX_UNPAID ? charge(frame, roundsForCall([text], true)) : null;
      return spent ?? test(text, part);
    },
  };
}

/** Shorter texts are searched for less than a round's price. */
const MAX_UNPAID = 2_048;
