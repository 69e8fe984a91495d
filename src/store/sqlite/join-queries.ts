// What the joining of telemetry to decisions asks: spans that are known, and decided tool steps that have none yet. There
// is no index on what steps did, which would cost every decision a third more: steps of a session are in the order of
// time, so the ones that a span may show are read from around its time.
import type { DatabaseSync } from 'node:sqlite';
import type { Verdict } from '../../monitor/types.ts';
import type { StepKind } from '../../step/types.ts';
import type { JoinAnswer, JoinCandidate, JoinRequest, SpanKey } from '../store.ts';
import type { Row } from './session-queries.ts';

/** Steps before the time of a span among which its decision is looked for. */
const STEPS_BEFORE = 2_000;
/** Steps of one session that are read for one batch of spans. */
const STEPS_MAX = 50_000;

interface Unjoined extends JoinCandidate {
  readonly act: number;
  readonly time: number;
}

export function createJoinQueries(database: DatabaseSync) {
  const sql = (text: string) => database.prepare(text);
  const number = sql('SELECT n FROM sessions WHERE id = ?');
  const span = sql('SELECT tool FROM spans WHERE trace_id = ? AND span_id = ?');
  const child = sql(
    'SELECT 1 FROM spans WHERE trace_id = ? AND parent_id = ? AND tool IS NOT NULL AND tool = ?',
  );
  const lastSeq = sql('SELECT max(seq) AS seq FROM steps WHERE session = ? AND observed = 0');
  const timeOf = sql('SELECT time FROM steps WHERE session = ? AND observed = 0 AND seq = ?');
  const unjoined = sql(`SELECT seq, kind, name, call_id, verdict, act, time FROM steps
    WHERE session = ? AND observed = 0 AND seq BETWEEN ? AND ? AND act IS NOT NULL AND span IS NULL
    ORDER BY seq DESC`);

  /** The last step at or before the time, by bisection; -1 when there is none. */
  function lastAt(session: number, time: number, last: number): number {
    let low = -1;
    let high = last;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      const found = timeOf.get(session, middle)?.time as number | undefined;
      if (found !== undefined && found <= time) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** Steps that the requests, all of one session, may be about; latest first. */
  function around(session: number, requests: readonly JoinRequest[]): Unjoined[] {
    const last = (lastSeq.get(session)?.seq as number | null) ?? -1;
    if (last <= STEPS_BEFORE) return unjoined.all(session, 0, last).map(readUnjoined);
    const times = requests.map(({ time }) => time);
    const to = lastAt(session, Math.max(...times), last);
    const from = Math.max(lastAt(session, Math.min(...times), last) - STEPS_BEFORE, to - STEPS_MAX, 0);
    return unjoined.all(session, from, to).map(readUnjoined);
  }

  function isKinJoined({ name, span: { traceId, spanId, parentSpanId } }: JoinRequest): boolean {
    if (parentSpanId !== null && span.get(traceId, parentSpanId)?.tool === name) return true;
    return child.get(traceId, spanId, name) !== undefined;
  }

  return {
    knownSpans(keys: readonly SpanKey[]): SpanKey[] {
      return keys.filter((key) => span.get(key.traceId, key.spanId) !== undefined);
    },

    joinCandidates(requests: readonly JoinRequest[], limit: number): JoinAnswer[] {
      const steps = new Map<string, Unjoined[]>();
      for (const [id, own] of Map.groupBy(requests, ({ session }) => session)) {
        const session = number.get(id)?.n as number | undefined;
        if (session !== undefined) steps.set(id, around(session, own));
      }
      return requests.map((request) => {
        const own = steps.get(request.session) ?? [];
        return {
          ofCall: first(own, limit, ({ callId }) => callId !== null && callId === request.callId),
          ofAct: first(own, limit, (step) => isOfAct(step, request)),
          kinJoined: isKinJoined(request),
        };
      });
    },
  };
}

function isOfAct(step: Unjoined, { act, kind, name, time }: JoinRequest): boolean {
  if (step.time > time) return false;
  return act === null ? step.kind === kind && step.name === name : step.act === act;
}

function first(
  steps: readonly Unjoined[],
  limit: number,
  wanted: (step: Unjoined) => boolean,
): JoinCandidate[] {
  const found: JoinCandidate[] = [];
  for (const step of steps) {
    if (found.length >= limit) break;
    if (!wanted(step)) continue;
    const { seq, kind, name, callId, verdict } = step;
    found.push({ seq, kind, name, callId, verdict });
  }
  return found;
}

function readUnjoined(row: Row): Unjoined {
  return {
    seq: row.seq as number,
    kind: row.kind as StepKind,
    name: row.name as string,
    callId: row.call_id as string | null,
    verdict: row.verdict as Verdict,
    act: row.act as number,
    time: row.time as number,
  };
}
