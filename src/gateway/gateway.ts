// The gateway's door: HTTP in and out. Finds upstream and protocol, shows who calls, streams what the exchange lets through, and
// tells a denial from an error in the words of the client's vendor. No policy and no wire format here.
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { EngineError } from '../engine/problem.ts';
import type { Engine } from '../engine/types.ts';
import { parseJsonText } from '../step/json.ts';
import { parseSessionInit } from '../step/parse.ts';
import type { JsonObject, SessionInit } from '../step/types.ts';
import { readBody } from './body.ts';
import type { GatewayConfig, Upstream } from './config.ts';
import { type Conversations, createConversations } from './conversations.ts';
import { type Address, type Asked, addressOf, askedOf, PREFIX, upstreamQuery } from './endpoint.ts';
import { type Admitted, admit, RequestDenied } from './exchange.ts';
import { type Fields, isObject } from './fields.ts';
import { type Journal, openJournal } from './journal.ts';
import { openaiChat } from './protocols/openai-chat.ts';
import { relayStream } from './relay.ts';
import { type ErrorShape, type Protocol, Unreadable } from './types.ts';
import {
  clientKey,
  createUpstreams,
  passHeaders,
  type Sent,
  type Target,
  Unreachable,
  type Upstreams,
} from './upstream.ts';

/** What a key may open, or why it may not. */
export type Admission =
  | { readonly ok: true; readonly init: Omit<SessionInit, 'id'> }
  | { readonly ok: false; readonly status: 401 | 403; readonly message: string };

export interface GatewayOptions {
  readonly engine: Engine;
  readonly config: GatewayConfig;
  /** Where conversations are kept. */
  readonly directory: string;
  /** Asked with the key the client shows; anybody may come when absent. */
  readonly admit?: (key: string | null, init: Omit<SessionInit, 'id'>) => Admission;
  readonly onFailure: (error: unknown) => void;
}

export interface Gateway {
  handle(request: IncomingMessage, response: ServerResponse): void;
  /** Ends what is under way and puts it on record. */
  close(): Promise<void>;
}

/** Answers that are not streamed are read whole, up to this. */
const REPLY_BYTES_MAX = 64 << 20;
const ERROR_BYTES_MAX = 1 << 20;

export function isGatewayPath(url: string): boolean {
  return url.startsWith(PREFIX);
}

export async function openGateway(options: GatewayOptions): Promise<Gateway> {
  const conversations = createConversations();
  const journal = await openJournal(options.directory, conversations.take, options.onFailure);
  return createGateway(options, conversations, journal, createUpstreams(options.config.timeoutMs));
}

