// Steps of a session that no guard is in the path of, as telemetry shows them: the same records as decided ones, without
// decision and state. Pure.
import { canonicalize } from '../step/canonical.ts';
import { digestText } from '../step/digest.ts';
import type { Step } from '../step/types.ts';
import type { SessionRow, Write } from '../store/store.ts';
import { titleOf } from './build-step.ts';
import { hash53 } from './ids.ts';
import { nativeSha256 } from './native-sha256.ts';
import type { Observation, Span } from './types.ts';

/** On a step that was too large: its content is left out here, and is in the span as far as that was kept. */
const CONTENT_LEFT_OUT = 'content-left-out';

/** The session with one more step; it begins with its first. */
export function sessionAfter(row: SessionRow | null, { session, agent, ...seen }: Observation): SessionRow {
  const title = seen.proposal.kind === 'input' ? titleOf(seen.proposal.content) : null;
  if (row !== null) {
    return {
      ...row,
      title: row.title ?? title,
      startedAt: Math.min(row.startedAt, seen.time),
      lastAt: Math.max(row.lastAt, seen.time),
      steps: row.steps + 1,
    };
  }
  return {
    id: session,
    agent,
    principal: seen.principal ?? null,
    tenant: seen.tenant ?? null,
    state: 'open',
    guarded: false,
    startedAt: seen.time,
    lastAt: seen.time,
    steps: 1,
    verdicts: { allow: 0, transform: 0, hold: 0, deny: 0, halt: 0 },
    title,
    spec: null,
    specName: null,
    noSpec: null,
    deadline: null,
  };
}

export function observedStep(row: SessionRow, observation: Observation, seq: number): Step {
  const { proposal, span, time, principal, tenant } = observation;
  return {
    ...proposal,
    id: proposal.id ?? `${span.traceId}/${span.spanId}/${proposal.kind}`,
    session: row.id,
    seq,
    time,
    agent: proposal.agent ?? observation.agent,
    ...(principal === undefined ? {} : { principal }),
    ...(tenant === undefined ? {} : { tenant }),
  };
}

export function observedWrite(step: Step, span: Span, bytesMax: number): Write {
  const whole = canonicalize(step);
  const text = Buffer.byteLength(whole) <= bytesMax ? whole : canonicalize(withoutContent(step));
  return {
    t: 'step',
    row: {
      session: step.session,
      observed: true,
      seq: step.seq,
      id: step.id,
      idHash: hash53(step.id),
      time: step.time,
      kind: step.kind,
      name: step.name,
      callId: step.callId ?? null,
      act: null,
      verdict: null,
      step: text,
      decision: null,
      stepDigest: digestText(text, nativeSha256),
      stateDigest: null,
      hold: null,
      span: { traceId: span.traceId, spanId: span.spanId },
    },
  };
}

function withoutContent({ args: _, content: __, result: ___, ...step }: Step): Step {
  return { ...step, labels: [...(step.labels ?? []), CONTENT_LEFT_OUT] };
}
