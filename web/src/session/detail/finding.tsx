// A finding, said so that it cannot be missed: above all, a step that ran without a decision.
import type { Finding } from '../../../../src/engine/types.ts';
import { formatExact } from '../../format.ts';
import { VerdictShape } from '../../ui/verdict.tsx';

const TITLES: Record<Finding['kind'], string> = {
  'overdue-obligation': 'Something owed was not done in time',
  'unguarded-step': 'This step ran without a decision',
  'replay-mismatch': 'Replay does not give what was recorded',
};

export function FindingNote({ finding }: { finding: Finding }) {
  return (
    <section className="callout" data-kind="unguarded" aria-label="Finding">
      <h3>
        <VerdictShape kind="unguarded" /> {TITLES[finding.kind]}
      </h3>
      <p dir="auto">{finding.detail}</p>
      <p className="callout-meta">
        Found {formatExact(finding.at)}, as <code>{finding.id}</code>
      </p>
    </section>
  );
}
