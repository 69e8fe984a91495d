// A tool that ran behind a gateway is covered by the gateway's decision when telemetry names the same session.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Span } from '../../src/engine/types.ts';
import { grpcClient, mcpCall } from './grpc-client.ts';
import { withPoint } from './spec.ts';

const SPAN: Span = {
  traceId: '0af7651916cd43dd8448eb211c80319c',
  spanId: 'b7ad6b7169203331',
  parentSpanId: null,
  name: 'execute_tool look',
  kind: 1,
  startNs: '1700000000000000000',
  endNs: '1700000000100000000',
  status: { code: 0, message: '' },
  attributes: {},
  events: [],
  resource: {},
  scope: { name: '', version: '' },
  dialect: 'otel-genai',
};

test('a span of the same session, tool and arguments is joined to the decision', async (t) => {
  const { point, engine, time } = await withPoint(t, { routes: [{ path: '/mcp', protocol: 'mcp' }] });
  const { check } = grpcClient(t, point.grpcPort!);
  const extensions = { agent: 'shop', session: 'conversation-1' };
  assert.equal((await check({ http: mcpCall('look', { id: 1 }), extensions })).code, 0);
  const shown = (spanId: string, args: { id: number }) =>
    engine.observe(
      [{ ...SPAN, spanId }],
      [
        {
          session: 'conversation-1',
          agent: { name: 'shop' },
          time: time.now,
          proposal: { kind: 'tool.call', name: 'look', callId: 'call-of-the-model', args },
          span: { ...SPAN, spanId },
        },
      ],
    );
  await shown('b7ad6b7169203331', { id: 1 });
  const covered = (await engine.coverage(0)).map(({ agent, covered, unguarded }) => [
    agent,
    covered,
    unguarded,
  ]);
  assert.deepEqual(covered, [['shop', 1, 0]]);
  await shown('b7ad6b7169203332', { id: 2 });
  const past = (await engine.coverage(0)).map(({ agent, covered, unguarded }) => [agent, covered, unguarded]);
  assert.deepEqual(past, [['shop', 1, 1]]);
});