function createGateway(
  { engine, config, admit: admits, onFailure }: GatewayOptions,
  conversations: Conversations,
  journal: Journal,
  upstreams: Upstreams,
): Gateway {
  const under = new Set<AbortController>();
  const open = new Set<Promise<void>>();
  /** Replies under way, which a stop ends, or the halt of their session. */
  const watching = new Set<{ readonly session: string; readonly look: () => void }>();
  const parts = { engine, config, conversations, journal, onFailure };
  const unsubscribe = engine.subscribe((event) => {
    if (event.type !== 'stop' && event.type !== 'session') return;
    for (const { session, look } of watching) if (event.type === 'stop' || event.session === session) look();
  });

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const address = addressOf(request.url ?? '');
    const upstream = address === null ? undefined : config.upstreams.get(address.upstream);
    if (address === null || upstream === undefined) {
      const names = [...config.upstreams.keys()].join(', ');
      return refuse(response, openaiChat, {
        status: 404,
        code: 'unknown_upstream',
        message: `The gateway knows no such upstream; it has ${names}, at /gateway/NAME/….`,
      });
    }
    const asked = askedOf(request.method ?? '', address);
    const protocol = asked.t === 'model' ? asked.protocol : openaiChat;
    const gone = new AbortController();
    under.add(gone);
    response.once('close', () => {
      if (!response.writableFinished) gone.abort();
    });
    try {
      if (asked.t === 'refused')
        throw new Refusal(404, 'not_guardable', `${asked.why}. What is not guarded does not pass.`);
      await serve(request, response, address, upstream, asked, gone.signal);
    } catch (error) {
      if (gone.signal.aborted && !(error instanceof EngineError)) return;
      refuse(response, protocol, shapeOf(error, onFailure), error);
    } finally {
      under.delete(gone);
      // What the upstream was asked early, and would answer to nobody.
      gone.abort();
    }
  }

  async function serve(
    request: IncomingMessage,
    response: ServerResponse,
    address: Address,
    upstream: Upstream,
    asked: Exclude<Asked, { t: 'refused' }>,
    gone: AbortSignal,
  ): Promise<void> {
    const bytes = await readBody(request);
    const key = keyOf(request, address, upstream);
    const body = asked.t === 'model' ? bodyOf(bytes) : null;
    const read =
      asked.t === 'model' && body !== null ? asked.protocol.readRequest(body, asked.endpoint) : null;
    const init = identify(request, address, read?.user ?? null, key);
    if (asked.t === 'pass' || body === null || read === null) {
      const target = {
        upstream,
        url: urlOf(upstream, address, asked, null),
        body: bytes.length === 0 ? null : bytes,
      };
      const sent = await upstreams.send(
        request.method!,
        passHeaders(request.headers),
        [target],
        NO_FALL_BACK,
        gone,
      );
      return relayWhole(response, sent, {});
    }
    const { protocol, endpoint } = asked;
    const admitted = await admit(parts, {
      protocol,
      endpoint,
      body,
      request: read,
      upstream,
      init,
      scope: createHash('sha256')
        .update(JSON.stringify([init, key]))
        .digest('base64url')
        .slice(0, 22),
      session: textHeader(request, 'x-interlock-session'),
      retry: Number(textHeader(request, 'x-stainless-retry-count') ?? 0) > 0,
      signal: gone,
    });
    const targets = admitted.targets.map(
      (target): Target => ({
        upstream: target.upstream,
        url: urlOf(target.upstream, address, asked, target.model),
        body: JSON.stringify(target.body),
      }),
    );
    const headers = { ...passHeaders(request.headers), 'content-type': 'application/json' };
    const [sent] = await Promise.all([
      upstreams.send('POST', headers, targets, admitted.on, gone),
      admitted.durable,
    ]);
    await relay(response, admitted, asked, sent, gone);
  }

  async function relay(
    response: ServerResponse,
    admitted: Admitted,
    { protocol, endpoint }: Extract<Asked, { t: 'model' }>,
    sent: Sent,
    gone: AbortSignal,
  ): Promise<void> {
    const own = { 'x-interlock-session': admitted.session, 'x-interlock-verdict': admitted.verdict };
    passable(sent);
    // An error of the vendor has no reply in it.
    if (sent.status < 200 || sent.status > 299) return relayWhole(response, sent, own);
    const desk = await admitted.desk(gone);
    const watched = {
      session: admitted.session,
      look: () => void desk.recheck().catch(onFailure),
    };
    watching.add(watched);
    try {
      const type = String(sent.headers['content-type'] ?? '').toLowerCase();
      if (admitted.request.stream && type.startsWith('text/event-stream')) {
        response.writeHead(sent.status, {
          ...passHeaders(sent.headers),
          'content-type': endpoint.sse
            ? 'text/event-stream; charset=utf-8'
            : 'application/json; charset=utf-8',
          'cache-control': 'no-cache',
          ...own,
        });
        await relayStream({
          response,
          sent,
          guard: protocol.stream(desk, endpoint),
          desk,
          protocol,
          admitted,
          sse: endpoint.sse,
        });
        return;
      }
      const text = await readReply(sent, REPLY_BYTES_MAX);
      const parsed = type.includes('json') ? parseJsonText(text) : null;
      if (parsed === null || !parsed.ok || !isObject(parsed.value)) {
        throw new Refusal(
          502,
          'upstream_invalid',
          `The upstream answered with ${type || 'no type'}, and not with a reply that can be guarded.`,
        );
      }
      const reply = await protocol.reply(parsed.value, desk);
      admitted.conclude(desk);
      send(response, sent.status, { ...passHeaders(sent.headers), ...own }, JSON.stringify(reply));
    } catch (error) {
      desk.abandon(error instanceof Error ? error.message : String(error));
      if (error instanceof Unreadable)
        throw new Refusal(502, 'upstream_invalid', `The reply cannot be guarded: ${error.message}.`);
      if (error instanceof EngineError && error.problem.code === 'limit-exceeded')
        throw new Refusal(502, 'upstream_invalid', `The reply cannot be guarded: ${error.problem.message}.`);
      throw error;
    } finally {
      watching.delete(watched);
      await desk.settled();
    }
  }

  /** On whose behalf the request is, as far as the caller may say so. */
  function identify(
    request: IncomingMessage,
    address: Address,
    said: string | null,
    key: string | null,
  ): Omit<SessionInit, 'id'> {
    const principal = textHeader(request, 'x-interlock-principal') ?? said;
    const tenant = textHeader(request, 'x-interlock-tenant');
    const version = textHeader(request, 'x-interlock-agent-version');
    const parsed = parseSessionInit({
      agent: {
        name: address.agent ?? textHeader(request, 'x-interlock-agent') ?? config.agent,
        ...(version === null ? {} : { version }),
      },
      ...(principal === null ? {} : { principal }),
      ...(tenant === null ? {} : { tenant }),
    });
    if (!parsed.ok) {
      const { at, expected, found } = parsed.problems[0]!;
      throw new Refusal(
        400,
        'invalid_request',
        `Who calls cannot be told: ${at}: expected ${expected}, found ${found}.`,
      );
    }
    const { id: _, ...init } = parsed.value;
    const admission = admits?.(key, init) ?? { ok: true, init };
    if (!admission.ok) throw new Refusal(admission.status, 'not_admitted', admission.message);
    return admission.init;
  }

  return {
    handle(request, response) {
      const done = handle(request, response).catch(onFailure);
      open.add(done);
      void done.finally(() => open.delete(done));
    },
    async close() {
      unsubscribe();
      for (const controller of under) controller.abort();
      await Promise.all(open);
      await upstreams.close();
      await journal.close();
    },
  };
}

