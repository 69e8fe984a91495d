// What the reader thread answers. Every query is bounded by a limit of its caller.
import type { DatabaseSync } from 'node:sqlite';
import type { Finding, Hold, HoldState } from '../../engine/types.ts';
import type { Verdict } from '../../monitor/types.ts';
import type { StepKind } from '../../step/types.ts';
import {
  holdAt,
  type JoinCandidate,
  type RecordedRow,
  type SpanKey,
  type StoredHold,
  type StoredSession,
  type StoredSpec,
} from '../store.ts';
import { createSessionQueries, type Row, sessionRow } from './session-queries.ts';
import { createStepQueries } from './step-queries.ts';

export function createQueries(database: DatabaseSync) {
  const sql = (text: string) => database.prepare(text);
  const session = sql('SELECT * FROM sessions WHERE id = ?');
  const snapshot = sql('SELECT seq, state_digest, state FROM snapshots WHERE session = ?');
  const liveHolds = sql(
    "SELECT body FROM holds WHERE session = ? AND state IN ('pending', 'approved') ORDER BY n",
  );
  const recorded = sql(`SELECT seq, step, decision, lower(hex(step_digest)) AS step_digest,
      lower(hex(state_digest)) AS state_digest, hold
    FROM steps JOIN payload USING (n) WHERE session = (SELECT n FROM sessions WHERE id = ?) AND observed = 0 AND seq >= ?
    ORDER BY seq LIMIT ?`);
  const idHashes =
    sql(`SELECT id_hash FROM steps WHERE session = (SELECT n FROM sessions WHERE id = ?) AND observed = 0
    AND seq >= ? ORDER BY seq LIMIT ?`);
  const hold = sql('SELECT body FROM holds WHERE id = ?');
  const expired = sql(
    "SELECT body FROM holds WHERE state = 'pending' AND expires_at < ? ORDER BY expires_at LIMIT ?",
  );
  const nextExpiry = sql("SELECT min(expires_at) AS at FROM holds WHERE state = 'pending'");
  const allFindings = sql('SELECT body FROM findings ORDER BY n DESC LIMIT ?');
  const sessionFindings = sql(
    'SELECT body FROM findings WHERE session = (SELECT n FROM sessions WHERE id = ?) ORDER BY n DESC LIMIT ?',
  );
  const spec = sql('SELECT digest, name, canonical FROM specs WHERE digest = ?');
  const span = sql('SELECT 1 FROM spans WHERE trace_id = ? AND span_id = ?');
  const observedCount = sql('SELECT count(*) AS count FROM steps WHERE session = ? AND observed = 1');
  const candidate = `SELECT seq, time, kind, name, call_id, act, verdict, step, trace_id, span_id, parent_id
    FROM steps JOIN payload USING (n) LEFT JOIN spans ON spans.n = steps.span
    WHERE steps.session = (SELECT n FROM sessions WHERE id = ?) AND observed = 0 AND act IS NOT NULL`;
  const ofCall = sql(`${candidate} AND call_id = ? ORDER BY seq DESC LIMIT ?`);
  const ofAct = sql(`${candidate} AND act = ? AND time <= ? ORDER BY seq DESC LIMIT ?`);

  return {
    ...createSessionQueries(database),
    ...createStepQueries(database),

    load(id: string): StoredSession | null {
      const row = session.get(id) as Row | undefined;
      if (row === undefined) return null;
      const saved = snapshot.get(row.n as number) as Row | undefined;
      return {
        row: sessionRow(row),
        snapshot:
          saved === undefined
            ? null
            : {
                session: id,
                seq: saved.seq as number,
                stateDigest: saved.state_digest as string,
                state: saved.state as string,
              },
        holds: liveHolds.all(row.n as number).map((row) => parseBody<StoredHold>(row as Row)),
      };
    },

    recorded(id: string, from: number, limit: number): RecordedRow[] {
      return recorded.all(id, from, limit).map((row) => ({
        seq: row.seq as number,
        step: row.step as string,
        decision: row.decision as string,
        stepDigest: `sha256:${row.step_digest as string}`,
        stateDigest: `sha256:${row.state_digest as string}`,
        hold: row.hold as string | null,
      }));
    },

    idHashes(id: string, from: number, limit: number): Float64Array {
      return Float64Array.from(idHashes.all(id, from, limit), (row) => row.id_hash as number);
    },

    hold(id: string): StoredHold | null {
      const row = hold.get(id) as Row | undefined;
      return row === undefined ? null : parseBody<StoredHold>(row);
    },

    holds(filter: { state?: HoldState; session?: string; limit: number }, now: number): Hold[] {
      const where = ['1'];
      const values: (string | number)[] = [];
      if (filter.session !== undefined) {
        where.push('session = (SELECT n FROM sessions WHERE id = ?)');
        values.push(filter.session);
      }
      if (filter.state === 'pending') {
        where.push("state = 'pending' AND expires_at >= ?");
        values.push(now);
      } else if (filter.state === 'expired') {
        where.push("(state = 'expired' OR state = 'pending' AND expires_at < ?)");
        values.push(now);
      } else if (filter.state !== undefined) {
        where.push('state = ?');
        values.push(filter.state);
      }
      const query = sql(`SELECT body FROM holds WHERE ${where.join(' AND ')} ORDER BY n DESC LIMIT ?`);
      return query
        .all(...values, filter.limit)
        .map((row) => holdAt(parseBody<StoredHold>(row as Row).hold, now));
    },

    expiredHolds(now: number, limit: number): Hold[] {
      return expired.all(now, limit).map((row) => parseBody<StoredHold>(row as Row).hold);
    },

    nextExpiry(): number | null {
      return nextExpiry.get()!.at as number | null;
    },

    findings(filter: { session?: string; limit: number }): Finding[] {
      const rows =
        filter.session === undefined
          ? allFindings.all(filter.limit)
          : sessionFindings.all(filter.session, filter.limit);
      return rows.map((row) => parseBody<Finding>(row as Row));
    },

    spec(digest: string): StoredSpec | null {
      const row = spec.get(digest) as Row | undefined;
      if (row === undefined) return null;
      return {
        digest: row.digest as string,
        name: row.name as string,
        canonical: row.canonical as string,
      };
    },

    knownSpans(keys: readonly SpanKey[]): SpanKey[] {
      return keys.filter((key) => span.get(key.traceId, key.spanId) !== undefined);
    },

    observedState(id: string) {
      const row = session.get(id) as Row | undefined;
      if (row === undefined) return null;
      const observed = observedCount.get(row.n as number)!.count as number;
      return { guarded: row.guarded === 1, observed, row: sessionRow(row) };
    },

    stepsOfCall(id: string, callId: string, limit: number): JoinCandidate[] {
      return ofCall.all(id, callId, limit).map((row) => joinCandidate(row as Row));
    },

    stepsOfAct(id: string, act: number, time: number, limit: number): JoinCandidate[] {
      return ofAct.all(id, act, time, limit).map((row) => joinCandidate(row as Row));
    },
  };
}

function parseBody<T>(row: Row): T {
  return JSON.parse(row.body as string) as T;
}

function joinCandidate(row: Row): JoinCandidate {
  return {
    seq: row.seq as number,
    time: row.time as number,
    kind: row.kind as StepKind,
    name: row.name as string,
    callId: row.call_id as string | null,
    act: row.act as number | null,
    verdict: row.verdict as Verdict,
    step: row.step as string,
    span:
      row.trace_id === null
        ? null
        : {
            traceId: row.trace_id as string,
            spanId: row.span_id as string,
            parentSpanId: row.parent_id as string | null,
          },
  };
}
