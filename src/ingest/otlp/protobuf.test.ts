import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeByOracle, encodeRequest } from './oracle.fixture.ts';
import { decodeTraceRequest } from './protobuf.ts';
import { request } from './request.fixture.ts';
import { type DecodedTraces, OTLP_LIMITS } from './types.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';
const GOOD = { traceId: TRACE, spanId: SPAN, startTimeUnixNano: '1700000000000000001' };

function traces(bytes: Uint8Array, limits = {}): DecodedTraces {
  const decoded = decodeTraceRequest(bytes, { ...OTLP_LIMITS, ...limits });
  assert.ok(decoded.ok, JSON.stringify(decoded));
  return decoded.traces;
}
const requestOf = (...spans: object[]) => encodeRequest({ resourceSpans: [{ scopeSpans: [{ spans }] }] });
/** A length-delimited field. */
const field = (number: number, ...parts: Uint8Array[]) => {
  const body = Buffer.concat(parts);
  assert.ok(number < 16 && body.length < 128);
  return Buffer.from([(number << 3) | 2, body.length, ...body]);
};

test('reads what protobufjs reads, unknown fields and every kind of value included', () => {
  fc.assert(
    fc.property(request, (message) => {
      const bytes = encodeRequest(message);
      const decoded = traces(bytes);
      // Prototypes differ between the two ways; what is in them may not.
      assert.deepEqual(plain(decoded.spans), plain(decodeByOracle(bytes)));
      assert.equal(decoded.rejectedSpans, 0);
    }),
    { numRuns: 400 },
  );
});

test('a cut body is a problem or fewer spans, and never throws', () => {
  fc.assert(
    fc.property(request, fc.nat(), (message, seed) => {
      const bytes = encodeRequest(message);
      const whole = traces(bytes).spans.length;
      const decoded = decodeTraceRequest(bytes.subarray(0, seed % (bytes.length + 1)));
      if (decoded.ok) assert.ok(decoded.traces.spans.length <= whole);
      else assert.equal(decoded.problem.code, 'malformed');
    }),
    { numRuns: 400 },
  );
});

test('changed and random bytes never throw anything', () => {
  const flips = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(request, flips, (message, changes) => {
      const bytes = encodeRequest(message);
      for (const [at, byte] of changes) if (bytes.length > 0) bytes[at % bytes.length] = byte;
      decodeTraceRequest(bytes);
    }),
    { numRuns: 600 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      decodeTraceRequest(bytes);
    }),
    { numRuns: 1000 },
  );
});

test('an empty body is an empty request', () => {
  assert.deepEqual(traces(new Uint8Array()), { spans: [], rejectedSpans: 0, rejections: [] });
});

test('a broken frame says at which byte', () => {
  const decoded = decodeTraceRequest(Buffer.from([0x0a, 0x05, 0x00]));
  assert.ok(!decoded.ok);
  assert.match(decoded.problem.message, /byte 2 of the body: expected at most 1 more bytes/);
});

test('one bad span is counted and named, the others are kept', () => {
  const { spans, rejectedSpans, rejections } = traces(
    requestOf(GOOD, { ...GOOD, traceId: 'abcd' }, { ...GOOD, spanId: '0000000000000000' }, GOOD),
  );
  assert.equal(spans.length, 2);
  assert.equal(rejectedSpans, 2);
  assert.deepEqual(
    rejections.map(({ where, message }) => [where, message]),
    [
      ['resourceSpans[0].scopeSpans[0].spans[1].traceId', 'expected 16 bytes, found 2'],
      ['resourceSpans[0].scopeSpans[0].spans[2].spanId', 'expected an id that is not all zeros'],
    ],
  );
});

test('a span whose own bytes are broken does not take its neighbours with it', () => {
  const good = field(2, requestOf(GOOD).subarray(6));
  const broken = field(2, Buffer.from([0x4a, 0x7f, 0x01]));
  const { spans, rejections } = traces(field(1, field(2, good, broken, good)));
  assert.equal(spans.length, 2);
  assert.match(rejections[0]!.where!, /spans\[1\]$/);
  assert.match(rejections[0]!.message, /^byte \d+ of the body: expected at most/);
});

