// What compiled expressions see while they run: the step, and the session's history through narrow interfaces that the
// monitor provides. Types only; this is the seam between the spec (meaning) and the monitor (state).
import type { Step, StepKind } from '../step/types.ts';
import type { Value } from './cel/value.ts';
import type { SharedScope } from './shared.ts';

/** A step as history remembers it. */
export interface Ref {
  readonly seq: number;
  readonly id: string;
  readonly kind: StepKind;
  readonly name: string;
  /** Set in a history wider than the session: whose step it is, and its place in that history. */
  readonly session?: string;
  readonly turn?: number;
}

/** One remembered step of a windowed or joined history view. */
export interface Entry {
  readonly ref: Ref;
  readonly time: number;
  /** What is folded (sum, min, max); 0 where nothing is. */
  readonly value: number;
  /** The fields that conditions or results read of it. */
  readonly kept: Value;
}

/** What a view remembers for one join key. Folded when it can be, a list when time or a condition needs each entry. */
export interface Cell {
  count: number;
  /** Latest last, at most twice `WITNESS_LIMIT`. */
  refs: Ref[];
  /** Time of the latest entry. */
  time: number;
  sum: number;
  min: number;
  max: number;
  /** A matched step whose folded value was no number: the fold has no value any more. */
  broken: boolean;
  /** Projection of the latest entry, for `last`. */
  kept: Value;
  /** Only in views that need each entry. */
  entries: Entry[] | null;
  /** Entries were dropped at the view's bound: a scan may have missed one. */
  overflowed: boolean;
}
export const WITNESS_LIMIT = 8;

/** Where a value was seen. */
export interface SourceInfo {
  /** `user`, `system`, `memory`, `handoff:<agent>`, `tool:<name>` or `tool:<name>.<path>`. */
  readonly name: string;
  /** The tool's name, when it is one: names may have dots too. */
  readonly tool?: string;
  readonly trusted: boolean;
  readonly labels: readonly string[];
}

export interface Sighting {
  readonly source: SourceInfo;
  readonly ref: Ref;
}

export interface OriginLookup {
  /** Sources in which the token sequence stands; null when the index overflowed and cannot say. */
  find(tokens: readonly string[]): readonly Sighting[] | null;
}

/** Collects the earlier steps that a verdict rests on. */
export interface WitnessSink {
  add(ref: Ref, note?: string): void;
}

/** Slot 0 of every frame. */
export interface Run {
  readonly step: Step;
  /** The step's time: the only clock, milliseconds since the epoch. */
  readonly now: number;
  cell(view: number, key: string): Cell | undefined;
  /** As `cell`, in the history of a wider scope. */
  sharedCell(view: string, scope: SharedScope, key: string): Cell | undefined;
  /** What was, or now is, asked of a wider history: recorded, so that it is asked once. */
  recall(id: string, key: string, scope: SharedScope, ask: (sink: WitnessSink) => Value): Value;
  readonly origins: OriginLookup;
  /** Null while a history condition is evaluated on arrival: nobody reads a witness there. */
  witness: WitnessSink | null;
}

/** Fixed frame slots. Local variables follow from `FIRST_LOCAL`. */
export const SLOT = {
  run: 0,
  args: 1,
  result: 2,
  content: 3,
  name: 4,
  kind: 5,
  principal: 6,
  agent: 7,
  time: 8,
  labels: 9,
  tool: 10,
  context: 11,
  session: 12,
  error: 13,
  call: 14,
  // 15 counts rounds (`BUDGET_SLOT`).
  attributes: 16,
} as const;
export const FIRST_LOCAL = 17;
