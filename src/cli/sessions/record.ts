// Reads recorded sessions out of a data directory, without its lock: a running server is not disturbed.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { AgentCoverage, Finding, SessionSummary } from '../../engine/types.ts';
import type { Recording } from '../../ingest/importers/interlock.ts';
import type { Decision } from '../../monitor/types.ts';
import type { Step } from '../../step/types.ts';
import { type Channel, openChannel } from '../../store/sqlite/channel.ts';
import { type RecordedRow, type StoredSession, type StoredSpec, StoreError } from '../../store/store.ts';

const PAGE = 500;
const BUSY_TIMEOUT_MS = 5_000;

export interface Record {
  /** All sessions, newest first. */
  sessions(): AsyncGenerator<SessionSummary>;
  /** A session with every decision so far; null when it is not there or has none (it was only observed). */
  recording(session: string): Promise<Recording | null>;
  /** Newest first. */
  findings(limit: number): Promise<readonly Finding[]>;
  coverage(since: number): Promise<readonly AgentCoverage[]>;
  close(): Promise<void>;
}

/** Rejects with `StoreError` when there is no record in the directory or it cannot be read. */
export async function openRecord(directory: string): Promise<Record> {
  const file = join(directory, 'interlock.sqlite');
  if (!existsSync(file)) throw new StoreError('failed', `there is no record in ${directory}`);
  const channel = await openChannel({ file, role: 'reader', busyTimeoutMs: BUSY_TIMEOUT_MS });
  return {
    sessions: () => allSessions(channel),
    recording: (session) => readRecording(channel, session),
    findings: (limit) => channel.request('findings', { limit }),
    coverage: (since) => channel.request('coverage', since),
    close: () => channel.close(),
  };
}

async function* allSessions(channel: Channel): AsyncGenerator<SessionSummary> {
  let cursor: string | null | undefined;
  do {
    const query = cursor === undefined ? { limit: PAGE } : { limit: PAGE, cursor };
    const page: { sessions: readonly SessionSummary[]; next: string | null } = await channel.request(
      'sessions',
      query,
      Date.now(),
    );
    yield* page.sessions;
    cursor = page.next;
  } while (cursor !== null);
}

async function readRecording(channel: Channel, session: string): Promise<Recording | null> {
  const stored = await channel.request<StoredSession | null>('load', session);
  if (stored === null) return null;
  const rows: RecordedRow[] = [];
  for (;;) {
    const page = await channel.request<readonly RecordedRow[]>('recorded', session, rows.length, PAGE);
    rows.push(...page);
    if (page.length < PAGE) break;
  }
  if (rows.length === 0) return null;
  const { row } = stored;
  const spec = row.spec === null ? null : await channel.request<StoredSpec | null>('spec', row.spec);
  if (row.spec !== null && spec === null) {
    throw new StoreError('failed', `the spec ${row.spec} of the session ${session} is not in the record`);
  }
  return {
    session,
    agent: row.agent,
    spec,
    noSpec: row.spec === null ? (row.noSpec ?? 'deny') : null,
    steps: rows.map((recorded) => JSON.parse(recorded.step) as Step),
    decisions: rows.map((recorded) => JSON.parse(recorded.decision) as Decision),
    stepDigests: rows.map((recorded) => recorded.stepDigest),
    stateDigests: rows.map((recorded) => recorded.stateDigest),
  };
}
