// Envoy's external authorization over gRPC, asked by grpc-js with messages of protobufjs.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { EngineError } from '../../src/engine/problem.ts';
import { readCheckRequest } from '../../src/pdp/envoy-wire.ts';
import { encodeCheck, grpcClient, mcpCall } from './grpc-client.ts';
import { withPoint } from './spec.ts';

const SETTINGS = { routes: [{ path: '/mcp', protocol: 'mcp' }], remove: ['X-Internal'] };

test('a tool call is decided by rules over its arguments and its history', async (t) => {
  const { point, engine } = await withPoint(t, SETTINGS);
  const { check } = grpcClient(t, point.grpcPort!);

  const denied = await check({ http: mcpCall('refund', { amount: 500 }) });
  assert.equal(denied.code, 7);
  assert.equal(denied.status, 403);
  assert.equal(denied.headers['x-interlock-rule'], 'small-refunds');
  assert.equal(denied.headers['x-interlock-verdict'], 'deny');
  const body = JSON.parse(denied.body);
  assert.equal(body.id, 7);
  assert.match(body.error.message, /^Refunds are at most 100\. Ask for 100 or less\.$/);
  assert.equal(body.error.data.rules[1].rule, 'looked-first');

  assert.equal((await check({ http: mcpCall('look', {}) })).code, 0);
  const allowed = await check({ http: mcpCall('refund', { amount: 50 }) });
  assert.equal(allowed.code, 0);
  assert.equal(allowed.status, null);
  assert.equal(allowed.headers['x-interlock-verdict'], 'allow');
  assert.deepEqual(allowed.removed.toSorted(), [
    'x-interlock-error',
    'x-interlock-hold',
    'x-interlock-key',
    'x-interlock-rule',
    'x-internal',
  ]);
  const { steps } = await engine.steps(allowed.headers['x-interlock-session']!, { from: 0, limit: 10 });
  assert.deepEqual(
    steps.map(({ step }) => [step.kind, step.name, step.args]),
    [
      ['session.start', 'gateway', undefined],
      ['tool.call', 'refund', { amount: 500 }],
      ['tool.call', 'look', {}],
      ['tool.call', 'refund', { amount: 50 }],
    ],
  );
});

test('a held call passes once it is approved, once, and with the same arguments only', async (t) => {
  const { point, engine } = await withPoint(t, SETTINGS);
  const { check } = grpcClient(t, point.grpcPort!);
  const wipe = (disk: string) => check({ http: mcpCall('wipe', { disk }) });
  const held = await wipe('a');
  assert.equal(held.code, 9);
  assert.equal(held.status, 409);
  const hold = held.headers['x-interlock-hold']!;
  assert.equal((await wipe('a')).headers['x-interlock-hold'], hold);
  await engine.answerHold(hold, { approve: true, by: 'ann', role: 'reviewer' });
  assert.equal((await wipe('b')).status, 409);
  assert.equal((await wipe('a')).code, 0);
  assert.equal((await wipe('a')).status, 409);
});

test('what a rule rewrites is denied, since the gateway cannot, and is recorded as not run', async (t) => {
  const { point, engine } = await withPoint(t, SETTINGS);
  const { check } = grpcClient(t, point.grpcPort!);
  const denied = await check({ http: mcpCall('rename', { name: 'x' }) });
  assert.equal(denied.status, 403);
  assert.equal(denied.headers['x-interlock-verdict'], 'transform');
  const { steps } = await engine.steps(denied.headers['x-interlock-session']!, { from: 2, limit: 5 });
  assert.equal(steps[0]!.step.error?.type, 'NotRun');
});

test('a failure of ours is told from a denial, and passes nothing', async (t) => {
  const failing = {
    openSession: () => Promise.reject(new EngineError({ code: 'store-failed', message: 'the disk is full' })),
    decide: () => Promise.reject(new Error('not reached')),
  };
  const { point } = await withPoint(t, SETTINGS, { engine: failing });
  const { check, checkBytes } = grpcClient(t, point.grpcPort!);
  const failed = await check({ http: mcpCall('look', {}) });
  assert.equal(failed.code, 14);
  assert.equal(failed.status, 503);
  assert.equal(failed.headers['x-interlock-error'], 'store-failed');
  assert.equal(failed.headers['x-interlock-verdict'], 'error');
  const malformed = await checkBytes(Buffer.from([0x0a, 0x7f, 0x01]));
  assert.equal(malformed.code, 14);
  assert.equal(malformed.headers['x-interlock-error'], 'malformed-check');
});

test('a thrown error is logged and not told', async (t) => {
  const broken = {
    openSession: () => Promise.reject(new Error('secret path')),
    decide: () => Promise.reject(),
  };
  const { point, failures } = await withPoint(t, SETTINGS, { engine: broken });
  const failed = await grpcClient(t, point.grpcPort!).check({ http: mcpCall('look', {}) });
  assert.equal(failed.status, 503);
  assert.doesNotMatch(failed.body, /secret/);
  assert.match(String(failures[0]), /secret path/);
});

