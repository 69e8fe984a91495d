// The decision point over HTTP: Envoy's HTTP service, and which requests become which steps.
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { test } from 'node:test';
import { withPoint } from './spec.ts';

interface Sent {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** As it stands: `fetch` would mend the path. */
function send(port: number, path: string, { method = 'GET', headers = {}, body }: Sent = {}) {
  return new Promise<{ status: number; headers: Record<string, unknown>; body: string }>(
    (resolve, reject) => {
      const sent = request({
        host: '127.0.0.1',
        port,
        path,
        method,
        headers: { host: 'api.example', ...headers },
      });
      sent.once('error', reject);
      sent.once('response', async (response) => {
        let text = '';
        for await (const chunk of response.setEncoding('utf8')) text += chunk;
        resolve({ status: response.statusCode!, headers: response.headers, body: text });
      });
      sent.end(body);
    },
  );
}

const JSON_TYPE = { 'content-type': 'application/json' };
const ROUTES = {
  headers: ['X-Order'],
  routes: [
    { path: '/mcp', protocol: 'mcp' },
    { path: '/agents/billing', protocol: 'a2a', agent: 'billing' },
    { path: '/agents/other', protocol: 'a2a', agent: 'other' },
    { path: '/orders/{order_id}/refund', method: 'POST', tool: 'refund' },
    { path: '/health/**', pass: true },
  ],
};

async function point(t: Parameters<typeof withPoint>[0]) {
  const made = await withPoint(t, ROUTES);
  const port = made.point.httpPort!;
  return {
    ...made,
    ask: (path: string, sent?: Sent) => send(port, `/ext-authz${path}`, sent),
    post: (path: string, body: unknown, headers: Record<string, string> = JSON_TYPE) =>
      send(port, `/ext-authz${path}`, {
        method: 'POST',
        headers,
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
    /** The last step of the session that requests without a name share. */
    async last(session: unknown) {
      const { steps } = await made.engine.steps(String(session), { from: 0, limit: 100 });
      return steps.at(-1)!.step;
    },
  };
}

test('a plain request is a call of the tool http, with what the settings let rules read', async (t) => {
  const { ask, last } = await point(t);
  const headers = { 'x-order': 'A-1', cookie: 'secret', 'content-type': 'application/json' };
  const denied = await ask('/files/a%20b?tag=x&tag=y&one=1', { method: 'PUT', headers, body: '{"n":1}' });
  assert.equal(denied.status, 403);
  assert.equal(denied.headers['content-type'], 'application/problem+json');
  assert.equal(JSON.parse(denied.body).detail, 'Only drafts are written.');
  const step = await last(denied.headers['x-interlock-session']);
  assert.deepEqual(
    [step.kind, step.name, step.args],
    [
      'tool.call',
      'http',
      {
        method: 'PUT',
        host: 'api.example',
        path: '/files/a%20b',
        query: { tag: ['x', 'y'], one: '1' },
        headers: { 'x-order': 'A-1' },
        body: { n: 1 },
      },
    ],
  );
  const allowed = await ask('/files/a');
  assert.equal(allowed.status, 200);
  assert.equal(allowed.body, '');
  assert.match(String(allowed.headers['x-envoy-auth-headers-to-remove']), /x-interlock-hold/);
});

test('a route gives a request the name and the arguments of a tool', async (t) => {
  const { ask, post, last } = await point(t);
  const denied = await post('/orders/A-7/refund?note=late', { amount: 500 });
  assert.equal(denied.headers['x-interlock-rule'], 'small-refunds');
  const step = await last(denied.headers['x-interlock-session']);
  assert.deepEqual([step.name, step.args], ['refund', { order_id: 'A-7', note: 'late', amount: 500 }]);
  const twice = await post('/orders/A-7/refund', { amount: 5, order_id: 'B-1' });
  assert.equal(twice.status, 400);
  assert.equal(twice.headers['x-interlock-error'], 'argument-twice');
  const other = await ask('/orders/A-7/refund');
  assert.equal(other.status, 200, 'the route is for POST: a GET is a plain request');
});

test('only acts of MCP are steps; a resource and a prompt are retrievals', async (t) => {
  const { ask, post, last } = await point(t);
  const rpc = (method: string, params?: object) => post('/mcp', { jsonrpc: '2.0', id: 1, method, params });
  for (const method of ['initialize', 'ping', 'tools/list', 'notifications/initialized']) {
    const passed = await rpc(method);
    assert.deepEqual([passed.status, passed.headers['x-interlock-verdict']], [200, 'none'], method);
  }
  assert.equal(
    (await post('/mcp', { jsonrpc: '2.0', id: 4, result: {} })).headers['x-interlock-verdict'],
    'none',
  );
  assert.equal((await ask('/mcp')).headers['x-interlock-verdict'], 'none');
  const read = await rpc('resources/read', { uri: 'file:///a' });
  const retrieval = await last(read.headers['x-interlock-session']);
  assert.deepEqual([retrieval.kind, retrieval.name], ['retrieval', 'file:///a']);
  const unknown = await rpc('tasks/cancel', { taskId: '1' });
  const step = await last(unknown.headers['x-interlock-session'] ?? read.headers['x-interlock-session']);
  assert.deepEqual([step.kind, step.name, step.args], ['tool.call', 'mcp.tasks/cancel', { taskId: '1' }]);
});

test('a message to an agent is a hand-off; its other methods are calls', async (t) => {
  const { post, last } = await point(t);
  const message = { role: 'user', messageId: 'm', parts: [{ kind: 'text', text: 'pay' }, { text: 'now' }] };
  for (const method of ['message/send', 'SendMessage', 'SendStreamingMessage']) {
    const sent = await post('/agents/billing', { jsonrpc: '2.0', id: 1, method, params: { message } });
    assert.equal(sent.status, 200, sent.body);
    const step = await last(sent.headers['x-interlock-session']);
    assert.deepEqual([step.kind, step.name, step.content], ['handoff', 'billing', 'pay\nnow']);
  }
  const other = await post('/agents/other', {
    jsonrpc: '2.0',
    id: 1,
    method: 'message/send',
    params: { message },
  });
  assert.equal(other.headers['x-interlock-rule'], 'billing-only');
  assert.equal(JSON.parse(other.body).error.code, -32003);
  const hook = await post('/agents/billing', {
    jsonrpc: '2.0',
    id: 1,
    method: 'tasks/pushNotificationConfig/set',
    params: { url: 'https://example.org' },
  });
  assert.equal(
    (await last(hook.headers['x-interlock-session'])).name,
    'a2a.tasks/pushNotificationConfig/set',
  );
});

test('what two readers could read differently is not decided on', async (t) => {
  const { ask, post } = await point(t);
  const call = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"look"}';
  const wrong: [expected: string, body: unknown, headers?: Record<string, string>][] = [
    ['key-twice', `${call},"params":{"name":"wipe"}}`],
    ['key-twice', `${call},"Params":{"name":"wipe"}}`],
    ['key-twice', `${call},"par\\u0061ms":{"name":"wipe"}}`],
    ['json-rpc-batch', `[${call}}]`],
    ['not-json-rpc', '{"method":"tools/call","params":{"name":"look"}}'],
    ['not-json-rpc', '{"jsonrpc":"2.0","Method":"tools/call"}'],
    ['not-json', `${call}`],
    ['not-json', `${call}}`, { 'content-type': 'text/plain' }],
    ['not-json', Buffer.from([0x7b, 0xff, 0x7d]).toString('latin1').replace('ÿ', '\u0000')],
    ['not-exact', `${call.slice(0, -1)},"arguments":{"n":9007199254740993}}}`],
    ['body-encoded', `${call}}`, { ...JSON_TYPE, 'content-encoding': 'gzip' }],
    ['not-a-step', '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":7}}'],
    ['no-body', ''],
  ];
  for (const [expected, body, headers] of wrong) {
    const answer = await post('/mcp', body, headers);
    assert.deepEqual([answer.status, answer.headers['x-interlock-error']], [400, expected], String(body));
  }
  for (const path of [
    '/x/../mcp',
    '/x//mcp',
    '/%2e%2e/mcp',
    '/a%2fb',
    '/a\\b',
    '/mcp;v=1',
    '/%zz',
    '/a%00b',
  ]) {
    const answer = await ask(path);
    assert.deepEqual([answer.status, answer.headers['x-interlock-error']], [400, 'path-not-normal'], path);
  }
  assert.equal((await ask('/health/live')).headers['x-interlock-verdict'], 'none');
});

test('a body without end is refused, and the rest of it read away', async (t) => {
  const { post } = await point(t);
  const answer = await post('/mcp', `"${'x'.repeat(1 << 20)}"`);
  assert.deepEqual([answer.status, answer.headers['x-interlock-error']], [400, 'body-cut']);
});

test('a gateway that tells of a request in headers is answered for that request', async (t) => {
  const { point: opened, last, engine } = await point(t);
  const ask = (method: string, uri: string, sent: Sent = {}) =>
    send(opened.httpPort!, '/forward-auth', {
      ...sent,
      headers: {
        'x-forwarded-method': method,
        'x-forwarded-proto': 'https',
        'x-forwarded-host': 'api.example',
        'x-forwarded-uri': uri,
        ...sent.headers,
      },
    });
  const allowed = await ask('GET', '/orders?n=1');
  assert.equal(allowed.status, 200);
  assert.deepEqual((await last(allowed.headers['x-interlock-session'])).args, {
    method: 'GET',
    scheme: 'https',
    host: 'api.example',
    path: '/orders',
    query: { n: '1' },
    headers: {},
  });
  assert.equal((await ask('POST', '/orders')).headers['x-interlock-rule'], 'only-reading');
  // A body is not sent unless the gateway is told to: what is in it is then not decided on.
  assert.equal((await ask('POST', '/orders/A-1/refund')).headers['x-interlock-error'], 'body-cut');
  const whole = await ask('POST', '/orders/A-1/refund', {
    method: 'POST',
    headers: JSON_TYPE,
    body: '{"amount":500}',
  });
  assert.equal(whole.headers['x-interlock-rule'], 'small-refunds');
  const silent = await send(opened.httpPort!, '/forward-auth');
  assert.deepEqual([silent.status, silent.headers['x-interlock-error']], [400, 'not-forwarded']);
  assert.equal((await engine.sessions({ limit: 5 })).sessions.length, 1);
});
