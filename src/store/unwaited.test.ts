import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openSqliteStore } from './sqlite/store.ts';
import { type Store, StoreError, type Write } from './store.ts';
import { unwaited } from './unwaited.ts';

const SPEC: Write = { t: 'spec', row: { digest: 'sha256:00', name: 's', canonical: '{}' } };

test('an append is taken at once, and what is read comes after it', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'interlock-unwaited-'));
  const store = unwaited(await openSqliteStore({ directory, waitedFor: false }));
  try {
    let taken = false;
    void store.append([SPEC]).then(() => {
      taken = true;
    });
    await Promise.resolve();
    await Promise.resolve();
    assert.ok(taken, 'taken within the turn');
    assert.equal((await store.spec('sha256:00'))?.name, 's');
  } finally {
    await store.close();
    rmSync(directory, { recursive: true });
  }
});

test('after a write has failed nothing is taken or read', async () => {
  const failure = new StoreError('failed', 'the disk is full');
  const broken = {
    append: () => Promise.reject(failure),
    hasRoom: () => true,
    spec: () => Promise.resolve(null),
    close: () => Promise.resolve(),
  } as unknown as Store;
  const store = unwaited(broken);
  await store.append([SPEC]);
  await assert.rejects(store.spec('sha256:00'), failure);
  await assert.rejects(store.append([SPEC]), failure);
  await store.close();
});

test('after it is closed nothing is taken', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'interlock-unwaited-'));
  const store = unwaited(await openSqliteStore({ directory, waitedFor: false }));
  await store.append([SPEC]);
  await store.close();
  await assert.rejects(store.append([SPEC]), StoreError);
  rmSync(directory, { recursive: true });
});
