// The HTTP door alone, on an engine in memory: what it refuses and how it says so, and what it streams.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, request } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { after, before, test } from 'node:test';
import { refuse } from '../engine/problem.ts';
import { createApi } from './api.ts';
import { BODY_BYTES_MAX } from './body.ts';
import { type FakeEngine, fakeEngine } from './fake-engine.ts';

let engine: FakeEngine;
let port: number;
let stop: () => Promise<void>;

before(async () => {
  engine = fakeEngine();
  const events = { clientsMax: 2, bufferBytesMax: 64 * 1024, heartbeatMs: 20 };
  const health = () => ({ ok: true as const, version: '0', spec: [], dataDir: 'none' });
  const api = createApi({ engine, health, events });
  const server = createServer(api.handle);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
  stop = async () => {
    api.close();
    server.closeAllConnections();
    server.close();
  };
  await send('POST', '/v1/sessions', { body: { id: 's', agent: { name: 'a' } } });
});
after(() => stop());

interface Sent {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Record<string, unknown>;
}

/** Plain `node:http`, because fetch would not let a test choose its Host and Origin. */
function send(
  method: string,
  path: string,
  options: { body?: unknown; raw?: string | Buffer; headers?: Record<string, string> } = {},
): Promise<Sent> {
  const raw = options.raw ?? (options.body === undefined ? undefined : JSON.stringify(options.body));
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, method, path, agent: false });
    if (raw !== undefined) sent.setHeader('content-type', 'application/json');
    for (const [name, value] of Object.entries(options.headers ?? {})) sent.setHeader(name, value);
    sent.on('error', reject);
    sent.on('response', async (response) => {
      const text = await response.setEncoding('utf8').reduce((all: string, chunk: string) => all + chunk, '');
      resolve({
        status: response.statusCode!,
        headers: response.headers,
        body: text === '' ? {} : JSON.parse(text),
      });
    });
    sent.end(raw);
  });
}

const steps = '/v1/sessions/s/steps';
const call = { kind: 'tool.call', name: 'allow', args: {} };

