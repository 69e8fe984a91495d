// OTLP/JSON to spans: protobuf's JSON mapping with hex ids and enums as numbers (names are read too).
// Unknown keys are passed over, as the standard asks; everything of ours has the shape the protobuf reader gives.
import { isUtf8 } from 'node:buffer';
import type { Span } from '../../engine/types.ts';
import { describe, parseJsonText } from '../../step/json.ts';
import type { Json, JsonObject } from '../../step/types.ts';
import { buildSpan, type SpanLink } from './build.ts';
import { type Collector, collector, spanPlace } from './collect.ts';
import { malformed, OtlpFault, problemOf, refuseMore } from './fault.ts';
import { idOfText, isNoId, SPAN_ID_BYTES, TRACE_ID_BYTES } from './ids.ts';
import {
  InexactNumber,
  isRecord,
  type JsonRecord,
  parseExactly,
  readCount,
  readList,
  readNs,
  readText,
} from './json-fields.ts';
import { readAttributes } from './json-values.ts';
import { type DecodeResult, OTLP_LIMITS, type OtlpLimits } from './types.ts';

const SPAN_KINDS = ['UNSPECIFIED', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'].map(
  (name) => `SPAN_KIND_${name}`,
);
const STATUS_CODES = ['UNSET', 'OK', 'ERROR'].map((name) => `STATUS_CODE_${name}`);

/** Never throws: a body that is not OTLP/JSON is a problem, a span that is broken is counted and named. */
export function decodeTraceJson(body: Uint8Array, limits: OtlpLimits = OTLP_LIMITS): DecodeResult {
  if (!isUtf8(body)) return refused('expected UTF-8 (RFC 8259 section 8.1)');
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8');
  const parsed = parseJsonText(text);
  if (!parsed.ok) {
    const { line, column, expected, found } = parsed.problem;
    return refused(`expected ${expected}, found ${found}`, `line ${line}, column ${column}`);
  }
  try {
    try {
      return { ok: true, traces: readRequest(parsed.value, limits) };
    } catch (error) {
      // A 64-bit number that JSON.parse rounded: rare, so only then is the body parsed again, with such numbers as text.
      if (!(error instanceof InexactNumber)) throw error;
      return { ok: true, traces: readRequest(parseExactly(text), limits) };
    }
  } catch (error) {
    return { ok: false, problem: problemOf(error) };
  }
}

function refused(message: string, where?: string): DecodeResult {
  return { ok: false, problem: malformed(message, where).problem };
}

function readRequest(body: unknown, limits: OtlpLimits) {
  const spans = collector(limits);
  if (!isRecord(body)) throw malformed(`expected an object with resourceSpans, found ${describe(body)}`);
  if (body.resourceSpans === undefined && Object.keys(body).length > 0) {
    const found = Object.keys(body)
      .slice(0, 3)
      .map((key) => JSON.stringify(key.slice(0, 40)));
    throw new OtlpFault({
      code: 'malformed',
      message: `expected the key "resourceSpans", found ${found.join(', ')}`,
      mend: 'Keys of OTLP/JSON are lowerCamelCase; /v1/traces takes an ExportTraceServiceRequest.',
    });
  }
  readList(body.resourceSpans, 'resourceSpans').forEach((entry, index) => {
    readResourceSpans(entry, index, spans, limits);
  });
  return spans.done();
}

function readResourceSpans(entry: unknown, index: number, spans: Collector, limits: OtlpLimits): void {
  const at = `resourceSpans[${index}]`;
  if (!isRecord(entry)) throw malformed(`expected an object, found ${describe(entry)}`, at);
  const described = isRecord(entry.resource) ? entry.resource.attributes : undefined;
  const resource = readAttributes(described, `${at}.resource.attributes`, limits);
  readList(entry.scopeSpans, `${at}.scopeSpans`).forEach((group, scopeIndex) => {
    const where = `${at}.scopeSpans[${scopeIndex}]`;
    if (!isRecord(group)) throw malformed(`expected an object, found ${describe(group)}`, where);
    const scope = readScope(group.scope, `${where}.scope`);
    readList(group.spans, `${where}.spans`).forEach((raw, number) => {
      const place = () => spanPlace(index, scopeIndex, number);
      if (!spans.takesSpan(place)) return;
      try {
        spans.add(readSpan(raw, resource, scope, limits));
      } catch (error) {
        if (error instanceof InexactNumber) throw error;
        spans.reject(problemOf(error), place);
      }
    });
  });
}

