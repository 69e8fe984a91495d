// Compiles `past.*` operators. The condition is split into what concerns the remembered step alone (decided when it
// arrives), the equalities that join it to the current step (a hash index), and the rest (a bounded scan), so that a
// decision costs the same at step ten and at step ten million. Meaning: past-time metric first-order temporal logic
// over the session's steps (Basin, Klaedtke, Zalinescu, "Monitoring metric first-order temporal properties", 2015).
import type { Expr } from '@bufbuild/cel-spec/cel/expr/syntax_pb.js';
import { nearest } from '../step/nearest.ts';
import type { Compiled, Scope } from './cel/compile.ts';
import { celError, isCelError, type Value } from './cel/value.ts';
import {
  childrenOf,
  conjuncts,
  freeNames,
  identName,
  PAST_OPERATORS,
  pastCall,
  pathsFrom,
  stringConstant,
} from './free.ts';
import { keeper, type Paths } from './keep.ts';
import { PATTERN_WORDS, parsePattern, type StepPattern } from './pattern.ts';
import { type Cell, type Entry, type Run, WITNESS_LIMIT } from './run.ts';
import { DYN, type Type } from './schema/type.ts';
import { addDecimal, type Evaluate, keyText, MAX_ENTRIES, UNDECIDED, type ViewPlan } from './view.ts';

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

interface Side {
  readonly plan: ViewPlan;
  /** Where this operator's own conditions look for the remembered step. */
  readonly slot: number;
  /** The current step's side of each join equality. */
  readonly keys: readonly Evaluate[];
  /** Conditions about the current step alone. */
  readonly guards: readonly Evaluate[];
  /** Conditions that join the two other than by equality: checked entry by entry. */
  readonly rest: readonly Evaluate[];
  readonly windowMs: number | null;
  readonly type: Type;
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
  const call = expr.exprKind.case === 'callExpr' ? expr.exprKind.value : null;
  if (call === null) return null;
  if ((call.function === 'within' || call.function === 'of') && call.target && pastCall(call.target)) {
    if (call.function === 'of') {
      context.report(
        expr,
        '`.of(...)` looks across sessions, which this version cannot; leave it out to look at this session',
      );
      return FAILED;
    }
    const windowMs = windowOf(call.args[0], scope, context, expr);
    return windowMs === null ? FAILED : compileOperator(call.target, scope, context, windowMs);
  }
  return pastCall(expr) === null ? null : compileOperator(expr, scope, context, null);
}

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

function compileOperator(expr: Expr, scope: Scope, context: PastContext, windowMs: number | null): Compiled {
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
    const a = compileSide(expr, call.args.slice(0, 3), scope, context, windowMs, null, []);
    const b = compileSide(expr, call.args.slice(3), scope, context, windowMs, null, []);
    return a && b ? { type: { t: 'bool' }, eval: since(a, b) } : FAILED;
  }
  const wanted = parsePattern(stringConstant(call.args[0]) ?? '');
  if ('pattern' in wanted && (call.operator === 'exists' || call.operator === 'last'))
    context.needs.add(wanted.pattern.text);
  const reads = call.operator === 'last' ? (context.lastReads.get(expr) ?? [[]]) : [];
  const side = compileSide(
    expr,
    call.args.slice(0, 3),
    scope,
    context,
    windowMs,
    call.args[3] ?? null,
    reads,
    ['count', 'sum', 'min', 'max'].includes(call.operator),
  );
  if (side === null) return FAILED;
  switch (call.operator) {
    case 'exists':
      return { type: { t: 'bool' }, eval: exists(side) };
    case 'none': {
      const found = exists(side);
      return { type: { t: 'bool' }, eval: (frame) => negate(found(frame)) };
    }
    case 'last':
      return { type: side.type, eval: last(side) };
    case 'count':
      return {
        type: { t: 'int' },
        eval: fold(
          side,
          (entries) => BigInt(entries.length),
          (cell) => BigInt(cell.count),
          () => 0n,
        ),
      };
    case 'sum':
      return {
        type: DYN,
        eval: fold(
          side,
          (entries) => entries.reduce((sum, entry) => addDecimal(sum, entry.value), 0),
          (cell) => cell.sum,
          () => 0,
        ),
      };
    case 'min':
      return {
        type: DYN,
        eval: fold(
          side,
          (entries) => Math.min(...entries.map((entry) => entry.value)),
          (cell) => cell.min,
          () => nothing(side),
        ),
      };
    case 'max':
      return {
        type: DYN,
        eval: fold(
          side,
          (entries) => Math.max(...entries.map((entry) => entry.value)),
          (cell) => cell.max,
          () => nothing(side),
        ),
      };
  }
  return FAILED;
}

