// Keys bind their programs to agents, principals and a tenant, for new sessions and for those that are open.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { withEngine } from '../engine/testing/engine.ts';
import { createApi } from './api.ts';
import { type Caller, parseCallers } from './callers.ts';

const digest = (key: string) => `sha256:${createHash('sha256').update(key).digest('hex')}`;
const CALLERS: Caller[] = [
  { name: 'shop', key: digest('k-shop'), agents: ['agent*'], principals: ['user:*'], tenant: 'acme' },
  { name: 'other', key: digest('k-other'), agents: ['agent'], principals: ['user:1'], tenant: null },
  { name: 'batch', key: digest('k-batch'), agents: ['agent-b'], principals: [], tenant: null },
];

test('a key opens only its own sessions, and acts in no other', async (t) => {
  const { engine } = await withEngine(t);
  const api = createApi({
    engine,
    callers: CALLERS,
    health: () => ({ ok: true, version: '', spec: [], dataDir: '' }),
  });
  const server = createServer(api.handle).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  t.after(() => {
    api.close();
    server.close();
    server.closeAllConnections();
  });
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  async function post(path: string, key: string | null, body?: unknown) {
    const response = await fetch(`${base}${path}`, {
      method: 'POST',
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(key === null ? {} : { authorization: `Bearer ${key}` }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const answer = (await response.json()) as { id?: string; tenant?: string; code?: string };
    return { status: response.status, ...answer };
  }
  const init = (name: string, more = {}) => ({ agent: { name }, ...more });

  assert.equal((await post('/v1/sessions', null, init('agent'))).code, 'unauthorized');
  assert.equal((await post('/v1/sessions', 'guess', init('agent'))).code, 'unauthorized');
  assert.equal((await post('/v1/sessions', 'k-shop', init('admin'))).code, 'not-yours');
  assert.equal(
    (await post('/v1/sessions', 'k-shop', init('agent', { principal: 'root' }))).code,
    'not-yours',
  );
  assert.equal((await post('/v1/sessions', 'k-shop', init('agent', { tenant: 'evil' }))).code, 'not-yours');
  assert.equal(
    (await post('/v1/sessions', 'k-batch', init('agent-b', { principal: 'user:1' }))).code,
    'not-yours',
  );
  const own = await post('/v1/sessions', 'k-shop', init('agent', { principal: 'user:1' }));
  assert.deepEqual([own.status, own.tenant], [201, 'acme']);

  const step = { kind: 'input', name: '', content: 'hello' };
  assert.equal((await post(`/v1/sessions/${own.id}/steps`, 'k-shop', step)).status, 200);
  assert.equal((await post(`/v1/sessions/${own.id}/steps`, 'k-other', step)).code, 'unknown-session');
  // Who acts is in the rules' reach: a key does not say another agent's name in a step either.
  const as = (name: string) => ({ ...step, agent: { name } });
  assert.equal((await post(`/v1/sessions/${own.id}/steps`, 'k-shop', as('agent-b'))).status, 200);
  assert.equal((await post(`/v1/sessions/${own.id}/steps`, 'k-shop', as('admin'))).code, 'not-yours');
  assert.equal((await post(`/v1/sessions/${own.id}/steps`, null, step)).code, 'unauthorized');
  assert.equal((await post(`/v1/sessions/${own.id}/end`, 'k-other')).code, 'unknown-session');
  const theirs = await post('/v1/sessions', 'k-other', init('agent', { principal: 'user:1' }));
  assert.equal((await post(`/v1/sessions/${theirs.id}/steps`, 'k-shop', step)).code, 'unknown-session');
  assert.equal((await post(`/v1/sessions/${own.id}/end`, 'k-shop')).status, 200);
});

test('what is wrong with callers is told with its place', () => {
  const wrong = (value: unknown) => {
    const parsed = parseCallers(value);
    assert.ok(!parsed.ok);
    return parsed.problems.map(({ at }) => at);
  };
  const one = { name: 'a', key: digest('x'), agents: ['*'] };
  assert.deepEqual(wrong({}), ['']);
  assert.deepEqual(wrong([]), ['']);
  assert.deepEqual(wrong([{ ...one, key: 'secret' }]), ['/0/key']);
  assert.deepEqual(wrong([{ ...one, agents: 'x' }]), ['/0/agents']);
  assert.deepEqual(wrong([{ ...one, agent: [] }]), ['/0/agent']);
  assert.deepEqual(wrong([one, { ...one, key: digest('y') }]), ['/1/name']);
  assert.deepEqual(wrong([one, { ...one, name: 'b' }]), ['/1/key']);
  assert.ok(parseCallers([one]).ok);
});