function readScope(value: unknown, at: string): Span['scope'] {
  if (!isRecord(value)) return { name: '', version: '' };
  return { name: readText(value.name, `${at}.name`), version: readText(value.version, `${at}.version`) };
}

function readSpan(raw: unknown, resource: JsonObject, scope: Span['scope'], limits: OtlpLimits): Span {
  if (!isRecord(raw)) throw malformed(`expected an object, found ${describe(raw)}`);
  const parent = raw.parentSpanId;
  return buildSpan({
    traceId: idOfText(raw.traceId, TRACE_ID_BYTES, 'traceId'),
    spanId: idOfText(raw.spanId, SPAN_ID_BYTES, 'spanId'),
    parentSpanId: isNoId(parent) ? null : idOfText(parent, SPAN_ID_BYTES, 'parentSpanId'),
    name: readText(raw.name, 'name'),
    kind: readEnum(raw.kind, SPAN_KINDS, 'kind'),
    startNs: readNs(raw.startTimeUnixNano, 'startTimeUnixNano'),
    endNs: readNs(raw.endTimeUnixNano, 'endTimeUnixNano'),
    status: readStatus(raw.status),
    attributes: readAttributes(raw.attributes, 'attributes', limits),
    events: readMany(raw.events, 'events', limits, readEvent),
    resource,
    scope,
    links: readMany(raw.links, 'links', limits, readLink),
    traceState: readText(raw.traceState, 'traceState'),
    droppedAttributes: readCount(raw.droppedAttributesCount, 'droppedAttributesCount'),
    droppedEvents: readCount(raw.droppedEventsCount, 'droppedEventsCount'),
    droppedLinks: readCount(raw.droppedLinksCount, 'droppedLinksCount'),
  });
}

function readMany<T>(
  value: Json | undefined,
  at: string,
  limits: OtlpLimits,
  read: (item: JsonRecord, at: string, limits: OtlpLimits) => T,
): readonly T[] {
  return readList(value, at).map((item, index) => {
    refuseMore(index, limits.eventsMax, at);
    if (!isRecord(item)) throw malformed(`expected an object, found ${describe(item)}`, `${at}[${index}]`);
    return read(item, `${at}[${index}]`, limits);
  });
}

function readEvent(event: JsonRecord, at: string, limits: OtlpLimits): Span['events'][number] {
  return {
    name: readText(event.name, `${at}.name`),
    timeNs: readNs(event.timeUnixNano, `${at}.timeUnixNano`),
    attributes: readAttributes(event.attributes, `${at}.attributes`, limits),
  };
}

/** A link with bad ids is kept as it is: it names another span, and that one's door checks it. */
function readLink(link: JsonRecord, at: string, limits: OtlpLimits): SpanLink {
  return {
    traceId: readText(link.traceId, `${at}.traceId`).toLowerCase(),
    spanId: readText(link.spanId, `${at}.spanId`).toLowerCase(),
    attributes: readAttributes(link.attributes, `${at}.attributes`, limits),
  };
}

function readStatus(value: unknown): Span['status'] {
  if (!isRecord(value)) return { code: 0, message: '' };
  return {
    code: readEnum(value.code, STATUS_CODES, 'status.code'),
    message: readText(value.message, 'status.message'),
  };
}

/** A number, or its name: the standard allows only numbers, proto3's JSON mapping writes names. */
function readEnum(value: Json | undefined, names: readonly string[], at: string): number {
  if (value === undefined || value === null) return 0;
  if (typeof value === 'number' && Number.isInteger(value)) return value | 0;
  const index = typeof value === 'string' ? names.indexOf(value) : -1;
  if (index < 0)
    throw malformed(`expected a number or one of ${names.join(', ')}, found ${describe(value)}`, at);
  return index;
}
