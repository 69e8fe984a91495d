// What a backend gets to see of guarded calls, through OpenTelemetry's own SDK.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import { StepDenied } from './errors.ts';
import { Interlock } from './interlock.ts';
import type { Session } from './session.ts';

const SPEC = {
  interlock: 1,
  name: 'traced',
  rules: [{ id: 'small', on: 'call pay', require: 'args.amount < 10.0', because: 'Too much.' }],
};
const exporter = new InMemorySpanExporter();
const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
let interlock: Interlock;
let session: Session;
before(async () => {
  provider.register();
  interlock = await Interlock.open({ spec: SPEC });
  session = await interlock.session({ agent: { name: 'a' } });
});
beforeEach(() => exporter.reset());
after(async () => {
  await interlock?.close();
  await provider.shutdown();
});

test('an allowed call is a span of the decision and, in it, one of the tool', async () => {
  const tracer = provider.getTracer('tool');
  const pay = session.guard({
    name: 'pay',
    execute: () => tracer.startActiveSpan('inside', (span) => span.end()),
  });
  await pay({ amount: 5, secret: 'hunter2' }, { callId: 'c1' });
  const spans = exporter.getFinishedSpans();
  const [inside, tool, guard] = spans;
  assert.deepEqual(
    spans.map(({ name }) => name),
    ['inside', 'execute_tool pay', 'interlock.guard pay'],
  );
  assert.equal(inside?.parentSpanContext?.spanId, tool?.spanContext().spanId);
  assert.equal(tool?.parentSpanContext?.spanId, guard?.spanContext().spanId);
  assert.equal(tool?.attributes['gen_ai.operation.name'], 'execute_tool');
  assert.equal(tool?.attributes['gen_ai.tool.call.id'], 'c1');
  assert.equal(tool?.attributes['gen_ai.conversation.id'], session.id);
  assert.equal(guard?.attributes['interlock.verdict'], 'allow');
  assert.match(String(guard?.attributes['interlock.spec']), /^sha256:/);
  assert.ok(!JSON.stringify(spans.map(({ attributes }) => attributes)).includes('hunter2'));
});

test('a denied call has no span of the tool', async () => {
  const pay = session.guard({ name: 'pay', execute: () => 'paid' });
  await assert.rejects(pay({ amount: 50 }, { callId: 'c2' }), StepDenied);
  const [guard, ...others] = exporter.getFinishedSpans();
  assert.deepEqual(others, []);
  assert.equal(guard?.attributes['interlock.verdict'], 'deny');
  assert.deepEqual(guard?.attributes['interlock.rules'], ['small']);
  assert.equal(guard?.attributes['error.type'], 'step-denied');
  assert.equal(guard?.status.code, 2);
});

test('a tool that fails is an error of both', async () => {
  const pay = session.guard({
    name: 'pay',
    execute: () => {
      throw new TypeError('no money');
    },
  });
  await assert.rejects(pay({ amount: 5 }, { callId: 'c3' }), /no money/);
  const types = exporter.getFinishedSpans().map(({ attributes }) => attributes['error.type']);
  assert.deepEqual(types, ['TypeError', 'TypeError']);
});