function compileSide(
  expr: Expr,
  args: readonly Expr[],
  scope: Scope,
  context: PastContext,
  windowMs: number | null,
  valueExpr: Expr | null,
  reads: Paths,
  counts = false,
): Side | null {
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
  const local: Evaluate[] = [];
  const keys: { remembered: Evaluate; now: Evaluate }[] = [];
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
      remembered.push(`if ${shapeOf(conjunct)}`);
    } else if (!aboutThen) guards.push(context.compile(conjunct, scope).eval);
    else {
      const sides = joinSides(conjunct, variable, scope);
      if (sides !== null) {
        remembered.push(`key ${shapeOf(sides.remembered)}`);
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
        rest.push(context.compile(conjunct, inner).eval);
        pathsFrom(variable, conjunct, paths);
      }
    }
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
    valueExpr === null ? null : shapeOf(valueExpr),
    keep ? paths : null,
    rest.length > 0 || (windowMs !== null && counts),
    windowMs,
  ]);
  const shared = context.views.find((view) => view.identity === identity);
  if (shared !== undefined)
    return { plan: shared, slot, keys: keys.map((key) => key.now), guards, rest, windowMs, type };
  const plan: ViewPlan = {
    id: context.views.length,
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
  };
  context.views.push(plan);
  return { plan, slot, keys: keys.map((key) => key.now), guards, rest, windowMs, type };
}

/** Whether a history operator inside speaks of the remembered step: it would have to be decided when that step arrived. */
function nestedPast(expr: Expr, variable: string): boolean {
  if (pastCall(expr) !== null && freeNames(expr).has(variable)) return true;
  return childrenOf(expr).some(
    (child) => !child.bound.includes(variable) && nestedPast(child.expr, variable),
  );
}

