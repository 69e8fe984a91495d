// The tables and how a database file is opened. Narrow `steps` for lists and joins, texts apart in `payload`, both in
// the order of arrival, and one index on steps, so that a commit touches few pages whatever the number of sessions.
import { DatabaseSync } from 'node:sqlite';
import { StoreError } from '../store.ts';

/** Goes up with every change of the tables; a file with a higher one was written by a newer Interlock. */
export const SCHEMA_VERSION = 4;

/** What sessions share, and people's orders to stop. */
const SHARED = `
CREATE TABLE shared (id TEXT NOT NULL, place TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (id, place)) WITHOUT ROWID;
CREATE TABLE stops (n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, in_force INTEGER NOT NULL, body TEXT NOT NULL);
CREATE INDEX stops_in_force ON stops (n) WHERE in_force = 1;`;

const TABLES = `
CREATE TABLE sessions (
  n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,
  agent TEXT NOT NULL, agent_version TEXT, principal TEXT, tenant TEXT,
  state TEXT NOT NULL, guarded INTEGER NOT NULL, started_at INTEGER NOT NULL, last_at INTEGER NOT NULL,
  steps INTEGER NOT NULL, allow INTEGER NOT NULL, transform INTEGER NOT NULL, hold INTEGER NOT NULL,
  deny INTEGER NOT NULL, halt INTEGER NOT NULL, findings INTEGER NOT NULL DEFAULT 0,
  title TEXT, spec TEXT, spec_name TEXT, no_spec TEXT, deadline INTEGER, door TEXT
);
CREATE INDEX sessions_newest ON sessions (started_at, n);
CREATE INDEX sessions_due ON sessions (deadline) WHERE deadline IS NOT NULL;
CREATE TABLE steps (
  n INTEGER PRIMARY KEY, session INTEGER NOT NULL, observed INTEGER NOT NULL, seq INTEGER NOT NULL,
  id TEXT NOT NULL, id_hash INTEGER NOT NULL, time INTEGER NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL,
  call_id TEXT, act INTEGER, verdict TEXT, step_digest BLOB NOT NULL, state_digest BLOB, hold TEXT, span INTEGER
);
CREATE UNIQUE INDEX steps_place ON steps (session, observed, seq);
CREATE TABLE payload (n INTEGER PRIMARY KEY, step TEXT NOT NULL, decision TEXT);
CREATE TABLE snapshots (session INTEGER PRIMARY KEY, seq INTEGER NOT NULL, state_digest TEXT NOT NULL, state TEXT NOT NULL);
CREATE TABLE holds (
  n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, session INTEGER NOT NULL, state TEXT NOT NULL,
  expires_at INTEGER NOT NULL, body TEXT NOT NULL
);
CREATE INDEX holds_session ON holds (session, state);
CREATE INDEX holds_pending ON holds (expires_at) WHERE state = 'pending';
CREATE TABLE spans (
  n INTEGER PRIMARY KEY, trace_id TEXT NOT NULL, span_id TEXT NOT NULL, parent_id TEXT, session TEXT, tool TEXT, body TEXT NOT NULL,
  UNIQUE (trace_id, span_id)
);
CREATE INDEX spans_parent ON spans (trace_id, parent_id) WHERE tool IS NOT NULL;
CREATE TABLE findings (
  n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, session INTEGER NOT NULL, observed INTEGER NOT NULL, seq INTEGER,
  body TEXT NOT NULL
);
CREATE INDEX findings_session ON findings (session, seq);
CREATE TABLE specs (digest TEXT PRIMARY KEY, name TEXT NOT NULL, canonical TEXT NOT NULL) WITHOUT ROWID;
${SHARED}
`;

/** What brings a file of the version before to each version. */
const MIGRATIONS: Readonly<Record<number, string>> = {
  2: `ALTER TABLE sessions ADD COLUMN deadline INTEGER;
CREATE INDEX sessions_due ON sessions (deadline) WHERE deadline IS NOT NULL;`,
  3: SHARED,
  4: 'ALTER TABLE sessions ADD COLUMN door TEXT;',
};

export interface OpenOptions {
  readonly readOnly: boolean;
  /** How long a transaction waits for somebody else's lock on the file before it fails. */
  readonly busyTimeoutMs: number;
}

/** @throws StoreError `newer-schema` for a file of a newer Interlock, `failed` for one that is no database of ours. */
export function openDatabase(file: string, options: OpenOptions): DatabaseSync {
  let database: DatabaseSync;
  try {
    database = new DatabaseSync(file, { readOnly: options.readOnly, timeout: options.busyTimeoutMs });
  } catch (error) {
    throw new StoreError('failed', `${file} cannot be opened: ${(error as Error).message}`, { cause: error });
  }
  try {
    if (options.readOnly) {
      checkVersion(database, file);
      database.exec('PRAGMA query_only = ON');
    } else prepare(database, file);
    return database;
  } catch (error) {
    database.close();
    if (error instanceof StoreError) throw error;
    const message = `${file} is not a database this Interlock can use: ${(error as Error).message}`;
    throw new StoreError('failed', message, { cause: error });
  }
}

function prepare(database: DatabaseSync, file: string): void {
  // The page size is fixed by the first write; on an existing file the pragma changes nothing.
  database.exec('PRAGMA page_size = 16384');
  const version = versionOf(database, file);
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY');
  if (version === 0) {
    database.exec(`BEGIN IMMEDIATE; ${TABLES} PRAGMA user_version = ${SCHEMA_VERSION}; COMMIT`);
    return;
  }
  for (let next = version + 1; next <= SCHEMA_VERSION; next++) {
    database.exec(`BEGIN IMMEDIATE; ${MIGRATIONS[next]} PRAGMA user_version = ${next}; COMMIT`);
  }
}

/** @throws StoreError `newer-schema` */
function versionOf(database: DatabaseSync, file: string): number {
  const version = Number(database.prepare('PRAGMA user_version').get()!.user_version);
  if (version <= SCHEMA_VERSION) return version;
  throw new StoreError(
    'newer-schema',
    `${file} was written by a newer Interlock (schema ${version}; this one knows ${SCHEMA_VERSION}). ` +
      'Use that version, or another data directory.',
  );
}

/** A reader cannot bring the file up to date. */
function checkVersion(database: DatabaseSync, file: string): void {
  const version = versionOf(database, file);
  if (version === SCHEMA_VERSION) return;
  throw new StoreError(
    'failed',
    `${file} was written by an older Interlock (schema ${version}); start the server on it once, which brings it to ${SCHEMA_VERSION}`,
  );
}