const refused: [
  name: string,
  path: string,
  options: Parameters<typeof send>[2],
  status: number,
  code: string,
  where?: string,
][] = [
  ['no body', steps, {}, 422, 'invalid-body', ''],
  ['broken JSON', steps, { raw: '{\n "kind": tool\n}' }, 400, 'malformed-json', '2:10'],
  ['a cut body', steps, { raw: '{"kind":"tool.call"' }, 400, 'malformed-json', '1:20'],
  ['broken UTF-8', steps, { raw: Buffer.from([0x22, 0xff, 0x22]) }, 400, 'malformed-json'],
  ['a list', steps, { body: [] }, 422, 'invalid-body', ''],
  ['an unknown kind', steps, { body: { kind: 'tool.cal', name: 'x' } }, 422, 'invalid-body', '/kind'],
  ['an approval', steps, { body: { kind: 'approval', name: 'x' } }, 422, 'invalid-body', '/kind'],
  ['a misspelt key', steps, { body: { ...call, callID: 'c' } }, 422, 'invalid-body', '/callID'],
  ['a wrong type', steps, { body: { ...call, args: 'none' } }, 422, 'invalid-body', '/args'],
  [
    'a rounded integer',
    steps,
    { raw: '{"kind":"tool.call","name":"x","args":{"id":12345678901234567890}}' },
    422,
    'invalid-body',
    '/args/id',
  ],
  [
    'a number past all numbers',
    steps,
    { raw: '{"kind":"tool.call","name":"x","args":{"n":1e999}}' },
    422,
    'invalid-body',
    '/args/n',
  ],
  [
    'a lone surrogate',
    steps,
    { raw: '{"kind":"input","content":"\\ud800"}' },
    422,
    'invalid-body',
    '/content',
  ],
  [
    'deep nesting',
    steps,
    { raw: `{"kind":"tool.call","name":"x","args":{"a":${'['.repeat(200_000)}${']'.repeat(200_000)}}}` },
    422,
    'invalid-body',
  ],
  ['a large body', steps, { raw: `"${'x'.repeat(BODY_BYTES_MAX)}"` }, 413, 'body-too-large'],
  [
    'a form',
    steps,
    { raw: 'kind=tool.call', headers: { 'content-type': 'text/plain' } },
    415,
    'unsupported-media-type',
  ],
  [
    'a compressed body',
    steps,
    { raw: 'x', headers: { 'content-encoding': 'gzip' } },
    415,
    'unsupported-media-type',
  ],
  ['a rebound host', steps, { body: call, headers: { host: 'evil.example' } }, 421, 'host-not-allowed'],
  [
    'a host that starts well',
    steps,
    { body: call, headers: { host: 'localhost.evil.example' } },
    421,
    'host-not-allowed',
  ],
  [
    'another page',
    steps,
    { body: call, headers: { origin: 'http://evil.example' } },
    403,
    'origin-not-allowed',
  ],
  ['a sandboxed page', steps, { body: call, headers: { origin: 'null' } }, 403, 'origin-not-allowed'],
  [
    'a cross-site fetch',
    steps,
    { body: call, headers: { 'sec-fetch-site': 'cross-site' } },
    403,
    'origin-not-allowed',
  ],
  ['an unknown session', '/v1/sessions/nope/steps', { body: call }, 404, 'unknown-session'],
  ['an unknown path', '/v1/session', { body: {} }, 404, 'not-found'],
  ['a broken escape', '/v1/sessions/%zz/steps', { body: call }, 400, 'invalid-path'],
  ['a query where none is read', `${steps}?dry=1`, { body: call }, 400, 'invalid-query', 'dry'],
  ['an agent as text', '/v1/sessions', { body: { agent: 'a' } }, 422, 'invalid-body', '/agent'],
  [
    'an answer without role',
    '/v1/holds/h/answer',
    { body: { approve: true, by: 'me' } },
    422,
    'invalid-body',
    '/role',
  ],
  [
    'a vague answer',
    '/v1/holds/h/answer',
    { body: { approve: 'yes', by: 'me', role: 'r' } },
    422,
    'invalid-body',
    '/approve',
  ],
  [
    'an answer to nothing',
    '/v1/holds/h/answer',
    { body: { approve: true, by: 'me', role: 'r' } },
    404,
    'unknown-hold',
  ],
];
for (const [name, path, options, status, code, where] of refused) {
  test(`refuses ${name} with ${status} ${code}`, async () => {
    const answer = await send('POST', path, options);
    assert.equal(answer.status, status, JSON.stringify(answer.body));
    assert.equal(answer.headers['content-type'], 'application/problem+json');
    assert.equal(answer.body.status, status);
    assert.equal(answer.body.code, code);
    if (where !== undefined) assert.equal(answer.body.where, where);
    assert.doesNotMatch(JSON.stringify(answer.body), /\.ts:\d/, 'no stack trace');
  });
}

const misread: [path: string, where: string, mend?: RegExp][] = [
  ['/v1/sessions?limit=0', 'limit'],
  ['/v1/sessions?limit=1e9', 'limit'],
  ['/v1/sessions?verdict=nope', 'verdict'],
  ['/v1/sessions?limt=5', 'limt', /"limit"/],
  ['/v1/sessions/s/steps?limit=1001', 'limit'],
  ['/v1/sessions/s/steps?from=-1', 'from'],
  ['/v1/holds/x?wait=61', 'wait'],
  ['/v1/holds?state=open', 'state'],
];
for (const [path, where, mend = /^/] of misread) {
  test(`refuses the query of ${path}`, async () => {
    const answer = await send('GET', path);
    assert.equal(answer.status, 400);
    assert.equal(answer.body.where, where);
    assert.match(String(answer.body.mend ?? ''), mend);
  });
}

test('says which methods a path has', async () => {
  const answer = await send('DELETE', steps);
  assert.equal(answer.status, 405);
  assert.equal(answer.headers.allow, 'POST, GET, HEAD');
});

