// Compiles one expression of a spec where it stands: its names written out, its problems placed, history and origins
// handed to their own compilers. Pure.

import { type Compiled, compileExpr, type Scope, type ScopeHost } from './cel/compile.ts';
import { locate } from './cel/locate.ts';
import { parseCel } from './cel/parse.ts';
import type { Expr } from './cel/tree.ts';
import type { Expression, RuleClause, SpecDocument } from './document.ts';
import { lastPaths } from './free.ts';
import { expandLets } from './let.ts';
import { compileOrigin } from './origin.ts';
import { compilePast } from './past.ts';
import type { FlowPlan, LimitPlan, OrderPlan, ToolPlan } from './program.ts';
import { DYN, type Type } from './schema/type.ts';
import { rootScope, stepTypeFor } from './scope.ts';
import type { Source } from './source.ts';
import type { ViewPlan } from './view.ts';

/** What the compilation of one spec gathers. */
export interface Compilation {
  readonly source: Source;
  readonly document: SpecDocument;
  readonly tools: ReadonlyMap<string, ToolPlan>;
  readonly views: ViewPlan[];
  readonly limits: LimitPlan[];
  readonly flows: FlowPlan[];
  readonly orders: OrderPlan[];
  obligations: number;
  slots: number;
  usesOrigins: boolean;
  /** The expressions compiled since it was last emptied. */
  compiled: Expr[];
}

/** One expression of a rule, parsed and with its names written out, and the scope that compiles it. */
export interface Prepared {
  readonly expr: Expr;
  readonly scope: Scope;
  report(code: string): (expr: Expr, message: string, suggestion?: string) => void;
  reportWhole(code: string, message: string): void;
}

export function compileExpression(
  compilation: Compilation,
  rule: RuleClause,
  from: Expression,
  types: { args: Type; result: Type },
  needs: Set<string>,
  want: 'bool' | 'any',
): Compiled {
  return compileIn(compilation, rule, from, needs, want, (host) => rootScope(types, host));
}

export function compileIn(
  compilation: Compilation,
  rule: ExpressionOwner,
  from: Expression,
  needs: Set<string>,
  want: 'bool' | 'any',
  scopeFor: (host: ScopeHost) => Scope,
): Compiled {
  const prepared = prepare(compilation, rule, from, needs, scopeFor);
  if (prepared === null) return { type: DYN, eval: () => null };
  compilation.compiled.push(prepared.expr);
  const compiled = compileExpr(prepared.expr, prepared.scope);
  if (want === 'bool' && compiled.type.t !== 'bool' && compiled.type.t !== 'dyn') {
    prepared.reportWhole('type', `this must be true or false, and it is ${compiled.type.t}`);
  }
  return compiled;
}

/** Who an expression belongs to: its file, its name in problems, the names it may use. */
export type ExpressionOwner = Pick<RuleClause, 'source' | 'id' | 'lets'>;

export function prepare(
  compilation: Compilation,
  rule: ExpressionOwner,
  from: Expression,
  needs: Set<string>,
  scopeFor: (host: ScopeHost) => Scope,
): Prepared | null {
  const { source } = rule;
  const reportAt = (
    code: string,
    message: string,
    at: { offset: number; length: number } | null,
    suggestion?: string,
    severity: 'error' | 'warning' = 'error',
  ) => {
    const base = from.at;
    const range =
      base === null || at === null
        ? from.range
        : { start: base + at.offset, end: base + at.offset + at.length };
    source.report(severity, code, range, message, { suggestion, subject: rule.id });
  };
  const parsed = parseCel(from.text);
  if ('problem' in parsed) {
    reportAt('cel-syntax', parsed.problem.message, { offset: parsed.problem.offset, length: 1 });
    return null;
  }
  const expr = expandLets(parsed.expr, rule.lets);
  if (expr === null) {
    reportAt('too-deep', 'with its `let` names written out, the expression is too large', null);
    return null;
  }
  const lastReads = lastPaths(expr);
  const report = (code: string) => (at: Expr, message: string, suggestion?: string) =>
    reportAt(code, message, locate(from.text, at), suggestion);
  const scope = scopeFor({
    engines: source.engines,
    nextSlot: () => compilation.slots++,
    problem: (problem) =>
      reportAt(
        problem.code,
        problem.message,
        locate(from.text, problem.expr, problem.word),
        problem.suggestion,
        problem.severity,
      ),
    special: (call, inner) => {
      const past = compilePast(call, inner, {
        views: compilation.views,
        stepType: (pattern) => stepTypeFor(compilation.tools, pattern),
        lastReads,
        needs,
        compile: compileExpr,
        report: report('history'),
      });
      if (past !== null) return past;
      const originContext = {
        tools: [...compilation.tools.keys()],
        used: false,
        compile: compileExpr,
        report: report('origin'),
      };
      const origin = compileOrigin(call, inner, originContext);
      compilation.usesOrigins ||= originContext.used;
      return origin;
    },
  });
  return { expr, scope, report, reportWhole: (code, message) => reportAt(code, message, null) };
}
