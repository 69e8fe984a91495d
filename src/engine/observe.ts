// Telemetry that arrives after the fact: spans are stored, joined to the decisions they show, and those that show a tool
// no decision covers become findings. Nothing here touches a monitor: what is observed never changes what is decided.
import type { JoinAnswer, SessionRow, Store, Write } from '../store/store.ts';
import type { Emit } from './events.ts';
import { type Coverage, createMatcher, joinRequestOf, keyOf } from './join.ts';
import { observedStep, observedWrite, sessionAfter } from './observed-step.ts';
import type { EngineLimits, EngineLogLine } from './options.ts';
import { refuse } from './problem.ts';
import { boundedSpan } from './span.ts';
import type { EngineEvent, Finding, Observation, Span } from './types.ts';

/** Spans of one transaction: with their steps and findings they stay below the rows of one commit. */
const SPANS_PER_ROUND = 200;

export interface Observer {
  observe(spans: readonly Span[], observations: readonly Observation[]): Promise<void>;
}

/** A span and what it shows. */
interface Seen {
  readonly span: Span;
  readonly observations: Observation[];
}

export function createObserver(
  store: Store,
  limits: EngineLimits,
  emit: Emit,
  log: (line: EngineLogLine) => void,
  onUnguarded?: (agent: string, finding: Finding) => Promise<void>,
): Observer {
  // One round at a time: each joins against what the one before has written.
  let last: Promise<unknown> = Promise.resolve();

  async function observe(spans: readonly Span[], observations: readonly Observation[]): Promise<void> {
    const seen = group(spans, observations);
    if (seen.length > limits.spansPerObserve) {
      const message = `${seen.length} spans came at once; at most ${limits.spansPerObserve} are taken`;
      throw refuse('limit-exceeded', message, 'Send smaller batches.');
    }
    for (let at = 0; at < seen.length; at += SPANS_PER_ROUND) {
      if (!store.hasRoom()) {
        throw refuse(
          'overloaded',
          'too many records are waiting to become durable',
          'Send the batch again later.',
        );
      }
      const round = last.then(() => record(seen.slice(at, at + SPANS_PER_ROUND)));
      last = round.catch(() => {});
      await round;
    }
  }

  async function record(all: readonly Seen[]): Promise<void> {
    const known = await store.knownSpans(all.map(({ span: { traceId, spanId } }) => ({ traceId, spanId })));
    const knownKeys = new Set(known.map(({ traceId, spanId }) => keyOf(traceId, spanId)));
    const fresh = all.filter(({ span }) => !knownKeys.has(keyOf(span.traceId, span.spanId)));
    if (fresh.length === 0) return;

    const ids = new Set(fresh.flatMap(({ observations }) => observations.map(({ session }) => session)));
    const guarded = new Set<string>();
    const observed = new Map<string, SessionRow>();
    await Promise.all(
      [...ids].map(async (id) => {
        if (await store.isGuarded(id)) return void guarded.add(id);
        const row = await store.observed(id);
        if (row !== null) observed.set(id, row);
      }),
    );
    const coverage = await cover(fresh, guarded);

    const writes: Write[] = [];
    const events: EngineEvent[] = [];
    const found: { agent: string; finding: Finding }[] = [];
    const changed = new Set<string>();
    fresh.forEach(({ span, observations }, index) => {
      const session = observations[0]?.session ?? null;
      writes.push({ t: 'span', row: { span: boundedSpan(span, limits.charactersPerSpan), session } });
      let callSeq: number | null = null;
      for (const observation of observations) {
        if (guarded.has(observation.session)) continue;
        const before = observed.get(observation.session) ?? null;
        const seq = before?.steps ?? 0;
        if (seq >= limits.stepsPerSession) {
          log({
            level: 'warn',
            message: `the observed session ${observation.session} is full; a step was left out`,
          });
          continue;
        }
        const row = sessionAfter(before, observation);
        observed.set(row.id, row);
        changed.add(row.id);
        const step = observedStep(row, observation, seq);
        writes.push({ t: 'session', row }, observedWrite(step, span, limits.bytesPerProposal));
        events.push({ type: 'step', session: row.id, seq });
        if (callSeq === null && step.kind.startsWith('tool.')) callSeq = seq;
      }
      const covered = coverage[index] ?? null;
      if (covered === null || session === null || covered.t === 'kin') return;
      if (covered.t === 'joined') {
        writes.push({ t: 'join', row: { session, seq: covered.seq, span } });
        events.push({ type: 'step', session, seq: covered.seq });
        return;
      }
      const finding = unguarded(observations, span, guarded.has(session) ? null : callSeq);
      writes.push({ t: 'finding', row: { finding, observed: callSeq !== null } });
      found.push({ agent: observations[0]!.agent.name, finding });
      events.push({ type: 'finding', session, finding: finding.id });
      changed.add(session);
    });
    await store.append(writes);
    for (const { agent, finding } of found) await onUnguarded?.(agent, finding);
    for (const event of events) emit(event);
    for (const session of changed) emit({ type: 'session', session });
  }

  /** Per span, whether a decision covers the tool it shows; null when it shows none. */
  async function cover(seen: readonly Seen[], guarded: ReadonlySet<string>): Promise<(Coverage | null)[]> {
    const requests = seen.map(({ observations }) => joinRequestOf(observations));
    const asked = requests
      .filter((request) => request !== null)
      .filter((request) => guarded.has(request.session));
    const answers = asked.length === 0 ? [] : await store.joinCandidates(asked, SPANS_PER_ROUND);
    const answerOf = new Map(asked.map((request, index) => [request, answers[index]!]));
    const matcher = createMatcher();
    return requests.map((request) =>
      request === null ? null : matcher.match(request, answerOf.get(request) ?? NO_ANSWER),
    );
  }

  return { observe };
}

const NO_ANSWER: JoinAnswer = { ofCall: [], ofAct: [], kinJoined: false };

/** Every span once, in the order given, with its observations. */
function group(spans: readonly Span[], observations: readonly Observation[]): Seen[] {
  const seen = new Map<string, Seen>();
  const of = (span: Span): Seen => {
    const key = keyOf(span.traceId, span.spanId);
    const known = seen.get(key);
    if (known !== undefined) return known;
    const entry = { span, observations: [] };
    seen.set(key, entry);
    return entry;
  };
  for (const span of spans) of(span);
  for (const observation of observations) of(observation.span).observations.push(observation);
  return [...seen.values()];
}

function unguarded(observations: readonly Observation[], span: Span, seq: number | null): Finding {
  const shown = observations.find(({ proposal }) => proposal.kind.startsWith('tool.'))!;
  const { name } = shown.proposal;
  return {
    id: `unguarded:${span.traceId}:${span.spanId}`,
    kind: 'unguarded-step',
    session: shown.session,
    seq,
    name,
    detail: `The tool ${name} ran, says the span ${span.spanId} of ${span.dialect}, and no decision covers it.`,
    at: shown.time,
  };
}