test('reports every wrong field with a suggestion', async () => {
  const { body } = await send('POST', steps, { body: { kind: 'tool.call', nmae: 'x', labels: [1] } });
  const problems = body.problems as { where: string; mend?: string }[];
  assert.deepEqual(problems.map((problem) => problem.where).sort(), ['/labels/0', '/name', '/nmae']);
  assert.match(problems.find((problem) => problem.where === '/nmae')!.mend!, /"name"/);
});

test('a page of the same origin and a program without one may write', async () => {
  const page = {
    origin: `http://localhost:${port}`,
    host: `localhost:${port}`,
    'sec-fetch-site': 'same-origin',
  };
  assert.equal((await send('POST', steps, { body: call, headers: page })).status, 200);
  assert.equal((await send('POST', steps, { body: call })).status, 200);
});

test('another page may link here, but not read or listen', async () => {
  const from = { 'sec-fetch-site': 'cross-site' };
  const link = await send('GET', '/v1/health', { headers: { ...from, 'sec-fetch-mode': 'navigate' } });
  assert.equal(link.status, 200);
  const fetched = await send('GET', '/v1/events', { headers: { ...from, 'sec-fetch-mode': 'no-cors' } });
  assert.equal(fetched.body.code, 'origin-not-allowed');
});

test('every answer carries the security headers', async () => {
  const { headers } = await send('GET', '/v1/health');
  assert.equal(headers['x-content-type-options'], 'nosniff');
  assert.equal(headers['cache-control'], 'no-store');
  assert.match(String(headers['content-security-policy']), /default-src 'none'/);
  assert.equal(headers['access-control-allow-origin'], undefined);
});

test('a denial is an answer; an engine that fails is a 500 without its insides', async () => {
  const denied = await send('POST', steps, { body: { ...call, name: 'deny' } });
  assert.equal(denied.status, 200);
  assert.equal((denied.body.decision as { verdict: string }).verdict, 'deny');
  engine.fail = new Error('secret path /var/x');
  const failed = await send('POST', steps, { body: call });
  engine.fail = refuse('overloaded', 'too many', 'later');
  const busy = await send('POST', steps, { body: call });
  engine.fail = null;
  assert.deepEqual([failed.status, failed.body.code], [500, 'internal']);
  assert.doesNotMatch(JSON.stringify(failed.body), /secret/);
  assert.deepEqual([busy.status, busy.headers['retry-after'], busy.body.mend], [503, '1', 'later']);
});

test('waits for the answer to a hold', async () => {
  const held = await send('POST', steps, { body: { ...call, name: 'hold', callId: 'w' } });
  const id = held.body.holdId as string;
  const waiting = send('GET', `/v1/holds/${id}?wait=30`);
  const answered = await send('POST', `/v1/holds/${id}/answer`, {
    body: { approve: true, by: 'me', role: 'lead' },
  });
  assert.equal(answered.body.state, 'approved');
  assert.equal((await waiting).body.state, 'approved');
  const again = await send('POST', `/v1/holds/${id}/answer`, {
    body: { approve: false, by: 'me', role: 'lead' },
  });
  assert.deepEqual([again.status, again.body.code], [409, 'hold-closed']);
});

test('answers a wait that runs out with the hold as it stands', async () => {
  const held = await send('POST', steps, { body: { ...call, name: 'hold', callId: 'x' } });
  const waited = await send('GET', `/v1/holds/${held.body.holdId}?wait=1`);
  assert.equal(waited.body.state, 'pending');
});

test('streams events and heartbeats, and drops a reader that does not read', async () => {
  const reader = connect(port, '127.0.0.1');
  reader.write('GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n');
  let text = '';
  reader.on('data', (chunk) => {
    text += chunk;
  });
  while (!text.includes('heartbeat')) await once(reader, 'data');
  engine.emit({ type: 'session', session: 'streamed' });
  while (!text.includes('streamed')) await once(reader, 'data');
  assert.match(text, /data: {"type":"session","session":"streamed"}\n\n/);

  reader.pause();
  const dropped = once(reader, 'close');
  reader.on('error', () => {});
  const long = 'x'.repeat(32 * 1024);
  for (let i = 0; i < 2_000 && !reader.destroyed; i++) {
    engine.emit({ type: 'session', session: long });
    if (i % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  reader.resume();
  await dropped;
});
