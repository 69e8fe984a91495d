// Compiles `past.*` operators. The condition is split into what concerns the remembered step alone (decided when it
// arrives), the equalities that join it to the current step (a hash index), and the rest (a bounded scan), so that a
// decision costs the same at step ten and at step ten million. Meaning: past-time metric first-order temporal logic
// over the session's steps (Basin, Klaedtke, Zalinescu, "Monitoring metric first-order temporal properties", 2015).

import { nearest } from '../step/nearest.ts';
import type { Compiled, Scope } from './cel/compile.ts';
import type { Expr } from './cel/tree.ts';
import { celError } from './cel/value.ts';
import {
  changeChildren,
  childrenOf,
  conjuncts,
  freeNames,
  identName,
  looksBack,
  narrowedPast,
  PAST_OPERATORS,
  type PastOperator,
  pastCall,
  pathsFrom,
  stringConstant,
} from './free.ts';
import { keeper, type Paths } from './keep.ts';
import { OPERATORS, type Side, since } from './past-eval.ts';
import { PATTERN_WORDS, parsePattern, type StepPattern } from './pattern.ts';
import { DYN, type Type } from './schema/type.ts';
import { recalled, SHARED_SCOPES, type SharedScope, sharedId } from './shared.ts';
import type { Evaluate, Pair, ViewPlan } from './view.ts';

/** What compiling history operators needs from the spec around them. */
export interface PastContext {
  readonly views: ViewPlan[];
  /** The type of the steps a pattern matches; null (reported) when it can match none. */
  stepType(pattern: StepPattern): Type | { readonly message: string; readonly suggestion?: string };
  /** What each `past.last` gives is read for. */
  readonly lastReads: Map<Expr, string[][]>;
  /** Patterns asked for, for the derived repair. */
  readonly needs: Set<string>;
  compile(expr: Expr, scope: Scope): Compiled;
  report(expr: Expr, message: string, suggestion?: string): void;
}

const ARITY: Readonly<Record<(typeof PAST_OPERATORS)[number], number>> = {
  exists: 3,
  none: 3,
  count: 3,
  last: 3,
  sum: 4,
  min: 4,
  max: 4,
  since: 6,
};

/** Null when `expr` is no history operator. */
export function compilePast(expr: Expr, scope: Scope, context: PastContext): Compiled | null {
  const narrowed = narrowedPast(expr);
  if (narrowed === null) return null;
  let reach: Reach = { windowMs: null, shared: null };
  for (const { name, arg, expr: at } of narrowed.narrowings) {
    if (name === 'within') {
      const windowMs = windowOf(arg, scope, context, at);
      if (windowMs === null) return FAILED;
      reach = { ...reach, windowMs };
    } else {
      const shared = sharedOf(arg, scope, context, at);
      if (shared === null) return FAILED;
      reach = { ...reach, shared };
    }
  }
  const { shared } = reach;
  const asked: Evaluate[] = [];
  const compiled = compileOperator(narrowed.past, scope, context, reach, asked);
  if (shared === null || compiled === FAILED) return compiled;
  const operator = pastCall(narrowed.past)!.operator;
  const id = sharedId(operator, shapeOf(expr));
  return {
    ...compiled,
    eval: recalled(id, shared.scope, asked, compiled.eval, operator === 'count'),
  };
}

/** How far an operator looks: back in time, and over which sessions. */
interface Reach {
  readonly windowMs: number | null;
  readonly shared: { readonly scope: SharedScope; readonly key: Expr | null } | null;
}

function sharedOf(arg: Expr | undefined, scope: Scope, context: PastContext, expr: Expr): Reach['shared'] {
  const word = stringConstant(arg);
  if (word === 'principal' || word === 'agent' || word === 'tenant') return { scope: word, key: null };
  if (arg === undefined || word !== null) {
    context.report(
      arg ?? expr,
      '`.of` takes "principal", "agent", "tenant", or a value of the step that sessions are joined by: `.of(args.account)`',
      nearest(word ?? '', SHARED_SCOPES) ?? undefined,
    );
    return null;
  }
  for (const name of freeNames(arg)) {
    if (!scope.has(name) || STEP_NAMES.includes(name)) continue;
    context.report(arg, `\`.of(...)\` is asked of earlier steps too; \`${name}\` is not a value of theirs`);
    return null;
  }
  return { scope: 'tenant', key: arg };
}

