// Every step of a session as one list whose scrollbar is honest from the first moment: a row exists by its number, its
// content is read when it comes near. React Aria's virtual ListBox wants every item up front, which ten thousand steps
// that are not loaded yet cannot give; so this is TanStack Virtual under the ARIA listbox pattern
// (aria-activedescendant), and nothing more.
import { useVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, useCallback, useEffect, useImperativeHandle, useRef } from 'react';
import { Button } from 'react-aria-components/Button';
import { formatCount, plural } from '../format.ts';
import { remPx, useMedia } from '../ui/use-media.ts';
import { TimelineRow } from './row.tsx';
import { useFollowEnd } from './use-follow-end.ts';
import { chunkOf, type Steps, useSteps } from './use-steps.ts';

export interface TimelineHandle {
  /** Brings a step to the middle of the view. */
  readonly reveal: (seq: number) => void;
  /** Scrolls no further than it must for the step to be seen. */
  readonly show: (seq: number) => void;
  readonly focus: () => void;
}

export interface TimelineProps {
  readonly id: string;
  readonly startedAt: number;
  readonly total: number;
  /** Steps to show, by number; null shows all. */
  readonly seqs: readonly number[] | null;
  readonly selected: number | null;
  readonly witnesses: ReadonlySet<number>;
  readonly flashing: number | null;
  readonly onSelect: (seq: number) => void;
  readonly onRead: () => void;
  readonly onTotal: (total: number) => void;
  readonly handle: React.Ref<TimelineHandle>;
}

export function Timeline(props: TimelineProps) {
  const { seqs, total, selected } = props;
  const count = seqs?.length ?? total;
  const narrow = useMedia('(max-width: 48rem)');
  const rowHeight = remPx(narrow ? 3.5 : 2);
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 10,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new row height is what must be measured anew
  useEffect(() => virtual.measure(), [rowHeight]);

  const items = virtual.getVirtualItems();
  const seqAt = (index: number): number => seqs?.[index] ?? index;
  const indexOf = (seq: number): number => (seqs ? seqs.indexOf(seq) : seq);
  const chunks = [...new Set(items.map((item) => chunkOf(seqAt(item.index))))];
  const steps: Steps = useSteps(props.id, chunks);

  const { onTotal } = props;
  const latest = useRef(props.onSelect);
  useEffect(() => {
    latest.current = props.onSelect;
  });
  const onSelect = useCallback((seq: number) => latest.current(seq), []);
  useEffect(() => onTotal(steps.total), [onTotal, steps.total]);

  const reveal = (seq: number, align: 'auto' | 'center'): void => {
    const index = indexOf(seq);
    if (index >= 0 && index < count) virtual.scrollToIndex(index, { align });
  };
  useImperativeHandle(props.handle, () => ({
    reveal: (seq) => reveal(seq, 'center'),
    show: (seq) => reveal(seq, 'auto'),
    focus: () => scroller.current?.focus({ preventScroll: true }),
  }));

  const toEnd = (): void => virtual.scrollToIndex(count - 1, { align: 'end' });
  const missed = useFollowEnd({
    scroller,
    count: seqs ? 0 : count,
    lastVisible: virtual.range?.endIndex ?? -1,
    toEnd,
  });

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey || count === 0) return;
    const page = Math.max(1, Math.floor((scroller.current?.clientHeight ?? 0) / rowHeight) - 1);
    const here = selected === null ? -1 : indexOf(selected);
    const target: Record<string, number> = {
      ArrowDown: here + 1,
      ArrowUp: here === -1 ? 0 : here - 1,
      PageDown: here + page,
      PageUp: here - page,
      Home: 0,
      End: count - 1,
    };
    if (event.key === 'Enter') props.onRead();
    else if (event.key in target) {
      const seq = seqAt(Math.min(count - 1, Math.max(0, target[event.key]!)));
      props.onSelect(seq);
      reveal(seq, 'auto');
    } else return;
    event.preventDefault();
  };

  const activeShown = selected !== null && items.some((item) => seqAt(item.index) === selected);
  return (
    <div className="timeline">
      <div className="step step-head" aria-hidden="true">
        <span className="step-seq">Step</span>
        <span className="step-time">Time</span>
        <span className="step-verdict">Verdict</span>
        <span className="step-kind">Kind</span>
        <span className="step-name">Name</span>
        <span className="step-summary">What it said</span>
        <span className="step-rules">Rules</span>
      </div>
      <div
        ref={scroller}
        className="timeline-scroller"
        role="listbox"
        tabIndex={0}
        aria-label={`Steps, ${formatCount(count)}`}
        aria-activedescendant={activeShown ? rowId(selected) : undefined}
        onKeyDown={onKeyDown}
      >
        <div className="timeline-rows" role="presentation" style={{ height: virtual.getTotalSize() }}>
          {items.map((item) => {
            const seq = seqAt(item.index);
            return (
              <TimelineRow
                key={seq}
                id={rowId(seq)}
                seq={seq}
                position={item.index + 1}
                of={count}
                row={steps.row(seq)}
                startedAt={props.startedAt}
                isSelected={seq === selected}
                isWitness={props.witnesses.has(seq)}
                isFlashing={seq === props.flashing}
                start={item.start}
                height={item.size}
                onSelect={onSelect}
              />
            );
          })}
        </div>
      </div>
      {missed > 0 && (
        <Button className="button news" onPress={toEnd}>
          {plural(missed, 'new step')} below
        </Button>
      )}
      {steps.error && (
        <p className="strip" role="alert">
          Some steps could not be read: {steps.error.message} Trying again.
        </p>
      )}
    </div>
  );
}

function rowId(seq: number): string {
  return `step-${seq}`;
}
