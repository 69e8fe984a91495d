// Envoy's external authorization over HTTP: the request comes as it is, under a prefix; 200 lets it pass, and any other
// answer is what the client gets.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { answerOf, type HttpAnswer, KEY_HEADER } from './answer.ts';
import { type Ask, BODY_BYTES_MAX, removedHeaders } from './ask.ts';
import type { HttpCall } from './call.ts';
import { PARTIAL_BODY_HEADER } from './envoy-wire.ts';
import type { Settings } from './settings.ts';

/** The `path_prefix` to give Envoy's `http_service`. */
export const EXT_AUTHZ_PREFIX = '/ext-authz';

export function isExtAuthzPath(url: string): boolean {
  return (
    url === EXT_AUTHZ_PREFIX ||
    url.startsWith(`${EXT_AUTHZ_PREFIX}/`) ||
    url.startsWith(`${EXT_AUTHZ_PREFIX}?`)
  );
}

export function createExtAuthzHandler(ask: Ask, settings: Settings) {
  async function answer(request: IncomingMessage): Promise<HttpAnswer> {
    const body = await readBody(request);
    const headers = headersOf(request);
    const target = (request.url ?? '').slice(EXT_AUTHZ_PREFIX.length);
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
    return ask(call, headers.get(KEY_HEADER) ?? null);
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