test('only what no client can write says who asks, unless the settings say otherwise', async (t) => {
  const forged = { 'x-agent': 'root', 'x-interlock-session': 'theirs', 'x-user': 'user:1' };
  const plain = await withPoint(t, SETTINGS);
  const ask = grpcClient(t, plain.point.grpcPort!);
  const extensions = { agent: 'shop', principal: 'user:7', tenant: 'acme', session: 's-1' };
  await ask.check({ http: mcpCall('look', {}, forged), extensions });
  const session = await plain.engine.session('s-1');
  assert.deepEqual([session?.agent.name, session?.principal, session?.tenant], ['shop', 'user:7', 'acme']);
  const peer = await ask.check({ http: mcpCall('look', {}, forged), peer: 'spiffe://example/shop' });
  const lasting = await plain.engine.session(peer.headers['x-interlock-session']!);
  assert.deepEqual([lasting?.agent.name, lasting?.principal], ['gateway', 'spiffe://example/shop']);

  const trusting = await withPoint(t, {
    ...SETTINGS,
    agent: ['header:X-Agent'],
    principal: ['header:x-user'],
  });
  const { check } = grpcClient(t, trusting.point.grpcPort!);
  const said = await check({ http: mcpCall('look', {}, { 'x-agent': 'shop', 'x-user': 'user:1' }) });
  const known = await trusting.engine.session(said.headers['x-interlock-session']!);
  assert.deepEqual([known?.agent.name, known?.principal], ['shop', 'user:1']);
  const nobody = await check({ http: mcpCall('look', {}) });
  assert.equal(nobody.status, 400);
  assert.equal(nobody.headers['x-interlock-error'], 'no-agent');
});

test('a session of somebody else is not entered', async (t) => {
  const { point } = await withPoint(t, SETTINGS);
  const { check } = grpcClient(t, point.grpcPort!);
  const as = (principal: string) =>
    check({ http: mcpCall('look', {}), extensions: { agent: 'shop', principal, session: 'one' } });
  assert.equal((await as('user:1')).code, 0);
  const other = await as('user:2');
  assert.equal(other.status, 503);
  assert.equal(other.headers['x-interlock-error'], 'duplicate-id');
});

test('the gateway shows its key, and is held to what the key may do', async (t) => {
  const keys: (string | null)[] = [];
  const { point } = await withPoint(t, SETTINGS, {
    admit: (key, init) => {
      keys.push(key);
      return key === 'right' ? { ...init, tenant: 'acme' } : { code: 'unauthorized', message: 'no key' };
    },
  });
  const { check } = grpcClient(t, point.grpcPort!);
  assert.equal((await check({ http: mcpCall('look', {}) }, 'right')).code, 0);
  const refused = await check({ http: mcpCall('look', {}, { 'x-interlock-key': 'right' }) });
  assert.equal(refused.status, 503);
  assert.equal(refused.headers['x-interlock-error'], 'unauthorized');
  assert.deepEqual(keys, ['right', null]);
});

test('tenants of two keys do not share the lasting session', async (t) => {
  const { point, engine } = await withPoint(t, SETTINGS, {
    admit: (key, init) => ({ ...init, tenant: key! }),
  });
  const { check } = grpcClient(t, point.grpcPort!);
  const sessions = await Promise.all(
    ['acme', 'other'].map(async (key) => {
      const { headers } = await check({ http: mcpCall('look', {}) }, key);
      return engine.session(headers['x-interlock-session']!);
    }),
  );
  assert.deepEqual(
    sessions.map((session) => session?.tenant),
    ['acme', 'other'],
  );
});

test('headers and body come in either of their forms', async (t) => {
  const { point } = await withPoint(t, SETTINGS);
  const { check } = grpcClient(t, point.grpcPort!);
  const { headers: _, body, ...http } = mcpCall('refund', { amount: 500 });
  const raw = (key: string, value: string) => ({ key, raw_value: Buffer.from(value) });
  const header_map = { headers: [raw('content-type', 'application/json'), raw('x-a', '1'), raw('x-a', '2')] };
  const denied = await check({ http: { ...http, header_map, raw_body: Buffer.from(body!) } });
  assert.equal(denied.headers['x-interlock-rule'], 'small-refunds');
});

test('a body that was cut, or not sent, is not decided on', async (t) => {
  const { point } = await withPoint(t, SETTINGS);
  const { check } = grpcClient(t, point.grpcPort!);
  const cut = await check({ http: mcpCall('look', {}, { 'x-envoy-auth-partial-body': 'true' }) });
  assert.equal(cut.status, 400);
  assert.equal(cut.headers['x-interlock-error'], 'body-cut');
  const { body: _, ...unsent } = mcpCall('look', {});
  assert.equal((await check({ http: unsent })).headers['x-interlock-error'], 'body-cut');
});

test('Envoy may ask after the health of the decision point', async (t) => {
  const { point } = await withPoint(t);
  const answer = await grpcClient(t, point.grpcPort!).unary('/grpc.health.v1.Health/Check', Buffer.alloc(0));
  assert.deepEqual([...answer], [8, 1]);
});

test('reads what protobufjs writes, and nothing but an error comes of other bytes', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 20 });
  const pairs = fc.dictionary(text, text, { maxKeys: 5, noNullPrototype: true });
  fc.assert(
    fc.property(text, text, pairs, pairs, text, fc.nat(), (method, path, headers, extensions, body, cut) => {
      const bytes = encodeCheck({ http: { method, path, headers, body }, extensions, peer: path });
      const call = readCheckRequest(bytes);
      assert.equal(call.method, method);
      assert.equal(call.target, path);
      assert.deepEqual(new Map(Object.entries(headers)), call.headers);
      assert.deepEqual(new Map(Object.entries(extensions)), call.extensions);
      assert.equal(Buffer.from(call.body).toString(), body);
      assert.equal(call.peer, path === '' ? null : path);
      try {
        readCheckRequest(bytes.subarray(0, cut % (bytes.length + 1)));
      } catch (error) {
        assert.ok(error instanceof Error);
      }
    }),
    { numRuns: 200 },
  );
});
