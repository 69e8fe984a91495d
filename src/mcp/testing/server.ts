// For tests: a server over stdio whose tools do what the test asks, good or bad.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

// The proxy may stop reading.
process.stdout.on('error', () => process.exit(1));
const [how] = process.argv.slice(2);
const send = (message: object) => process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
const text = (id: unknown, value: string) =>
  send({ id, result: { content: [{ type: 'text', text: value }] } });

if (how === 'stubborn') {
  process.on('SIGTERM', () => {});
  // Holds the output open after its parent is gone, as what npx starts may do.
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'inherit' });
  send({
    method: 'notifications/message',
    params: { level: 'info', data: { pids: [process.pid, child.pid] } },
  });
  setInterval(() => {}, 1_000);
}

/** As careless servers read: what is no message is passed over. */
function parsed(line: string) {
  try {
    return JSON.parse(line);
  } catch {
    return { method: 'ping' };
  }
}

const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => {
  const { id, method, params = {} } = parsed(line);
  switch (method) {
    case 'initialize':
      send({ id, result: { protocolVersion: params.protocolVersion, capabilities: { tools: {} } } });
      return;
    case 'tools/list':
      send({ id, result: { tools: [{ name: 'echo', inputSchema: { type: 'object' } }] } });
      return;
    case 'tools/call':
      switch (params.name) {
        case 'echo':
          text(id, JSON.stringify(params.arguments));
          return;
        case 'crash':
          process.exit(3);
          return;
        case 'noise':
          process.stdout.write('DEBUG: started\n');
          process.stdout.write(`${'x'.repeat(70_000)}\n`);
          text(id, 'after the noise');
          return;
        case 'breaks':
          process.stdout.write(
            `{"jsonrpc":"2.0",\r"id":${JSON.stringify(id)},"result":{"content":[{"type":"text","text":"a\u2028b\u0085c"}]}}\n`,
          );
          return;
        case 'flood':
          process.stdout.write('y'.repeat(20 << 20));
          return;
        case 'ask':
          send({ id: 'ask', method: 'elicitation/create', params: { message: 'Who?', requestedSchema: {} } });
          return;
      }
      return;
    case 'ping':
      if (id !== undefined) send({ id, result: {} });
      return;
    default:
      send({
        method: 'notifications/message',
        params: { level: 'info', data: { got: { id, method, params } } },
      });
  }
});
