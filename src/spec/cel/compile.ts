// Compiles a CEL syntax tree to closures over a frame, checking types as far as they are known. No eval, no Function.
// The meaning is that of google/cel-spec, held to its conformance suite; extensions: docs/decisions/001. Pure.

import { BOOL, INT, STRING, type Type } from '../schema/type.ts';
import type { Operator } from './arithmetic.ts';
import { call } from './calls.ts';
import { compileComprehension } from './comprehension.ts';
import { indexing, list, map } from './containers.ts';
import { equality, logic, membership, not, ternary } from './logic.ts';
import { ident, select } from './names.ts';
import { binary, negation, ordering } from './order.ts';
import { unsupported } from './report.ts';
import type { Compiled, Scope } from './scope.ts';
import type { Constant, Expr } from './tree.ts';
import { CelUint, type Value } from './value.ts';

export { BUDGET_SLOT } from './budget.ts';
export { type Compiled, Scope, type ScopeHost } from './scope.ts';

/**
 * Compiles an expression in a scope. Problems go to the scope's host, all of them: what has one compiles to an error.
 * Left out of CEL: messages, optional values (`.?`, `optional.of`), the two-variable comprehensions, field names in
 * back-quotes. Beside a JSON number, int and double widen and + - * round to 15 digits (docs/decisions/001).
 */
export function compileExpr(expr: Expr, scope: Scope): Compiled {
  const kind = expr.exprKind;
  switch (kind.case) {
    case 'constExpr':
      return constant(kind.value);
    case 'identExpr':
      return ident(expr, kind.value.name, scope);
    case 'selectExpr':
      return select(expr, scope, compileExpr);
    case 'callExpr':
      return (
        scope.host.special?.(expr, scope) ??
        operator(expr, kind.value.function, kind.value.args, scope) ??
        call(expr, scope, compileExpr)
      );
    case 'listExpr':
      return list(kind.value.elements, scope, compileExpr);
    case 'structExpr':
      return map(expr, scope, compileExpr);
    case 'comprehensionExpr':
      return compileComprehension(kind.value, scope, compileExpr);
    default:
      return unsupported(expr, scope, 'this form of expression');
  }
}

function constant({ constantKind: kind }: Constant): Compiled {
  const of = (type: Type, value: Value): Compiled => ({ type, constant: value, eval: () => value });
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

function operator(expr: Expr, name: string, args: readonly Expr[], scope: Scope): Compiled | null {
  switch (name) {
    case '_&&_':
      return logic(args, scope, compileExpr, false);
    case '_||_':
      return logic(args, scope, compileExpr, true);
    case '!_':
      return not(args, scope, compileExpr);
    case '-_':
      return negation(expr, args, scope, compileExpr);
    case '_?_:_':
      return ternary(args, scope, compileExpr);
    case '_==_':
    case '_!=_':
      return equality(expr, args, scope, compileExpr, name === '_!=_');
    case '_<_':
    case '_<=_':
    case '_>_':
    case '_>=_':
      return ordering(expr, name.slice(1, -1) as '<' | '<=' | '>' | '>=', args, scope, compileExpr);
    case '_+_':
    case '_-_':
    case '_*_':
    case '_/_':
    case '_%_':
      return binary(expr, name[1] as Operator, args, scope, compileExpr);
    case '@in':
      return membership(expr, args, scope, compileExpr);
    case '_[_]':
      return indexing(expr, args, scope, compileExpr);
    case '@not_strictly_false': {
      const inner = compileExpr(args[0]!, scope);
      return { type: BOOL, eval: (frame) => inner.eval(frame) !== false };
    }
    default:
      return null;
  }
}
