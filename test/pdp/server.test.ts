// The decision point as `serve` opens it: with the callers' keys, its settings from a file, and its ports.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { DecisionPointInvalid } from '../../src/server/decision-point.ts';
import { type ServerOptions, startServer } from '../../src/server/server.ts';
import { grpcClient, mcpCall } from './grpc-client.ts';

const KEY = 'the-key-of-the-gateway';
const FILES = {
  'spec.yaml': `
interlock: 1
name: shop
applies: { agents: ["shop*"] }
tools: { look: { effect: read } }
`,
  'callers.yaml': `
- name: gateway
  key: sha256:${createHash('sha256').update(KEY).digest('hex')}
  agents: ['shop*']
  tenant: acme
`,
  'point.yaml': `
agent: [extension:agent, value:shop]
routes: [{ path: /mcp, protocol: mcp }]
`,
  'wrong.yaml': 'agent: [cookie:x]\nroutes: [{ path: mcp, protocol: mcp }]\n',
};

function setUp(t: TestContext): ServerOptions & { readonly at: (name: keyof typeof FILES) => string } {
  const dataDir = mkdtempSync(join(tmpdir(), 'interlock-point-'));
  t.after(() => rmSync(dataDir, { recursive: true, force: true }));
  const at = (name: string) => join(dataDir, name);
  for (const [name, text] of Object.entries(FILES)) writeFileSync(at(name), text);
  return { port: 0, otlpPort: null, dataDir, specFiles: [at('spec.yaml')], at };
}

test('a gateway is held to what its key may do', async (t) => {
  const { at, ...options } = setUp(t);
  const server = await startServer({
    ...options,
    callersFile: at('callers.yaml'),
    decisionPoint: { httpPort: 0, grpcPort: 0, settingsFile: at('point.yaml') },
  });
  t.after(() => server.close());
  const { check } = grpcClient(t, server.decisionPoint!.grpcPort!);
  const http = mcpCall('look', {});
  assert.equal((await check({ http })).headers['x-interlock-error'], 'unauthorized');
  assert.equal((await check({ http }, 'another')).headers['x-interlock-error'], 'unauthorized');
  assert.equal(
    (await check({ http, extensions: { agent: 'root' } }, KEY)).headers['x-interlock-error'],
    'not-yours',
  );
  const allowed = await check({ http }, KEY);
  assert.equal(allowed.code, 0);
  const session = await server.engine.session(allowed.headers['x-interlock-session']!);
  assert.deepEqual([session?.agent.name, session?.tenant], ['shop', 'acme']);
});

test('AuthZEN is not answered to a name that was rebound to loopback, nor to another web page', async (t) => {
  const { at, ...options } = setUp(t);
  const server = await startServer({ ...options, decisionPoint: { httpPort: 0, grpcPort: null } });
  t.after(() => server.close());
  const url = `http://127.0.0.1:${server.decisionPoint!.httpPort}/access/v1/evaluation`;
  const ask = (headers: Record<string, string>) =>
    fetch(url, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: '{}' });
  assert.equal((await ask({})).status, 400);
  assert.equal((await ask({ origin: 'https://evil.example' })).status, 403);
});

test('settings that are wrong keep the server from starting, and say where', async (t) => {
  const { at, ...options } = setUp(t);
  const starting = startServer({
    ...options,
    decisionPoint: { httpPort: 0, grpcPort: 0, settingsFile: at('wrong.yaml') },
  });
  await assert.rejects(starting, (error: unknown) => {
    assert.ok(error instanceof DecisionPointInvalid);
    assert.match(error.message, /wrong\.yaml: \/agent\/0: expected extension:NAME/);
    assert.match(error.message, /wrong\.yaml: \/routes\/0\/path: expected a path/);
    return true;
  });
});

test('a port that is taken keeps the server from starting, and leaves nothing open', async (t) => {
  const { at: _, ...options } = setUp(t);
  const first = await startServer({ ...options, decisionPoint: { httpPort: 0, grpcPort: 0 } });
  t.after(() => first.close());
  const other = setUp(t);
  const { httpPort, grpcPort } = first.decisionPoint!;
  for (const decisionPoint of [
    { httpPort: 0, grpcPort },
    { httpPort, grpcPort: null },
  ])
    await assert.rejects(startServer({ ...other, decisionPoint }), { code: 'EADDRINUSE' });
  const last = await startServer({ ...other, decisionPoint: { httpPort: 0, grpcPort: 0 } });
  await last.close();
});

test('a spec that has changed is in force for who has no session of its own, too', async (t) => {
  const { at, ...options } = setUp(t);
  async function ask(): Promise<boolean> {
    const server = await startServer({ ...options, decisionPoint: { httpPort: 0, grpcPort: null } });
    try {
      const answer = await fetch(`http://127.0.0.1:${server.decisionPoint!.httpPort}/access/v1/evaluation`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          subject: { type: 'user', id: 'alice' },
          action: { name: 'look' },
          resource: { type: 'document', id: '1' },
          context: { agent: 'shop' },
        }),
      });
      return ((await answer.json()) as { decision: boolean }).decision;
    } finally {
      await server.close();
    }
  }
  assert.equal(await ask(), true);
  assert.equal(await ask(), true);
  const rule = '{ id: closed, on: call look, deny: "true", because: Closed. }';
  writeFileSync(at('spec.yaml'), `${FILES['spec.yaml']}rules: [${rule}]\n`);
  assert.equal(await ask(), false);
});