/** An answer that is ours and not the policy's. */
class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

const NO_FALL_BACK = { statuses: new Set<number>(), serverErrors: false, timeout: false, network: false };

function textHeader(request: IncomingMessage, name: string): string | null {
  const value = request.headers[name];
  return typeof value === 'string' && value !== '' ? value : null;
}

/** Where keys are held by us, the client's own place for a key shows who it is. */
function keyOf(request: IncomingMessage, { query }: Address, upstream: Upstream): string | null {
  const own = textHeader(request, 'x-interlock-key');
  return own ?? (upstream.key === null ? null : clientKey(request.headers, query));
}

function bodyOf(bytes: Buffer): Fields {
  const parsed = parseJsonText(bytes.toString('utf8'));
  if (!parsed.ok) {
    const { line, column, expected, found } = parsed.problem;
    throw new Refusal(
      400,
      'invalid_request',
      `The body is not JSON: line ${line}, column ${column}: expected ${expected}, found ${found}.`,
    );
  }
  if (!isObject(parsed.value)) throw new Refusal(400, 'invalid_request', 'The body is not a JSON object.');
  return parsed.value;
}

function urlOf(upstream: Upstream, address: Address, asked: Asked, model: string | null): URL {
  const renamed =
    asked.t === 'model' && asked.endpoint.model !== null && model !== null && model !== asked.endpoint.model;
  const path = renamed
    ? address.path.replace(/\/models\/[^/:]+:/, () => `/models/${encodeURIComponent(model)}:`)
    : address.path;
  return new URL(`${upstream.url}${path}${upstreamQuery(address.query, asked, upstream.key !== null)}`);
}