/** The expression without its node numbers: equal for two uses of one text. */
function shapeOf(expr: Expr): string {
  return JSON.stringify(expr, (key, value: unknown) =>
    key === 'id' || key === '$typeName' ? undefined : typeof value === 'bigint' ? `${value}n` : value,
  );
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

// ---- evaluation -------------------------------------------------------------------------------------------------

type Found = { readonly cell: Cell; readonly entries: Entry[] | null } | null;

/** The remembered steps that match now; a CEL error when a condition could not be evaluated. */
function lookUp(side: Side, frame: Value[], firstOnly: boolean): Found | Value {
  const run = frame[0] as unknown as Run;
  for (const guard of side.guards) {
    const value = guard(frame);
    if (value === false) return null;
    if (value !== true)
      return isCelError(value) ? value : celError('error', 'a history condition gave no true or false');
  }
  const parts: Value[] = [];
  for (const key of side.keys) {
    const part = key(frame);
    if (isCelError(part)) return part;
    parts.push(part);
  }
  const since = side.windowMs === null ? Number.NEGATIVE_INFINITY : run.now - side.windowMs;
  const undecided = run.cell(side.plan.id, UNDECIDED);
  const unsure = undecided !== undefined && undecided.time >= since ? undecidedError(side) : null;
  if (unsure !== null && !firstOnly) return unsure;
  const cell = run.cell(side.plan.id, keyText(parts));
  if (cell === undefined) return unsure;
  if (cell.time < since) return unsure;
  if (cell.entries === null) return { cell, entries: null };
  const entries: Entry[] = [];
  let error: Value | undefined;
  for (let i = cell.entries.length - 1; i >= 0; i--) {
    const entry = cell.entries[i]!;
    if (entry.time < since) break;
    const holds = checkRest(side, frame, entry);
    if (holds === true) {
      entries.push(entry);
      if (firstOnly) return { cell, entries };
    } else if (holds !== false) error = holds;
  }
  if (error !== undefined) return error;
  if (cell.overflowed && cell.entries[0]!.time >= since)
    return celError(
      'error',
      `more than ${MAX_ENTRIES} steps match \`${side.plan.text}\`; the rule cannot see them all`,
    );
  return entries.length === 0 ? unsure : { cell, entries };
}

function undecidedError(side: Side): Value {
  return celError(
    'error',
    `for an earlier step the conditions of \`${side.plan.text}\` could not be decided`,
  );
}

function checkRest(side: Side, frame: Value[], entry: Entry): Value {
  frame[side.slot] = entry.kept;
  for (const condition of side.rest) {
    const value = condition(frame);
    if (value !== true) return value;
  }
  return true;
}

function exists(side: Side): Evaluate {
  return (frame) => {
    const found = lookUp(side, frame, true);
    if (found === null) return false;
    if (isCelError(found as Value)) return found as Value;
    const { cell, entries } = found as NonNullable<Found>;
    note(frame, entries === null ? cell.refs.at(-1)! : entries[0]!.ref);
    return true;
  };
}

function last(side: Side): Evaluate {
  return (frame) => {
    const found = lookUp(side, frame, true);
    if (found === null) return nothing(side);
    if (isCelError(found as Value)) return found as Value;
    const { cell, entries } = found as NonNullable<Found>;
    const kept = entries === null ? cell.kept : entries[0]!.kept;
    note(frame, entries === null ? cell.refs.at(-1)! : entries[0]!.ref, kept);
    return kept;
  };
}

function fold(
  side: Side,
  overEntries: (entries: readonly Entry[]) => Value,
  overCell: (cell: Cell) => Value,
  empty: () => Value,
): Evaluate {
  return (frame) => {
    const found = lookUp(side, frame, false);
    if (found === null) return empty();
    if (isCelError(found as Value)) return found as Value;
    const { cell, entries } = found as NonNullable<Found>;
    if (entries === null ? cell.broken : entries.some((entry) => !Number.isFinite(entry.value)))
      return celError('absent', `a step that matches \`${side.plan.text}\` has no number to fold`);
    for (const ref of entries === null
      ? cell.refs.slice(-WITNESS_LIMIT)
      : entries.slice(0, WITNESS_LIMIT).map((entry) => entry.ref))
      note(frame, ref);
    return entries === null ? overCell(cell) : overEntries(entries);
  };
}

/** An A has happened and no B after the last A. */
function since(a: Side, b: Side): Evaluate {
  return (frame) => {
    const foundA = lookUp(a, frame, true);
    if (foundA === null) return false;
    if (isCelError(foundA as Value)) return foundA as Value;
    const foundB = lookUp(b, frame, true);
    if (foundB !== null && isCelError(foundB as Value)) return foundB as Value;
    const refA = latest(foundA as NonNullable<Found>);
    note(frame, refA);
    if (foundB === null) return true;
    const refB = latest(foundB as NonNullable<Found>);
    if (refB.seq > refA.seq) note(frame, refB);
    return refB.seq <= refA.seq;
  };
}

function latest(found: NonNullable<Found>) {
  return found.entries === null ? found.cell.refs.at(-1)! : found.entries[0]!.ref;
}

function nothing(side: Side): Value {
  return celError('absent', `no earlier step matches \`${side.plan.text}\` as the rule asks`);
}

function negate(value: Value): Value {
  return typeof value === 'boolean' ? !value : value;
}

const NOTE_LENGTH = 160;

function note(frame: Value[], ref: Cell['refs'][number], kept?: Value): void {
  const run = frame[0] as unknown as Run;
  if (run.witness === null) return;
  const text =
    kept === undefined || kept === null
      ? undefined
      : JSON.stringify(kept, (key, value: unknown) =>
          typeof value === 'bigint' ? Number(value) : key === 'time' ? undefined : value,
        );
  run.witness.add(
    ref,
    text === undefined || text === '{}'
      ? undefined
      : text.length > NOTE_LENGTH
        ? `${text.slice(0, NOTE_LENGTH)}…`
        : text,
  );
}
