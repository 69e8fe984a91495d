// The description and the server say the same: every route is described, and real answers of the real engine fit the
// schemas they are described with.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { Engine } from '../engine/types.ts';
import { openEngine } from '../sdk/open.ts';
import { loadSpecObject } from '../sdk/spec-files.ts';
import { type Api, createApi } from './api.ts';
import { OPENAPI } from './openapi.ts';
import { SCHEMAS } from './openapi-schemas.ts';

const SPEC = {
  interlock: 1,
  name: 'described',
  tools: { pay: { effect: 'write' }, look: { effect: 'read' } },
  rules: [
    { id: 'large', on: 'call pay', hold: 'args.amount > 100', approve: { by: ['lead'] }, because: 'large' },
    {
      id: 'negative',
      on: 'call pay',
      require: 'args.amount > 0',
      because: 'no',
      repair: 'positive',
      controls: ['x:1'],
    },
    { id: 'rounded', on: 'call look', transform: { set: { 'args.page': '1' } }, because: 'first page only' },
  ],
};

const ajv = new Ajv2020({ strict: false, allErrors: true });
ajv.addSchema({ $id: 'openapi', components: { schemas: SCHEMAS } });

let engine: Engine;
let api: Api;
let server: Server;
let url: string;

before(async () => {
  engine = await openEngine({ dataDir: null, specs: [loadSpecObject(SPEC)], withoutSpec: 'deny' });
  const spec = [{ name: 'described', digest: `sha256:${'a'.repeat(64)}` }];
  api = createApi({ engine, health: () => ({ ok: true, version: '0', spec, dataDir: 'x' }) });
  server = createServer(api.handle).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
after(async () => {
  api.close();
  server.closeAllConnections();
  server.close();
  await engine.close();
});

type Operation = { responses: Record<string, { content?: Record<string, { schema: object }> }> };

// biome-ignore lint/suspicious/noExplicitAny: what comes back is whatever its schema says; that is what is tested.
type Answer = any;

/** Calls a route and holds what comes back to its description. */
async function call(
  method: 'GET' | 'POST',
  path: string,
  described: string,
  body?: unknown,
): Promise<Answer> {
  const response = await fetch(url + path, {
    method,
    ...(body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  const answer = await response.json();
  const operations = OPENAPI.paths as unknown as Record<string, Record<string, Operation>>;
  const { responses } = operations[described]![method.toLowerCase()]!;
  const content = (responses[String(response.status)] ?? responses.default)!.content!;
  const type = response.headers.get('content-type')!;
  const schema = JSON.parse(JSON.stringify(content[type]!.schema).replaceAll('"#/', '"openapi#/')) as object;
  const validate = ajv.compile(schema);
  assert.ok(validate(answer), `${method} ${path}: ${ajv.errorsText(validate.errors)}`);
  return answer;
}

test('every route is described, and nothing else', () => {
  const routes = api.routes.map((route) => `${route.method.toLowerCase()} ${route.path}`);
  const described = Object.entries(OPENAPI.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method} ${path}`),
  );
  assert.deepEqual(routes.sort(), described.sort());
});

test('every schema compiles and every reference leads somewhere', () => {
  for (const name of Object.keys(SCHEMAS)) ajv.compile({ $ref: `openapi#/components/schemas/${name}` });
});

test('the schemas refuse what they do not describe', () => {
  const validate = ajv.compile({ $ref: 'openapi#/components/schemas/Recorded' });
  assert.ok(!validate({}));
  assert.ok(!validate({ step: {}, decision: {}, stepDigest: 'x', stateDigest: 'y', more: 1 }));
});

test('real answers fit their schemas', async () => {
  const opened = await call('POST', '/v1/sessions', '/v1/sessions', {
    agent: { name: 'a', version: '1' },
    principal: 'user:1',
  });
  const steps = `/v1/sessions/${opened.id}/steps`;
  const propose = (body: object) => call('POST', steps, '/v1/sessions/{id}/steps', body);
  await propose({ kind: 'input', content: 'hello' });
  const allowed = await propose({
    kind: 'tool.call',
    name: 'pay',
    callId: 'c1',
    args: { amount: 1 },
    labels: ['x'],
  });
  assert.equal(allowed.decision.verdict, 'allow');
  await propose({
    kind: 'tool.result',
    name: 'pay',
    callId: 'c1',
    result: { ok: true },
    usage: { inputTokens: 1 },
  });
  assert.equal(
    (await propose({ kind: 'tool.call', name: 'pay', args: { amount: -1 } })).decision.verdict,
    'deny',
  );
  assert.equal(
    (await propose({ kind: 'tool.call', name: 'look', args: { page: 7 } })).decision.verdict,
    'transform',
  );
  const held = await propose({ kind: 'tool.call', name: 'pay', callId: 'c2', args: { amount: 101 } });
  assert.equal(held.decision.verdict, 'hold');

  assert.equal((await call('GET', '/v1/holds?state=pending', '/v1/holds')).holds.length, 1);
  await call('GET', `/v1/holds/${held.holdId}`, '/v1/holds/{id}');
  const answer = { approve: true, by: 'ann', role: 'lead', reason: 'fine' };
  await call('POST', `/v1/holds/${held.holdId}/answer`, '/v1/holds/{id}/answer', answer);
  const used = await propose({ kind: 'tool.call', name: 'pay', callId: 'c2', args: { amount: 101 } });
  assert.equal(used.decision.verdict, 'allow');

  await call('GET', '/v1/sessions?limit=1', '/v1/sessions');
  await call('GET', `/v1/sessions/${opened.id}`, '/v1/sessions/{id}');
  const page = await call('GET', `${steps}?from=0&limit=1000`, '/v1/sessions/{id}/steps');
  assert.ok(page.total >= 9);
  await call('GET', '/v1/findings', '/v1/findings');
  await call('GET', `/v1/specs/${opened.spec}`, '/v1/specs/{digest}');
  await call('GET', '/v1/health', '/v1/health');
  await call('GET', '/openapi.json', '/openapi.json');
  await call('POST', `/v1/sessions/${opened.id}/end`, '/v1/sessions/{id}/end');
  for (const refused of [steps, '/v1/sessions/nope/steps']) {
    const problem = await call('POST', refused, '/v1/sessions/{id}/steps', {
      kind: 'input',
      content: 'late',
    });
    assert.match(problem.code, /session-ended|unknown-session/);
  }
});
