// Compiles a read spec into the program a monitor runs: contracts, rules, history views, indices. Pure.

import { nearest } from '../step/nearest.ts';
import type { Json } from '../step/types.ts';
import { compileExpr, Scope, type ScopeHost } from './cel/compile.ts';
import { parseCel } from './cel/parse.ts';
import type { Expr } from './cel/tree.ts';
import { isCelError } from './cel/value.ts';
import { type CheckPlan, compileCheck } from './check.ts';
import { type ContentWatch, FREE, joinWatches, WHOLE, watchOf } from './content-watch.ts';
import type {
  CheckDeclaration,
  Expression,
  ObligationClause,
  RuleClause,
  RuleForm,
  SpecDocument,
} from './document.ts';
import { type Compilation, compileExpression, compileIn, prepare } from './expression.ts';
import { compileFixes, type Fixer } from './fix.ts';
import { compileFlow } from './flow.ts';
import { looksBack } from './free.ts';
import { compileHandoff } from './handoff.ts';
import { compileLimit } from './limit.ts';
import { compileObligation } from './obligation.ts';
import { patternMatches, type StepPattern } from './pattern.ts';
import type {
  MetricPlan,
  OrderPlan,
  Program,
  RulePlan,
  RulePlanForm,
  ToolPlan,
  TransformOp,
} from './program.ts';
import { compileRepair } from './repair.ts';
import { FIRST_LOCAL } from './run.ts';
import { DYN, type Type } from './schema/type.ts';
import { callTypes, rootScope, stepTypeFor } from './scope.ts';
import type { Source } from './source.ts';
import { compileTool } from './tool.ts';
import type { Evaluate } from './view.ts';

/** Names outside the contracts whose rule lists are remembered; more are matched afresh each time. */
const MAX_CACHED_NAMES = 4_096;

export function compileProgram(
  source: Source,
  document: SpecDocument,
  identity: { digest: string; canonical: string },
): Program | null {
  const tools = new Map<string, ToolPlan>();
  for (const contract of document.tools.values())
    tools.set(contract.name, compileTool(contract.source, contract));
  const compilation: Compilation = {
    source,
    document,
    tools,
    views: [],
    limits: [],
    flows: [],
    orders: [],
    obligations: 0,
    slots: FIRST_LOCAL,
    usesOrigins: false,
    compiled: [],
  };
  const checks = new Map<string, CheckPlan>();
  for (const check of document.checks.values()) checks.set(check.name, compileEvidence(compilation, check));
  const counted = document.rules.filter((rule) => rule.form.t === 'metric');
  const metrics = counted.map((rule) => compileMetric(compilation, rule));
  const ruling = document.rules.filter((rule) => rule.form.t !== 'metric');
  const rules = ruling.map((rule, index) => compileRule(compilation, rule, index));
  if (source.failed) return null;
  const patterns = ruling.map((rule) => rule.on);
  const views = compilation.views.filter((view) => view.shared === null);
  const sharedViews = compilation.views.filter((view) => view.shared !== null);
  const effectOf = (name: string) => tools.get(name)?.contract.effect ?? null;
  return {
    name: document.name,
    ...identity,
    agents: document.agents,
    mode: document.mode,
    defaultVerdict: document.defaultVerdict,
    failOpen: document.failOpen,
    tools,
    rules,
    views,
    sharedViews,
    shares: sharedViews.length > 0 || compilation.limits.some((limit) => limit.shared !== null),
    limits: compilation.limits,
    flows: compilation.flows,
    orders: compilation.orders,
    obligations: rules.filter(isObligation),
    checks,
    metrics,
    frameSize: compilation.slots + 1,
    usesOrigins: compilation.usesOrigins,
    rulesFor: indexed((kind, name) =>
      rules.filter(
        (rule, i) =>
          !isObligation(rule) && patterns[i]!.some((p) => patternMatches(p, kind, name, effectOf(name))),
      ),
    ),
    metricsFor: indexed((kind, name) =>
      metrics.filter((_, i) => counted[i]!.on.some((p) => patternMatches(p, kind, name, effectOf(name)))),
    ),
    viewsFor: indexed((kind, name) =>
      views.filter((view) => patternMatches(view.pattern, kind, name, effectOf(name))),
    ),
    sharedViewsFor: indexed((kind, name) =>
      sharedViews.filter((view) => patternMatches(view.pattern, kind, name, effectOf(name))),
    ),
  };
}

function isObligation(rule: RulePlan): rule is Program['obligations'][number] {
  return rule.form.t === 'obligation';
}

