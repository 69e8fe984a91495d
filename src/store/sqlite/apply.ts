// Applies one batch of writes inside the writer's transaction. Sessions and spans are named by their text ids outside
// and by row numbers inside.
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Join, SessionRow, SpanKey, StepWrite, StoredFinding, StoredHold, Write } from '../store.ts';

/** Session row numbers remembered; they never change, so the oldest may simply be forgotten. */
const NUMBERS_MAX = 50_000;
/** How far behind its call a result is looked for. */
const RESULT_WITHIN_STEPS = 2_000;

/** A function that applies a batch in one transaction, all of it or, when it throws, nothing. */
export function createApply(database: DatabaseSync): (writes: readonly Write[]) => void {
  const sql = statements(database);
  const numbers = new Map<string, number>();

  function numberOf(session: string): number {
    const known = numbers.get(session);
    if (known !== undefined) return known;
    const row = sql.sessionNumber.get(session);
    if (row === undefined) throw new RangeError(`a write names the session ${session}, which is not stored`);
    if (numbers.size >= NUMBERS_MAX) numbers.delete(numbers.keys().next().value as string);
    numbers.set(session, row.n as number);
    return row.n as number;
  }

  function spanNumber(key: SpanKey): number | null {
    return (sql.spanNumber.get(key.traceId, key.spanId)?.n as number | undefined) ?? null;
  }

  function putSession(row: SessionRow): void {
    const { allow, transform, hold, deny, halt } = row.verdicts;
    sql.session.run(
      row.id,
      row.agent.name,
      row.agent.version ?? null,
      row.principal,
      row.tenant,
      row.state,
      row.guarded ? 1 : 0,
      row.startedAt,
      row.lastAt,
      row.steps,
      allow,
      transform,
      hold,
      deny,
      halt,
      row.title,
      row.spec,
      row.specName,
      row.noSpec,
      row.deadline,
      row.door ?? null,
    );
  }

  function putStep(row: StepWrite): void {
    const { lastInsertRowid } = sql.step.run(
      numberOf(row.session),
      row.observed ? 1 : 0,
      row.seq,
      row.id,
      row.idHash,
      row.time,
      row.kind,
      row.name,
      row.callId,
      row.act,
      row.verdict,
      digestBytes(row.stepDigest),
      row.stateDigest === null ? null : digestBytes(row.stateDigest),
      row.hold,
      row.span === null ? null : spanNumber(row.span),
    );
    sql.payload.run(lastInsertRowid, row.step, row.decision);
  }

  function putHold(row: StoredHold): void {
    const { id, session, state, expiresAt } = row.hold;
    sql.hold.run(id, numberOf(session), state, expiresAt, JSON.stringify(row));
  }

  function putFinding({ finding, observed }: StoredFinding): void {
    const session = numberOf(finding.session);
    const body = JSON.stringify(finding);
    const { changes } = sql.finding.run(finding.id, session, observed ? 1 : 0, finding.seq, body);
    if (changes > 0) sql.countFinding.run(session);
  }

  function putJoin({ session, seq, span }: Join): void {
    const n = numberOf(session);
    const spanN = spanNumber(span);
    const step = sql.join.get(spanN, n, seq);
    if (step === undefined) return;
    sql.joinedTool.run(step.name as string, spanN);
    if (step.call_id === null) return;
    sql.joinResult.run(spanN, n, seq, seq + RESULT_WITHIN_STEPS, step.call_id as string);
  }

  function apply(write: Write): void {
    switch (write.t) {
      case 'session':
        putSession(write.row);
        return;
      case 'step':
        putStep(write.row);
        return;
      case 'snapshot': {
        const { session, seq, stateDigest, state } = write.row;
        sql.snapshot.run(numberOf(session), seq, stateDigest, state);
        return;
      }
      case 'hold':
        putHold(write.row);
        return;
      case 'hold-expired':
        sql.holdExpired.run(write.row.id);
        return;
      case 'span': {
        const { span, session } = write.row;
        sql.span.run(span.traceId, span.spanId, span.parentSpanId, session, JSON.stringify(span));
        return;
      }
      case 'join':
        putJoin(write.row);
        return;
      case 'finding':
        putFinding(write.row);
        return;
      case 'shared': {
        const { id, place, body } = write.row;
        if (body === null) sql.forgetShared.run(id, place);
        else sql.shared.run(id, place, body);
        return;
      }
      case 'stop': {
        const { id, lifted } = write.row;
        sql.stop.run(id, lifted === null ? 1 : 0, JSON.stringify(write.row));
        return;
      }
      case 'keep-views':
        sql.keepViews.run(JSON.stringify(write.row.ids));
        return;
      case 'spec':
        sql.spec.run(write.row.digest, write.row.name, write.row.canonical);
        return;
    }
  }

  return (writes) => {
    // Only the last row of a session matters; it is written first, so that the other writes find its number.
    const sessions = new Map<string, SessionRow>();
    for (const { t, row } of writes) {
      if (t === 'session' && (row.guarded || !sessions.get(row.id)?.guarded)) sessions.set(row.id, row);
    }
    database.exec('BEGIN IMMEDIATE');
    try {
      for (const row of sessions.values()) putSession(row);
      for (const write of writes) if (write.t !== 'session') apply(write);
      database.exec('COMMIT');
    } catch (error) {
      // Numbers given to sessions in this transaction are void.
      numbers.clear();
      if (database.isTransaction) database.exec('ROLLBACK');
      throw error;
    }
  };
}

