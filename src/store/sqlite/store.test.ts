import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { storeContract } from '../contract.ts';
import { openDatabase, SCHEMA_VERSION } from './schema.ts';
import { openSqliteStore } from './store.ts';

const makePlace = () => mkdtempSync(join(tmpdir(), 'interlock-store-'));
const clean = (directory: string) => rmSync(directory, { recursive: true, force: true });

storeContract('sqlite', { makePlace, open: (directory) => openSqliteStore({ directory }), clean });

function place(t: TestContext): string {
  const directory = makePlace();
  t.after(() => clean(directory));
  return directory;
}

test('a data directory has one owner at a time', async (t) => {
  const directory = place(t);
  const store = await openSqliteStore({ directory });
  await assert.rejects(openSqliteStore({ directory }), { code: 'in-use', message: /in use by another/ });
  await store.close();
  await (await openSqliteStore({ directory })).close();
});

test('a file of a newer version is refused and left alone', async (t) => {
  const directory = place(t);
  await (await openSqliteStore({ directory })).close();
  const file = new DatabaseSync(join(directory, 'interlock.sqlite'));
  file.exec(`PRAGMA user_version = ${SCHEMA_VERSION + 1}`);
  file.close();
  await assert.rejects(openSqliteStore({ directory }), { code: 'newer-schema', message: /newer Interlock/ });
  // The lock was given back.
  await assert.rejects(openSqliteStore({ directory }), { code: 'newer-schema' });
});

test('a file of an older version is brought up to date by its owner, and refused by a reader until then', async (t) => {
  const directory = place(t);
  await (await openSqliteStore({ directory })).close();
  const path = join(directory, 'interlock.sqlite');
  const file = new DatabaseSync(path);
  file.exec(
    'DROP TABLE shared; DROP TABLE stops; DROP INDEX sessions_due; ALTER TABLE sessions DROP COLUMN deadline; ALTER TABLE sessions DROP COLUMN door; PRAGMA user_version = 1',
  );
  file.close();
  assert.throws(() => openDatabase(path, { readOnly: true, busyTimeoutMs: 0 }), /older Interlock/);
  const store = await openSqliteStore({ directory });
  assert.equal(await store.nextDeadline(0), null);
  await store.close();
  openDatabase(path, { readOnly: true, busyTimeoutMs: 0 }).close();
});

test('a file that is no database is refused', async (t) => {
  const directory = place(t);
  writeFileSync(
    join(directory, 'interlock.sqlite'),
    'not a database, but long enough to be looked at as one'.repeat(100),
  );
  await assert.rejects(openSqliteStore({ directory }), { code: 'failed', message: /not a database/ });
});

test('the database is set up for durability', async (t) => {
  const directory = place(t);
  await (await openSqliteStore({ directory })).close();
  const file = new DatabaseSync(join(directory, 'interlock.sqlite'));
  assert.equal(file.prepare('PRAGMA journal_mode').get()?.journal_mode, 'wal');
  assert.equal(file.prepare('PRAGMA page_size').get()?.page_size, 16_384);
  assert.equal(file.prepare('PRAGMA user_version').get()?.user_version, SCHEMA_VERSION);
  file.close();
});

test('a queue that is full says so until it has drained', async (t) => {
  const store = await openSqliteStore({ directory: place(t), queuedRowsMax: 2 });
  const spec = (digest: string) => ({ t: 'spec', row: { digest, name: '', canonical: '' } }) as const;
  assert.equal(store.hasRoom(), true);
  const waiting = store.append([spec('a'), spec('b')]);
  assert.equal(store.hasRoom(), false);
  await waiting;
  assert.equal(store.hasRoom(), true);
  await store.close();
});

test('a commit that cannot get its lock fails, and the next one works', async (t) => {
  const directory = place(t);
  const store = await openSqliteStore({ directory, busyTimeoutMs: 20 });
  const other = new DatabaseSync(join(directory, 'interlock.sqlite'));
  other.exec('BEGIN IMMEDIATE');
  const spec = { t: 'spec', row: { digest: 'a', name: '', canonical: '' } } as const;
  await assert.rejects(store.append([spec]), { code: 'failed', message: /locked/ });
  other.exec('ROLLBACK');
  other.close();
  await store.append([spec]);
  await store.close();
});
