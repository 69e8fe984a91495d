// Carries a guarded stream to the client: at the client's pace, kept alive while people decide, and ended as broken when it broke.
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { ServedDesk } from './desk.ts';
import type { Admitted } from './exchange.ts';
import { eventReader, type StreamEvent } from './sse.ts';
import type { Protocol, StreamGuard } from './types.ts';
import type { Sent } from './upstream.ts';

/** A client hears at least this often that the connection is alive. */
const ALIVE_MS = 10_000;
/** Of one stream: what is held back of it is in memory. A token takes about 300 bytes on the wire. */
const STREAM_BYTES_MAX = 256 << 20;

export interface Relay {
  readonly response: ServerResponse;
  readonly sent: Sent;
  readonly guard: StreamGuard;
  readonly desk: ServedDesk;
  readonly protocol: Protocol;
  readonly admitted: Admitted;
  /** Whether the client reads events, or one list of JSON. */
  readonly sse: boolean;
}

export async function relayStream(relay: Relay): Promise<void> {
  const { response, sent, guard, desk, protocol, admitted, sse } = relay;
  const reader = eventReader();
  let concluded = false;
  let quiet = false;
  let bytes = 0;
  const alive = setInterval(() => {
    if (quiet && sse && !response.writableEnded) response.write(': waiting\n\n');
    quiet = true;
  }, ALIVE_MS);

  async function write(text: string): Promise<void> {
    if (text === '' || response.destroyed) return;
    quiet = false;
    if (response.write(text)) return;
    // A slow reader slows the upstream down; one that has gone ends it.
    const gone = new AbortController();
    try {
      await Promise.race([
        once(response, 'drain', { signal: gone.signal }),
        once(response, 'close', { signal: gone.signal }),
      ]);
    } finally {
      gone.abort();
    }
  }

  async function take(events: readonly StreamEvent[]): Promise<void> {
    let out = '';
    try {
      for (const event of events) {
        const text = await guard.push(event);
        // The client may go on as soon as it has the last event: it must be known again by then.
        if (!concluded && guard.complete()) {
          admitted.conclude(desk);
          concluded = true;
        }
        out += text;
      }
    } finally {
      // What was let through before an event that cannot be is said, and on record as such.
      await write(out);
    }
  }

  try {
    for await (const chunk of sent.body) {
      if (response.destroyed) throw new Error('the client has gone');
      bytes += (chunk as Buffer).length;
      if (bytes > STREAM_BYTES_MAX) throw new Error(`the reply has more than ${STREAM_BYTES_MAX} bytes`);
      await take(reader.push(chunk as Buffer));
    }
    await take(reader.end());
    if (!guard.complete()) throw new Error('the upstream ended in the middle of its reply');
    if (!concluded) admitted.conclude(desk);
    response.end(guard.tail?.() ?? '');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    desk.abandon(why);
    sent.body.destroy();
    if (response.destroyed) return;
    // A list of JSON has no place for an error.
    if (!sse) response.destroy();
    else
      response.end(
        protocol.broken({
          status: 502,
          code: 'interlock_stream_broken',
          message: `The reply broke off: ${why}`,
        }),
      );
  } finally {
    clearInterval(alive);
  }
}
