// The embedded store: SQLite in two worker threads, one that writes in group commits and one that reads.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Store, StoreError } from '../store.ts';
import { type Channel, openChannel } from './channel.ts';
import { createCommitQueue } from './commit-queue.ts';
import { lockDirectory } from './lock.ts';

export interface SqliteStoreOptions {
  /** Made when absent. One process at a time. */
  readonly directory: string;
  /** Rows that may wait for a commit before new work is refused. */
  readonly queuedRowsMax?: number;
  /** Characters of text that may wait. */
  readonly queuedCharactersMax?: number;
  readonly busyTimeoutMs?: number;
}

/** Rejects with `StoreError`: `in-use`, `newer-schema` or `failed`. */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  const {
    directory,
    queuedRowsMax = 50_000,
    queuedCharactersMax = 256 << 20,
    busyTimeoutMs = 2_000,
  } = options;
  makeDirectory(directory);
  const lock = lockDirectory(directory);
  const file = join(directory, 'interlock.sqlite');
  let writer: Channel | null = null;
  let reader: Channel;
  try {
    writer = await openChannel({ file, role: 'writer', busyTimeoutMs });
    reader = await openChannel({ file, role: 'reader', busyTimeoutMs });
  } catch (error) {
    await writer?.close();
    lock.release();
    throw error;
  }
  const { request } = writer;
  const queue = createCommitQueue((writes) => request('commit', writes));
  let closing: Promise<void> | null = null;

  async function close(): Promise<void> {
    await queue.close();
    // The reader first: the last connection to close folds the log into the database file.
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
