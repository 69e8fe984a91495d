// Puts an answer on the socket: frames events, cuts the bytes up as asked, waits, and breaks off where a fault says so.
import type { ServerResponse } from 'node:http';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { createGzip, gzipSync, constants as zlib } from 'node:zlib';
import type { Answer, Framing, StreamEvent } from './answer.ts';
import type { Fault, StreamStyle } from './turn.ts';

export interface Sending {
  readonly headers: Readonly<Record<string, string>>;
  readonly style: StreamStyle;
  readonly fault?: Fault;
  /** Compress, as the vendors' edges do for clients that accept it. */
  readonly gzip: boolean;
}

const COMMENT = ': keep-alive';

/** Resolves when all of it is with the socket, or when there is no socket any more. */
export async function send(response: ServerResponse, answer: Answer, sending: Sending): Promise<void> {
  const { fault, style } = sending;
  if (fault?.kind === 'hang' && fault.afterBytes === 0) return;
  const frames = framesOf(answer, style);
  const status = answer.kind === 'body' ? answer.status : 200;
  const body = answer.kind === 'body';
  const length = body && fault === undefined && !sending.gzip;
  response.writeHead(status, {
    'content-type': fault?.kind === 'content-type' ? fault.type : contentType(answer),
    ...(length ? { 'content-length': Buffer.byteLength(frames.join('')) } : {}),
    ...(answer.kind === 'stream' ? { 'cache-control': 'no-cache' } : {}),
    ...(sending.gzip ? { 'content-encoding': 'gzip', vary: 'accept-encoding' } : {}),
    ...sending.headers,
  });
  if (body && length) {
    response.end(frames.join(''));
    return;
  }
  const writes = writesOf(frames, style);
  await writeAll(response, sending.gzip ? await zip(writes) : writes, sending);
}

/** Text of the whole answer, for those who need the bytes and no server. */
export function framesOf(answer: Answer, style: StreamStyle): string[] {
  if (answer.kind === 'body') return [JSON.stringify(answer.body)];
  const { framing, events } = answer;
  if (framing.kind === 'json-array') return jsonArray(events);
  const frames = events.map((event) => sseFrame(event, style.lineEnd ?? framing.lineEnd));
  if (!style.comments) return frames;
  const end = style.lineEnd ?? framing.lineEnd;
  return frames.flatMap((frame) => [`${COMMENT}${end}${end}`, frame]);
}

function sseFrame({ event, data }: StreamEvent, end: string): string {
  const text = typeof data === 'string' ? data : JSON.stringify(data);
  return `${event === undefined ? '' : `event: ${event}${end}`}data: ${text}${end}${end}`;
}

/** As Google writes it: elements in lines of their own, the comma before the next. */
function jsonArray(events: readonly StreamEvent[]): string[] {
  return events.map(({ data }, at) => {
    const text = JSON.stringify(data, null, 2);
    return `${at === 0 ? '[' : ',\r\n'}${text}\n${at === events.length - 1 ? ']\n' : ''}`;
  });
}

function contentType(answer: Answer): string {
  if (answer.kind === 'body') return 'application/json; charset=utf-8';
  return framingType(answer.framing);
}

function framingType({ kind }: Framing): string {
  return kind === 'sse' ? 'text/event-stream; charset=utf-8' : 'application/json; charset=UTF-8';
}

function writesOf(frames: readonly string[], { writes }: StreamStyle): Buffer[] {
  if (writes === 'event') return frames.map((frame) => Buffer.from(frame));
  const whole = Buffer.from(frames.join(''));
  if (writes === 'whole') return [whole];
  const next = random(writes.seed);
  const out: Buffer[] = [];
  for (let at = 0; at < whole.length; ) {
    const size = 1 + Math.floor(next() * writes.maxBytes);
    out.push(whole.subarray(at, at + size));
    at += size;
  }
  return out;
}

/** Compressed, each write flushed, so that the reader gets what was written. */
async function zip(writes: readonly Buffer[]): Promise<Buffer[]> {
  if (writes.length === 1) return [gzipSync(writes[0]!)];
  const gzip = createGzip({ flush: zlib.Z_SYNC_FLUSH });
  const out: Buffer[] = [];
  gzip.on('data', (chunk: Buffer) => out.push(chunk));
  for (const write of writes) gzip.write(write);
  gzip.end();
  await new Promise((resolve) => gzip.once('end', resolve));
  return out;
}

async function writeAll(
  response: ServerResponse,
  writes: readonly Buffer[],
  sending: Sending,
): Promise<void> {
  const { fault, style } = sending;
  const limit = fault !== undefined && 'afterBytes' in fault ? fault.afterBytes : Infinity;
  let sent = 0;
  for (const write of writes) {
    if (response.destroyed) return;
    const part = write.subarray(0, Math.max(0, limit - sent));
    sent += part.length;
    if (part.length > 0) await put(response, part);
    if (sent >= limit) break;
    if (style.delayMs > 0) await setTimeout(style.delayMs, undefined, { ref: false });
    else await setImmediate();
  }
  if (fault?.kind === 'hang') return;
  if (fault?.kind === 'cut') response.destroy();
  else response.end();
}

function put(response: ServerResponse, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => {
    if (response.write(bytes)) resolve();
    else {
      const done = () => {
        response.off('drain', done).off('close', done);
        resolve();
      };
      response.on('drain', done).on('close', done);
    }
  });
}

/** mulberry32: the same numbers from the same seed. */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
