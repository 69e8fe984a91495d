// A verdict as shape, word and colour; any one of the three is enough to read it. The only place that draws verdicts.
import type { ReactNode } from 'react';
import type { HoldState, StepRow } from '../../../src/engine/types.ts';
import type { Verdict } from '../../../src/monitor/types.ts';

export type MarkKind = Verdict | 'unguarded' | 'none';

/** One silhouette per verdict, drawn in a 16 px box with `currentColor`. */
const SHAPES: Record<MarkKind, ReactNode> = {
  allow: <path d="M3.5 8.5l3 3 6-7" fill="none" />,
  transform: (
    <>
      <path d="M8 1.5l6.5 6.5L8 14.5 1.5 8z" fill="none" />
      <path d="M5.5 8h5M8.7 6l2 2-2 2" fill="none" />
    </>
  ),
  hold: (
    <>
      <rect x="2" y="2" width="12" height="12" rx="2" fill="none" />
      <path d="M6.25 5.5v5M9.75 5.5v5" />
    </>
  ),
  deny: (
    <>
      <circle cx="8" cy="8" r="6.25" fill="none" />
      <path d="M4.5 8h7" strokeWidth="2.25" />
    </>
  ),
  halt: (
    <>
      <path d="M5.2 1.5h5.6l3.7 3.7v5.6l-3.7 3.7H5.2l-3.7-3.7V5.2z" fill="currentColor" />
      <path d="M5.5 5.5l5 5M10.5 5.5l-5 5" className="shape-cut" />
    </>
  ),
  unguarded: (
    <>
      <path d="M8 1.75l6.75 12.5H1.25z" fill="none" strokeDasharray="2.6 1.6" />
      <path d="M8 6v4M8 11.7v.6" />
    </>
  ),
  none: <path d="M5 8h6" />,
};

/** The shape alone; `label` is what it says to a screen reader, none when the word stands beside it. */
export function VerdictShape({ kind, label }: { kind: MarkKind; label?: string }) {
  return (
    <svg
      className="shape"
      data-kind={kind}
      viewBox="0 0 16 16"
      role={label ? 'img' : undefined}
      aria-label={label}
      aria-hidden={label ? undefined : true}
    >
      {SHAPES[kind]}
    </svg>
  );
}

export function VerdictBadge({ kind, children }: { kind: MarkKind; children: ReactNode }) {
  return (
    <span className="badge" data-kind={kind}>
      <VerdictShape kind={kind} />
      {children}
    </span>
  );
}

/** What came of a hold, said behind the verdict. */
const HOLD_ENDS: Record<HoldState, string> = {
  pending: '',
  approved: ', approved',
  refused: ', refused',
  expired: ', expired',
  used: ', then run',
};

/** The badge of a row: its verdict, what it would have been, or that nothing decided it. */
export function RowVerdict({ row }: { row: StepRow }) {
  const { decision, finding, hold } = row;
  if (finding?.kind === 'unguarded-step') return <VerdictBadge kind="unguarded">unguarded</VerdictBadge>;
  if (finding) return <VerdictBadge kind="unguarded">mismatch</VerdictBadge>;
  if (!decision) {
    return (
      <span className="badge" data-kind="none" title="Seen as telemetry; nothing decided it">
        <VerdictShape kind="none" />
        observed
      </span>
    );
  }
  if (decision.verdict !== decision.wouldBe) {
    return (
      <span className="badge" data-kind={decision.wouldBe} data-would-be="">
        <VerdictShape kind={decision.wouldBe} />
        would be {decision.wouldBe}
      </span>
    );
  }
  const answered = decision.verdict === 'hold' && hold ? HOLD_ENDS[hold.state] : '';
  return (
    <VerdictBadge kind={decision.verdict}>
      {decision.verdict}
      {answered}
    </VerdictBadge>
  );
}
