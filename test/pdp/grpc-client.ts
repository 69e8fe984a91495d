// For tests: a client of Envoy's external authorization, encoded by protobufjs and not by the code under test.
import { readFileSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { Client, credentials, Metadata } from '@grpc/grpc-js';
import protobuf from 'protobufjs';

const { root } = protobuf.parse(readFileSync(new URL('envoy.proto', import.meta.url), 'utf8'), {
  keepCase: true,
});
const REQUEST = root.lookupType('envoy.service.auth.v3.CheckRequest');
const RESPONSE = root.lookupType('envoy.service.auth.v3.CheckResponse');
const CHECK = '/envoy.service.auth.v3.Authorization/Check';

export interface CheckResult {
  /** google.rpc.Status: 0 lets the request pass. */
  readonly code: number;
  /** Of the answer to the client; null when it passes. */
  readonly status: number | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly removed: readonly string[];
  readonly body: string;
}

interface Http {
  readonly method?: string;
  readonly path?: string;
  readonly host?: string;
  readonly headers?: object;
  readonly header_map?: object;
  readonly body?: string;
  readonly raw_body?: Uint8Array;
  readonly size?: number;
}

export interface Check {
  readonly http: Http;
  readonly extensions?: Readonly<Record<string, string>>;
  readonly peer?: string;
}

export function encodeCheck({ http, extensions = {}, peer }: Check): Buffer {
  const attributes = {
    source: peer === undefined ? {} : { principal: peer },
    request: { http: { host: 'api.example', ...http } },
    context_extensions: extensions,
  };
  return Buffer.from(REQUEST.encode(REQUEST.fromObject({ attributes })).finish());
}

export function grpcClient(t: Pick<TestContext, 'after'>, port: number) {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  t.after(() => client.close());
  const metadata = (key?: string) => {
    const sent = new Metadata();
    if (key !== undefined) sent.set('x-interlock-key', key);
    return sent;
  };

  function unary(path: string, bytes: Buffer, key?: string): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const same = (given: Buffer) => given;
      client.makeUnaryRequest(path, same, same, bytes, metadata(key), (error, answer) => {
        if (error !== null) reject(error);
        else resolve(answer!);
      });
    });
  }

  return {
    unary,
    check: async (check: Check, key?: string) => decodeCheck(await unary(CHECK, encodeCheck(check), key)),
    checkBytes: async (bytes: Buffer) => decodeCheck(await unary(CHECK, bytes)),
  };
}

interface Wire {
  readonly status?: { readonly code?: number };
  readonly denied_response?: Answered & {
    readonly status?: { readonly code: number };
    readonly body?: string;
  };
  readonly ok_response?: Answered & { readonly headers_to_remove?: readonly string[] };
}
interface Answered {
  readonly headers?: readonly { readonly header: { readonly key: string; readonly value: string } }[];
}

export function decodeCheck(bytes: Buffer): CheckResult {
  const wire = RESPONSE.toObject(RESPONSE.decode(bytes)) as Wire;
  const answered = wire.denied_response ?? wire.ok_response ?? {};
  return {
    code: wire.status?.code ?? 0,
    status: wire.denied_response?.status?.code ?? null,
    headers: Object.fromEntries((answered.headers ?? []).map(({ header }) => [header.key, header.value])),
    removed: wire.ok_response?.headers_to_remove ?? [],
    body: wire.denied_response?.body ?? '',
  };
}

/** A request to an MCP server. */
export function mcpCall(name: string, args: object, more: object = {}): Http {
  const body = JSON.stringify({
    jsonrpc: '2.0',
    id: 7,
    method: 'tools/call',
    params: { name, arguments: args },
  });
  return {
    method: 'POST',
    path: '/mcp',
    headers: { 'content-type': 'application/json', ...more },
    body,
    size: Buffer.byteLength(body),
  };
}
