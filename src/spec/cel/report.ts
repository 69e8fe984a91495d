// How the compiler tells of problems: to the scope's host, going on with a value of any type. Pure.

import { DYN, showType } from '../schema/type.ts';
import type { CelProblem, Compiled, Scope } from './scope.ts';
import type { Expr } from './tree.ts';
import { celError } from './value.ts';

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

export function unsupported(expr: Expr, scope: Scope, what: string): Compiled {
  return problem(scope, expr, 'unsupported', `${what} is not part of the spec language`);
}

/** Reports an expression that can never be true or false where one is needed. */
export function requireBool(compiled: Compiled, expr: Expr, scope: Scope): Compiled {
  const { type } = compiled;
  if (type.t !== 'bool' && type.t !== 'dyn')
    problem(scope, expr, 'type', `this must be true or false, and it is ${showType(type)}`);
  return compiled;
}
