// What in this session asks for a person, above everything else: steps that wait for an answer, and findings that
// belong to no single step.
import { useQuery } from '@tanstack/react-query';
import { Button } from 'react-aria-components/Button';
import type { SessionSummary } from '../../../src/engine/types.ts';
import { findingsQuery, pendingHoldsQuery } from '../api/queries.ts';
import { formatCount, revealHidden } from '../format.ts';
import { VerdictShape } from '../ui/verdict.tsx';

export function Attention({ session, onGo }: { session: SessionSummary; onGo: (seq: number) => void }) {
  const holds = useQuery({ ...pendingHoldsQuery(session.id), enabled: session.state === 'held' });
  const findings = useQuery({ ...findingsQuery(session.id), enabled: session.findings > 0 });
  const waiting = session.state === 'held' ? (holds.data?.holds ?? []) : [];
  const stepless = (findings.data?.findings ?? []).filter((finding) => finding.seq === null);
  if (waiting.length === 0 && stepless.length === 0) return null;
  return (
    <ul className="attention">
      {waiting.map((hold) => (
        <li key={hold.id} data-kind="hold">
          <VerdictShape kind="hold" />
          <span>Waiting for an answer:</span>
          <Button className="link-button" onPress={() => onGo(hold.seq)}>
            step {formatCount(hold.seq)}, {hold.name || hold.kind}
          </Button>
        </li>
      ))}
      {stepless.map((finding) => (
        <li key={finding.id} data-kind="unguarded">
          <VerdictShape kind="unguarded" />
          <span>{revealHidden(finding.detail)}</span>
        </li>
      ))}
    </ul>
  );
}