/** What every step has, and a remembered one has as a field. */
const STEP_NAMES: readonly string[] = [
  'args',
  'result',
  'content',
  'name',
  'kind',
  'principal',
  'agent',
  'labels',
  'attributes',
];

const FAILED: Compiled = { type: DYN, eval: () => celError('error', 'not compiled') };

function windowOf(arg: Expr | undefined, scope: Scope, context: PastContext, expr: Expr): number | null {
  const constant = arg ? context.compile(arg, scope).constant : undefined;
  const ms =
    typeof constant === 'object' && constant !== null && 'toMillis' in constant
      ? (constant as { toMillis(): number }).toMillis()
      : null;
  if (ms === null || ms <= 0) {
    context.report(arg ?? expr, '`within` takes a constant length of time: `.within(duration("24h"))`');
    return null;
  }
  return ms;
}

/** `asked` takes everything of the current step that the answer depends on. */
function compileOperator(
  expr: Expr,
  scope: Scope,
  context: PastContext,
  reach: Reach,
  asked: Evaluate[],
): Compiled {
  const call = pastCall(expr)!;
  if (!(PAST_OPERATORS as readonly string[]).includes(call.operator)) {
    context.report(
      expr,
      `\`past\` has no operator \`${call.operator}\`; it has ${PAST_OPERATORS.join(', ')}`,
      nearest(call.operator, PAST_OPERATORS) ?? undefined,
    );
    return FAILED;
  }
  const full = ARITY[call.operator];
  const short = full === 3 && call.args.length === 1;
  if (call.args.length !== full && !short) {
    context.report(
      expr,
      `\`past.${call.operator}\` takes ${full === 4 ? '(pattern, variable, condition, value)' : full === 6 ? '(pattern, variable, condition, pattern, variable, condition)' : '(pattern, variable, condition) or (pattern)'}`,
    );
    return FAILED;
  }
  if (call.operator === 'since') {
    const a = compileSide(expr, call.args.slice(0, 3), scope, context, reach, null, []);
    const b = compileSide(expr, call.args.slice(3), scope, context, reach, null, []);
    if (a === null || b === null) return FAILED;
    asked.push(...a.guards, ...a.keys, ...b.guards, ...b.keys);
    const sides = arePair(a, b)
      ? placePair(a, b, context)
      : ([placeSide(a, context), placeSide(b, context)] as const);
    return { type: { t: 'bool' }, eval: since(...sides) };
  }
  const wanted = parsePattern(stringConstant(call.args[0]) ?? '');
  if ('pattern' in wanted && (call.operator === 'exists' || call.operator === 'last'))
    context.needs.add(wanted.pattern.text);
  const reads = call.operator === 'last' ? (context.lastReads.get(expr) ?? [[]]) : [];
  const draft = compileSide(
    expr,
    call.args.slice(0, 3),
    scope,
    context,
    reach,
    call.args[3] ?? null,
    reads,
    ['count', 'sum', 'min', 'max'].includes(call.operator),
  );
  if (draft === null) return FAILED;
  const side = placeSide(draft, context);
  asked.push(...side.guards, ...side.keys);
  const type = call.operator === 'last' ? side.type : RESULT_TYPES[call.operator];
  return { type, eval: OPERATORS[call.operator](side) };
}

const RESULT_TYPES: Readonly<Record<Exclude<PastOperator, 'last' | 'since'>, Type>> = {
  exists: { t: 'bool' },
  none: { t: 'bool' },
  count: { t: 'int' },
  sum: DYN,
  min: DYN,
  max: DYN,
};

/** A side whose view is not among the spec's views yet. */
interface DraftSide extends Omit<Side, 'plan'> {
  readonly view: Omit<ViewPlan, 'id'>;
  /** What the current step asks by, as text. */
  readonly asks: string;
}

function placeSide({ view, ...side }: DraftSide, context: PastContext): Side {
  return { ...side, plan: placeView(view, context) };
}

/** Views that remember the same are one. */
function placeView(view: Omit<ViewPlan, 'id'>, { views }: PastContext): ViewPlan {
  const known = views.find(({ identity }) => identity === view.identity);
  if (known !== undefined) return known;
  const plan = { ...view, id: countOf(views, view.shared === null) };
  views.push(plan);
  return plan;
}

