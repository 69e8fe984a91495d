// For tests only: arbitrary export requests in OTLP/JSON's shape, every kind of value, unknown fields anywhere.
import fc from 'fast-check';
import type { AnyValueMessage, KeyValueMessage } from './oracle.fixture.ts';

const text = fc.oneof(fc.string({ maxLength: 12 }), fc.string({ unit: 'grapheme', maxLength: 40 }));
const bytes = (size: { minLength: number; maxLength: number }) =>
  fc.uint8Array(size).map((value) => Buffer.from(value));
const id = (size: number) =>
  bytes({ minLength: size, maxLength: size })
    .filter((value) => value.some((byte) => byte !== 0))
    .map((value) => value.toString('hex'));
const nanoseconds = fc.oneof(
  fc.bigInt({ min: 1n, max: (1n << 64n) - 1n }),
  fc.bigInt({ min: 1_700_000_000_000_000_000n, max: 1_800_000_000_000_000_000n }),
);
const int64 = fc.oneof(
  fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }),
  fc.bigInt({ min: -200n, max: 200n }),
);

interface Unknown {
  a?: string;
  b?: number;
  c?: string;
  d?: number;
  e?: Unknown;
}
const { unknown } = fc.letrec<{ unknown: Unknown }>((tie) => ({
  unknown: fc.record(
    {
      a: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }).map(String),
      b: fc.double(),
      c: bytes({ minLength: 0, maxLength: 200 }).map((value) => value.toString('base64')),
      d: fc.integer({ min: 0, max: 0xffff_ffff }),
      e: tie('unknown') as fc.Arbitrary<Unknown>,
    },
    { requiredKeys: [] },
  ),
}));
const unknownField = fc.option(unknown, { nil: undefined });

const { value } = fc.letrec<{ value: AnyValueMessage; pairs: KeyValueMessage[] }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthIdentifier: 'value' },
    fc.constant({}),
    text.map((stringValue) => ({ stringValue })),
    fc.boolean().map((boolValue) => ({ boolValue })),
    int64.map((intValue) => ({ intValue: String(intValue) })),
    fc.double().map((doubleValue) => ({ doubleValue })),
    bytes({ minLength: 0, maxLength: 20 }).map((item) => ({ bytesValue: item.toString('base64') })),
    fc
      .array(tie('value') as fc.Arbitrary<AnyValueMessage>, { maxLength: 4, depthIdentifier: 'value' })
      .map((values) => ({ arrayValue: { values } })),
    (tie('pairs') as fc.Arbitrary<KeyValueMessage[]>).map((values) => ({ kvlistValue: { values } })),
  ),
  pairs: fc.uniqueArray(
    fc.record({
      key: fc.oneof(text, fc.constantFrom('gen_ai.tool.name', '__proto__', 'constructor')),
      value: tie('value') as fc.Arbitrary<AnyValueMessage>,
    }),
    { selector: (pair) => pair.key, maxLength: 5, depthIdentifier: 'value' },
  ),
}));
const attributes = fc.uniqueArray(fc.record({ key: text, value, unknown: unknownField }), {
  selector: (pair) => pair.key,
  maxLength: 6,
});

const event = fc.record(
  { timeUnixNano: nanoseconds.map(String), name: text, attributes, unknown: unknownField },
  { requiredKeys: [] },
);
export const span = fc.record(
  {
    traceId: id(16),
    spanId: id(8),
    parentSpanId: id(8),
    name: text,
    kind: fc.integer({ min: 0, max: 5 }),
    startTimeUnixNano: nanoseconds.map(String),
    endTimeUnixNano: nanoseconds.map(String),
    attributes,
    events: fc.array(event, { maxLength: 3 }),
    status: fc.record({ code: fc.integer({ min: 0, max: 2 }), message: text }, { requiredKeys: [] }),
    flags: fc.integer({ min: 0, max: 0xffff_ffff }),
    unknown: unknownField,
  },
  { requiredKeys: ['traceId', 'spanId', 'startTimeUnixNano'] },
);
const scopeSpans = fc.record({
  scope: fc.record({ name: text, version: text, unknown: unknownField }),
  spans: fc.array(span, { maxLength: 4 }),
  unknown: unknownField,
});
export const request = fc.record({
  resourceSpans: fc.array(
    fc.record({
      resource: fc.record({ attributes, unknown: unknownField }),
      scopeSpans: fc.array(scopeSpans, { maxLength: 3 }),
      schemaUrl: text,
    }),
    { maxLength: 3 },
  ),
  unknown: unknownField,
});
