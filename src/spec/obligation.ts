// Compiles an obligation: what is owed after a step, what discharges it, and how the two are matched. Pure.

import type { Compiled, Scope } from './cel/compile.ts';
import type { Expr } from './cel/tree.ts';
import type { ObligationClause } from './document.ts';
import { conjuncts, freeNames, pathsFrom } from './free.ts';
import { keeper } from './keep.ts';
import type { ObligationPlan } from './program.ts';
import type { Type } from './schema/type.ts';
import type { Evaluate } from './view.ts';

export interface ObligationContext {
  readonly id: number;
  readonly owes: ObligationPlan['owes'];
  /** Types of the step that makes it owed and of the one that discharges it. */
  readonly types: { readonly owed: Type; readonly paid: Type };
  readonly scope: Scope;
  compile(expr: Expr, scope: Scope): Compiled;
  report(expr: Expr, message: string): void;
}

export function compileObligation(
  clause: ObligationClause,
  where: Expr | null,
  context: ObligationContext,
): ObligationPlan {
  const afterScope = context.scope.child('after', context.types.owed);
  const thenScope = afterScope.child('then', context.types.paid);
  const keys: { owed: Evaluate; paid: Evaluate }[] = [];
  const rest: Evaluate[] = [];
  const paths: string[][] = [];
  for (const part of where === null ? [] : conjuncts(where)) {
    const names = freeNames(part);
    if (!names.has('then')) {
      context.report(
        part,
        '`where` says which later step is meant, so each condition speaks of `then`; conditions on the first step belong in `when`',
      );
      continue;
    }
    const sides = names.has('after') ? joinSides(part) : null;
    if (sides === null) {
      rest.push(context.compile(part, thenScope).eval);
      pathsFrom('after', part, paths);
      continue;
    }
    context.compile(part, thenScope);
    keys.push({
      owed: context.compile(sides.owed, afterScope).eval,
      paid: context.compile(sides.paid, thenScope).eval,
    });
  }
  return {
    id: context.id,
    owes: context.owes,
    due: clause.due,
    event: clause.event,
    withinMs: clause.withinMs,
    afterSlot: afterScope.slotOf('after'),
    thenSlot: thenScope.slotOf('then'),
    owedKeys: keys.map((key) => key.owed),
    paidKeys: keys.map((key) => key.paid),
    rest,
    keep: paths.length === 0 ? () => null : keeper(paths),
  };
}

/** `then == after`, each side speaking of one step. */
function joinSides(part: Expr): { owed: Expr; paid: Expr } | null {
  if (part.exprKind.case !== 'callExpr' || part.exprKind.value.function !== '_==_') return null;
  const [left, right] = part.exprKind.value.args as [Expr, Expr];
  const [a, b] = [freeNames(left), freeNames(right)];
  if (a.has('then') && !a.has('after') && b.has('after') && !b.has('then'))
    return { paid: left, owed: right };
  if (b.has('then') && !b.has('after') && a.has('after') && !a.has('then'))
    return { paid: right, owed: left };
  return null;
}
