// ExportTraceServiceRequest in protobuf (opentelemetry/proto/collector/trace/v1) to spans in one pass, no schema library.
// Cases are tags, `field number << 3 | wire type`; a field of another type or number is passed over, as protobuf asks.
import type { Span } from '../../engine/types.ts';
import type { Json } from '../../step/types.ts';
import { buildSpan, type SpanLink } from './build.ts';
import { type Collector, collector, spanPlace } from './collect.ts';
import { problemOf, refuseDeeper, refuseMore } from './fault.ts';
import { idOfHex, isNoId, SPAN_ID_BYTES, TRACE_ID_BYTES } from './ids.ts';
import { type DecodeResult, OTLP_LIMITS, type OtlpLimits } from './types.ts';
import { bytesValue, doubleValue, type Fillable, int64Value, nanoseconds, setAttribute } from './values.ts';
import {
  readBytes,
  readDouble,
  readEnd,
  readFixed64,
  readKey,
  readString,
  readTag,
  readVarint,
  skipField,
  type WireReader,
  wireReader,
} from './wire.ts';

interface Decoding {
  readonly reader: WireReader;
  readonly limits: OtlpLimits;
  readonly spans: Collector;
}
type Event = Span['events'][number];
/** Shared by the spans under it, and filled when it is met: protobuf fields come in any order. */
interface Scope {
  name: string;
  version: string;
}

const NO_EVENTS: Span['events'] = [];
const NO_LINKS: readonly SpanLink[] = [];
const STATUS_UNSET: Span['status'] = { code: 0, message: '' };

/** Never throws: a body whose frame is broken is a problem, a span that is broken is counted and named. */
export function decodeTraceRequest(bytes: Uint8Array, limits: OtlpLimits = OTLP_LIMITS): DecodeResult {
  const decoding: Decoding = { reader: wireReader(bytes), limits, spans: collector(limits) };
  try {
    readRequest(decoding, bytes.length);
  } catch (error) {
    return { ok: false, problem: problemOf(error) };
  }
  return { ok: true, traces: decoding.spans.done() };
}

function readRequest(decoding: Decoding, end: number): void {
  const { reader } = decoding;
  for (let resources = 0; reader.at < end; ) {
    const tag = readTag(reader, end);
    if (tag === 10) readResourceSpans(decoding, readEnd(reader, end), resources++);
    else skipField(reader, tag, end);
  }
}

function readResourceSpans(decoding: Decoding, end: number, index: number): void {
  const { reader } = decoding;
  const resource: Fillable = {};
  for (let scopes = 0; reader.at < end; ) {
    const tag = readTag(reader, end);
    if (tag === 10) readResource(decoding, readEnd(reader, end), resource);
    else if (tag === 18) readScopeSpans(decoding, readEnd(reader, end), resource, index, scopes++);
    else skipField(reader, tag, end);
  }
}

function readResource(decoding: Decoding, end: number, resource: Fillable): void {
  const { reader } = decoding;
  for (let count = 0; reader.at < end; ) {
    const tag = readTag(reader, end);
    if (tag === 10) readKeyValue(decoding, readEnd(reader, end), resource, count++);
    else skipField(reader, tag, end);
  }
}

function readScopeSpans(
  decoding: Decoding,
  end: number,
  resource: Fillable,
  resourceIndex: number,
  scopeIndex: number,
): void {
  const { reader, spans } = decoding;
  const scope: Scope = { name: '', version: '' };
  for (let index = 0; reader.at < end; ) {
    const tag = readTag(reader, end);
    if (tag === 10) readScope(reader, readEnd(reader, end), scope);
    else if (tag === 18) {
      const spanEnd = readEnd(reader, end);
      const number = index++;
      const where = () => spanPlace(resourceIndex, scopeIndex, number);
      if (spans.takesSpan(where)) {
        try {
          spans.add(readSpan(decoding, spanEnd, resource, scope));
        } catch (error) {
          spans.reject(problemOf(error), where);
        }
      }
      reader.at = spanEnd;
    } else skipField(reader, tag, end);
  }
}

function readScope(reader: WireReader, end: number, scope: Scope): void {
  while (reader.at < end) {
    const tag = readTag(reader, end);
    if (tag === 10) scope.name = readString(reader, end);
    else if (tag === 18) scope.version = readString(reader, end);
    else skipField(reader, tag, end);
  }
}

function readSpan(decoding: Decoding, end: number, resource: Fillable, scope: Scope): Span {
  const { reader, limits } = decoding;
  let traceId = '';
  let spanId = '';
  let parent = '';
  let name = '';
  let traceState = '';
  let kind = 0;
  let startNs = '0';
  let endNs = '0';
  let status = STATUS_UNSET;
  const attributes: Fillable = {};
  let attributeCount = 0;
  let events: Event[] | null = null;
  let links: SpanLink[] | null = null;
  let droppedAttributes = 0;
  let droppedEvents = 0;
  let droppedLinks = 0;
  while (reader.at < end) {
    const tag = readTag(reader, end);
    switch (tag) {
      case 10:
        traceId = readBytes(reader, end, 'hex');
        break;
      case 18:
        spanId = readBytes(reader, end, 'hex');
        break;
      case 26:
        traceState = readString(reader, end);
        break;
      case 34:
        parent = readBytes(reader, end, 'hex');
        break;
      case 42:
        name = readKey(reader, end);
        break;
      case 48:
        kind = readEnum(reader, end);
        break;
      case 57:
        startNs = readNanoseconds(reader, end);
        break;
      case 65:
        endNs = readNanoseconds(reader, end);
        break;
      case 74:
        readKeyValue(decoding, readEnd(reader, end), attributes, attributeCount++);
        break;
      case 80:
        droppedAttributes = readCount(reader, end);
        break;
      case 90:
        events ??= [];
        refuseMore(events.length, limits.eventsMax, 'events');
        events.push(readEvent(decoding, readEnd(reader, end)));
        break;
      case 96:
        droppedEvents = readCount(reader, end);
        break;
      case 106:
        links ??= [];
        refuseMore(links.length, limits.eventsMax, 'links');
        links.push(readLink(decoding, readEnd(reader, end)));
        break;
      case 112:
        droppedLinks = readCount(reader, end);
        break;
      case 122:
        status = readStatus(reader, readEnd(reader, end), status);
        break;
      default:
        skipField(reader, tag, end);
    }
  }
  return buildSpan({
    traceId: idOfHex(traceId, TRACE_ID_BYTES, 'traceId'),
    spanId: idOfHex(spanId, SPAN_ID_BYTES, 'spanId'),
    parentSpanId: isNoId(parent) ? null : idOfHex(parent, SPAN_ID_BYTES, 'parentSpanId'),
    name,
    kind,
    startNs,
    endNs,
    status,
    attributes,
    events: events ?? NO_EVENTS,
    resource,
    scope,
    links: links ?? NO_LINKS,
    traceState,
    droppedAttributes,
    droppedEvents,
    droppedLinks,
  });
}

