// Spans per second, one core: our protobuf reader against protobufjs on the same bytes, JSON beside them, all in one run.
// Not measured: HTTP, inflation, the store. protobufjs alone stops at its own messages; "to spans" makes what ours makes.
import { mapTraces } from '../src/ingest/dialects/map-traces.ts';
import { traceMemory } from '../src/ingest/dialects/trace-memory.ts';
import { decodeTraceJson } from '../src/ingest/otlp/json.ts';
import { decodeByOracle, encodeRequest, RequestType } from '../src/ingest/otlp/oracle.fixture.ts';
import { decodeTraceRequest } from '../src/ingest/otlp/protobuf.ts';
import type { DecodeResult } from '../src/ingest/otlp/types.ts';

const SPANS = 500;
const ROUNDS = 15;
const ROUND_MS = 120;

const message = { resourceSpans: [{ resource: { attributes: resource() }, scopeSpans: [scopeSpans()] }] };
const protobuf = encodeRequest(message);
const json = Buffer.from(JSON.stringify(message));
const { spans } = decoded(decodeTraceRequest(protobuf));

const CONTENDERS: Readonly<Record<string, () => unknown>> = {
  'interlock protobuf to spans': () => decodeTraceRequest(protobuf),
  'protobufjs to its messages': () => RequestType.decode(protobuf),
  'protobufjs to spans': () => decodeByOracle(protobuf),
  'interlock JSON to spans': () => decodeTraceJson(json),
  'JSON.parse alone': () => JSON.parse(json.toString('utf8')),
  'interlock spans to steps': () => mapTraces(spans, traceMemory(10)),
};

// Rounds take turns, so that a slow moment of the machine falls on all alike.
const rates = new Map<string, number[]>(Object.keys(CONTENDERS).map((name) => [name, []]));
for (let round = -2; round < ROUNDS; round++) {
  for (const [name, run] of Object.entries(CONTENDERS)) {
    const rate = spansPerSecond(run);
    if (round >= 0) rates.get(name)!.push(rate);
  }
}

const peer = median(rates.get('protobufjs to its messages')!);
console.log(`${SPANS} GenAI spans: protobuf ${kilobytes(protobuf)} KB, JSON ${kilobytes(json)} KB`);
console.log(`medians of ${ROUNDS} rounds; ratio to protobufjs to its messages\n`);
for (const [name, samples] of rates) {
  const rate = median(samples);
  console.log(
    `${name.padEnd(30)} ${Math.round(rate).toLocaleString('en').padStart(9)} spans/s  ${(rate / peer).toFixed(2)}x`,
  );
}

function spansPerSecond(run: () => unknown): number {
  const started = performance.now();
  let runs = 0;
  do {
    run();
    runs += 1;
  } while (performance.now() - started < ROUND_MS);
  return (runs * SPANS * 1000) / (performance.now() - started);
}

function median(samples: readonly number[]): number {
  return samples.toSorted((a, b) => a - b)[Math.floor(samples.length / 2)]!;
}

function decoded(result: DecodeResult) {
  if (!result.ok) throw new Error(result.problem.message);
  return result.traces;
}

function kilobytes(bytes: Buffer): number {
  return Math.round(bytes.length / 1000);
}

function text(key: string, stringValue: string) {
  return { key, value: { stringValue } };
}

function resource() {
  return [text('service.name', 'support'), text('service.version', '2.1.0'), text('host.name', 'node-7')];
}

/** Alternately a chat with its messages, about 2 KB of attributes, and the call it made. */
function scopeSpans() {
  const startNs = 1_764_000_000_000_000_000n;
  const made = Array.from({ length: SPANS }, (_, i) => ({
    traceId: (i >> 5).toString(16).padStart(32, 'a'),
    spanId: (i + 1).toString(16).padStart(16, '0'),
    parentSpanId: (i & ~31).toString(16).padStart(16, 'b'),
    name: i % 2 === 0 ? 'chat gpt-5-mini' : 'execute_tool look_up_order',
    kind: 3,
    startTimeUnixNano: String(startNs + BigInt(i) * 1_000_000n),
    endTimeUnixNano: String(startNs + BigInt(i + 900) * 1_000_000n),
    attributes: i % 2 === 0 ? chat(i) : call(i),
    status: {},
  }));
  return { scope: { name: 'support.instrumentation', version: '1.0' }, spans: made };
}

function chat(i: number) {
  const parts = [
    { type: 'text', content: `Where is order A${i}? ${'It was promised for Monday. '.repeat(40)}` },
  ];
  return [
    text('gen_ai.operation.name', 'chat'),
    text('gen_ai.provider.name', 'openai'),
    text('gen_ai.request.model', 'gpt-5-mini'),
    text('gen_ai.response.model', 'gpt-5-mini-2025-08-07'),
    text('gen_ai.response.id', `resp_${i}`),
    text('gen_ai.conversation.id', `case-${i >> 5}`),
    { key: 'gen_ai.request.temperature', value: { doubleValue: 0.2 } },
    { key: 'gen_ai.usage.input_tokens', value: { intValue: '812' } },
    { key: 'gen_ai.usage.output_tokens', value: { intValue: '44' } },
    { key: 'gen_ai.usage.cache_read.input_tokens', value: { intValue: '512' } },
    text('gen_ai.input.messages', JSON.stringify([{ role: 'user', parts }])),
    text(
      'gen_ai.output.messages',
      JSON.stringify([{ role: 'assistant', parts: [{ type: 'tool_call', id: `c${i}` }] }]),
    ),
  ];
}

function call(i: number) {
  return [
    text('gen_ai.operation.name', 'execute_tool'),
    text('gen_ai.tool.name', 'look_up_order'),
    text('gen_ai.tool.call.id', `call_${i}`),
    text('gen_ai.tool.type', 'function'),
    text('gen_ai.tool.call.arguments', JSON.stringify({ order: `A${i}` })),
    text(
      'gen_ai.tool.call.result',
      JSON.stringify({ state: 'sent', lines: Array(20).fill({ sku: 'lamp', count: 2 }) }),
    ),
  ];
}