function digestBytes(digest: string): Uint8Array {
  return Buffer.from(digest.slice('sha256:'.length), 'hex');
}

function statements(database: DatabaseSync): Record<Statement, StatementSync> {
  return Object.fromEntries(
    Object.entries(SQL).map(([name, text]) => [name, database.prepare(text)]),
  ) as Record<Statement, StatementSync>;
}

type Statement = keyof typeof SQL;
const SQL = {
  sessionNumber: 'SELECT n FROM sessions WHERE id = ?',
  spanNumber: 'SELECT n FROM spans WHERE trace_id = ? AND span_id = ?',
  session: `INSERT INTO sessions (id, agent, agent_version, principal, tenant, state, guarded, started_at, last_at, steps,
      allow, transform, hold, deny, halt, title, spec, spec_name, no_spec, deadline, door)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET agent = excluded.agent, agent_version = excluded.agent_version,
      principal = excluded.principal, tenant = excluded.tenant, state = excluded.state, guarded = excluded.guarded,
      started_at = excluded.started_at, last_at = excluded.last_at, steps = excluded.steps, allow = excluded.allow,
      transform = excluded.transform, hold = excluded.hold, deny = excluded.deny, halt = excluded.halt,
      title = excluded.title, spec = excluded.spec, spec_name = excluded.spec_name, no_spec = excluded.no_spec,
      deadline = excluded.deadline, door = excluded.door
    WHERE sessions.guarded = 0 OR excluded.guarded = 1`,
  step: `INSERT INTO steps (session, observed, seq, id, id_hash, time, kind, name, call_id, act, verdict, step_digest,
      state_digest, hold, span) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  payload: 'INSERT INTO payload (n, step, decision) VALUES (?, ?, ?)',
  snapshot: `INSERT INTO snapshots (session, seq, state_digest, state) VALUES (?, ?, ?, ?)
    ON CONFLICT (session) DO UPDATE SET seq = excluded.seq, state_digest = excluded.state_digest, state = excluded.state`,
  hold: `INSERT INTO holds (id, session, state, expires_at, body) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET state = excluded.state, expires_at = excluded.expires_at, body = excluded.body`,
  holdExpired: `UPDATE holds SET state = 'expired', body = json_set(body, '$.hold.state', 'expired')
    WHERE id = ? AND state = 'pending'`,
  span: 'INSERT INTO spans (trace_id, span_id, parent_id, session, body) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
  join: `UPDATE steps SET span = ? WHERE session = ? AND observed = 0 AND seq = ? AND span IS NULL
    RETURNING name, call_id`,
  joinedTool: 'UPDATE spans SET tool = ? WHERE n = ?',
  joinResult: `UPDATE steps SET span = ? WHERE session = ? AND observed = 0 AND seq > ? AND seq <= ? AND call_id = ?
    AND kind = 'tool.result' AND span IS NULL`,
  finding:
    'INSERT INTO findings (id, session, observed, seq, body) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
  countFinding: 'UPDATE sessions SET findings = findings + 1 WHERE n = ?',
  shared: `INSERT INTO shared (id, place, body) VALUES (?, ?, ?)
    ON CONFLICT (id, place) DO UPDATE SET body = excluded.body`,
  forgetShared: 'DELETE FROM shared WHERE id = ? AND place = ?',
  stop: `INSERT INTO stops (id, in_force, body) VALUES (?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET
      n = (SELECT max(n) FROM stops) + 1, in_force = excluded.in_force, body = excluded.body`,
  keepViews: "DELETE FROM shared WHERE id LIKE 'view:%' AND id NOT IN (SELECT value FROM json_each(?))",
  spec: 'INSERT INTO specs (digest, name, canonical) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
} as const;
