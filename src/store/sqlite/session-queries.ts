// Sessions as lists show them: filtered, searched, newest first, one page at a time.
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import type { Door, SessionState, SessionSummary } from '../../engine/types.ts';
import { VERDICTS } from '../../monitor/types.ts';
import { type SessionQuery, type SessionRow, StoreError } from '../store.ts';

export type Row = Record<string, SQLOutputValue>;

const WITH_HELD = `SELECT sessions.*, EXISTS (SELECT 1 FROM holds WHERE holds.session = sessions.n
  AND holds.state = 'pending' AND holds.expires_at >= ?) AS held FROM sessions`;

export function createSessionQueries(database: DatabaseSync) {
  const one = database.prepare(`${WITH_HELD} WHERE id = ?`);

  return {
    session(id: string, now: number): SessionSummary | null {
      const row = one.get(now, id) as Row | undefined;
      return row === undefined ? null : summary(row);
    },

    sessions(query: SessionQuery, now: number): { sessions: SessionSummary[]; next: string | null } {
      const where = ['1'];
      const values: (string | number)[] = [];
      if (query.cursor !== undefined) {
        where.push('(started_at, n) < (?, ?)');
        values.push(...parseCursor(query.cursor));
      }
      if (query.text !== undefined && query.text !== '') {
        const columns = ['title', 'id', 'agent', 'principal', 'tenant'];
        where.push(`(${columns.map((column) => `${column} LIKE ? ESCAPE '\\'`).join(' OR ')})`);
        const pattern = `%${query.text.replace(/[\\%_]/g, '\\$&')}%`;
        for (const _ of columns) values.push(pattern);
      }
      if (query.agent !== undefined) {
        where.push('agent = ?');
        values.push(query.agent);
      }
      const verdict = VERDICTS.find((verdict) => verdict === query.verdict);
      if (query.verdict !== undefined) where.push(verdict === undefined ? '0' : `${verdict} > 0`);
      const page = database.prepare(
        `${WITH_HELD} WHERE ${where.join(' AND ')} ORDER BY started_at DESC, n DESC LIMIT ?`,
      );
      const rows = page.all(now, ...values, query.limit + 1) as Row[];
      const shown = rows.slice(0, query.limit);
      const last = shown.at(-1);
      const next = rows.length > shown.length && last !== undefined ? `${last.started_at}.${last.n}` : null;
      return { sessions: shown.map(summary), next };
    },
  };
}

/** The place behind the last session of a page: its start and its row number. */
function parseCursor(cursor: string): [number, number] {
  const [startedAt, n, ...rest] = cursor.split('.').map(Number);
  if (rest.length > 0 || !Number.isSafeInteger(startedAt) || !Number.isSafeInteger(n)) {
    throw new StoreError('invalid-cursor', 'the cursor is not one that a list of sessions gave out');
  }
  return [startedAt!, n!];
}

export function sessionRow(row: Row): SessionRow {
  return {
    id: row.id as string,
    agent: {
      name: row.agent as string,
      ...(row.agent_version === null ? {} : { version: row.agent_version as string }),
    },
    principal: row.principal as string | null,
    tenant: row.tenant as string | null,
    ...(row.door === null ? {} : { door: row.door as Door }),
    state: row.state as SessionRow['state'],
    guarded: row.guarded === 1,
    startedAt: row.started_at as number,
    lastAt: row.last_at as number,
    steps: row.steps as number,
    verdicts: {
      allow: row.allow as number,
      transform: row.transform as number,
      hold: row.hold as number,
      deny: row.deny as number,
      halt: row.halt as number,
    },
    title: row.title as string | null,
    spec: row.spec as string | null,
    specName: row.spec_name as string | null,
    noSpec: row.no_spec as SessionRow['noSpec'],
    deadline: row.deadline as number | null,
  };
}

function summary(row: Row): SessionSummary {
  const { noSpec: _, deadline: __, ...rest } = sessionRow(row);
  const state: SessionState = rest.state === 'open' && row.held === 1 ? 'held' : rest.state;
  return { ...rest, state, findings: row.findings as number };
}
