// Gateways that ask over HTTP: 200 lets a request pass, and any other answer is what the client gets. Envoy sends the request
// as it is, under a prefix; others tell of it in headers.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { answerOf, type HttpAnswer, KEY_HEADER } from './answer.ts';
import { type Ask, BODY_BYTES_MAX, removedHeaders } from './ask.ts';
import type { HttpCall } from './call.ts';
import { PARTIAL_BODY_HEADER } from './envoy-wire.ts';
import type { Settings } from './settings.ts';

/** The `path_prefix` to give Envoy's `http_service`. */
export const EXT_AUTHZ_PREFIX = '/ext-authz';

/** Where gateways ask that tell of a request in headers: Traefik's and APISIX's forward-auth, Caddy's forward_auth. */
export const FORWARD_AUTH_PATH = '/forward-auth';
/** Methods whose requests have no body to decide on. */
const BODILESS: readonly string[] = ['GET', 'HEAD', 'OPTIONS', 'DELETE'];

export function isExtAuthzPath(url: string): boolean {
  return [EXT_AUTHZ_PREFIX, FORWARD_AUTH_PATH].some(
    (prefix) => url === prefix || url.startsWith(`${prefix}/`) || url.startsWith(`${prefix}?`),
  );
}

export function createExtAuthzHandler(ask: Ask, settings: Settings) {
  async function answer(request: IncomingMessage): Promise<HttpAnswer> {
    const body = await readBody(request);
    const headers = headersOf(request);
    const key = headers.get(KEY_HEADER) ?? null;
    const url = request.url ?? '';
    if (url === FORWARD_AUTH_PATH) {
      const call = forwarded(headers, body);
      return call === null ? answerOf({ t: 'wrong', problem: NOT_FORWARDED }) : ask(call, key);
    }
    const target = url.slice(EXT_AUTHZ_PREFIX.length);
    const call: HttpCall = {
      method: request.method ?? '',
      // Only a header would say it, and a client can write that.
      scheme: null,
      host: request.headers.host ?? '',
      target: target.startsWith('/') ? target : `/${target}`,
      headers,
      body: body ?? new Uint8Array(),
      isBodyCut: body === null || headers.get(PARTIAL_BODY_HEADER) === 'true',
      extensions: new Map(),
      peer: null,
    };
    return ask(call, key);
  }

  return (request: IncomingMessage, response: ServerResponse): void => {
    answer(request).then(
      (given) => send(response, given, settings),
      () => {
        const problem = { code: 'internal', message: 'the request could not be read' };
        send(response, answerOf({ t: 'failed', problem }), settings);
      },
    );
  };
}

const NOT_FORWARDED = {
  code: 'not-forwarded',
  message: 'the gateway does not say which request it asks about',
  mend: 'It must send X-Forwarded-Method, X-Forwarded-Host and X-Forwarded-Uri.',
};

/** The request that the gateway asks about, which writes these headers over what a client sends. */
function forwarded(headers: ReadonlyMap<string, string>, body: Uint8Array | null): HttpCall | null {
  const method = headers.get('x-forwarded-method');
  const host = headers.get('x-forwarded-host');
  const target = headers.get('x-forwarded-uri');
  if (method === undefined || host === undefined || target === undefined) return null;
  return {
    method,
    scheme: headers.get('x-forwarded-proto') ?? null,
    host,
    target,
    headers,
    body: body ?? new Uint8Array(),
    // Most of these gateways send no body, and none says whether there is one.
    isBodyCut: body === null || (body.length === 0 && !BODILESS.includes(method)),
    extensions: new Map(),
    peer: null,
  };
}

function send(response: ServerResponse, answer: HttpAnswer, settings: Settings): void {
  if (response.headersSent || response.destroyed) return;
  for (const [name, value] of answer.headers) response.setHeader(name, value);
  if (answer.isAllowed)
    response.setHeader('x-envoy-auth-headers-to-remove', removedHeaders(settings, answer).join(', '));
  response.writeHead(answer.status, { 'content-length': Buffer.byteLength(answer.body) });
  response.end(response.req.method === 'HEAD' ? undefined : answer.body);
}

/** Null when it is longer than what is decided; the rest is read and dropped. */
async function readBody(request: IncomingMessage): Promise<Uint8Array | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= BODY_BYTES_MAX) chunks.push(chunk);
  }
  return size <= BODY_BYTES_MAX ? Buffer.concat(chunks) : null;
}

function headersOf(request: IncomingMessage): Map<string, string> {
  const headers = new Map<string, string>();
  for (const [name, values] of Object.entries(request.headersDistinct)) {
    if (values !== undefined) headers.set(name, values.join(', '));
  }
  return headers;
}
