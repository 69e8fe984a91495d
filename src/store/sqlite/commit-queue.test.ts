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

test('appends that come alone are written here, those that come together elsewhere', async () => {
  const order: string[] = [];
  const queue = createCommitQueue(
    async (writes) => void order.push(`there ${writes.length}`),
    (writes) => void order.push(`here ${writes.length}`),
  );
  for (let i = 0; i < 6; i++) await queue.append([row(i)]);
  await Promise.all([queue.append([row(7)]), queue.append([row(8)])]);
  await queue.append([row(9)]);
  assert.deepEqual(order, [
    ...['there 1', 'there 1', 'there 1', 'there 1'],
    ...['here 1', 'here 1', 'there 2', 'there 1'],
  ]);
});

test('what is written here does not stay alone in the log for ever, and long texts are never written here', async () => {
  let here = 0;
  let there = 0;
  const queue = createCommitQueue(
    async () => {
      there += 1;
    },
    () => {
      here += 1;
    },
  );
  for (let i = 0; i < 1_000; i++) await queue.append([row(i)]);
  assert.ok(there >= 7 && here + there === 1_000, `${there} there, ${here} here`);
  const before = here;
  const long = Array.from({ length: 100 }, (_, i) => row(i));
  for (let i = 0; i < 10; i++) await queue.append(long);
  assert.equal(here, before);
});

test('a failure here rejects its append and what waits, and the queue goes on', async () => {
  let fails = false;
  const queue = createCommitQueue(
    async () => {},
    () => {
      if (fails) throw new Error('full');
    },
  );
  for (let i = 0; i < 6; i++) await queue.append([row(i)]);
  fails = true;
  await assert.rejects(queue.append([row(7)]), /full/);
  fails = false;
  await queue.append([row(8)]);
  assert.equal(queue.rows, 0);
});