/** Policy, caller, upstream, ourselves: each says which it was. */
function shapeOf(error: unknown, onFailure: (error: unknown) => void): ErrorShape {
  if (error instanceof RequestDenied) {
    const { session, recorded, hold } = error;
    const rules = recorded?.decision.rules.map(({ rule, because, repair }) => ({
      rule,
      because,
      ...(repair === undefined ? {} : { repair }),
    }));
    const details: JsonObject = {
      session,
      ...(rules === undefined ? {} : { rules }),
      ...(hold === null ? {} : { hold }),
    };
    return { status: 403, code: error.code, message: error.message, details };
  }
  if (error instanceof Refusal) return { status: error.status, code: error.code, message: error.message };
  if (error instanceof Unreadable)
    return { status: error.code === 'too_large' ? 413 : 400, code: error.code, message: error.message };
  if (error instanceof Unreachable)
    return {
      status: error.timeout ? 504 : 502,
      code: error.timeout ? 'upstream_timeout' : 'upstream_unreachable',
      message: error.message,
    };
  if (error instanceof EngineError) {
    const { code, message, mend } = error.problem;
    const text = mend === undefined ? message : `${message} ${mend}`;
    if (code === 'limit-exceeded') return { status: 413, code: 'too_large', message: text };
    if (code === 'session-ended' || code === 'duplicate-id')
      return { status: 409, code: 'session_conflict', message: text };
    onFailure(error);
    return {
      status: 503,
      code: 'interlock_unavailable',
      message: `No decision could be made, so nothing was done: ${text}`,
    };
  }
  onFailure(error);
  return {
    status: 502,
    code: 'interlock_error',
    message: 'The reply could not be guarded, so it was not let through.',
  };
}

function refuse(response: ServerResponse, protocol: Protocol, shape: ErrorShape, error?: unknown): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const denied = error instanceof RequestDenied;
  const verdict = denied ? (error.code === 'interlock_held' ? 'hold' : 'deny') : 'error';
  send(
    response,
    shape.status,
    {
      'content-type': 'application/json',
      'x-interlock-verdict': verdict,
      ...(denied ? { 'x-interlock-session': error.session, 'x-should-retry': 'false' } : {}),
      ...(shape.status === 503 ? { 'retry-after': '1' } : {}),
    },
    JSON.stringify(protocol.error(shape)),
  );
}

function send(
  response: ServerResponse,
  status: number,
  headers: Record<string, string | string[]>,
  text: string,
): void {
  if (response.destroyed || response.headersSent) return;
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(text) });
  response.end(text);
}

async function readReply({ body }: Sent, max: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += (chunk as Buffer).length;
    if (size > max) {
      body.destroy();
      throw new Refusal(502, 'upstream_invalid', `The upstream's answer has more than ${max} bytes.`);
    }
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Only what can be read is passed on, and nothing that leads a client past the gateway. */
function passable({ status, headers, body, upstream }: Sent): void {
  const encoding = headers['content-encoding'];
  const isPlain = encoding === undefined || encoding === 'identity';
  if (isPlain && !REDIRECTS.includes(status)) return;
  body.on('error', () => {}).destroy();
  const what = isPlain
    ? `redirects; give the address of ${upstream.name} as it is now in the gateway file`
    : `answers encoded as ${String(encoding).slice(0, 60)}, which it was not asked for`;
  throw new Refusal(502, 'upstream_invalid', `The upstream ${what}.`);
}

const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308];

async function relayWhole(response: ServerResponse, sent: Sent, own: Record<string, string>): Promise<void> {
  passable(sent);
  const ok = sent.status >= 200 && sent.status <= 299;
  const text = await readReply(sent, ok ? REPLY_BYTES_MAX : ERROR_BYTES_MAX);
  send(response, sent.status, { ...passHeaders(sent.headers), ...own }, text);
}
