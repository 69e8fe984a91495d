// MCP servers behind the server's own port: decided by its engine, seen in its sessions, and open to its callers only.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ConfigInvalid } from '../mcp/index.ts';
import { startServer } from './server.ts';

const SPEC = `interlock: 1
name: shop
applies: { agents: ["support-*"] }
tools:
  shop.refund: { effect: write, input: { type: object, properties: { amount: { type: number } } } }
rules:
  - { id: small, on: call shop.refund, require: args.amount <= 100, because: At most 100. }
`;

async function within(
  callers: string | null,
  work: (
    call: (amount: number, headers?: Record<string, string>) => Promise<{ status: number; text: string }>,
    server: Awaited<ReturnType<typeof startServer>>,
  ) => Promise<void>,
) {
  const directory = mkdtempSync(join(tmpdir(), 'interlock-mcp-server-'));
  const upstream = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const { id } = JSON.parse(body) as { id: number };
    const content = [{ type: 'text', text: `as ${request.headers.authorization ?? 'nobody'}` }];
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ jsonrpc: '2.0', id, result: { content } }));
  });
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  const file = (name: string, text: string) => {
    writeFileSync(join(directory, name), text);
    return join(directory, name);
  };
  const url = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}/mcp`;
  const server = await startServer({
    port: 0,
    otlpPort: null,
    dataDir: join(directory, 'data'),
    specFiles: [file('shop.yaml', SPEC)],
    mcpFile: file('servers.json', JSON.stringify({ mcpServers: { shop: { url } } })),
    ...(callers === null ? {} : { callersFile: file('callers.yaml', callers) }),
  });
  try {
    await work(async (amount, headers = {}) => {
      const params = { name: 'refund', arguments: { amount } };
      const answer = await fetch(`${server.url}/mcp/shop`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-interlock-agent': 'support-1', ...headers },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }),
      });
      return { status: answer.status, text: await answer.text() };
    }, server);
  } finally {
    await server.close();
    upstream.close();
    upstream.closeAllConnections();
    rmSync(directory, { recursive: true, force: true });
  }
}

test('calls are decided by the server and stand in its sessions', () =>
  within(null, async (call, { engine }) => {
    assert.match((await call(40, { authorization: 'Bearer own' })).text, /as Bearer own/);
    assert.match((await call(400)).text, /At most 100/);
    assert.match((await call(40, { 'x-interlock-agent': 'other' })).text, /\$no-spec/);
    const { sessions } = await engine.sessions({ limit: 10, agent: 'support-1' });
    assert.equal(sessions.length, 2, 'two credentials, two sessions');
    assert.equal(sessions[0]?.specName, 'shop');
  }));

test('where callers have keys, only they call, and only for whom they may', () => {
  const digest = createHash('sha256').update('secret').digest('hex');
  const callers = `- { name: desk, key: "sha256:${digest}", agents: ["support-*"], principals: ["user:*"], tenant: acme }\n`;
  return within(callers, async (call, { engine }) => {
    assert.equal((await call(40)).status, 401);
    assert.equal((await call(40, { 'x-interlock-key': 'wrong' })).status, 401);
    assert.equal(
      (await call(40, { authorization: 'Bearer secret' })).status,
      401,
      'that is for the MCP server',
    );
    const key = { 'x-interlock-key': 'secret' };
    assert.equal((await call(40, { ...key, 'x-interlock-principal': 'admin' })).status, 403);
    assert.match((await call(40, { ...key, 'x-interlock-principal': 'user:7' })).text, /as nobody/);
    const { sessions } = await engine.sessions({ limit: 10 });
    assert.deepEqual([sessions[0]?.principal, sessions[0]?.tenant], ['user:7', 'acme']);
  });
});

test('a file that is wrong says where', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'interlock-mcp-server-'));
  const mcpFile = join(directory, 'servers.json');
  const start = () =>
    startServer({ port: 0, otlpPort: null, dataDir: join(directory, 'data'), specFiles: [], mcpFile });
  for (const [text, says] of [
    ['{"mcpServers": }', /servers\.json:1:16/],
    ['{}', /expected an object "mcpServers"/],
    ['{"mcpServers":{"a":{"command":"npx"}}}', /interlock mcp -- COMMAND/],
    ['{"mcpServers":{"a":{"url":"ftp://x"}}}', /http or https/],
    ['{"mcpServers":{"a":{"urll":"http://x"}}}', /Did you mean "url"/],
    [`{"mcpServers":{"a":{"url":"http://x","headers":{"A":"$\{NO_SUCH_VALUE}"}}}}`, /no NO_SUCH_VALUE/],
  ] as const) {
    writeFileSync(mcpFile, text);
    await assert.rejects(
      start(),
      (error) => error instanceof ConfigInvalid && says.test(error.message),
      text,
    );
  }
  rmSync(directory, { recursive: true, force: true });
});
