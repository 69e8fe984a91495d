// The Streamable HTTP door: one path per server behind it, `/mcp/NAME`. Every message of a body or an event passes the
// guard; what is no message of JSON-RPC does not pass. Takes loopback callers only.
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { refuseForeign } from '../../api/origin.ts';
import type { SessionInit } from '../../engine/types.ts';
import { onOneLine } from '../../step/one-line.ts';
import type { GuardedSession } from '../guard/session.ts';
import type { SpecView } from '../guard/spec-view.ts';
import { mirrorArguments, mismatch, SESSION_HEADER, toClient, toServer } from '../wire/headers.ts';
import {
  errorText,
  HEADER_MISMATCH,
  INVALID_REQUEST,
  type Message,
  PARSE_ERROR,
  readMessage,
  UNAVAILABLE,
} from '../wire/message.ts';
import { sseSplitter, withData } from '../wire/sse.ts';
import { type Reply, replyTo } from './reply.ts';
import { createScopes, type Scope, type Who } from './scopes.ts';
import { BodyTooLarge, createCaller, readBody, type Upstream, UpstreamFailed } from './upstream.ts';

export interface McpDoorOptions {
  readonly upstreams: readonly Upstream[];
  /** Whose steps a request's are, or why it may not take any. */
  readonly identify: (request: IncomingMessage) => Identity;
  /** Opens an Interlock session; `own` when it ends with the client's. */
  readonly open: (init: SessionInit, own: boolean) => GuardedSession;
  readonly spec: (session: GuardedSession) => SpecView;
  readonly log: (line: string) => void;
  /** How long a server may take to begin its answer; ten minutes when absent. */
  readonly firstByteMs?: number;
}

export type Identity =
  | { readonly ok: true; readonly who: Who }
  | { readonly ok: false; readonly status: number; readonly message: string };

export interface McpDoor {
  /** Answers every request whose path begins with `/mcp`. */
  handle(request: IncomingMessage, response: ServerResponse): void;
  close(): Promise<void>;
}

export function isMcpPath(path: string): boolean {
  return path === '/mcp' || path.startsWith('/mcp/') || path.startsWith('/mcp?');
}

const REQUEST_BYTES_MAX = 4 << 20;
const ANSWER_BYTES_MAX = 16 << 20;

/** One exchange with a client. */
interface Exchange {
  readonly request: IncomingMessage;
  readonly reply: Reply;
  readonly upstream: Upstream;
  readonly who: Who;
  readonly scope: Scope;
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal;
}

