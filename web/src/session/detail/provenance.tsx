// Where the step is recorded and what its record is bound to: ids and digests, each whole on hover and in one copy.
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { StepRow } from '../../../../src/engine/types.ts';
import { CopyButton } from '../../ui/copy-button.tsx';
import { Digest } from '../../ui/digest.tsx';
import { Section } from './section.tsx';

export function Provenance({ row: { step, decision, stepDigest, stateDigest } }: { row: StepRow }) {
  return (
    <Section title="Record">
      <dl className="pairs">
        <Pair name="step id">
          <code>{step.id}</code>
          <CopyButton text={step.id} label="Step id" />
        </Pair>
        {step.callId && (
          <Pair name="call id">
            <code>{step.callId}</code>
          </Pair>
        )}
        {step.parent && (
          <Pair name="caused by">
            <code>{step.parent}</code>
          </Pair>
        )}
        {step.agent && (
          <Pair name="agent">
            {step.agent.name} {step.agent.version}
          </Pair>
        )}
        <Pair name="step digest">
          <Digest value={stepDigest} label="Step digest" />
        </Pair>
        {stateDigest && (
          <Pair name="state after it">
            <Digest value={stateDigest} label="State digest" />
          </Pair>
        )}
        {decision?.binding && (
          <Pair name="binds to arguments">
            <Digest value={decision.binding} label="Binding" />
          </Pair>
        )}
        {decision && (
          <Pair name="decided by">
            {decision.spec ? (
              <>
                <Link to="/specs/$digest" params={{ digest: decision.spec }}>
                  spec
                </Link>{' '}
                <Digest value={decision.spec} label="Spec digest" />
              </>
            ) : (
              'no spec'
            )}{' '}
            engine {decision.engine}
          </Pair>
        )}
      </dl>
    </Section>
  );
}

function Pair({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
