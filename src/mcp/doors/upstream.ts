// Requests to a server behind the proxy. Redirects are not followed and not passed on: they would lead past the proxy.
import {
  Agent,
  request as httpRequest,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type RequestOptions,
} from 'node:http';
import { request as httpsRequest, Agent as TlsAgent } from 'node:https';
import { urlToHttpOptions } from 'node:url';
import type { Catalogue } from '../tools/catalogue.ts';

export interface Upstream {
  readonly name: string;
  readonly url: URL;
  /** Sent with every request, in place of the client's of the same name: credentials that the proxy holds. */
  readonly headers: Readonly<Record<string, string>>;
  readonly prefix: string;
  readonly catalogue: Catalogue;
}

/** `reached` is false when the server surely never saw the request. */
export class UpstreamFailed extends Error {
  readonly reached: boolean;
  constructor(message: string, reached: boolean) {
    super(message);
    this.reached = reached;
  }
}

export interface Caller {
  send(
    upstream: Upstream,
    method: string,
    headers: OutgoingHttpHeaders,
    body: string | null,
    signal: AbortSignal,
  ): Promise<IncomingMessage>;
  close(): void;
}

/** A server that has not begun to answer by then never will. */
const FIRST_BYTE_MS = 600_000;
const NOT_REACHED = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'];

export function createCaller(firstByteMs = FIRST_BYTE_MS): Caller {
  const plain = new Agent({ keepAlive: true, maxFreeSockets: 256 });
  const tls = new TlsAgent({ keepAlive: true, maxFreeSockets: 256 });
  /** Taken apart once. */
  const addresses = new WeakMap<Upstream, RequestOptions>();
  function addressOf(upstream: Upstream): RequestOptions {
    const options = urlToHttpOptions(upstream.url);
    addresses.set(upstream, options);
    return options;
  }
  return {
    send(upstream, method, headers, body, signal) {
      const secure = upstream.url.protocol === 'https:';
      const length = body === null ? {} : { 'content-length': Buffer.byteLength(body) };
      const to = addresses.get(upstream) ?? addressOf(upstream);
      const options = { ...to, method, headers: { ...headers, ...length }, agent: secure ? tls : plain };
      return new Promise((resolve, reject) => {
        const request = secure ? httpsRequest(options) : httpRequest(options);
        const onAbort = () => request.destroy(new Error('the client is gone'));
        if (signal.aborted) onAbort();
        signal.addEventListener('abort', onAbort, { once: true });
        request.once('close', () => signal.removeEventListener('abort', onAbort));
        const timer = setTimeout(() => request.destroy(new Error('it did not begin to answer')), firstByteMs);
        request.once('response', (response) => {
          clearTimeout(timer);
          resolve(response);
        });
        request.once('error', (error: NodeJS.ErrnoException) => {
          clearTimeout(timer);
          const reached = !NOT_REACHED.includes(error.code ?? '');
          reject(
            new UpstreamFailed(
              `The server ${upstream.name} failed: ${error.code ?? error.message}.`,
              reached,
            ),
          );
        });
        request.end(body ?? undefined);
      });
    },
    close() {
      plain.destroy();
      tls.destroy();
    },
  };
}

/** The whole body as text; rejects beyond `bytesMax`, and when it is cut off. */
export function readBody(stream: IncomingMessage, bytesMax: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    stream.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= bytesMax) chunks.push(chunk);
      else reject(new BodyTooLarge(`more than ${bytesMax} bytes`));
    });
    stream.once('end', () => {
      try {
        resolve(UTF8.decode(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks)));
      } catch (error) {
        reject(error);
      }
    });
    stream.once('close', () => reject(new Error('it was cut off')));
    stream.once('error', reject);
  });
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export class BodyTooLarge extends Error {}
