// Sends a request on to a model provider, and to the next one where the route says so. Connections are pooled for each origin.
import type { IncomingHttpHeaders } from 'node:http';
import { type Dispatcher, errors, Pool } from 'undici';
import type { FallBack, Upstream } from './config.ts';

export interface Sent {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Dispatcher.ResponseData['body'];
  readonly upstream: Upstream;
}

export interface Target {
  readonly upstream: Upstream;
  /** Address with query. */
  readonly url: URL;
  readonly body: string | Buffer | null;
}

/** None of the upstreams answered. */
export class Unreachable extends Error {
  readonly timeout: boolean;
  constructor(upstream: string, cause: unknown) {
    const timeout = isTimeout(cause);
    const why = cause instanceof Error ? cause.message : String(cause);
    super(`the upstream ${upstream} ${timeout ? 'did not answer in time' : `cannot be reached: ${why}`}`, {
      cause,
    });
    this.timeout = timeout;
  }
}

/** Requests under way to one origin; more wait. */
const CONNECTIONS_MAX = 4_096;
const ORIGINS_MAX = 1_000;
const CONNECT_MS = 10_000;

export interface Upstreams {
  send(
    method: string,
    headers: Readonly<Record<string, string | string[]>>,
    targets: readonly Target[],
    on: FallBack,
    signal: AbortSignal,
  ): Promise<Sent>;
  close(): Promise<void>;
}

export function createUpstreams(timeoutMs: number): Upstreams {
  const pools = new Map<string, Pool>();

  function poolOf(origin: string): Pool {
    let pool = pools.get(origin);
    if (pool === undefined) {
      if (pools.size >= ORIGINS_MAX) throw new Error(`more than ${ORIGINS_MAX} origins`);
      pool = new Pool(origin, {
        connections: CONNECTIONS_MAX,
        connect: { timeout: CONNECT_MS },
        headersTimeout: timeoutMs,
        bodyTimeout: timeoutMs,
        keepAliveTimeout: 30_000,
      });
      pools.set(origin, pool);
    }
    return pool;
  }

  return {
    async send(method, headers, targets, on, signal) {
      for (const [i, { upstream, url, body }] of targets.entries()) {
        const last = i === targets.length - 1;
        let answer: Dispatcher.ResponseData;
        try {
          answer = await poolOf(url.origin).request({
            method: method as Dispatcher.HttpMethod,
            path: url.pathname + url.search,
            headers: headersFor(headers, upstream),
            body,
            signal,
          });
        } catch (error) {
          if (signal.aborted) throw error;
          if (!last && (isTimeout(error) ? on.timeout : on.network)) continue;
          throw new Unreachable(upstream.name, error);
        }
        const { statusCode: status } = answer;
        if (!last && (on.statuses.has(status) || (status >= 500 && on.serverErrors))) {
          // Not waited for: one that fails may never say all of why.
          answer.body.dump().catch(() => undefined);
          continue;
        }
        return { status, headers: answer.headers, body: answer.body, upstream };
      }
      throw new Error('a request without a target');
    },
    async close() {
      await Promise.all([...pools.values()].map((pool) => pool.destroy()));
    },
  };
}

function isTimeout(error: unknown): boolean {
  return (
    error instanceof errors.HeadersTimeoutError ||
    error instanceof errors.BodyTimeoutError ||
    error instanceof errors.ConnectTimeoutError
  );
}

/** Of the connection, of this gateway, or a way past it: they do not go on. */
const KEPT = new Set([
  ...[
    'connection',
    'keep-alive',
    'proxy-authenticate',
    'proxy-authorization',
    'proxy-connection',
    'te',
    'trailer',
  ],
  ...[
    'transfer-encoding',
    'upgrade',
    'host',
    'content-length',
    'content-encoding',
    'accept-encoding',
    'expect',
  ],
  ...['location', 'refresh', 'alt-svc'],
  ...['origin', 'referer', 'cookie', 'set-cookie', 'forwarded', 'x-forwarded-for', 'x-forwarded-host'],
]);

export function passHeaders(headers: IncomingHttpHeaders): Record<string, string | string[]> {
  const out: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || KEPT.has(name) || name.startsWith('x-interlock-') || name.startsWith('sec-'))
      continue;
    out[name] = value;
  }
  return out;
}

const KEY_HEADERS = ['authorization', 'x-api-key', 'x-goog-api-key', 'api-key'] as const;

/** With our key where we hold it: the client's then names the client, and does not go on. */
function headersFor(
  headers: Readonly<Record<string, string | string[]>>,
  { vendor, key, headers: own }: Upstream,
) {
  // Without the header any encoding would do, by RFC 9110 section 12.5.3.
  const out: Record<string, string | string[]> = { ...headers, ...own, 'accept-encoding': 'identity' };
  if (key === null) return out;
  for (const name of KEY_HEADERS) if (own[name] === undefined) delete out[name];
  if (vendor === 'openai') out.authorization = `Bearer ${key}`;
  else out[vendor === 'anthropic' ? 'x-api-key' : 'x-goog-api-key'] = key;
  return out;
}

/** The key a client shows, wherever its vendor has it. */
export function clientKey(headers: IncomingHttpHeaders, query: string): string | null {
  const own = headers['x-interlock-key'];
  if (typeof own === 'string' && own !== '') return own;
  const [scheme, bearer] = (headers.authorization ?? '').split(' ', 2);
  if (scheme?.toLowerCase() === 'bearer' && bearer) return bearer;
  for (const name of KEY_HEADERS.slice(1)) {
    const value = headers[name];
    if (typeof value === 'string' && value !== '') return value;
  }
  return new URLSearchParams(query).get('key');
}
