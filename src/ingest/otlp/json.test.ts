import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeTraceJson } from './json.ts';
import { encodeRequest } from './oracle.fixture.ts';
import { decodeTraceRequest } from './protobuf.ts';
import { request } from './request.fixture.ts';
import type { DecodedTraces } from './types.ts';

const GOOD = {
  traceId: '0AF7651916CD43DD8448EB211C80319C',
  spanId: 'b7ad6b7169203331',
  startTimeUnixNano: '1700000000000000001',
};

function traces(body: unknown): DecodedTraces {
  const decoded = decodeTraceJson(Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)));
  assert.ok(decoded.ok, JSON.stringify(decoded));
  return decoded.traces;
}
function problem(body: string | Buffer) {
  const decoded = decodeTraceJson(Buffer.from(body));
  assert.ok(!decoded.ok);
  return decoded.problem;
}
const requestOf = (...spans: unknown[]) => ({ resourceSpans: [{ scopeSpans: [{ spans }] }] });
const valueFrom = (value: unknown) => traces(requestOf({ ...GOOD, attributes: [{ key: 'v', value }] }));

test('gives the spans that protobuf gives for the same request', () => {
  // JSON.stringify writes NaN and the infinities as null; protobuf's JSON mapping writes their names.
  const numbers = (_key: string, value: unknown) =>
    typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
  fc.assert(
    fc.property(request, (message) => {
      const decoded = decodeTraceRequest(encodeRequest(message));
      assert.ok(decoded.ok);
      assert.deepEqual(plain(traces(JSON.stringify(message, numbers))), plain(decoded.traces));
    }),
    { numRuns: 300 },
  );
});

test('any JSON is spans or a problem, and never throws', () => {
  const keys = [
    'resourceSpans',
    'scopeSpans',
    'spans',
    'attributes',
    'value',
    'traceId',
    'status',
    'arrayValue',
  ];
  const odd = fc.object({ key: fc.constantFrom(...keys), maxDepth: 8, maxKeys: 4 });
  fc.assert(
    fc.property(odd, fc.json(), (object, json) => {
      decodeTraceJson(Buffer.from(JSON.stringify({ resourceSpans: [object] })));
      decodeTraceJson(Buffer.from(JSON.stringify(requestOf({ ...GOOD, ...object }))));
      decodeTraceJson(Buffer.from(json));
    }),
    { numRuns: 500 },
  );
});

test('ids are hex in either case and become lower', () => {
  const [span] = traces(requestOf(GOOD)).spans;
  assert.equal(span!.traceId, '0af7651916cd43dd8448eb211c80319c');
});

test('enums may be names, 64-bit numbers may be numbers', () => {
  const status = { code: 'STATUS_CODE_ERROR', message: 'no' };
  const [span] = traces(
    requestOf({ ...GOOD, kind: 'SPAN_KIND_CLIENT', status, startTimeUnixNano: 1700 }),
  ).spans;
  assert.deepEqual([span!.kind, span!.status, span!.startNs], [3, { code: 2, message: 'no' }, '1700']);
});

test('64-bit numbers that JSON.parse rounds are read from their digits', () => {
  const text = JSON.stringify(requestOf({ ...GOOD, attributes: [{ key: 'big', value: { intValue: '@' } }] }))
    .replace('"1700000000000000001"', '1700000000000000001')
    .replace('"@"', '-9223372036854775807');
  const [span] = traces(text).spans;
  assert.equal(span!.startNs, '1700000000000000001');
  assert.equal(span!.attributes.big, '-9223372036854775807');
});

test('values of the wrong type refuse their span with the place', () => {
  const cases: [unknown, RegExp][] = [
    [{ intValue: 1.5 }, /expected a 64-bit integer, found the number 1.5/],
    [{ intValue: '9223372036854775808' }, /expected a 64-bit integer/],
    [{ doubleValue: 'one' }, /expected a number, found the string "one"/],
    [{ boolValue: 'true' }, /expected true or false/],
    [{ stringValue: 7 }, /expected a string, found the number 7/],
    [{ bytesValue: '***' }, /expected base64/],
    [{ arrayValue: { values: 'x' } }, /expected a list/],
    ['text', /expected \{ stringValue: … \}/],
  ];
  for (const [value, message] of cases) {
    const { spans, rejections } = valueFrom(value);
    assert.equal(spans.length, 0);
    assert.match(rejections[0]!.message, message);
    assert.match(
      rejections[0]!.where!,
      /^resourceSpans\[0\]\.scopeSpans\[0\]\.spans\[0\]\.attributes\[0\]\.value/,
    );
  }
});

test('kinds spelt out as null do not count', () => {
  assert.deepEqual(valueFrom({ stringValue: null, intValue: '7' }).spans[0]!.attributes, { v: 7 });
});

test('nesting is bounded', () => {
  let text = '{"stringValue":"x"}';
  for (let i = 0; i < 10_000; i++) text = `{"arrayValue":{"values":[${text}]}}`;
  const body = JSON.stringify(requestOf({ ...GOOD, attributes: [{ key: 'v', value: '@' }] })).replace(
    '"@"',
    text,
  );
  assert.equal(traces(body).rejections[0]!.code, 'limit-exceeded');
});

test('a body that is not OTLP/JSON says what was expected', () => {
  assert.match(problem('{"resourceSpans": [').where!, /^line 1, column/);
  assert.match(problem(Buffer.from([0xff, 0xfe])).message, /UTF-8/);
  assert.match(problem('[]').message, /expected an object with resourceSpans/);
  assert.match(problem('{"resource_spans":[]}').message, /found "resource_spans"/);
  assert.match(problem('{"resourceSpans":[7]}').where!, /^resourceSpans\[0\]$/);
  assert.deepEqual(traces('{}'), { spans: [], rejectedSpans: 0, rejections: [] });
});

test('a base64 id is told to be hex', () => {
  const { rejections } = traces(requestOf({ ...GOOD, spanId: 't61rcWkgMzE=' }));
  assert.match(rejections[0]!.message, /16 hex digits \(OTLP\/JSON ids are hex, not base64\)/);
});

function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
