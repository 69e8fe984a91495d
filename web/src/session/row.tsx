// One step of the timeline on one line (two on a phone): number, time, verdict, kind, name, what it said, rules.
import { memo } from 'react';
import type { StepRow } from '../../../src/engine/types.ts';
import { formatCount, formatExact, formatOffset } from '../format.ts';
import { summarise } from '../summary.ts';
import { RowVerdict } from '../ui/verdict.tsx';
import { isNotable } from './marks.ts';

export interface TimelineRowProps {
  readonly id: string;
  readonly seq: number;
  readonly position: number;
  readonly of: number;
  readonly row: StepRow | undefined;
  readonly startedAt: number;
  readonly isSelected: boolean;
  readonly isWitness: boolean;
  readonly isFlashing: boolean;
  /** Place and height in the list, in pixels. */
  readonly start: number;
  readonly height: number;
  readonly onSelect: (seq: number) => void;
}

/** Drawn again only when something about this row changed: scrolling is then the cost of the rows that come in. */
export const TimelineRow = memo(function TimelineRow(props: TimelineRowProps) {
  const { row, seq } = props;
  return (
    // The keyboard belongs to the list, which says with aria-activedescendant which row it is on.
    // biome-ignore lint/a11y/useKeyWithClickEvents: see above
    // biome-ignore lint/a11y/useFocusableInteractive: see above
    <div
      id={props.id}
      role="option"
      className="step"
      aria-selected={props.isSelected}
      aria-setsize={props.of}
      aria-posinset={props.position}
      data-kind={row ? rowKind(row) : undefined}
      data-notable={row && isNotable(row) ? '' : undefined}
      data-witness={props.isWitness ? '' : undefined}
      data-flash={props.isFlashing ? '' : undefined}
      style={{ transform: `translateY(${props.start}px)`, height: props.height }}
      onClick={() => props.onSelect(seq)}
    >
      <span className="step-seq">{formatCount(seq)}</span>
      {row ? (
        <>
          <span className="step-time" title={formatExact(row.step.time)}>
            {formatOffset(row.step.time - props.startedAt)}
          </span>
          <span className="step-verdict">
            <RowVerdict row={row} />
          </span>
          {props.isWitness && <span className="witness-flag">witness</span>}
          <span className="step-kind">{row.step.kind}</span>
          <span className="step-name">{row.step.name}</span>
          <span className="step-summary" dir="auto">
            {summarise(row.step)}
          </span>
          <span className="step-rules">{row.decision?.rules.map((outcome) => outcome.rule).join(', ')}</span>
        </>
      ) : (
        <span className="step-pending">
          <span className="visually-hidden">loading</span>
          <span className="skeleton-bar" />
        </span>
      )}
    </div>
  );
});

function rowKind(row: StepRow): string {
  if (row.finding) return 'unguarded';
  if (!row.decision) return 'none';
  return row.decision.verdict === 'allow' ? row.decision.wouldBe : row.decision.verdict;
}
