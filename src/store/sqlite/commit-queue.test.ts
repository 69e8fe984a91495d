import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Write } from '../store.ts';
import { createCommitQueue, ROWS_PER_COMMIT } from './commit-queue.ts';

const row = (id: number): Write => ({ t: 'hold-expired', row: { id: String(id) } });

function controlled() {
  const commits: { rows: number; resolve: () => void; reject: (error: Error) => void }[] = [];
  const queue = createCommitQueue(
    (writes) =>
      new Promise<void>((resolve, reject) => commits.push({ rows: writes.length, resolve, reject })),
  );
  return { queue, commits, turn: () => new Promise((resolve) => setImmediate(() => setImmediate(resolve))) };
}

test('appends of one turn, and those during a commit, share a transaction of bounded size', async () => {
  const { queue, commits, turn } = controlled();
  const first = [queue.append([row(0)]), queue.append([row(1), row(2)])];
  await turn();
  assert.deepEqual(
    commits.map(({ rows }) => rows),
    [3],
  );
  for (let i = 0; i < ROWS_PER_COMMIT + 5; i++) first.push(queue.append([row(i)]));
  await turn();
  assert.equal(commits.length, 1);
  commits[0]!.resolve();
  await turn();
  assert.equal(commits[1]!.rows, ROWS_PER_COMMIT);
  commits[1]!.resolve();
  await turn();
  assert.equal(commits[2]!.rows, 5);
  assert.equal(queue.rows, 5);
  commits[2]!.resolve();
  await Promise.all(first);
  assert.equal(queue.rows, 0);
});

test('a failed commit rejects everything that waits, and later appends are tried again', async () => {
  const { queue, commits, turn } = controlled();
  const first = queue.append([row(0)]);
  await turn();
  const second = queue.append([row(1)]);
  const settled = Promise.allSettled([first, second]);
  commits[0]!.reject(new Error('disk full'));
  assert.deepEqual(
    (await settled).map((result) => result.status),
    ['rejected', 'rejected'],
  );
  assert.equal(queue.rows, 0);
  const third = queue.append([row(2)]);
  await turn();
  assert.equal(commits.length, 2);
  commits[1]!.resolve();
  await third;
});
