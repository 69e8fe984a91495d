// For tests and benchmarks only: the OTLP trace messages as a protobufjs schema, transcribed from opentelemetry-proto,
// and the plain, slow way from decoded messages to spans that the hand-written reader is held against.
import protobuf from 'protobufjs';
import type { Span } from '../../engine/types.ts';
import type { Json } from '../../step/types.ts';

const SCHEMA = `
syntax = "proto3";
message Request { repeated ResourceSpans resource_spans = 1; Unknown unknown = 900; }
message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; string schema_url = 3; Unknown unknown = 900; }
message Resource { repeated KeyValue attributes = 1; uint32 dropped_attributes_count = 2; Unknown unknown = 900; }
message ScopeSpans { Scope scope = 1; repeated Span spans = 2; string schema_url = 3; Unknown unknown = 900; }
message Scope { string name = 1; string version = 2; repeated KeyValue attributes = 3; Unknown unknown = 900; }
message Span {
  bytes trace_id = 1; bytes span_id = 2; string trace_state = 3; bytes parent_span_id = 4; string name = 5;
  int32 kind = 6; fixed64 start_time_unix_nano = 7; fixed64 end_time_unix_nano = 8;
  repeated KeyValue attributes = 9; uint32 dropped_attributes_count = 10;
  repeated Event events = 11; uint32 dropped_events_count = 12;
  repeated Link links = 13; uint32 dropped_links_count = 14; Status status = 15; fixed32 flags = 16;
  Unknown unknown = 900;
}
message Event { fixed64 time_unix_nano = 1; string name = 2; repeated KeyValue attributes = 3; Unknown unknown = 900; }
message Link { bytes trace_id = 1; bytes span_id = 2; string trace_state = 3; repeated KeyValue attributes = 4; }
message Status { string message = 2; int32 code = 3; Unknown unknown = 900; }
message KeyValue { string key = 1; AnyValue value = 2; Unknown unknown = 900; }
message AnyValue {
  oneof value {
    string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4;
    ArrayValue array_value = 5; KeyValueList kvlist_value = 6; bytes bytes_value = 7;
  }
  Unknown unknown = 900;
}
message ArrayValue { repeated AnyValue values = 1; }
message KeyValueList { repeated KeyValue values = 1; }
message Unknown { uint64 a = 1; double b = 2; bytes c = 3; fixed32 d = 4; Unknown e = 5; }
message Response { PartialSuccess partial_success = 1; }
message PartialSuccess { int64 rejected_spans = 1; string error_message = 2; }
message RpcStatus { int32 code = 1; string message = 2; }
`;

const { root } = protobuf.parse(SCHEMA, { keepCase: false });
export const RequestType = root.lookupType('Request');
export const ResponseType = root.lookupType('Response');
export const RpcStatusType = root.lookupType('RpcStatus');

export interface AnyValueMessage {
  stringValue?: string;
  boolValue?: boolean;
  /** Decimal. */
  intValue?: string;
  doubleValue?: number;
  arrayValue?: { values?: AnyValueMessage[] };
  kvlistValue?: { values?: KeyValueMessage[] };
  /** Base64. */
  bytesValue?: string;
}
export interface KeyValueMessage {
  key?: string;
  value?: AnyValueMessage;
}
export interface SpanMessage {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name?: string;
  kind?: number;
  startTimeUnixNano: string;
  endTimeUnixNano?: string;
  attributes?: KeyValueMessage[];
  events?: { timeUnixNano?: string; name?: string; attributes?: KeyValueMessage[] }[];
  status?: { message?: string; code?: number };
}
export interface RequestMessage {
  resourceSpans?: {
    resource?: { attributes?: KeyValueMessage[] };
    scopeSpans?: { scope?: { name?: string; version?: string }; spans?: SpanMessage[] }[];
  }[];
}

/** A request in OTLP/JSON's shape (hex ids) to protobuf. */
export function encodeRequest(message: unknown): Buffer {
  return Buffer.from(RequestType.encode(RequestType.fromObject(withBase64Ids(message) as object)).finish());
}

export function decodeByOracle(bytes: Uint8Array): Span[] {
  const options = { longs: String, bytes: String, defaults: false };
  return flatten(withHexIds(RequestType.toObject(RequestType.decode(bytes), options)) as RequestMessage);
}

const ID_KEYS = ['traceId', 'spanId', 'parentSpanId'];
const withBase64Ids = (value: unknown) => convertIds(value, 'hex', 'base64');
const withHexIds = (value: unknown) => convertIds(value, 'base64', 'hex');

function convertIds(value: unknown, from: BufferEncoding, to: BufferEncoding): unknown {
  if (Array.isArray(value)) return value.map((item) => convertIds(item, from, to));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, item]) => [
    key,
    ID_KEYS.includes(key) && typeof item === 'string'
      ? Buffer.from(item, from).toString(to)
      : convertIds(item, from, to),
  ]);
  return Object.fromEntries(entries);
}

/** From messages to spans, by the definitions and without any shortcut. */
function flatten({ resourceSpans = [] }: RequestMessage): Span[] {
  return resourceSpans.flatMap(({ resource, scopeSpans = [] }) =>
    scopeSpans.flatMap(({ scope, spans = [] }) =>
      spans.map((span) => ({
        traceId: span.traceId,
        spanId: span.spanId,
        parentSpanId: span.parentSpanId || null,
        name: span.name ?? '',
        kind: span.kind ?? 0,
        startNs: span.startTimeUnixNano,
        endNs: span.endTimeUnixNano ?? '0',
        status: { code: span.status?.code ?? 0, message: span.status?.message ?? '' },
        attributes: attributesOf(span.attributes),
        events: (span.events ?? []).map((event) => ({
          name: event.name ?? '',
          timeNs: event.timeUnixNano ?? '0',
          attributes: attributesOf(event.attributes),
        })),
        resource: attributesOf(resource?.attributes),
        scope: { name: scope?.name ?? '', version: scope?.version ?? '' },
        dialect: 'none',
      })),
    ),
  );
}

function attributesOf(list: KeyValueMessage[] = []): Record<string, Json> {
  return Object.fromEntries(list.map(({ key, value }) => [key ?? '', valueFrom(value)]));
}

function valueFrom(value: AnyValueMessage = {}): Json {
  if (value.stringValue !== undefined) return value.stringValue;
  if (value.boolValue !== undefined) return value.boolValue;
  if (value.intValue !== undefined) {
    return Number.isSafeInteger(Number(value.intValue)) ? Number(value.intValue) : value.intValue;
  }
  if (value.doubleValue !== undefined) {
    return Number.isFinite(Number(value.doubleValue)) ? Number(value.doubleValue) : String(value.doubleValue);
  }
  if (value.arrayValue !== undefined) return (value.arrayValue.values ?? []).map(valueFrom);
  if (value.kvlistValue !== undefined) return attributesOf(value.kvlistValue.values);
  return value.bytesValue === undefined ? null : { $bytes: value.bytesValue };
}