test('a parent of zeros is no parent; a start of zero is refused', () => {
  const { spans, rejections } = traces(
    requestOf({ ...GOOD, parentSpanId: '0000000000000000' }, { ...GOOD, startTimeUnixNano: '0' }),
  );
  assert.deepEqual(
    spans.map((span) => span.parentSpanId),
    [null],
  );
  assert.match(rejections[0]!.where!, /startTimeUnixNano$/);
});

test('fields come in any order: a resource after its spans is still theirs', () => {
  const spans = field(2, field(2, requestOf(GOOD).subarray(6)));
  const resource = field(1, field(1, field(1, Buffer.from('k')), field(2, field(1, Buffer.from('v')))));
  const decoded = traces(field(1, spans, resource));
  assert.deepEqual(
    decoded.spans.map((span) => span.resource),
    [{ k: 'v' }],
  );
});

test('unknown groups are passed over, endless ones refused', () => {
  const group = Buffer.from([0x0b, 0x10, 0x01, 0x13, 0x14, 0x0c]);
  assert.equal(traces(Buffer.concat([group, requestOf(GOOD)])).spans.length, 1);
  assert.ok(!decodeTraceRequest(Buffer.alloc(100_000, 0x0b)).ok);
});

test('a repeated key keeps its first value and loses none', () => {
  const attributes = ['first', 'second', 'third'].map((stringValue) => ({
    key: 'output.value',
    value: { stringValue },
  }));
  const [span] = traces(requestOf({ ...GOOD, attributes })).spans;
  assert.deepEqual(span!.attributes, {
    'output.value': 'first',
    'interlock.repeated_attributes': { 'output.value': ['second', 'third'] },
  });
});

test('links, trace state and dropped counts are kept as attributes', () => {
  const links = [{ traceId: TRACE, spanId: SPAN, attributes: [{ key: 'a', value: { intValue: '1' } }] }];
  const [span] = traces(
    requestOf({ ...GOOD, links, traceState: 'v=1', droppedAttributesCount: 3, droppedLinksCount: 4 }),
  ).spans;
  assert.deepEqual(span!.attributes, {
    'otel.links': [{ traceId: TRACE, spanId: SPAN, attributes: { a: 1 } }],
    'w3c.tracestate': 'v=1',
    'otel.dropped_attributes_count': 3,
    'otel.dropped_links_count': 4,
  });
});

test('limits refuse the span that breaks them and say how to mend it', () => {
  let deep: object = { stringValue: 'x' };
  for (let i = 0; i < 40; i++) deep = { arrayValue: { values: [deep] } };
  const many = Array.from({ length: 11 }, (_, i) => ({ key: `k${i}`, value: {} }));
  const { spans, rejections } = traces(
    requestOf(
      { ...GOOD, attributes: [{ key: 'deep', value: deep }] },
      { ...GOOD, attributes: many },
      { ...GOOD, events: many.map(() => ({ name: 'e' })) },
      GOOD,
      GOOD,
    ),
    { attributesMax: 10, eventsMax: 10, spansMax: 1 },
  );
  assert.equal(spans.length, 1);
  assert.deepEqual(
    rejections.map(({ code, message }) => [code, message]),
    [
      ['limit-exceeded', 'a value nested at most 32 levels deep'],
      ['limit-exceeded', 'at most 10 attributes'],
      ['limit-exceeded', 'at most 10 events'],
      ['limit-exceeded', 'a request may hold at most 1 spans'],
    ],
  );
});

test('of many refusals the first few are told and all are counted', () => {
  const bad = Array.from({ length: 100 }, () => ({ ...GOOD, traceId: '00' }));
  const { rejectedSpans, rejections } = traces(requestOf(...bad));
  assert.equal(rejectedSpans, 100);
  assert.equal(rejections.length, 8);
});

function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
