// Who ran the session, for whom, under which spec, and how it went, on two lines.
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { SessionSummary } from '../../../src/engine/types.ts';
import { formatCount, formatDuration, formatExact, revealHidden } from '../format.ts';
import { VerdictCounts } from '../sessions/counts.tsx';
import { CopyButton } from '../ui/copy-button.tsx';
import { Digest } from '../ui/digest.tsx';
import { SessionState } from '../ui/session-state.tsx';
import { Ago } from '../ui/time.tsx';
import { VerdictBadge } from '../ui/verdict.tsx';

export function SessionHeader(props: { session: SessionSummary; steps: number; children: ReactNode }) {
  const { session, steps } = props;
  return (
    <header className="session-head">
      <div className="session-title">
        <Link to="/" className="back">
          Sessions
        </Link>
        <h1 dir="auto" title={session.title ?? session.id}>
          {revealHidden(session.title ?? session.id)}
        </h1>
      </div>
      <dl className="facts">
        <Fact name="State">
          <SessionState session={session} />
        </Fact>
        <Fact name="Verdicts">
          {session.guarded ? (
            <VerdictCounts verdicts={session.verdicts} omitZero />
          ) : (
            <span className="state-observed">observed only, nothing decided</span>
          )}
        </Fact>
        {session.findings > 0 && (
          <Fact name="Findings">
            <VerdictBadge kind="unguarded">{formatCount(session.findings)}</VerdictBadge>
          </Fact>
        )}
        <Fact name="Steps">{formatCount(steps)}</Fact>
        <Fact name="Agent">
          {session.agent.name} <span className="agent-version">{session.agent.version}</span>
        </Fact>
        <Fact name="Principal">{session.principal ?? 'none given'}</Fact>
        {session.tenant && <Fact name="Tenant">{session.tenant}</Fact>}
        <Fact name="Spec">
          {session.spec ? (
            <>
              <Link to="/specs/$digest" params={{ digest: session.spec }}>
                {session.specName ?? 'unnamed'}
              </Link>{' '}
              <Digest value={session.spec} label="Spec digest" />
            </>
          ) : (
            'none applied'
          )}
        </Fact>
        <Fact name="Started">
          <Ago time={session.startedAt} />
        </Fact>
        <Fact name="Duration">
          <Duration session={session} />
        </Fact>
        <Fact name="Session">
          <code className="session-id">{session.id}</code>
          <CopyButton text={session.id} label="Session id" />
        </Fact>
      </dl>
      {props.children}
    </header>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="fact">
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** Start to last step; what is still open is not given a growing number it has not earned. */
function Duration({ session }: { session: SessionSummary }) {
  return (
    <span title={`Last step ${formatExact(session.lastAt)}`}>
      {formatDuration(session.lastAt - session.startedAt)}
      {session.state === 'ended' || session.state === 'halted' ? '' : ' so far'}
    </span>
  );
}
