// Cuts files into batches of whole records without holding a file in memory. Reads files; knows no format's inside.
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { detectFormat, type Format, type ImportProblem, RECORD_UNIT } from '../../ingest/importers/index.ts';
import type { Batch } from './batch.ts';
import { FileError } from './output-file.ts';

/** Longest line, and longest file of a format whose record is the file. */
export const RECORD_BYTES_MAX = 64 * 1024 * 1024;
/** A batch is sent off when it has this many bytes: enough to pay for its way to a worker. */
const BATCH_BYTES = 256 * 1024;
const NEWLINE = 0x0a;

export type Piece = { readonly batch: Batch } | { readonly problem: ImportProblem };

/** The format of a file, told by its first bytes and its name. */
export async function formatOf(file: string): Promise<Format> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(64 * 1024), 0, 64 * 1024, 0);
    const head = buffer.toString('utf8', 0, bytesRead).replace(/^\ufeff/, '');
    const format = detectFormat(head.split('\n', 1)[0]!, file) ?? formatOfLongLine(head);
    if (format !== null) return format;
  } finally {
    await handle.close();
  }
  throw new FileError(`${file}: cannot tell its format; say --format chat|claude-code|swe-agent|interlock`);
}

/** A first line longer than the head that was read shows its format by the keys it starts with. */
function formatOfLongLine(head: string): Format | null {
  if (/^\s*\{\s*"interlock"\s*:/.test(head.slice(0, 200))) return 'interlock';
  if (/"(?:trajectory)"\s*:\s*\[/.test(head)) return 'swe-agent';
  return /"messages"\s*:\s*\[/.test(head) ? 'chat' : null;
}

export async function* readBatches(file: string, format: Format): AsyncGenerator<Piece> {
  if (RECORD_UNIT[format] === 'file') yield await readWhole(file, format);
  else yield* readLines(file, format);
}

async function readWhole(file: string, format: Format): Promise<Piece> {
  const handle = await open(file);
  try {
    const { size } = await handle.stat();
    if (size > RECORD_BYTES_MAX) return { problem: tooLong(file, 1, 'the file') };
    const bytes = new Uint8Array(new ArrayBuffer(size));
    const { bytesRead } = await handle.read(bytes, 0, size, 0);
    return { batch: { format, file, line: 1, bytes: bytes.subarray(0, bytesRead) } };
  } finally {
    await handle.close();
  }
}

function tooLong(file: string, line: number, what: string): ImportProblem {
  const limit = `${RECORD_BYTES_MAX / (1024 * 1024)} MiB`;
  return {
    file,
    line,
    what: `${what} is longer than ${limit}`,
    mend: 'Split the session, or leave out what is large.',
  };
}

/** Batches of whole lines. A line over the limit is reported and passed over, never held. */
async function* readLines(file: string, format: Format): AsyncGenerator<Piece> {
  let held: Buffer[] = [];
  let heldBytes = 0;
  let line = 1;
  let skipping = false;
  const cut = (): Batch => {
    const bytes = new Uint8Array(new ArrayBuffer(heldBytes));
    let at = 0;
    for (const chunk of held) {
      bytes.set(chunk, at);
      at += chunk.length;
    }
    held = [];
    heldBytes = 0;
    return { format, file, line, bytes };
  };
  for await (const chunk of createReadStream(file, { highWaterMark: BATCH_BYTES }) as AsyncIterable<Buffer>) {
    let rest = chunk;
    const first = rest.indexOf(NEWLINE);
    // What is held is always one unfinished line.
    const lineBytes = heldBytes + (first === -1 ? rest.length : first);
    if (skipping || lineBytes > RECORD_BYTES_MAX) {
      if (!skipping) yield { problem: tooLong(file, line, 'the line') };
      held = [];
      heldBytes = 0;
      skipping = first === -1;
      if (skipping) continue;
      rest = rest.subarray(first + 1);
      line++;
    }
    const last = rest.lastIndexOf(NEWLINE);
    if (last !== -1) {
      held.push(rest.subarray(0, last + 1));
      heldBytes += last + 1;
      rest = rest.subarray(last + 1);
      const batch = cut();
      // Counted before it is given away: its bytes move to a worker.
      line += countNewlines(batch.bytes);
      yield { batch };
    }
    held.push(rest);
    heldBytes += rest.length;
  }
  if (heldBytes > 0) yield { batch: cut() };
}

function countNewlines(bytes: Uint8Array): number {
  let count = 0;
  for (let at = bytes.indexOf(NEWLINE); at !== -1; at = bytes.indexOf(NEWLINE, at + 1)) count++;
  return count;
}
