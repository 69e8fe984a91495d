// Batches hold whole lines, number them right, and stay bounded.
import assert from 'node:assert/strict';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { RECORD_BYTES_MAX, readBatches } from './read-batches.ts';

let dir: string;
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'interlock-batches-'));
});
after(() => rm(dir, { recursive: true, force: true }));

async function pieces(file: string) {
  const all: { line: number; text: string | null }[] = [];
  for await (const piece of readBatches(file, 'chat')) {
    if ('problem' in piece) all.push({ line: piece.problem.line, text: null });
    else all.push({ line: piece.batch.line, text: new TextDecoder().decode(piece.batch.bytes) });
  }
  return all;
}

test('joined, the batches are the file; each starts on the line it says', async () => {
  const file = join(dir, 'lines.jsonl');
  const lines = Array.from({ length: 3000 }, (_, i) => `${i} ${'é'.repeat(i % 500)}`);
  await writeFile(file, lines.join('\n'));
  const all = await pieces(file);
  assert.ok(all.length > 2, 'more than one batch');
  assert.equal(all.map(({ text }) => text).join(''), lines.join('\n'));
  for (const { line, text } of all) assert.ok(text!.startsWith(`${line - 1} `));
});

test('an empty file has no batches', async () => {
  const file = join(dir, 'empty.jsonl');
  await writeFile(file, '');
  assert.deepEqual(await pieces(file), []);
});

test('a line over the limit is reported with its number and passed over', async () => {
  const file = join(dir, 'long.jsonl');
  const handle = await open(file, 'w');
  await handle.write('first\nsecond\n');
  // A hole, not data: the disk holds none of it.
  await handle.truncate(13 + RECORD_BYTES_MAX + 1024);
  await handle.write('\nlast\n', 13 + RECORD_BYTES_MAX + 1024);
  await handle.close();
  const all = await pieces(file);
  assert.deepEqual(
    all.filter(({ text }) => text === null),
    [{ line: 3, text: null }],
  );
  assert.deepEqual(all.at(-1), { line: 4, text: 'last\n' });
});
