// agent-hooks over HTTP: a running server as the interceptor and resolver of a host in another language.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createContexts } from '../../src/agent-hooks/index.ts';
import { startServer } from '../../src/server/server.ts';
import { findKit } from './kit.ts';

const SPEC = `
interlock: 1
name: shop
applies: { agents: ["shop*"] }
tools:
  look: { effect: read }
  refund: { effect: write }
  rename: { effect: write }
  wipe: { effect: write }
rules:
  - id: looked-first
    on: call refund
    require: past.exists("result look")
    because: Look first.
  - id: plain
    on: call rename
    transform: { set: { args.name: '"plain"' } }
    because: Names are plain.
  - id: ask
    on: call wipe
    hold: true
    approve: { by: [reviewer], expires: 1h }
    because: A person decides.
`;
const KEY = 'the-key-of-acme';
const CALLERS = `
- name: acme
  key: sha256:${createHash('sha256').update(KEY).digest('hex')}
  agents: ['shop*']
  principals: ['user:*']
  tenant: acme
`;

async function running(t: TestContext, { callers = false } = {}) {
  const dataDir = mkdtempSync(join(tmpdir(), 'interlock-hooks-'));
  t.after(() => rmSync(dataDir, { recursive: true, force: true }));
  const spec = join(dataDir, 'spec.yaml');
  writeFileSync(spec, SPEC);
  const callersFile = join(dataDir, 'callers.yaml');
  writeFileSync(callersFile, CALLERS);
  const server = await startServer({
    port: 0,
    otlpPort: null,
    dataDir,
    specFiles: [spec],
    decisionPoint: { httpPort: 0, grpcPort: null },
    ...(callers ? { callersFile } : {}),
  });
  t.after(() => server.close());
  const url = `http://127.0.0.1:${server.decisionPoint!.httpPort}`;
  return {
    server,
    url,
    async post(path: string, body: unknown, key?: string) {
      const answer = await fetch(`${url}/agent-hooks/v0.1/${path}`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
        },
        body: JSON.stringify(body),
      });
      return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
    },
  };
}

const contextsOf = (agent = 'shop') =>
  createContexts({
    agent: { id: agent, framework: 'own' },
    session: 's-1',
    more: { actor: { id: 'user:42', kind: 'human' } },
  });

test('a context is answered with a verdict, and one that is not whole with an error', async (t) => {
  const { post } = await running(t);
  const contexts = contextsOf();
  assert.deepEqual((await post('intercept', contexts.startup([]))).body, { decision: 'allow' });
  const denied = await post('intercept', contexts.preTool({ id: 'c', name: 'refund', args: {} }));
  assert.deepEqual(
    [denied.status, denied.body.decision, denied.body.reason, denied.body.message],
    [200, 'deny', 'interlock:looked-first', 'Look first. Call look first.'],
  );
  for (const [path, body] of [
    ['intercept', {}],
    ['intercept', { ...contexts.input('x'), session: {} }],
    ['resolve', {}],
    ['resolve', null],
  ] as const)
    assert.equal((await post(path, body)).status, 400);
});

test('with keys, a host acts only for whom its key names', async (t) => {
  const { post, server } = await running(t, { callers: true });
  const contexts = contextsOf();
  assert.equal((await post('intercept', contexts.startup([]))).status, 401);
  assert.equal((await post('intercept', contexts.startup([]), 'other')).status, 401);
  assert.equal((await post('intercept', contextsOf('root').startup([]), KEY)).status, 403);
  assert.equal((await post('intercept', contexts.startup([]), KEY)).status, 200);
  assert.equal((await server.engine.session('s-1'))?.tenant, 'acme');
});

test('a step after the end is refused', async (t) => {
  const { post, server } = await running(t);
  const contexts = contextsOf();
  await post('intercept', contexts.startup([]));
  await post('intercept', contexts.shutdown('completed'));
  assert.equal((await post('intercept', contexts.input('after the end'))).status, 409);
  assert.equal((await server.engine.session('s-1'))?.state, 'ended');
});

test('a host made of the SDK for Python is held to the rules', async (t) => {
  const found = await findKit();
  if ('why' in found) return t.skip(found.why);
  const { server, url } = await running(t);
  const child = spawn(found.python, [fileURLToPath(new URL('python_host.py', import.meta.url)), url], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  server.engine.subscribe((event) => {
    if (event.type === 'hold' && event.state === 'pending')
      void server.engine.answerHold(event.hold, { approve: true, by: 'ann', role: 'reviewer' });
  });
  const [code] = await once(child, 'close');
  assert.equal(code, 0);
  assert.deepEqual(
    text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
    [
      ['refund', 'blocked', 'interlock:looked-first'],
      ['look', 'ran', {}],
      ['refund', 'ran', { amount: 50 }],
      ['rename', 'ran', { name: 'plain' }],
      ['wipe', 'ran', { disk: 1 }],
    ],
  );
  assert.deepEqual((await server.engine.session('py-1'))?.state, 'ended');
});
