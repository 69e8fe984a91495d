// The exporters of the OpenTelemetry JavaScript SDK, as a user runs them, against a listener: nothing may be lost.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { OTLPTraceExporter as JsonExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as ProtobufExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, NodeTracerProvider, type SpanExporter } from '@opentelemetry/sdk-trace-node';
import type { Observation, Span } from '../../engine/types.ts';
import { createOtlpHandler } from './http.ts';

type ExporterConfig = NonNullable<ConstructorParameters<typeof JsonExporter>[0]>;
const GZIP = 'gzip' as NonNullable<ExporterConfig['compression']>;
const CALLS = 300;
const EXPORTERS: Record<string, (url: string) => SpanExporter> = {
  'protobuf with gzip': (url) => new ProtobufExporter({ url, compression: GZIP }),
  'protobuf plain': (url) => new ProtobufExporter({ url }),
  'JSON with gzip': (url) => new JsonExporter({ url, compression: GZIP }),
  'JSON plain': (url) => new JsonExporter({ url }),
};

for (const [name, makeExporter] of Object.entries(EXPORTERS)) {
  test(`the SDK's ${name} exporter loses nothing`, async () => {
    const spans: Span[] = [];
    const observations: Observation[] = [];
    const server = createServer(
      createOtlpHandler({
        sink: {
          observe: async (newSpans, newObservations) => {
            spans.push(...newSpans);
            observations.push(...newObservations);
          },
        },
      }),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`;
    const provider = new NodeTracerProvider({
      resource: resourceFromAttributes({ 'service.name': 'desk', 'service.version': '1.2' }),
      spanProcessors: [
        new BatchSpanProcessor(makeExporter(url), { maxQueueSize: 4096, maxExportBatchSize: 64 }),
      ],
    });
    const ids = emit(provider);
    await provider.shutdown();
    await new Promise((resolve) => server.close(resolve));
    check(spans, observations, ids);
  });
}

/** One agent, many calls, each with its own argument and result; every tenth fails. */
function emit(provider: NodeTracerProvider): string[] {
  const tracer = provider.getTracer('desk-instrumentation', '0.3');
  const agent = tracer.startSpan('invoke_agent desk', {
    attributes: {
      'gen_ai.operation.name': 'invoke_agent',
      'gen_ai.agent.name': 'desk',
      'gen_ai.conversation.id': 'case-9',
    },
  });
  const within = trace.setSpan(context.active(), agent);
  const ids = [agent.spanContext().spanId];
  for (let i = 0; i < CALLS; i++) {
    const attributes = {
      'gen_ai.operation.name': 'execute_tool',
      'gen_ai.tool.name': 'look_up',
      'gen_ai.tool.call.id': `call-${i}`,
      'gen_ai.tool.call.arguments': JSON.stringify({ order: `A${i}` }),
      'test.list': ['a', 'ü', '🙂'],
      'test.count': i,
      'test.ratio': i / 7,
      'test.flag': true,
    };
    const call = tracer.startSpan('execute_tool look_up', { kind: SpanKind.INTERNAL, attributes }, within);
    if (i % 10 === 0) {
      call.recordException(new TypeError(`no order A${i}`));
      call.setStatus({ code: SpanStatusCode.ERROR, message: `no order A${i}` });
    } else call.setAttribute('gen_ai.tool.call.result', JSON.stringify({ total: i }));
    call.end();
    ids.push(call.spanContext().spanId);
  }
  agent.end();
  return ids;
}

function check(spans: readonly Span[], observations: readonly Observation[], ids: readonly string[]): void {
  assert.deepEqual(spans.map((span) => span.spanId).sort(), [...ids].sort());
  assert.ok(spans.every((span) => span.dialect === 'otel-genai' && span.scope.version === '0.3'));
  assert.ok(spans.every((span) => span.resource['service.name'] === 'desk'));
  const calls = observations.filter(({ proposal }) => proposal.kind === 'tool.call');
  const results = new Map(
    observations
      .filter(({ proposal }) => proposal.kind === 'tool.result')
      .map(({ proposal }) => [proposal.callId, proposal]),
  );
  assert.equal(calls.length, CALLS);
  for (const { proposal, span } of calls) {
    const i = span.attributes['test.count'] as number;
    assert.equal(span.parentSpanId, ids[0]);
    assert.equal(span.attributes['test.ratio'], i / 7);
    assert.deepEqual(span.attributes['test.list'], ['a', 'ü', '🙂']);
    assert.equal(span.attributes['test.flag'], true);
    assert.deepEqual([proposal.callId, proposal.args], [`call-${i}`, { order: `A${i}` }]);
    const result = results.get(`call-${i}`)!;
    if (i % 10 === 0) assert.deepEqual(result.error, { message: `no order A${i}`, type: 'TypeError' });
    else assert.deepEqual(result.result, { total: i });
  }
  const last = observations.at(-1)!;
  assert.deepEqual([last.session, last.agent.name], ['case-9', 'desk']);
}
