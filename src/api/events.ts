// Server-sent events (WHATWG HTML section 9.2): every engine event to every page that listens. A reader that does not
// keep up is dropped, never buffered without bound; on reconnecting it reads the lists again.
import type { ServerResponse } from 'node:http';
import type { Engine } from '../engine/types.ts';
import { problem } from './problem.ts';
import { API_HEADERS } from './reply.ts';
import { get, type Route } from './router.ts';

export interface EventLimits {
  readonly clientsMax: number;
  /** Unsent bytes after which a client is dropped. */
  readonly bufferBytesMax: number;
  readonly heartbeatMs: number;
}
export const EVENT_LIMITS: EventLimits = { clientsMax: 64, bufferBytesMax: 256 * 1024, heartbeatMs: 15_000 };

/** The route, and what ends every stream when the server stops. */
export function eventRoute(engine: Engine, limits: EventLimits): { route: Route; close: () => void } {
  const clients = new Set<ServerResponse>();

  function write(client: ServerResponse, text: string): void {
    if (client.writableLength > limits.bufferBytesMax) client.destroy();
    else client.write(text);
  }

  const unsubscribe = engine.subscribe((event) => {
    if (clients.size === 0) return;
    const text = `data: ${JSON.stringify(event)}\n\n`;
    for (const client of clients) write(client, text);
  });
  const heartbeat = setInterval(() => {
    for (const client of clients) write(client, ': heartbeat\n\n');
  }, limits.heartbeatMs);
  heartbeat.unref();

  const route = get('/v1/events', {}, async ({ request, response }) => {
    if (clients.size >= limits.clientsMax)
      return problem('overloaded', `${limits.clientsMax} clients listen already`);
    response.writeHead(200, [...API_HEADERS, 'content-type', 'text/event-stream']);
    if (request.method === 'HEAD') {
      response.end();
      return 'streaming';
    }
    response.write('retry: 1000\n\n');
    clients.add(response);
    response.once('close', () => clients.delete(response));
    response.once('error', () => response.destroy());
    return 'streaming';
  });

  return {
    route,
    close() {
      clearInterval(heartbeat);
      unsubscribe();
      for (const client of clients) client.end();
    },
  };
}
