// What makes a step worth stopping at, and the filters built on it. Pure; one pass over a chunk, remembered per chunk.
import type { StepRow } from '../../../src/engine/types.ts';
import type { Verdict } from '../../../src/monitor/types.ts';

export const SHOWS = ['denied', 'held', 'unguarded'] as const;
/** Which steps the timeline shows; every step when null. */
export type Show = (typeof SHOWS)[number];

export interface Mark {
  readonly seq: number;
  readonly verdict: Verdict | null;
  readonly wouldBe: Verdict | null;
  readonly unguarded: boolean;
}

const remembered = new WeakMap<readonly StepRow[], readonly Mark[]>();

/** The steps of a chunk that are not a plain allow, in order. */
export function marksOf(rows: readonly StepRow[]): readonly Mark[] {
  const known = remembered.get(rows);
  if (known) return known;
  const marks = rows.filter(isNotable).map((row) => ({
    seq: row.step.seq,
    verdict: row.decision?.verdict ?? null,
    wouldBe: row.decision?.wouldBe ?? null,
    unguarded: row.finding !== null,
  }));
  remembered.set(rows, marks);
  return marks;
}

/** Not a plain allow: refused, changed, held, would have been, or ran with no decision. */
export function isNotable(row: StepRow): boolean {
  if (row.finding !== null) return true;
  return row.decision !== null && (row.decision.verdict !== 'allow' || row.decision.wouldBe !== 'allow');
}

/** `denied` covers halt, and counts what shadow and warn rules would have denied. */
export function matchesShow(mark: Mark, show: Show): boolean {
  switch (show) {
    case 'denied':
      return isRefusal(mark.verdict) || isRefusal(mark.wouldBe);
    case 'held':
      return mark.verdict === 'hold' || mark.wouldBe === 'hold';
    case 'unguarded':
      return mark.unguarded;
  }
}

function isRefusal(verdict: Verdict | null): boolean {
  return verdict === 'deny' || verdict === 'halt';
}
