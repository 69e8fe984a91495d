// The model of bench/gateway.ts, as fast as it can be: a process of its own that reads HTTP from the socket by hand and
// answers with what the scripted model would, made beforehand. Prints its port. Trusts its clients; for benchmarks only.
import { createServer, type Socket } from 'node:net';
import { answersOf, HOLE, KINDS, recognise } from './traffic.ts';

/** Milliseconds between the events of a slow stream, and between first and second half of a quick one. */
const SLOW_MS = 100;
const SECOND_HALF_MS = 3;
/** A model that is fast for one, but takes time. */
const THOUGHT_MS = 20;
/** Frames of a stream that are sent at once: who speaks, and the first words. */
const FIRST_FRAMES = 2;

const answers = new Map(KINDS.map((kind) => [kind, answersOf(kind)]));
const slow = new Set<() => boolean>();
setInterval(() => {
  for (const next of slow) if (!next()) slow.delete(next);
}, SLOW_MS);

const server = createServer((socket) => {
  socket.setNoDelay(true);
  let pending = '';
  socket.setEncoding('latin1');
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: string) => {
    pending += chunk;
    for (;;) {
      const request = take(pending);
      if (request === null) return;
      pending = pending.slice(request.bytes);
      if (request.body === '') socket.write('HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n');
      else answer(socket, request.body);
    }
  });
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  console.log(typeof address === 'object' && address !== null ? address.port : 0);
});

/** The first whole request in what has come so far. */
function take(text: string): { body: string; bytes: number } | null {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return null;
  const head = text.slice(0, end).toLowerCase();
  const from = end + 4;
  if (!head.includes('\r\ntransfer-encoding: chunked')) {
    const at = head.indexOf('\r\ncontent-length:');
    const length = at < 0 ? 0 : Number.parseInt(head.slice(at + '\r\ncontent-length:'.length), 10);
    return text.length < from + length
      ? null
      : { body: text.slice(from, from + length), bytes: from + length };
  }
  let body = '';
  for (let at = from; ; ) {
    const line = text.indexOf('\r\n', at);
    if (line < 0) return null;
    const size = Number.parseInt(text.slice(at, line), 16);
    if (text.length < line + 2 + size + 2) return null;
    if (size === 0) return { body, bytes: line + 4 };
    body += text.slice(line + 2, line + 2 + size);
    at = line + 2 + size + 2;
  }
}

function answer(socket: Socket, body: string): void {
  const { kind, turn, number } = recognise(body);
  const frames = answers.get(kind)![turn]!.map((frame) => frame.replaceAll(HOLE, number));
  if (kind === 'talk' || kind === 'thoughtful' || kind === 'forbidden') {
    const [text] = frames as [string];
    const whole = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${text.length}\r\n\r\n${text}`;
    if (kind === 'thoughtful') setTimeout(() => socket.write(whole, 'latin1'), THOUGHT_MS);
    else socket.write(whole, 'latin1');
    return;
  }
  const head =
    'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n';
  socket.write(head + chunked(frames.slice(0, FIRST_FRAMES).join('')), 'latin1');
  if (kind === 'stream') {
    const rest = frames.slice(FIRST_FRAMES).map(chunked).join('');
    setTimeout(() => socket.write(`${rest}0\r\n\r\n`, 'latin1'), SECOND_HALF_MS);
    return;
  }
  let at = FIRST_FRAMES;
  slow.add(() => {
    if (socket.destroyed) return false;
    const frame = frames[at++];
    socket.write(frame === undefined ? '0\r\n\r\n' : chunked(frame), 'latin1');
    return frame !== undefined;
  });
}

function chunked(text: string): string {
  return `${text.length.toString(16)}\r\n${text}\r\n`;
}