function readEvent(decoding: Decoding, end: number): Event {
  const { reader } = decoding;
  let timeNs = '0';
  let name = '';
  const attributes: Fillable = {};
  for (let count = 0; reader.at < end; ) {
    const tag = readTag(reader, end);
    if (tag === 9) timeNs = readNanoseconds(reader, end);
    else if (tag === 18) name = readKey(reader, end);
    else if (tag === 26) readKeyValue(decoding, readEnd(reader, end), attributes, count++);
    else skipField(reader, tag, end);
  }
  return { name, timeNs, attributes };
}

/** A link with bad ids is kept as it is: it names another span, and that one's door checks it. */
function readLink(decoding: Decoding, end: number): SpanLink {
  const { reader } = decoding;
  let traceId = '';
  let spanId = '';
  const attributes: Fillable = {};
  for (let count = 0; reader.at < end; ) {
    const tag = readTag(reader, end);
    if (tag === 10) traceId = readBytes(reader, end, 'hex');
    else if (tag === 18) spanId = readBytes(reader, end, 'hex');
    else if (tag === 34) readKeyValue(decoding, readEnd(reader, end), attributes, count++);
    else skipField(reader, tag, end);
  }
  return { traceId, spanId, attributes };
}

function readStatus(reader: WireReader, end: number, before: Span['status']): Span['status'] {
  let { code, message } = before;
  while (reader.at < end) {
    const tag = readTag(reader, end);
    if (tag === 18) message = readString(reader, end);
    else if (tag === 24) code = readEnum(reader, end);
    else skipField(reader, tag, end);
  }
  return { code, message };
}

function readKeyValue(decoding: Decoding, end: number, into: Fillable, count: number, depth = 0): void {
  refuseMore(count, decoding.limits.attributesMax, 'attributes');
  const { reader } = decoding;
  let key = '';
  let value: Json = null;
  while (reader.at < end) {
    const tag = readTag(reader, end);
    if (tag === 10) key = readKey(reader, end);
    else if (tag === 18) value = readAnyValue(decoding, readEnd(reader, end), depth);
    else skipField(reader, tag, end);
  }
  setAttribute(into, key, value);
}

/** One of seven kinds; of several the last counts, as in any protobuf oneof; of none the value is null. */
function readAnyValue(decoding: Decoding, end: number, depth: number): Json {
  const { reader } = decoding;
  let value: Json = null;
  while (reader.at < end) {
    const tag = readTag(reader, end);
    switch (tag) {
      case 10:
        value = readString(reader, end);
        break;
      case 16:
        readVarint(reader, end);
        value = reader.low !== 0 || reader.high !== 0;
        break;
      case 24:
        readVarint(reader, end);
        value = int64Value(reader.low, reader.high);
        break;
      case 33:
        value = doubleValue(readDouble(reader, end));
        break;
      case 42:
        value = readArray(decoding, readEnd(reader, end), depth + 1);
        break;
      case 50:
        value = readMap(decoding, readEnd(reader, end), depth + 1);
        break;
      case 58:
        value = bytesValue(readBytes(reader, end, 'base64'));
        break;
      default:
        skipField(reader, tag, end);
    }
  }
  return value;
}

function readArray(decoding: Decoding, end: number, depth: number): Json {
  refuseDeeper(depth, decoding.limits.depthMax);
  const { reader } = decoding;
  const values: Json[] = [];
  while (reader.at < end) {
    const tag = readTag(reader, end);
    if (tag === 10) values.push(readAnyValue(decoding, readEnd(reader, end), depth));
    else skipField(reader, tag, end);
  }
  return values;
}

function readMap(decoding: Decoding, end: number, depth: number): Json {
  refuseDeeper(depth, decoding.limits.depthMax);
  const { reader } = decoding;
  const map: Fillable = {};
  for (let count = 0; reader.at < end; ) {
    const tag = readTag(reader, end);
    if (tag === 10) readKeyValue(decoding, readEnd(reader, end), map, count++, depth);
    else skipField(reader, tag, end);
  }
  return map;
}

function readNanoseconds(reader: WireReader, end: number): string {
  readFixed64(reader, end);
  return nanoseconds(reader.low, reader.high);
}

/** An enum is an int32 on the wire; values the standard does not name are kept. */
function readEnum(reader: WireReader, end: number): number {
  readVarint(reader, end);
  return reader.low | 0;
}

function readCount(reader: WireReader, end: number): number {
  readVarint(reader, end);
  return reader.low >>> 0;
}
