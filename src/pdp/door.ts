// The decision point's doors as one thing to start and stop: Envoy over gRPC on a port of its own, Envoy over HTTP and
// AuthZEN on another. Both bind to loopback, and neither has the page or the holds behind it.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { KEY_HEADER } from './answer.ts';
import { createAsk } from './ask.ts';
import { createAuthzen, EVALUATION_PATH, EVALUATIONS_PATH, METADATA_PATH, metadata } from './authzen.ts';
import { createDecider, type DeciderParts } from './decide.ts';
import { createExtAuthzHandler, isExtAuthzPath } from './gateway-http.ts';
import { readJson } from './read-json.ts';
import { DEFAULT_SETTINGS, type Settings } from './settings.ts';

/** Answers a posted question that is JSON; `key` is what the one who asks shows. Never rejects. */
export type Answerer = (
  body: unknown,
  caller: { readonly key: string | null; readonly headers: ReadonlyMap<string, string> },
) => Promise<{ readonly status: number; readonly body: object }>;

export interface DecisionPointOptions extends DeciderParts {
  readonly host: string;
  /** Envoy over HTTP, and AuthZEN; null for none, 0 for a free port. */
  readonly httpPort: number | null;
  /** Envoy over gRPC; null for none, 0 for a free port. */
  readonly grpcPort: number | null;
  readonly settings?: Settings | undefined;
  /** Why a request to AuthZEN is not answered, e.g. a web page makes it. Envoy sends hosts of all kinds and is not asked. */
  readonly refuse?: (request: IncomingMessage) => string | null;
  /** Other doors on the same port, by path. */
  readonly doors?: Readonly<Record<string, Answerer>>;
}

export interface DecisionPoint {
  readonly httpPort: number | null;
  readonly grpcPort: number | null;
  close(): Promise<void>;
}

const DRAIN_MS = 5_000;
const CONNECTIONS_MAX = 4_096;

/** Rejects when a port cannot be had; nothing is left open then. */
export async function startDecisionPoint(options: DecisionPointOptions): Promise<DecisionPoint> {
  const { host, settings = DEFAULT_SETTINGS } = options;
  const decider = createDecider(options);
  const ask = createAsk(decider, settings);
  const authzen = createAuthzen(decider, settings);
  const extAuthz = createExtAuthzHandler(ask, settings);
  const closers: (() => Promise<void>)[] = [];
  const close = async () => {
    await Promise.all(closers.map((end) => end()));
  };

  const asked = (evaluate: ReturnType<typeof createAuthzen>['evaluation']): Answerer => {
    return async (body, caller) => {
      const answer = await evaluate(body, caller);
      if (answer.status === 200) return { status: 200, body: answer.body };
      const { status, detail, problems } = answer;
      return { status, body: { error: detail, ...(problems.length === 0 ? {} : { problems }) } };
    };
  };
  const doors: Readonly<Record<string, Answerer>> = {
    ...options.doors,
    [EVALUATION_PATH]: asked(authzen.evaluation),
    [EVALUATIONS_PATH]: asked(authzen.evaluations),
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? '').split('?', 1)[0]!;
    const id = request.headers['x-request-id'];
    // The answer carries the id of its request (AuthZEN, section 10).
    if (typeof id === 'string') response.setHeader('x-request-id', id);
    if (path === METADATA_PATH && request.method === 'GET')
      return send(response, 200, metadata(`http://${request.headers.host ?? host}`));
    const door = Object.hasOwn(doors, path) ? doors[path]! : null;
    if (door === null || request.method !== 'POST')
      return send(response, door === null ? 404 : 405, {
        error: `POST ${Object.keys(doors).join(', ')}; GET ${METADATA_PATH}; Envoy asks under /ext-authz`,
      });
    const body = await readJson(request);
    if (!body.ok) return send(response, body.status, { error: body.message });
    const headers = new Map(
      Object.entries(request.headersDistinct).map(([name, values = []]) => [name, values.join(', ')]),
    );
    const key = headers.get(KEY_HEADER) ?? bearer(headers.get('authorization'));
    const answered = await door(body.value, { key, headers });
    send(response, answered.status, answered.body);
  }

  function handle(request: IncomingMessage, response: ServerResponse): void {
    if (isExtAuthzPath(request.url ?? '')) {
      extAuthz(request, response);
      return;
    }
    const foreign = options.refuse?.(request) ?? null;
    if (foreign !== null) {
      send(response, 403, { error: foreign });
      return;
    }
    answer(request, response).catch((error: unknown) => {
      options.onFailure(error);
      send(response, 503, { error: 'no decision could be had' });
    });
  }

  try {
    let httpPort: number | null = null;
    if (options.httpPort !== null) {
      const server = await listen(options.httpPort, host, handle);
      closers.push(() => drain(server));
      httpPort = (server.address() as AddressInfo).port;
    }
    let grpcPort: number | null = null;
    if (options.grpcPort !== null) {
      // Loaded only where it is used.
      const { startGrpcDoor } = await import('./envoy-grpc.ts');
      const grpc = await startGrpcDoor(`${host}:${options.grpcPort}`, ask, settings);
      closers.push(grpc.close);
      grpcPort = grpc.port;
    }
    return { httpPort, grpcPort, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The key of `Authorization: Bearer KEY`. */
export function bearer(authorization: string | undefined): string | null {
  const [scheme, key] = (authorization ?? '').split(' ', 2);
  return scheme?.toLowerCase() === 'bearer' && key ? key : null;
}

function send(response: ServerResponse, status: number, body: object): void {
  if (response.headersSent || response.destroyed) return;
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(text);
}

function listen(
  port: number,
  host: string,
  handle: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<Server> {
  const server = createServer({ requestTimeout: 60_000, headersTimeout: 10_000 }, handle);
  server.maxConnections = CONNECTIONS_MAX;
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host, exclusive: true }, () => resolve(server));
  });
}

function drain(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const force = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
    server.close(() => {
      clearTimeout(force);
      resolve();
    });
    server.closeIdleConnections();
  });
}