/** A lookup by kind and name that remembers its answers, within a bound: names come from outside. */
function indexed<T>(
  find: (kind: StepPattern['kind'], name: string) => readonly T[],
): (kind: string, name: string) => readonly T[] {
  const byKind = new Map<string, Map<string, readonly T[]>>();
  return (kind, name) => {
    let byName = byKind.get(kind);
    if (byName === undefined) {
      byName = new Map();
      byKind.set(kind, byName);
    }
    const known = byName.get(name);
    if (known !== undefined) return known;
    const found = find(kind as StepPattern['kind'], name);
    if (byName.size < MAX_CACHED_NAMES) byName.set(name, found);
    return found;
  };
}

function compileRule(compilation: Compilation, rule: RuleClause, index: number): RulePlan {
  const { source } = rule;
  checkPatterns(compilation, rule);
  compilation.compiled = [];
  const needs = new Set<string>();
  const types = callTypes(compilation.tools, rule.on);
  const expression = (from: Expression, want: 'bool' | 'any'): Evaluate =>
    compileExpression(compilation, rule, from, types, needs, want).eval;
  const optional = (from: Expression | null): Evaluate | null =>
    from === null ? null : expression(from, 'bool');
  const when = optional(rule.when);
  const unless = optional(rule.unless);
  needs.clear();
  const form = compileForm(compilation, rule, expression);
  const missing = form.t === 'require' ? [...needs] : [];
  const watch = watchOfRule(rule, form, compilation.compiled);
  return {
    index,
    watch,
    id: rule.id,
    mode: rule.mode,
    verdict: rule.form.t === 'transform' ? 'transform' : rule.otherwise,
    when,
    unless,
    form,
    because: rule.because,
    repair:
      rule.repair === null
        ? null
        : compileRepair(source, rule.repair, rule.repairRange, (text, at) =>
            expression({ text, range: rule.repairRange, at }, 'any'),
          ),
    needs: missing,
    covers:
      rule.mode === 'enforce' &&
      rule.form.t !== 'transform' &&
      rule.on.some((p) => p.name.t === 'glob' && p.name.glob !== '*'),
    fixes: fixesFor(compilation, rule, types),
    controls: rule.controls,
    approve: rule.approve,
  };
}

/** Of what is told to people as it is made; other content is there at once. */
function watchOfRule(rule: RuleClause, form: RulePlanForm, expressions: readonly Expr[]): ContentWatch {
  const ends = form.t === 'obligation' ? [form.obligation.due, form.obligation.event] : rule.on;
  if (!ends.some((pattern) => pattern?.kind === 'output')) return FREE;
  if (form.t === 'flow' && form.flow.track === 'value' && form.flow.look === null) return WHOLE;
  if (form.t === 'obligation') return WHOLE;
  return joinWatches(expressions.map((expr) => watchOf(expr, rule.source.engines.follows)));
}

function checkPatterns(compilation: Compilation, rule: RuleClause): void {
  const names = [...compilation.tools.keys()];
  if (names.length === 0) return;
  const owed = rule.form.t === 'obligation' ? rule.form.obligation : null;
  const others = owed === null ? [] : owed.event === null ? [owed.due] : [owed.due, owed.event];
  for (const pattern of [...rule.on, ...others]) {
    if (pattern.kind !== 'tool.call' && pattern.kind !== 'tool.result') continue;
    if (
      names.some((name) =>
        patternMatches(pattern, pattern.kind, name, compilation.tools.get(name)!.contract.effect),
      )
    )
      continue;
    const wanted = pattern.name.t === 'glob' ? pattern.name.glob : pattern.name.effect;
    const near = pattern.name.t === 'glob' ? nearest(wanted, names) : null;
    rule.source.report(
      'error',
      'unknown-tool',
      rule.onRange,
      `\`${pattern.text}\` matches no declared tool`,
      { suggestion: near ?? undefined, subject: rule.id },
    );
  }
}

function compileForm(
  compilation: Compilation,
  rule: RuleClause,
  expression: (from: Expression, want: 'bool' | 'any') => Evaluate,
): RulePlanForm {
  const { form } = rule;
  switch (form.t) {
    case 'require':
    case 'deny':
      return { t: form.t, test: expression(form.expression, 'bool') };
    case 'hold':
      return { t: 'hold', test: form.expression === null ? null : expression(form.expression, 'bool') };
    case 'limit': {
      const plan = compileLimit(rule, form.limit, compilation.limits.length, expression);
      compilation.limits.push(plan);
      return { t: 'limit', limit: plan };
    }
    case 'transform': {
      const ops: TransformOp[] = [];
      for (const { path, value } of form.transform.set)
        ops.push({ t: 'set', path, value: expression(value, 'any') });
      for (const path of form.transform.drop) ops.push({ t: 'drop', path });
      return { t: 'transform', ops };
    }
    case 'flow': {
      const look = form.flow.in === null ? null : expression(form.flow.in, 'any');
      const flow = compileFlow(rule.source, form.flow, compilation.flows.length, look, [
        ...compilation.tools.keys(),
      ]);
      compilation.flows.push(flow);
      if (flow.track === 'value') compilation.usesOrigins = true;
      return { t: 'flow', flow };
    }
    case 'order': {
      const order: OrderPlan = { id: compilation.orders.length, ...form.order };
      compilation.orders.push(order);
      return { t: 'order', order };
    }
    case 'handoff': {
      const proven = form.handoff.proven === null ? null : expression(form.handoff.proven, 'bool');
      return {
        t: 'handoff',
        handoff: compileHandoff(rule.source, rule.onRange, form.handoff, proven),
      };
    }
    case 'check':
      return { t: 'require', test: expression(form.check.proof, 'bool') };
    case 'metric':
      throw new TypeError('a metric is no rule with a verdict');
    case 'obligation':
      return { t: 'obligation', obligation: compileOwed(compilation, rule, form.obligation) };
  }
}

