import assert from 'node:assert/strict';
import { createServer, request as httpRequest, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import type { Observation, Span } from '../../engine/types.ts';
import { createOtlpHandler, type OtlpHandlerOptions } from './http.ts';
import { encodeRequest, ResponseType, RpcStatusType } from './oracle.fixture.ts';
import type { OtlpSink } from './types.ts';

const GOOD = {
  traceId: '0af7651916cd43dd8448eb211c80319c',
  spanId: 'b7ad6b7169203331',
  name: 'execute_tool refund',
  startTimeUnixNano: '1700000000000000001',
  endTimeUnixNano: '1700000000500000001',
};
const bodyOf = (...spans: object[]) => ({ resourceSpans: [{ scopeSpans: [{ spans }] }] });
const JSON_TYPE = { 'content-type': 'application/json' };
const PROTOBUF_TYPE = { 'content-type': 'application/x-protobuf' };

const servers: Server[] = [];
after(() => servers.forEach((server) => void server.close()));

function keeper() {
  const spans: Span[] = [];
  const observations: Observation[] = [];
  const sink: OtlpSink = {
    observe: async (newSpans, newObservations) => {
      spans.push(...newSpans);
      observations.push(...newObservations);
    },
  };
  return { spans, observations, sink };
}

/** A sink that takes nothing until it is released. */
function gate() {
  const held = Promise.withResolvers<void>();
  const called = Promise.withResolvers<void>();
  const sink: OtlpSink = {
    observe: () => {
      called.resolve();
      return held.promise;
    },
  };
  return { sink, reached: called.promise, release: held.resolve };
}

async function start(options: OtlpHandlerOptions): Promise<string> {
  const server = createServer(createOtlpHandler(options));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function post(url: string, body: string | Buffer, headers: Record<string, string> = JSON_TYPE) {
  return fetch(url, {
    method: 'POST',
    body: typeof body === 'string' ? body : new Uint8Array(body),
    headers,
  });
}

test('takes protobuf and JSON, plain and compressed, and answers in kind', async () => {
  const { sink, spans } = keeper();
  const url = `${await start({ sink })}/v1/traces`;
  const json = Buffer.from(JSON.stringify(bodyOf(GOOD)));
  const protobuf = encodeRequest(bodyOf(GOOD));
  for (const [headers, body] of [
    [JSON_TYPE, json],
    [{ 'content-type': 'application/json; charset=utf-8' }, json],
    [{ ...JSON_TYPE, 'content-encoding': 'gzip' }, gzipSync(json)],
    [{ ...JSON_TYPE, 'content-encoding': 'zstd' }, zstdCompressSync(json)],
    [PROTOBUF_TYPE, protobuf],
    [{ ...PROTOBUF_TYPE, 'content-encoding': 'gzip' }, gzipSync(protobuf)],
    [{ ...PROTOBUF_TYPE, 'content-encoding': 'identity' }, protobuf],
  ] as const) {
    const response = await post(url, body, headers);
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('content-type'), headers['content-type'].split(';')[0]);
    assert.equal(await response.text(), headers['content-type'] === 'application/x-protobuf' ? '' : '{}');
  }
  assert.equal(spans.length, 7);
  assert.ok(spans.every((span) => span.name === 'execute_tool refund' && span.spanId === GOOD.spanId));
});

test('a bad span is told in partial_success, in both encodings, and the good one is kept', async () => {
  const { sink, spans } = keeper();
  const url = `${await start({ sink })}/v1/traces`;
  const body = bodyOf(GOOD, { ...GOOD, traceId: 'abcd' });
  const json = (await (await post(url, JSON.stringify(body))).json()) as Record<string, unknown>;
  const message = /^1 span was refused: resourceSpans\[0\]\.scopeSpans\[0\]\.spans\[1\]\.traceId: expected /;
  const partial = json.partialSuccess as { rejectedSpans: string; errorMessage: string };
  assert.equal(partial.rejectedSpans, '1');
  assert.match(partial.errorMessage, message);

  const protobuf = await (await post(url, encodeRequest(body), PROTOBUF_TYPE)).arrayBuffer();
  const decoded = ResponseType.toObject(ResponseType.decode(new Uint8Array(protobuf)), { longs: Number });
  assert.equal(decoded.partialSuccess.rejectedSpans, 1);
  assert.match(decoded.partialSuccess.errorMessage, message);
  assert.equal(spans.length, 2);
});

test('refusals have the right status, code, headers and encoding', async () => {
  const { sink, spans } = keeper();
  const url = await start({ sink, limits: { bodyBytesMax: 1000, inflatedBytesMax: 5000 } });
  const bomb = gzipSync(Buffer.alloc(100_000, 0x20));
  const cases: [string, RequestInit, number, number, RegExp][] = [
    ['/v1/traces', { method: 'POST', body: '{', headers: JSON_TYPE }, 400, 3, /line 1, column 2/],
    [
      '/v1/traces',
      { method: 'POST', body: '\x0a\x7f', headers: PROTOBUF_TYPE },
      400,
      3,
      /byte 2 of the body/,
    ],
    [
      '/v1/traces',
      { method: 'POST', body: 'x', headers: { 'content-type': 'text/plain' } },
      415,
      3,
      /text\/plain/,
    ],
    [
      '/v1/traces',
      { method: 'POST', body: 'x', headers: { ...JSON_TYPE, 'content-encoding': 'br' } },
      415,
      3,
      /Use one of identity, gzip/,
    ],
    [
      '/v1/traces',
      { method: 'POST', body: ' '.repeat(2000), headers: JSON_TYPE },
      413,
      8,
      /at most 1000 bytes/,
    ],
    [
      '/v1/traces',
      { method: 'POST', body: new Uint8Array(bomb), headers: { ...JSON_TYPE, 'content-encoding': 'gzip' } },
      413,
      8,
      /inflate to at most 5000 bytes/,
    ],
    [
      '/v1/traces',
      { method: 'POST', body: 'not gzip', headers: { ...JSON_TYPE, 'content-encoding': 'gzip' } },
      400,
      3,
      /cannot be inflated/,
    ],
    ['/v1/traces', { method: 'GET' }, 405, 12, /takes POST, found GET/],
    ['/v1/logs', { method: 'POST', body: '{}', headers: JSON_TYPE }, 404, 12, /these logs were not taken/],
    [
      '/v1/metrics',
      { method: 'POST', body: '', headers: PROTOBUF_TYPE },
      404,
      12,
      /OTEL_METRICS_EXPORTER=none/,
    ],
    ['/', { method: 'GET' }, 404, 12, /Send traces to \/v1\/traces/],
  ];
  for (const [path, init, status, code, message] of cases) {
    const response = await fetch(url + path, init);
    const sent = new Headers(init.headers).get('content-type');
    assert.equal(response.status, status, path);
    const answered = sent === 'application/x-protobuf' ? sent : 'application/json';
    assert.equal(response.headers.get('content-type'), answered);
    const body = new Uint8Array(await response.arrayBuffer());
    const rpc =
      answered === 'application/json'
        ? JSON.parse(Buffer.from(body).toString())
        : RpcStatusType.toObject(RpcStatusType.decode(body));
    assert.equal(rpc.code, code);
    assert.match(rpc.message, message);
    if (status === 405) assert.equal(response.headers.get('allow'), 'POST');
  }
  assert.equal(spans.length, 0);
});

test('a body without a length is cut off at the limit too', async () => {
  const { sink } = keeper();
  const url = await start({ sink, limits: { bodyBytesMax: 1000 } });
  const response = await new Promise<number>((resolve, reject) => {
    const outgoing = httpRequest(`${url}/v1/traces`, { method: 'POST', headers: JSON_TYPE }, (incoming) => {
      incoming.resume();
      resolve(incoming.statusCode ?? 0);
    });
    outgoing.on('error', reject);
    for (let i = 0; i < 4; i++) outgoing.write(Buffer.alloc(400, 0x20));
    outgoing.end();
  });
  assert.equal(response, 413);
});

test('nothing is acknowledged before the sink has it', async () => {
  const { sink, reached, release } = gate();
  const url = await start({ sink });
  let answered = false;
  const response = post(`${url}/v1/traces`, JSON.stringify(bodyOf(GOOD))).then((given) => {
    answered = true;
    return given;
  });
  await reached;
  await new Promise((resolve) => setTimeout(resolve, 30));
  assert.equal(answered, false);
  release();
  assert.equal((await response).status, 200);
});

test('an overloaded or failing sink asks to send again, and only failures are ours', async () => {
  const failures: unknown[] = [];
  let thrown: unknown;
  const url = await start({
    sink: { observe: () => Promise.reject(thrown) },
    onFailure: (error) => failures.push(error),
  });
  const send = () => post(`${url}/v1/traces`, JSON.stringify(bodyOf(GOOD)));

  thrown = Object.assign(new Error('full'), { problem: { code: 'overloaded', message: '900 batches wait' } });
  const overloaded = await send();
  assert.equal(overloaded.status, 503);
  assert.equal(overloaded.headers.get('retry-after'), '1');
  assert.deepEqual(await overloaded.json(), { code: 14, message: '900 batches wait' });
  assert.equal(failures.length, 0);

  thrown = new Error('disk gone');
  const failed = await send();
  assert.equal(failed.status, 503);
  assert.ok(!(await failed.text()).includes('disk gone'));
  assert.deepEqual(failures, [thrown]);

  thrown = Object.assign(new Error('bad'), { problem: { code: 'invalid', message: 'not so' } });
  assert.equal((await send()).status, 400);
  assert.equal(failures.length, 1);
});

test('requests that wait in memory are bounded together, and room returns', async () => {
  const { sink, reached, release } = gate();
  const body = JSON.stringify(bodyOf(GOOD));
  const url = await start({
    sink,
    limits: { pendingBytesMax: body.length + 10 },
  });
  const first = post(`${url}/v1/traces`, body);
  await reached;
  const second = await post(`${url}/v1/traces`, body);
  assert.equal(second.status, 503);
  assert.equal(second.headers.get('retry-after'), '1');
  release();
  assert.equal((await first).status, 200);
  assert.equal((await post(`${url}/v1/traces`, body)).status, 200);
});

test('a sender that goes away mid-body leaves nothing behind', async () => {
  const { sink, spans } = keeper();
  const body = JSON.stringify(bodyOf(GOOD));
  const url = await start({ sink, limits: { pendingBytesMax: body.length } });
  await new Promise<void>((resolve) => {
    const headers = { ...JSON_TYPE, 'content-length': body.length };
    const outgoing = httpRequest(`${url}/v1/traces`, { method: 'POST', headers });
    outgoing.on('error', () => resolve());
    outgoing.on('close', () => resolve());
    outgoing.write(body.slice(0, 20), () => outgoing.destroy());
  });
  await assert.doesNotReject(async () => {
    let status = 503;
    for (let tries = 0; status === 503 && tries < 100; tries++) {
      status = (await post(`${url}/v1/traces`, body)).status;
    }
    assert.equal(status, 200);
  });
  assert.equal(spans.length, 1);
});

test('later batches of a trace keep the session and agent it was given', async () => {
  const { sink, observations } = keeper();
  const url = `${await start({ sink })}/v1/traces`;
  const attribute = (key: string, stringValue: string) => ({ key, value: { stringValue } });
  const agent = { ...GOOD, spanId: '00000000000000aa', name: 'invoke_agent desk' };
  const attributes = [
    attribute('gen_ai.operation.name', 'invoke_agent'),
    attribute('gen_ai.agent.name', 'desk'),
    attribute('gen_ai.conversation.id', 'case-7'),
    attribute('user.id', 'ada'),
  ];
  await post(url, JSON.stringify(bodyOf({ ...agent, attributes })));
  const tool = {
    ...GOOD,
    parentSpanId: '00000000000000bb',
    attributes: [attribute('gen_ai.tool.name', 'refund')],
  };
  await post(url, JSON.stringify(bodyOf(tool)));
  const call = observations.find(({ proposal }) => proposal.kind === 'tool.call');
  assert.deepEqual([call?.session, call?.agent.name, call?.principal], ['case-7', 'desk', 'ada']);
});
