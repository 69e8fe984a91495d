// One keep-alive connection of the load: writes a request, reads one answer by hand (content-length or chunked), and
// says when bytes came. A client library would be the slower side of what is measured.
import { once } from 'node:events';
import { connect } from 'node:net';

export interface Reply {
  readonly status: number;
  /** As it came: with the sizes of its chunks, when it was chunked. */
  readonly body: string;
  /** From the write to the moment the body held the mark; NaN when it never did. */
  readonly markMs: number;
  readonly totalMs: number;
}

export interface Connection {
  /** `mark` is looked for in the body as it comes. */
  ask(request: string, mark: string): Promise<Reply>;
  close(): void;
}

const LAST_CHUNK = '0\r\n\r\n';

export async function open(port: number): Promise<Connection> {
  const socket = connect(port, '127.0.0.1').setNoDelay(true);
  await once(socket, 'connect');
  socket.setEncoding('latin1');
  let onData = (_: string) => {};
  let onEnd = (_: Error) => {};
  socket.on('data', (chunk: string) => onData(chunk));
  socket.on('close', () => onEnd(new Error('the connection was closed')));
  socket.on('error', (error) => onEnd(error));

  function ask(request: string, mark: string): Promise<Reply> {
    const started = performance.now();
    return new Promise((resolve, reject) => {
      onEnd = reject;
      let status = 0;
      let head = '';
      let body = '';
      /** Bytes of the body; null when it comes in chunks. */
      let length: number | null = null;
      let markMs = Number.NaN;
      onData = (chunk) => {
        if (status === 0) {
          head += chunk;
          const end = head.indexOf('\r\n\r\n');
          if (end < 0) return;
          status = Number(head.slice(9, 12));
          length = lengthOf(head.slice(0, end).toLowerCase());
          body = head.slice(end + 4);
        } else body += chunk;
        if (Number.isNaN(markMs) && body.includes(mark)) markMs = performance.now() - started;
        const whole =
          length === null
            ? (chunk.length < LAST_CHUNK.length ? body : chunk).endsWith(LAST_CHUNK)
            : body.length >= length;
        if (whole) resolve({ status, body, markMs, totalMs: performance.now() - started });
      };
      socket.write(request, 'latin1');
    });
  }
  return { ask, close: () => socket.destroy() };
}

function lengthOf(head: string): number | null {
  if (head.includes('\r\ntransfer-encoding: chunked')) return null;
  const at = head.indexOf('\r\ncontent-length:');
  return at < 0 ? 0 : Number.parseInt(head.slice(at + '\r\ncontent-length:'.length), 10);
}