function fixesFor(
  compilation: Compilation,
  rule: RuleClause,
  types: { args: Type; result: Type },
): Fixer | null {
  const { form } = rule;
  if (form.t === 'require') return derivedFixes(compilation, rule, form.expression, types);
  if (form.t === 'handoff' && form.handoff.proven !== null)
    return derivedFixes(compilation, rule, form.handoff.proven, types);
  if (form.t !== 'check') return null;
  const { name, subject } = form.check;
  const about =
    subject === null
      ? null
      : compileExpression(compilation, rule, subject, types, new Set<string>(), 'any').eval;
  return (frame) => {
    const value = about === null ? null : about(frame);
    return isCelError(value) ? [] : [{ t: 'run-check', check: name, subject: value as Json }];
  };
}

function compileMetric(compilation: Compilation, rule: RuleClause): MetricPlan {
  checkPatterns(compilation, rule);
  const { metric } = rule.form as Extract<RuleForm, { t: 'metric' }>;
  const types = callTypes(compilation.tools, rule.on);
  const compile = (from: Expression, scopeFor: (host: ScopeHost) => Scope): Evaluate =>
    compileIn(compilation, rule, from, new Set<string>(), 'bool', scopeFor).eval;
  const optional = (from: Expression | null): Evaluate | null =>
    from === null ? null : compile(from, (host) => rootScope(types, host));
  let verdictSlot = 0;
  const bad = compile(metric.bad, (host) => {
    const scope = rootScope(types, host).child('verdict', { t: 'string' });
    verdictSlot = scope.slotOf('verdict')!;
    return scope;
  });
  const { budget, alarm } = metric;
  return {
    id: rule.id,
    when: optional(rule.when),
    unless: optional(rule.unless),
    bad,
    verdictSlot,
    budget,
    alarm,
    because: rule.because,
  };
}

/** A check's own condition, over its evidence: it sees nothing of the session. */
function compileEvidence(compilation: Compilation, check: CheckDeclaration): CheckPlan {
  const context = { source: check.source, id: check.name, lets: [] };
  const parsed = check.pass === null ? null : parseCel(check.pass.text);
  if (parsed !== null && !('problem' in parsed) && looksBack(parsed.expr))
    check.source.error(
      'check',
      check.pass!.range,
      '`pass` is about the evidence; it cannot look at the session',
    );
  return compileCheck(check, (from, scopeFor) =>
    compileIn(compilation, context, from, new Set<string>(), 'bool', scopeFor),
  );
}

/** Compiled apart from the rule: a repair must not change what the rule means, nor report its problems twice. */
function derivedFixes(
  compilation: Compilation,
  rule: RuleClause,
  from: Expression,
  types: { args: Type; result: Type },
): Fixer | null {
  if (compilation.source.failed) return null;
  const prepared = prepare(compilation, rule, from, new Set<string>(), (host) => rootScope(types, host));
  return prepared === null ? null : compileFixes(prepared.expr, prepared.scope, compileExpr);
}

function compileOwed(
  compilation: Compilation,
  rule: RuleClause,
  clause: ObligationClause,
): ReturnType<typeof compileObligation> {
  const stepType = (patterns: readonly StepPattern[]): Type => {
    const types = patterns.map((pattern) => stepTypeFor(compilation.tools, pattern));
    return types.length === 1 && !('message' in types[0]!) ? types[0]! : DYN;
  };
  const names = (host: ScopeHost) => Scope.root(host, {});
  const silent = names({
    engines: compilation.source.engines,
    nextSlot: () => compilation.slots++,
    problem: () => undefined,
  });
  const prepared =
    clause.where === null ? null : prepare(compilation, rule, clause.where, new Set<string>(), names);
  return compileObligation(clause, prepared?.expr ?? null, {
    id: compilation.obligations++,
    owes: rule.on,
    types: { owed: stepType(rule.on), paid: stepType([clause.due]) },
    scope: prepared?.scope ?? silent,
    compile: compileExpr,
    report: prepared?.report('obligation') ?? (() => undefined),
  });
}
