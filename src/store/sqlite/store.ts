// The embedded store: SQLite in two worker threads, one that writes in group commits and one that reads; and a connection of
// this thread, for the append that comes alone. One of them writes at a time: the queue sees to it.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { type Store, StoreError, type Write } from '../store.ts';
import { createApply } from './apply.ts';
import { type Channel, openChannel } from './channel.ts';
import { createCommitQueue } from './commit-queue.ts';
import { lockDirectory } from './lock.ts';
import { openDatabase } from './schema.ts';

export interface SqliteStoreOptions {
  /** Made when absent. One process at a time. */
  readonly directory: string;
  /** Rows that may wait for a commit before new work is refused. */
  readonly queuedRowsMax?: number;
  /** Characters of text that may wait. */
  readonly queuedCharactersMax?: number;
  readonly busyTimeoutMs?: number;
  /** False for a record that ends with its process: it is written behind, and never by this thread. */
  readonly waitedFor?: boolean;
}

/** Rejects with `StoreError`: `in-use`, `newer-schema` or `failed`. */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  const {
    directory,
    queuedRowsMax = 50_000,
    queuedCharactersMax = 256 << 20,
    busyTimeoutMs = 2_000,
    waitedFor = true,
  } = options;
  makeDirectory(directory);
  const lock = lockDirectory(directory);
  const file = join(directory, 'interlock.sqlite');
  let writer: Channel | null = null;
  let reader: Channel;
  let here: DatabaseSync | null = null;
  try {
    writer = await openChannel({ file, role: 'writer', busyTimeoutMs });
    reader = await openChannel({ file, role: 'reader', busyTimeoutMs });
    if (waitedFor) {
      here = openDatabase(file, { readOnly: false, busyTimeoutMs });
      // The log is folded into the database by the thread beside, where nobody waits for it.
      here.exec('PRAGMA wal_autocheckpoint = 0');
    }
  } catch (error) {
    await writer?.close();
    lock.release();
    throw error;
  }
  const { request } = writer;
  const database = here;
  const queue = createCommitQueue(
    (writes) => request('commit', writes),
    database === null ? undefined : applied(createApply(database)),
  );
  let closing: Promise<void> | null = null;

  async function close(): Promise<void> {
    await queue.close();
    database?.close();
    // The reader before the writer: the last connection to close folds the log into the database file.
    await reader.close();
    await writer?.close();
    lock.release();
  }

  return {
    append: queue.append,
    hasRoom: () => queue.rows < queuedRowsMax && queue.characters < queuedCharactersMax,
    load: (session) => reader.request('load', session),
    recorded: (session, from, limit) => reader.request('recorded', session, from, limit),
    idHashes: (session, from, limit) => reader.request('idHashes', session, from, limit),
    session: (id, now) => reader.request('session', id, now),
    sessions: (query, now) => reader.request('sessions', query, now),
    steps: (session, range, now) => reader.request('steps', session, range, now),
    hold: (id) => reader.request('hold', id),
    holds: (filter, now) => reader.request('holds', filter, now),
    expiredHolds: (now, limit) => reader.request('expiredHolds', now, limit),
    nextExpiry: () => reader.request('nextExpiry'),
    overdueSessions: (now, limit) => reader.request('overdueSessions', now, limit),
    nextDeadline: (now) => reader.request('nextDeadline', now),
    decided: (after, limit) => reader.request('decided', after, limit),
    shared: (id, after, limit) => reader.request('shared', id, after, limit),
    stops: (filter) => reader.request('stops', filter),
    findings: (filter) => reader.request('findings', filter),
    coverage: (since) => reader.request('coverage', since),
    spec: (digest) => reader.request('spec', digest),
    knownSpans: (keys) => reader.request('knownSpans', keys),
    observed: (session) => reader.request('observed', session),
    isGuarded: (session) => reader.request('isGuarded', session),
    joinCandidates: (requests, limit) => reader.request('joinCandidates', requests, limit),
    close: () => (closing ??= close()),
  };
}

function applied(apply: (writes: readonly Write[]) => void): (writes: readonly Write[]) => void {
  return (writes) => {
    try {
      apply(writes);
    } catch (error) {
      throw error instanceof StoreError ? error : new StoreError('failed', (error as Error).message);
    }
  };
}

function makeDirectory(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true });
  } catch (error) {
    throw new StoreError(
      'failed',
      `the data directory ${directory} cannot be made: ${(error as Error).message}`,
    );
  }
}
