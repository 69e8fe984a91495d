// Evaluates `past.*` operators over what their views remember: a look-up by key, a fold, or a bounded scan. Pure.
import { celError, isCelError, type Value } from './cel/value.ts';
import type { PastOperator } from './free.ts';
import { type Cell, type Entry, type Run, WITNESS_LIMIT } from './run.ts';
import type { Type } from './schema/type.ts';
import { addDecimal, type Evaluate, keyText, MAX_ENTRIES, UNDECIDED, type ViewPlan } from './view.ts';

/** One pattern of an operator: what it remembers, and how it is asked. */
export interface Side {
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
  const undecided = cellOf(side.plan, run, UNDECIDED);
  const unsure =
    undecided !== undefined && undecided.time >= windowStart(side, run, undecided)
      ? undecidedError(side)
      : null;
  if (unsure !== null && !firstOnly) return unsure;
  const cell = cellOf(side.plan, run, keyText(parts));
  if (cell === undefined) return unsure;
  const since = windowStart(side, run, cell);
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

/** Where the window begins. Sessions that share a history may come in another order than they happened in. */
function windowStart({ windowMs, plan }: Side, run: Run, cell: Cell): number {
  if (windowMs === null) return Number.NEGATIVE_INFINITY;
  return (plan.shared === null ? run.now : Math.max(run.now, cell.time)) - windowMs;
}

function cellOf(plan: ViewPlan, run: Run, key: string): Cell | undefined {
  return plan.shared === null
    ? run.cell(plan.id, key)
    : run.sharedCell(plan.shared.id, plan.shared.scope, key);
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
export function since(a: Side, b: Side): Evaluate {
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
    const isLater = (refB.turn ?? refB.seq) > (refA.turn ?? refA.seq);
    if (isLater) note(frame, refB);
    return !isLater;
  };
}

function latest(found: NonNullable<Found>) {
  return found.entries === null ? found.cell.refs.at(-1)! : found.entries[0]!.ref;
}

/** By operator; `since` has two sides and stands apart. */
export const OPERATORS: Readonly<Record<Exclude<PastOperator, 'since'>, (side: Side) => Evaluate>> = {
  exists,
  none: (side) => {
    const found = exists(side);
    return (frame) => negate(found(frame));
  },
  last,
  count: (side) =>
    fold(
      side,
      (entries) => BigInt(entries.length),
      (cell) => BigInt(cell.count),
      () => 0n,
    ),
  sum: (side) =>
    fold(
      side,
      (entries) => entries.reduce((sum, entry) => addDecimal(sum, entry.value), 0),
      (cell) => cell.sum,
      () => 0,
    ),
  min: (side) =>
    fold(
      side,
      (entries) => Math.min(...entries.map((entry) => entry.value)),
      (cell) => cell.min,
      () => nothing(side),
    ),
  max: (side) =>
    fold(
      side,
      (entries) => Math.max(...entries.map((entry) => entry.value)),
      (cell) => cell.max,
      () => nothing(side),
    ),
};

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
