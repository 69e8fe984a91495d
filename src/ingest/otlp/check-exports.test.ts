import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { checkExport, checkOtlpExports } from './check-exports.ts';

const text = (key: string, stringValue: string) => ({ key, value: { stringValue } });
const TOOL = {
  traceId: '0af7651916cd43dd8448eb211c80319c',
  spanId: 'b7ad6b7169203331',
  parentSpanId: 'b7ad6b7169203330',
  name: 'execute_tool refund',
  startTimeUnixNano: '1700000000000000001',
  endTimeUnixNano: '1700000000500000001',
  attributes: [
    text('gen_ai.operation.name', 'execute_tool'),
    text('gen_ai.tool.name', 'refund'),
    text('gen_ai.tool.call.arguments', '{"order":"A1"}'),
    text('gen_ai.tool.call.result', 'paid'),
  ],
};
const check = (...spans: object[]) =>
  checkExport('x', Buffer.from(JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] })));

test('counts what was there and finds nothing lost', () => {
  const chat = {
    ...TOOL,
    spanId: 'b7ad6b7169203332',
    attributes: [
      text('gen_ai.operation.name', 'chat'),
      text('gen_ai.request.model', 'm-1'),
      { key: 'gen_ai.usage.input_tokens', value: { intValue: 40 } },
      { key: 'gen_ai.usage.cache_read.input_tokens', value: { intValue: '30' } },
      { key: 'gen_ai.usage.output_tokens', value: { intValue: '2' } },
    ],
  };
  assert.deepEqual(check(TOOL, chat), {
    file: 'x',
    spans: 2,
    parents: 2,
    attributes: 9,
    toolCalls: 1,
    toolResults: 1,
    modelCalls: 1,
    tokens: 42,
    lost: [],
  });
});

test('says what is lost: a span, a tool, tokens', () => {
  assert.match(check({ ...TOOL, traceId: 'xyz' }).lost[0]!, /^span xyz\/b7ad6b7169203331$/);
  // A tool by one sign whose dialect reads another act.
  const torn = [text('openinference.span.kind', 'CHAIN'), ...TOOL.attributes];
  assert.match(check({ ...TOOL, attributes: torn }).lost[0]!, /its tool call or result/);
  const tokens = [
    text('gen_ai.operation.name', 'chat'),
    text('gen_ai.request.model', 'm-1'),
    { key: 'gen_ai.usage.input_tokens', value: { intValue: '5' } },
    { key: 'gen_ai.usage.cache_read.input_tokens', value: { intValue: '30' } },
  ];
  assert.match(check({ ...TOOL, attributes: tokens }).lost[0]!, /input tokens: 5 became 30/);
});

test('checks every export of a folder, and refuses one without any', () => {
  const directory = mkdtempSync(join(tmpdir(), 'otlp-exports-'));
  try {
    assert.throws(() => checkOtlpExports(directory), /has no \*\.otlp\.json/);
    writeFileSync(join(directory, 'a.otlp.json'), JSON.stringify({ resourceSpans: [] }));
    writeFileSync(join(directory, 'notes.json'), 'not looked at');
    assert.deepEqual(
      checkOtlpExports(directory).map(({ file, spans, lost }) => [file, spans, lost]),
      [['a.otlp.json', 0, []]],
    );
  } finally {
    rmSync(directory, { recursive: true });
  }
});
