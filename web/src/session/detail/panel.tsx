// Everything about one step, the most urgent first: findings, the verdict in words, the hold to answer, the rules that
// fired with their witnesses, then what the step said, then where it is recorded.
import type { RefObject } from 'react';
import { Button } from 'react-aria-components/Button';
import type { SessionSummary, StepRow } from '../../../../src/engine/types.ts';
import { formatCount, formatExact, formatOffset } from '../../format.ts';
import { RowVerdict } from '../../ui/verdict.tsx';
import { verdictInWords, wouldBeInWords } from '../../words.ts';
import { FindingNote } from './finding.tsx';
import { HoldBox } from './hold.tsx';
import { Payload } from './payload.tsx';
import { Provenance } from './provenance.tsx';
import { Rules } from './rules.tsx';
import { RawSpan } from './span.tsx';

export function DetailPanel(props: {
  panelRef: RefObject<HTMLElement | null>;
  session: SessionSummary;
  seq: number;
  total: number;
  row: StepRow | undefined;
  error: Error | null;
  onGo: (seq: number) => void;
  onClose: () => void;
}) {
  const { row, seq } = props;
  return (
    <section className="detail" aria-label={`Step ${seq}`} ref={props.panelRef} tabIndex={-1}>
      <header className="detail-head">
        <h2>
          <span className="detail-seq">Step {formatCount(seq)}</span>
          {row && (
            <>
              <span className="detail-kind">{row.step.kind}</span> {row.step.name}
            </>
          )}
        </h2>
        {row && <RowVerdict row={row} />}
        <Button className="icon-button" aria-label="Close the step" onPress={props.onClose}>
          <svg viewBox="0 0 16 16" aria-hidden="true">
            <path d="M4 4l8 8M12 4l-8 8" />
          </svg>
        </Button>
      </header>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard */}
      <section className="detail-body" key={seq} tabIndex={0} aria-label="Details">
        {row ? <Body row={row} session={props.session} onGo={props.onGo} /> : <Missing {...props} />}
      </section>
    </section>
  );
}

function Body({
  row,
  session,
  onGo,
}: {
  row: StepRow;
  session: SessionSummary;
  onGo: (seq: number) => void;
}) {
  const { step, decision, finding, hold, span } = row;
  const wouldBe = decision && wouldBeInWords(decision);
  return (
    <>
      {finding && <FindingNote finding={finding} />}
      {decision ? (
        <p className="verdict-words">
          {verdictInWords(decision, step.kind, hold?.state ?? null)} {wouldBe && <strong>{wouldBe}</strong>}
        </p>
      ) : (
        !finding && <p className="verdict-words">Seen as telemetry. No spec decided this step.</p>
      )}
      {hold && <HoldBox hold={hold} />}
      {decision && decision.rules.length > 0 && <Rules decision={decision} onGo={onGo} />}
      <Payload step={step} transformed={decision?.transformed} />
      <p className="detail-when">
        {formatExact(step.time)}, {formatOffset(step.time - session.startedAt)} into the session
      </p>
      <Provenance row={row} />
      {span && <RawSpan span={span} />}
    </>
  );
}

function Missing({ seq, total, error }: { seq: number; total: number; error: Error | null }) {
  if (error) return <p role="alert">This step could not be read: {error.message} Trying again.</p>;
  if (seq >= total) {
    return (
      <p>
        There is no step {formatCount(seq)}: the session has {formatCount(total)}.
      </p>
    );
  }
  return <p role="status">Reading the step</p>;
}
