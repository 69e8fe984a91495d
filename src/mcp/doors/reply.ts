// The answer to one HTTP request of a client: one JSON message, or a stream of events once there is more than one.
import { once } from 'node:events';
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { messageEvent } from '../wire/sse.ts';

export interface Reply {
  /** Starts the stream when it has not started, with the headers of the server where there are any. */
  stream(headers?: OutgoingHttpHeaders, status?: number): void;
  readonly streaming: boolean;
  /** Waits while the client is behind. */
  write(text: string): Promise<void>;
  /** A message of ours before the answer. */
  notify(text: string): void;
  /** The last message. */
  finish(text: string, status?: number, headers?: OutgoingHttpHeaders): void;
  /** No message at all. */
  empty(status: number, headers?: OutgoingHttpHeaders): void;
  end(): void;
}

const JSON_TYPE = { 'content-type': 'application/json' };
const STREAM_HEADERS = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
};

export function replyTo(response: ServerResponse): Reply {
  let streaming = false;
  const stream = (headers: OutgoingHttpHeaders = {}, status = 200) => {
    if (streaming || response.headersSent) return;
    streaming = true;
    response.writeHead(status, { ...STREAM_HEADERS, ...headers });
    response.flushHeaders();
  };
  return {
    stream,
    get streaming() {
      return streaming;
    },
    async write(text) {
      if (response.destroyed || response.write(text)) return;
      await Promise.race([once(response, 'drain'), once(response, 'close')]).catch(() => {});
    },
    notify(text) {
      stream();
      if (!response.destroyed) response.write(messageEvent(text));
    },
    finish(text, status = 200, headers = {}) {
      if (streaming) response.end(messageEvent(text));
      else
        response
          .writeHead(status, { ...headers, ...JSON_TYPE, 'content-length': Buffer.byteLength(text) })
          .end(text);
    },
    empty(status, headers = {}) {
      if (!streaming) response.writeHead(status, headers);
      response.end();
    },
    end: () => response.end(),
  };
}
