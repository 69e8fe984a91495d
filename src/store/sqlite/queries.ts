// What the reader thread answers. Every query is bounded by a limit of its caller.
import type { DatabaseSync } from 'node:sqlite';
import type { Finding, Hold, HoldState, Stop } from '../../engine/types.ts';
import {
  type DecidedRow,
  holdAt,
  type RecordedRow,
  type SessionRow,
  type StoredHold,
  type StoredSession,
  type StoredSpec,
} from '../store.ts';
import { createCoverageQueries } from './coverage-queries.ts';
import { createJoinQueries } from './join-queries.ts';
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
  const overdue = sql('SELECT id FROM sessions WHERE deadline < ? ORDER BY deadline LIMIT ?');
  const nextDeadline = sql('SELECT min(deadline) AS at FROM sessions WHERE deadline >= ?');
  const shared = sql('SELECT place, body FROM shared WHERE id = ? AND place > ? ORDER BY place LIMIT ?');
  const decided = sql(`SELECT steps.n, sessions.id AS session, agent, principal, tenant, step, decision
    FROM steps JOIN payload USING (n) JOIN sessions ON sessions.n = steps.session
    WHERE observed = 0 AND steps.n > ? ORDER BY steps.n LIMIT ?`);
  const allStops = sql('SELECT body FROM stops ORDER BY n DESC LIMIT ?');
  const stopsInForce = sql('SELECT body FROM stops WHERE in_force = 1 ORDER BY n DESC LIMIT ?');
  const allFindings = sql('SELECT body FROM findings ORDER BY n DESC LIMIT ?');
  const sessionFindings = sql(
    'SELECT body FROM findings WHERE session = (SELECT n FROM sessions WHERE id = ?) ORDER BY n DESC LIMIT ?',
  );
  const spec = sql('SELECT digest, name, canonical FROM specs WHERE digest = ?');
  return {
    ...createSessionQueries(database),
    ...createStepQueries(database),
    ...createJoinQueries(database),
    ...createCoverageQueries(database),

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

    overdueSessions(now: number, limit: number): string[] {
      return overdue.all(now, limit).map((row) => row.id as string);
    },

    nextDeadline(now: number): number | null {
      return nextDeadline.get(now)!.at as number | null;
    },

    decided(after: number | null, limit: number): DecidedRow[] {
      return decided.all(after ?? -1, limit) as unknown as DecidedRow[];
    },

    stops({ inForce, limit }: { inForce: boolean; limit: number }): Stop[] {
      return (inForce ? stopsInForce : allStops).all(limit).map((row) => parseBody<Stop>(row as Row));
    },

    shared(id: string, after: string | null, limit: number): { place: string; body: string }[] {
      return shared
        .all(id, after ?? '', limit)
        .map((row) => ({ place: row.place as string, body: row.body as string }));
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

    observed(id: string): SessionRow | null {
      const row = session.get(id) as Row | undefined;
      return row === undefined || row.guarded === 1 ? null : sessionRow(row);
    },

    isGuarded(id: string): boolean {
      return session.get(id)?.guarded === 1;
    },
  };
}

function parseBody<T>(row: Row): T {
  return JSON.parse(row.body as string) as T;
}
