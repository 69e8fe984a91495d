// The decision point asked by a client made of Envoy's own definitions (Go). Skipped, and said so, where there is no Go or its
// modules cannot be had; the same checks by another encoder always run in grpc.test.ts.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { succeeds } from '../python.ts';
import { mcpCall } from './grpc-client.ts';
import { withPoint } from './spec.ts';

const CLIENT = fileURLToPath(new URL('interop', import.meta.url));

test('a client made of go-control-plane and grpc-go is answered', async (t) => {
  if (!(await succeeds('go', ['mod', 'download'], CLIENT)))
    return t.skip('there is no Go, or its modules cannot be had');
  const { point } = await withPoint(t, { routes: [{ path: '/mcp', protocol: 'mcp' }] });
  const calls = [
    mcpCall('refund', { amount: 500 }),
    mcpCall('look', {}),
    mcpCall('refund', { amount: 50 }),
    mcpCall('wipe', {}),
    { method: 'POST', path: '/x/../mcp' },
  ];
  const lines = calls.map((http) =>
    JSON.stringify({ attributes: { request: { http: { host: 'api.example', ...http } } } }),
  );
  const child = spawn('go', ['run', '.', `127.0.0.1:${point.grpcPort}`], {
    cwd: CLIENT,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stdin.end(`${lines.join('\n')}\n`);
  const [code] = await once(child, 'close');
  assert.equal(code, 0);
  const [health, ...answers] = output.trim().split('\n');
  assert.equal(health, 'SERVING');
  const read = answers.map((text) => JSON.parse(text));
  assert.deepEqual(
    read.map(({ status, deniedResponse }) => [status.code ?? 0, deniedResponse?.status.code ?? null]),
    [
      [7, 'Forbidden'],
      [0, null],
      [0, null],
      [9, 'Conflict'],
      [3, 'BadRequest'],
    ],
  );
  const [header] = read[1].okResponse.headers;
  assert.deepEqual(header, {
    header: { key: 'x-interlock-verdict', value: 'allow' },
    appendAction: 'OVERWRITE_IF_EXISTS_OR_ADD',
  });
  assert.match(JSON.parse(read[0].deniedResponse.body).error.message, /at most 100/);
});
