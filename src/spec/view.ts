// A history view: the bounded memory that one `past` operator needs, and how a matching step changes it. Pure.
import { canonicalize } from '../step/canonical.ts';
import type { Value } from './cel/value.ts';
import type { StepPattern } from './pattern.ts';
import { type Cell, type Entry, type Ref, WITNESS_LIMIT } from './run.ts';
import type { SharedScope } from './shared.ts';

/** Entries one join key may keep when each entry is needed. */
export const MAX_ENTRIES = 4_096;
/** Join keys one view may keep in one session. */
export const MAX_CELLS = 1_000_000;

export type Evaluate = (frame: Value[]) => Value;

export interface ViewPlan {
  readonly id: number;
  /** Views that remember the same are one. */
  readonly identity: string;
  /** The operator as written, for messages. */
  readonly text: string;
  readonly pattern: StepPattern;
  /** Frame slot of the view's own variable. */
  readonly slot: number;
  /** Conditions about the remembered step alone, decided when it arrives. */
  readonly local: readonly Evaluate[];
  /** The remembered step's side of each join equality. */
  readonly keys: readonly Evaluate[];
  /** What is folded, for sum, min and max. */
  readonly value: Evaluate | null;
  /** Reads of the step what conditions and results need later; null when nothing is kept. */
  readonly keep: ((step: Value) => Value) | null;
  /** Whether each entry is needed (a window, or a condition that is no equality). */
  readonly entries: boolean;
  /** Longest window asked of this view; entries older than it are dropped. */
  readonly windowMs: number | null;
  /** Null in the session's own history; else which wider one, and the view's name there. */
  readonly shared: { readonly scope: SharedScope; readonly id: string } | null;
  /** One side of a `past.since` whose sides join on the same values: what ended is let go (src/monitor/pairs.ts). */
  readonly pair: Pair | null;
}

export interface Pair {
  readonly side: 'begins' | 'ends';
  /** Id of the other side's view. */
  readonly other: number;
}

export function emptyCell(entries: boolean): Cell {
  return {
    count: 0,
    refs: [],
    time: 0,
    sum: 0,
    min: Number.POSITIVE_INFINITY,
    max: Number.NEGATIVE_INFINITY,
    broken: false,
    kept: null,
    entries: entries ? [] : null,
    overflowed: false,
  };
}

/** Folds one matched step into a cell. `value` is null when nothing is folded, NaN when it was no number. */
export function addToCell(
  plan: ViewPlan,
  cell: Cell,
  ref: Ref,
  time: number,
  value: number | null,
  kept: Value,
): void {
  cell.count++;
  cell.time = time;
  // A list grown from nothing has room for seventeen: most cells have one.
  if (cell.refs.length === 0) cell.refs = [ref];
  else cell.refs.push(ref);
  if (cell.refs.length > 2 * WITNESS_LIMIT) cell.refs.splice(0, cell.refs.length - WITNESS_LIMIT);
  if (value !== null && cell.entries === null) {
    if (!Number.isFinite(value)) cell.broken = true;
    else {
      cell.sum = addDecimal(cell.sum, value);
      if (value < cell.min) cell.min = value;
      if (value > cell.max) cell.max = value;
    }
  }
  if (cell.entries === null) {
    cell.kept = kept;
    return;
  }
  cell.entries.push({ ref, time, value: value ?? 0, kept });
  if (plan.windowMs !== null) dropOlder(cell.entries, time - plan.windowMs);
  if (cell.entries.length > MAX_ENTRIES) {
    cell.entries.splice(0, cell.entries.length - MAX_ENTRIES);
    cell.overflowed = true;
  }
}

function dropOlder(entries: Entry[], since: number): void {
  let stale = 0;
  while (stale < entries.length && entries[stale]!.time < since) stale++;
  // In chunks: one splice for many drops keeps adding cheap.
  if (stale > 64 || stale === entries.length) entries.splice(0, stale);
}

/**
 * Addition to 15 significant digits, so that decimal money adds up: 0.1 + 0.2 is 0.3. Where 15 digits no longer reach
 * the cents, the binary sum is kept: rounded, small amounts would vanish and a limit would never fill.
 */
export function addDecimal(a: number, b: number): number {
  const sum = a + b;
  return Number.isSafeInteger(sum) || Math.abs(sum) > 1e12 ? sum : Number(sum.toPrecision(15));
}

/** The cell of steps that a view's own conditions could not be decided for: what is asked of the view is undecided too. */
export const UNDECIDED = '\u0000undecided';

/** The text under which equal values (CEL `==`) meet in a hash index. */
export function keyText(values: readonly Value[]): string {
  if (values.length === 1) return keyPart(values[0]!);
  return JSON.stringify(values.map(keyPart));
}

function keyPart(value: Value): string {
  switch (typeof value) {
    case 'string':
      return `s${value}`;
    case 'number':
      return `n${value === 0 ? 0 : value}`;
    case 'bigint':
      return `n${value}`;
    case 'boolean':
      return value ? 't' : 'f';
    default:
      return `j${canonicalize(plainJson(value))}`;
  }
}

/** Ints as JSON numbers, maps as objects: equal values have one text whatever the order of their fields. */
function plainJson(value: Value): unknown {
  return JSON.parse(
    JSON.stringify(value, (_, v: unknown) =>
      typeof v === 'bigint' ? Number(v) : v instanceof Map ? Object.fromEntries(v) : v,
    ) ?? 'null',
  );
}