function countOf(views: readonly ViewPlan[], own: boolean): number {
  return views.filter((view) => (view.shared === null) === own).length;
}

/**
 * Whether an end of B settles every question of this operator for its key until A begins again: both sides ask by the
 * same values, and nothing else of the current step decides whether a B counts.
 */
function arePair(a: DraftSide, b: DraftSide): boolean {
  const isPlain = [a, b].every(({ view, rest }) => view.shared === null && rest.length === 0);
  return isPlain && b.guards.length === 0 && a.asks === b.asks;
}

/** Views of their own, for what others remember must not be let go. */
function placePair(a: DraftSide, b: DraftSide, context: PastContext): readonly [Side, Side] {
  const next = countOf(context.views, true);
  const sideOf = (draft: DraftSide, side: Pair['side'], other: number): Side => {
    const remembered: unknown[] = JSON.parse(draft.view.identity);
    const identity = JSON.stringify([...remembered, side, a.view.identity, b.view.identity]);
    return placeSide({ ...draft, view: { ...draft.view, identity, pair: { side, other } } }, context);
  };
  return [sideOf(a, 'begins', next + 1), sideOf(b, 'ends', next)];
}

function compileSide(
  expr: Expr,
  args: readonly Expr[],
  scope: Scope,
  context: PastContext,
  { windowMs, shared }: Reach,
  valueExpr: Expr | null,
  reads: Paths,
  counts = false,
): DraftSide | null {
  const patternText = stringConstant(args[0]);
  const parsed = patternText === null ? null : parsePattern(patternText);
  if (parsed === null || !('pattern' in parsed)) {
    const word = parsed?.word ?? '';
    context.report(
      args[0] ?? expr,
      parsed?.message ?? 'a history operator begins with a step pattern in quotes: "result get_order"',
      nearest(word, PATTERN_WORDS) ?? undefined,
    );
    return null;
  }
  const { pattern } = parsed;
  const type = context.stepType(pattern);
  if ('message' in type) {
    context.report(args[0]!, type.message, type.suggestion);
    return null;
  }
  const variable = args.length > 1 ? identName(args[1]) : '_';
  if (variable === null) {
    context.report(
      args[1]!,
      'the second argument names the remembered step: past.exists("result get_order", e, e.args.id == args.id)',
    );
    return null;
  }
  const inner = scope.child(variable, type);
  const slot = inner.slotOf(variable)!;
  if (shared !== null && [args[2], valueExpr].some((part) => part != null && looksBack(part))) {
    context.report(
      expr,
      'across sessions a condition may speak of the remembered step itself, not of what came before it or where its values are from',
    );
    return null;
  }
  const local: Evaluate[] = [];
  const keys: { remembered: Evaluate; now: Evaluate }[] = [];
  const asks: string[] = [];
  const guards: Evaluate[] = [];
  const rest: Evaluate[] = [];
  const remembered: string[] = [];
  const paths: string[][] = reads.map((path) => [...path]);
  for (const conjunct of args[2] ? conjuncts(args[2]) : []) {
    const names = freeNames(conjunct);
    const aboutNow = [...names].some((name) => name !== variable && scope.has(name) && name !== 'past');
    const aboutThen = names.has(variable);
    if (!aboutNow) {
      local.push(context.compile(conjunct, inner).eval);
      remembered.push(`if ${shapeOf(conjunct, variable)}`);
    } else if (!aboutThen) guards.push(context.compile(conjunct, scope).eval);
    else {
      const sides = joinSides(conjunct, variable, scope);
      if (sides !== null) {
        remembered.push(`key ${shapeOf(sides.remembered, variable)}`);
        asks.push(shapeOf(sides.now));
        keys.push({
          remembered: context.compile(sides.remembered, inner).eval,
          now: context.compile(sides.now, scope).eval,
        });
        // Compiled whole once more for the types of the two sides.
        context.compile(conjunct, inner);
      } else {
        if (nestedPast(conjunct, variable)) {
          context.report(
            conjunct,
            `a \`past\` inside this condition looks back from \`${variable}\` and may speak of \`${variable}\` only; it cannot be joined with the current step`,
          );
          return null;
        }
        if (shared !== null) {
          context.report(
            conjunct,
            'across sessions a condition joins the two steps by `==` only; compare what you fold or what `past.last` gives instead',
          );
          return null;
        }
        rest.push(context.compile(conjunct, inner).eval);
        pathsFrom(variable, conjunct, paths);
      }
    }
  }
  if (shared?.key) {
    const remembers = ofStep(structuredClone(shared.key), variable);
    remembered.push(`key ${shapeOf(remembers, variable)}`);
    keys.push({
      remembered: context.compile(remembers, inner).eval,
      now: context.compile(shared.key, scope).eval,
    });
  }
  const value = valueExpr === null ? null : context.compile(valueExpr, inner).eval;
  if (valueExpr !== null && [...freeNames(valueExpr)].some((name) => name !== variable && scope.has(name))) {
    context.report(valueExpr, `the value that is folded may speak of \`${variable}\` only`);
    return null;
  }
  const keep = rest.length > 0 || reads.length > 0;
  const identity = JSON.stringify([
    pattern.text,
    remembered,
    valueExpr === null ? null : shapeOf(valueExpr, variable),
    keep ? paths : null,
    rest.length > 0 || (windowMs !== null && counts),
    windowMs,
    shared?.scope ?? null,
  ]);
  const view: Omit<ViewPlan, 'id'> = {
    identity,
    text: patternText!,
    pattern,
    slot,
    local,
    keys: keys.map((key) => key.remembered),
    value,
    keep: keep ? keeper(paths) : null,
    entries: rest.length > 0 || (windowMs !== null && counts),
    windowMs,
    shared: shared === null ? null : { scope: shared.scope, id: sharedId('view', identity) },
    pair: null,
  };
  return {
    view,
    slot,
    keys: keys.map((key) => key.now),
    asks: asks.join('\n'),
    guards,
    rest,
    windowMs,
    type,
  };
}