export function createMcpDoor({
  upstreams,
  identify,
  open,
  spec,
  log,
  firstByteMs,
}: McpDoorOptions): McpDoor {
  const byPath = new Map(upstreams.map((upstream) => [`/mcp/${upstream.name}`, upstream]));
  const only = upstreams.length === 1 ? upstreams[0] : undefined;
  if (only !== undefined) byPath.set('/mcp', only);
  const byName = new Map(upstreams.map((upstream) => [upstream.name, upstream]));
  const caller = createCaller(firstByteMs);
  const scopes = createScopes({
    open,
    log,
    guarded(name, session) {
      const { catalogue, prefix } = byName.get(name)!;
      return { session, catalogue, prefix, spec: spec(session), log };
    },
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const reply = replyTo(response);
    const foreign = refuseForeign(request);
    if (foreign !== null) return reply.finish(errorText(null, INVALID_REQUEST, foreign.detail), 403);
    const path = (request.url ?? '/').split('?', 1)[0]!;
    const upstream = byPath.get(path);
    if (upstream === undefined) {
      const known = [...byPath.keys()].join(', ');
      return reply.finish(
        errorText(null, INVALID_REQUEST, `There is no server at ${path}. Known: ${known}`),
        404,
      );
    }
    const gone = new AbortController();
    response.once('close', () => {
      if (!response.writableFinished) gone.abort();
    });
    const identity = identify(request);
    if (!identity.ok)
      return reply.finish(errorText(null, INVALID_REQUEST, identity.message), identity.status);
    const { who } = identity;
    const scope = scopes.of(request, upstream.name, who);
    const exchange: Exchange = { request, reply, upstream, who, scope, signal: gone.signal };
    switch (request.method) {
      case 'POST':
        return post(exchange);
      case 'GET':
        return listen(exchange);
      case 'DELETE':
        return remove(exchange);
      default:
        return reply.empty(405, { allow: 'GET, POST, DELETE' });
    }
  }

  async function post(exchange: Exchange): Promise<void> {
    const { request, reply, scope, signal, upstream } = exchange;
    const [type = ''] = (request.headers['content-type'] ?? '').split(';', 1);
    if (type.trim().toLowerCase() !== 'application/json')
      return reply.finish(errorText(null, INVALID_REQUEST, 'The content type is application/json'), 415);
    let text: string;
    try {
      text = await readBody(request, REQUEST_BYTES_MAX);
    } catch (error) {
      const large = error instanceof BodyTooLarge;
      const why = large ? `The body has ${error.message}` : 'The body is not UTF-8';
      return reply.finish(errorText(null, large ? INVALID_REQUEST : PARSE_ERROR, why), large ? 413 : 400, {
        connection: 'close',
      });
    }
    const read = readMessage(text);
    if (!read.ok) {
      const { id, code, message } = read.unreadable;
      return reply.finish(errorText(id, code, message), 400);
    }
    const { message } = read;
    const wrong = mismatch(request.headers, message);
    if (wrong !== null)
      return reply.finish(
        errorText(message.t === 'request' ? message.id : null, HEADER_MISMATCH, wrong),
        400,
      );
    const fate = await scope.guard.fromClient(message, { notify: reply.notify, signal });
    switch (fate.t) {
      case 'answer':
        return reply.finish(fate.text);
      case 'drop':
        if (message.t !== 'request') return reply.empty(202);
        return reply.finish(errorText(message.id, UNAVAILABLE, 'The request was cancelled.'));
      case 'forward': {
        const headers = toServer(request.headers, upstream.headers);
        if (fate.rewritten !== undefined)
          mirrorArguments(headers, fate.rewritten.inputSchema, fate.rewritten.args);
        return exchangeWith(exchange, message, 'POST', headers, fate.text);
      }
    }
  }

  function listen(exchange: Exchange): Promise<void> {
    return exchangeWith(
      exchange,
      null,
      'GET',
      toServer(exchange.request.headers, exchange.upstream.headers),
      null,
    );
  }

  async function remove(exchange: Exchange): Promise<void> {
    const { request, reply, upstream, who, signal } = exchange;
    const response = await caller
      .send(upstream, 'DELETE', toServer(request.headers, upstream.headers), null, signal)
      .catch((error: unknown) => whyFailed(error));
    if (typeof response === 'string') return reply.finish(errorText(null, UNAVAILABLE, response), 502);
    response.resume();
    const id = request.headers[SESSION_HEADER];
    const status = response.statusCode ?? 502;
    if (status < 300 && typeof id === 'string') scopes.end(upstream.name, who, id);
    return reply.empty(status);
  }

  /** Sends on what the client sent, and gives back what the server answers. */
  async function exchangeWith(
    exchange: Exchange,
    message: Message | null,
    method: string,
    headers: OutgoingHttpHeaders,
    body: string | null,
  ): Promise<void> {
    const { upstream, reply, signal, scope } = exchange;
    const id = message?.t === 'request' ? message.id : null;
    /** The server will not answer: says so to the client, once, and to the record. */
    const fail = async (why: string, ran: boolean, status = 502) => {
      if (signal.aborted && id !== null) await scope.guard.lose('The client went away.', { ran, id });
      if (signal.aborted) return;
      log(why);
      const [text] = id === null ? [] : await scope.guard.lose(why, { ran, id });
      reply.finish(text ?? errorText(id, UNAVAILABLE, why), status);
    };
    let response: IncomingMessage;
    try {
      response = await caller.send(upstream, method, headers, body, signal);
    } catch (error) {
      return fail(whyFailed(error), !(error instanceof UpstreamFailed) || error.reached);
    }
    const status = response.statusCode ?? 502;
    const kept = toClient(response.headers);
    const given = response.headers[SESSION_HEADER];
    if (
      message?.t === 'request' &&
      message.method === 'initialize' &&
      typeof given === 'string' &&
      status < 300
    )
      scopes.begin(exchange.request, upstream.name, exchange.who, given);
    if (status >= 300 && status < 400) {
      response.resume();
      return fail(`The server ${upstream.name} redirects; give its address as it is now.`, false);
    }
    const [type = ''] = (response.headers['content-type'] ?? '').toLowerCase().split(';', 1);
    if (
      response.headers['content-encoding'] !== undefined &&
      response.headers['content-encoding'] !== 'identity'
    ) {
      response.destroy();
      return fail(`The server ${upstream.name} answers in an encoding it was not asked for.`, true);
    }
    if (type.trim() === 'text/event-stream' && status < 300) {
      reply.stream(kept, status);
      const why = await relay(exchange, response);
      if (id !== null && why === null) scope.guard.abandon(id);
      if (id === null || !scope.guard.waits(id) || why === null) return reply.end();
      return fail(why, true);
    }
    let text: string;
    try {
      text = await readBody(response, ANSWER_BYTES_MAX);
    } catch (error) {
      response.destroy();
      const what = error instanceof BodyTooLarge ? error.message : 'what is no whole text';
      return fail(`The server ${upstream.name} answered with ${what}.`, true);
    }
    if (text === '') {
      if (id !== null && status < 300) return fail(`The server ${upstream.name} did not answer.`, true);
      if (id !== null) await scope.guard.lose(`status ${status}`, { ran: false, id });
      return reply.empty(status, kept);
    }
    const read = readMessage(text);
    if (!read.ok) {
      // A refusal of the transport, e.g. that a token is needed: for the client, not for the model.
      if (status < 400) return fail(`The server ${upstream.name} answered with what is no message.`, true);
      if (id !== null) await scope.guard.lose(`status ${status}`, { ran: false, id });
      return reply.finish(JSON.stringify(refusalOf(text)), status, kept);
    }
    if (id !== null && read.message.t === 'error' && read.message.id === null)
      await scope.guard.lose(`status ${status}`, { ran: false, id });
    const fate = await scope.guard.fromServer(read.message, text, { notify: reply.notify, signal });
    if (fate.t === 'forward') return reply.finish(fate.text, status, kept);
    if (fate.t === 'answer') await tell(exchange, fate.text);
    return fail(`The server ${upstream.name} answered something else than it was asked.`, true);
  }

  /** Passes events on; answers why an answer will not come any more, or null when it may still come by another stream. */
  async function relay(exchange: Exchange, response: IncomingMessage): Promise<string | null> {
    const { reply, scope, upstream, signal } = exchange;
    const split = sseSplitter(ANSWER_BYTES_MAX);
    const decoder = new TextDecoder();
    let resumable = false;
    try {
      for await (const chunk of response) {
        for (const event of split(decoder.decode(chunk as Buffer, { stream: true }))) {
          resumable ||= scope.lasting && event.rest.includes('id:');
          if (event.data === null || event.data === '') {
            await reply.write(event.raw);
            continue;
          }
          const read = readMessage(event.data);
          if (!read.ok) {
            log(`dropped: ${upstream.name} sent an event that is no message`);
            continue;
          }
          const fate = await scope.guard.fromServer(read.message, event.data, {
            notify: reply.notify,
            signal,
          });
          if (fate.t === 'forward')
            await reply.write(
              fate.text === event.data && onOneLine(event.data) === event.data
                ? event.raw
                : withData(event, fate.text),
            );
          else if (fate.t === 'answer') await tell(exchange, fate.text);
          else log(`dropped: ${upstream.name}: ${fate.why}`);
        }
      }
    } catch (error) {
      response.destroy();
      if (!resumable)
        return `The stream of ${upstream.name} broke: ${error instanceof Error ? error.message : String(error)}.`;
    }
    return resumable ? null : `The stream of ${upstream.name} ended without an answer.`;
  }

  /** Answers a request of the server's own that may not reach the client. */
  async function tell({ request, upstream }: Exchange, text: string): Promise<void> {
    const headers = { ...toServer(request.headers, upstream.headers), 'content-type': 'application/json' };
    const accept = { accept: 'application/json, text/event-stream' };
    try {
      const response = await caller.send(
        upstream,
        'POST',
        { ...headers, ...accept },
        text,
        AbortSignal.timeout(10_000),
      );
      response.resume();
    } catch (error) {
      log(whyFailed(error));
    }
  }

  return {
    handle(request, response) {
      answer(request, response).catch((error: unknown) => {
        log(`failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
        if (response.headersSent) response.destroy();
        else replyTo(response).finish(errorText(null, UNAVAILABLE, 'The proxy failed.'), 500);
      });
    },
    async close() {
      await scopes.close();
      caller.close();
    },
  };
}

function whyFailed(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const REFUSAL_LENGTH_MAX = 4_096;

/** A transport's refusal as JSON: as it came when it is JSON, else as text. */
function refusalOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return { error: text.slice(0, REFUSAL_LENGTH_MAX) };
  }
}
