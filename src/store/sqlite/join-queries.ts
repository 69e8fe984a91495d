// What the joining of telemetry to decisions asks: spans that are known, and decided tool steps that have none yet.
import type { DatabaseSync } from 'node:sqlite';
import type { Verdict } from '../../monitor/types.ts';
import type { StepKind } from '../../step/types.ts';
import type { JoinAnswer, JoinCandidate, JoinRequest, SpanKey } from '../store.ts';
import type { Row } from './session-queries.ts';

const UNJOINED = `SELECT seq, kind, name, call_id, verdict FROM steps
  WHERE session = ? AND act IS NOT NULL AND observed = 0 AND span IS NULL`;

export function createJoinQueries(database: DatabaseSync) {
  const sql = (text: string) => database.prepare(text);
  const number = sql('SELECT n FROM sessions WHERE id = ?');
  const span = sql('SELECT tool FROM spans WHERE trace_id = ? AND span_id = ?');
  const child = sql(
    'SELECT 1 FROM spans WHERE trace_id = ? AND parent_id = ? AND tool IS NOT NULL AND tool = ?',
  );
  const ofCall = sql(`${UNJOINED} AND call_id IS NOT NULL AND call_id = ? ORDER BY seq DESC LIMIT ?`);
  const ofAct = sql(`${UNJOINED} AND act = ? AND time <= ? ORDER BY seq DESC LIMIT ?`);
  const ofTool = sql(`${UNJOINED} AND kind = ? AND name = ? AND time <= ? ORDER BY seq DESC LIMIT ?`);

  function answer(request: JoinRequest, limit: number): JoinAnswer {
    const { kind, name, callId, act, time } = request;
    const session = number.get(request.session)?.n as number | undefined;
    if (session === undefined) return { ofCall: [], ofAct: [], kinJoined: false };
    const byCall = callId === null ? [] : ofCall.all(session, callId, limit);
    const byAct =
      act === null ? ofTool.all(session, kind, name, time, limit) : ofAct.all(session, act, time, limit);
    return { ofCall: byCall.map(candidate), ofAct: byAct.map(candidate), kinJoined: isKinJoined(request) };
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
      return requests.map((request) => answer(request, limit));
    },
  };
}

function candidate(row: Row): JoinCandidate {
  return {
    seq: row.seq as number,
    kind: row.kind as StepKind,
    name: row.name as string,
    callId: row.call_id as string | null,
    verdict: row.verdict as Verdict,
  };
}
