// Which decision covers a tool that telemetry shows to have run. Pure; the store finds the candidates.
import type { JoinAnswer, JoinCandidate, JoinRequest, SpanKey } from '../store/store.ts';
import { actOf, isToolStep } from './act.ts';
import type { Observation, Span } from './types.ts';

/** Clocks of the agent's host and ours may differ by this much. */
const SKEW_MS = 5_000;
/** Given by the door when a span says that a tool ran, but not with what. */
const ARGUMENTS_NOT_RECORDED = 'arguments-not-recorded';

/** `joined` names the decided step; `kin` is an act that another span shows already; `unguarded` has no decision. */
export type Coverage =
  | { readonly t: 'joined'; readonly seq: number }
  | { readonly t: 'kin' }
  | { readonly t: 'unguarded' };

export interface Matcher {
  /** Requests one after the other: a decision covers one of them. */
  match(request: JoinRequest, answer: JoinAnswer): Coverage;
}

/** The tool a span shows, as a question for its decision; null when it shows none. A call tells more than its result. */
export function joinRequestOf(observations: readonly Observation[]): JoinRequest | null {
  const tools = observations.filter(({ proposal }) => isToolStep(proposal.kind));
  const shown = tools.find(({ proposal }) => proposal.kind === 'tool.call') ?? tools[0];
  if (shown === undefined) return null;
  const { proposal, session, span } = shown;
  const unknownArgs = proposal.labels?.includes(ARGUMENTS_NOT_RECORDED) ?? false;
  return {
    session,
    kind: proposal.kind,
    name: proposal.name,
    callId: proposal.callId ?? null,
    act: unknownArgs ? null : actOf(proposal),
    time: latest(proposal.kind, span, shown.time),
    span: { traceId: span.traceId, spanId: span.spanId, parentSpanId: span.parentSpanId },
  };
}

/** A span may begin before the guard inside of it decides, so its end counts; a result is decided after the span. */
function latest(kind: JoinRequest['kind'], span: Span, time: number): number {
  if (kind === 'tool.result') return Number.MAX_SAFE_INTEGER;
  const end = Number(span.endNs.slice(0, -6) || '0');
  return Math.max(time, end) + SKEW_MS;
}

export function createMatcher(): Matcher {
  const taken = new Set<string>();
  const joined = new Map<string, string>();
  const parents = new Set<string>();

  function free(session: string, candidates: readonly JoinCandidate[]): JoinCandidate[] {
    return candidates.filter(({ seq }) => !taken.has(`${seq} ${session}`));
  }

  return {
    match(request, answer) {
      const { session, name, callId, span } = request;
      const isChild =
        span.parentSpanId !== null && joined.get(keyOf(span.traceId, span.parentSpanId)) === name;
      const isParent = parents.has(`${keyOf(span.traceId, span.spanId)} ${name}`);
      if (answer.kinJoined || isChild || isParent) return { t: 'kin' };
      const sameCall = free(session, answer.ofCall);
      // An id on one side only proves nothing; on both sides it must be the same.
      const sameAct = free(session, answer.ofAct).filter((step) => callId === null || step.callId === null);
      const best = choose(sameCall, request) ?? choose(sameAct, request);
      if (best === null) return { t: 'unguarded' };
      taken.add(`${best.seq} ${session}`);
      joined.set(keyOf(span.traceId, span.spanId), best.name);
      if (span.parentSpanId !== null) parents.add(`${keyOf(span.traceId, span.parentSpanId)} ${best.name}`);
      return { t: 'joined', seq: best.seq };
    },
  };
}

/** Of what was let through rather than not, of the same kind, of the same name: the latest. */
function choose(candidates: readonly JoinCandidate[], { kind, name }: JoinRequest): JoinCandidate | null {
  let best: JoinCandidate | null = null;
  let bestRank = -1;
  for (const candidate of candidates) {
    const passed = candidate.verdict === 'allow' || candidate.verdict === 'transform';
    const rank = (candidate.kind === kind ? 4 : 0) + (passed ? 2 : 0) + (candidate.name === name ? 1 : 0);
    if (rank <= bestRank) continue;
    best = candidate;
    bestRank = rank;
  }
  return best;
}

export function keyOf(traceId: SpanKey['traceId'], spanId: SpanKey['spanId']): string {
  return `${traceId} ${spanId}`;
}