/** Whether a history operator inside speaks of the remembered step: it would have to be decided when that step arrived. */
function nestedPast(expr: Expr, variable: string): boolean {
  if (pastCall(expr) !== null && freeNames(expr).has(variable)) return true;
  return childrenOf(expr).some(
    (child) => !child.bound.includes(variable) && nestedPast(child.expr, variable),
  );
}

/** The step's own names read of the remembered step: `args.account` becomes `e.args.account`. Changes the tree in place. */
function ofStep(expr: Expr, variable: string, bound: ReadonlySet<string> = new Set()): Expr {
  const name = identName(expr);
  if (name !== null && STEP_NAMES.includes(name) && !bound.has(name)) return selectFrom(variable, name, expr);
  return changeChildren(expr, (child, more) =>
    ofStep(child, variable, more.length === 0 ? bound : new Set([...bound, ...more])),
  );
}

function selectFrom(variable: string, field: string, at: Expr): Expr {
  const ident = { $typeName: 'cel.expr.Expr.Ident' as const, name: variable };
  const operand: Expr = { ...at, exprKind: { case: 'identExpr', value: ident } };
  const select = { $typeName: 'cel.expr.Expr.Select' as const, operand, field, testOnly: false };
  return { ...at, exprKind: { case: 'selectExpr', value: select } };
}

/** The expression without its node numbers: equal for two uses of one text, whatever its variable is called. */
function shapeOf(expr: Expr, variable?: string): string {
  return JSON.stringify(expr, (key, value: unknown) => {
    if (key === 'id' || key === '$typeName') return undefined;
    if (typeof value === 'bigint') return `${value}n`;
    return key === 'name' && variable !== undefined && value === variable ? '$' : value;
  });
}

/** `then == now` with each side speaking of one step only. */
function joinSides(conjunct: Expr, variable: string, scope: Scope): { remembered: Expr; now: Expr } | null {
  if (conjunct.exprKind.case !== 'callExpr' || conjunct.exprKind.value.function !== '_==_') return null;
  const [left, right] = conjunct.exprKind.value.args as [Expr, Expr];
  const speaks = (expr: Expr) => {
    const names = freeNames(expr);
    const then = names.has(variable);
    const now = [...names].some((name) => name !== variable && scope.has(name));
    return then && now ? 'both' : then ? 'then' : 'now';
  };
  if (speaks(left) === 'then' && speaks(right) === 'now') return { remembered: left, now: right };
  if (speaks(left) === 'now' && speaks(right) === 'then') return { remembered: right, now: left };
  return null;
}
