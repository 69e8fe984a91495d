// The rules that fired, strictest first: why, what would be allowed, and the earlier steps that made it so.
import { Link } from '@tanstack/react-router';
import { Button } from 'react-aria-components/Button';
import { Link as StepLink } from 'react-aria-components/Link';
import type { ApprovalTerms, Cause, Decision, RuleOutcome, Witness } from '../../../../src/monitor/types.ts';
import { formatCount, formatDuration, plural, revealHidden } from '../../format.ts';
import { VerdictBadge } from '../../ui/verdict.tsx';
import { Section } from './section.tsx';

const CAUSES: Record<Exclude<Cause, 'violated'>, string> = {
  absent: 'A value the rule needs is absent. Absent is not true.',
  error: 'The rule could not be evaluated. What cannot be decided is not allowed.',
};

export function Rules({ decision, onGo }: { decision: Decision; onGo: (seq: number) => void }) {
  const { rules, repair } = decision;
  const repairShown = rules.some((outcome) => outcome.repair === repair);
  return (
    <Section title={rules.length === 1 ? 'Rule that fired' : `${rules.length} rules that fired`}>
      {rules.map((outcome) => (
        <RuleCard key={outcome.rule} outcome={outcome} spec={decision.spec} onGo={onGo} />
      ))}
      {repair && !repairShown && <Repair text={repair} />}
    </Section>
  );
}

function RuleCard(props: { outcome: RuleOutcome; spec: string | null; onGo: (seq: number) => void }) {
  const { outcome, spec } = props;
  return (
    <article className="rule" data-kind={outcome.verdict}>
      <h4>
        {spec ? (
          <Link to="/specs/$digest" params={{ digest: spec }} hash={`rule-${outcome.rule}`}>
            {outcome.rule}
          </Link>
        ) : (
          outcome.rule
        )}
        <VerdictBadge kind={outcome.verdict}>{outcome.verdict}</VerdictBadge>
        {outcome.mode !== 'enforce' && <span className="tag">{outcome.mode} mode</span>}
      </h4>
      <p dir="auto">{revealHidden(outcome.because)}</p>
      {outcome.cause !== 'violated' && (
        <p className="cause">
          <span className="tag">{outcome.cause}</span> {CAUSES[outcome.cause]}
        </p>
      )}
      {outcome.repair && <Repair text={outcome.repair} />}
      {outcome.witness.length > 0 && <Witnesses witness={outcome.witness} onGo={props.onGo} />}
      {outcome.approve && <Terms terms={outcome.approve} />}
      {outcome.controls.length > 0 && (
        <p className="controls">
          Supports{' '}
          {outcome.controls.map((control) => (
            <code key={control}>{control}</code>
          ))}
        </p>
      )}
    </article>
  );
}

function Repair({ text }: { text: string }) {
  return (
    <p className="repair" dir="auto">
      <strong>What would be allowed:</strong> {revealHidden(text)}
    </p>
  );
}

function Witnesses({ witness, onGo }: { witness: readonly Witness[]; onGo: (seq: number) => void }) {
  return (
    <div className="witnesses">
      <h5>Because of {plural(witness.length, 'earlier step')}</h5>
      <ul>
        {witness.map((each) => (
          <li key={`${each.session ?? ''}:${each.seq}`}>
            {each.session === undefined ? (
              <Button className="witness" onPress={() => onGo(each.seq)}>
                <WitnessName witness={each} />
              </Button>
            ) : (
              <StepLink
                className="witness"
                href={`/sessions/${encodeURIComponent(each.session)}?step=${each.seq}`}
              >
                <WitnessName witness={each} /> <span>in session {each.session}</span>
              </StepLink>
            )}
            {each.note && <code className="witness-note">{each.note}</code>}
          </li>
        ))}
      </ul>
    </div>
  );
}

function WitnessName({ witness }: { witness: Witness }) {
  return (
    <>
      <span className="visually-hidden">Go to step </span>
      <span className="witness-seq">{formatCount(witness.seq)}</span>
      <span>
        {witness.kind} {witness.name}
      </span>
    </>
  );
}

function Terms({ terms }: { terms: ApprovalTerms }) {
  const who = terms.quorum > 1 ? `${terms.quorum} of` : 'one of';
  return (
    <p className="terms">
      Needs {terms.by.length > 1 || terms.quorum > 1 ? `${who} ` : ''}
      {terms.by.join(', ')}, within {formatDuration(terms.expiresMs)}
      {terms.escalate
        ? `; after ${formatDuration(terms.escalate.afterMs)} ${terms.escalate.to.join(' or ')} too`
        : ''}
      {terms.notPrincipal ? '; not the session’s own principal' : ''}.
    </p>
  );
}
