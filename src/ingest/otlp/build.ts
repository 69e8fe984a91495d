// A span once its fields are read: what the standard requires of it is checked here, the same for both encodings.
import type { Span } from '../../engine/types.ts';
import type { JsonObject } from '../../step/types.ts';
import { malformed } from './fault.ts';
import { type Fillable, setAttribute } from './values.ts';

/**
 * What OTLP says of a span and `Span` has no field for, kept as attributes under the names the OpenTelemetry
 * specification gives them for formats without such fields (trace/sdk_exporters/non-otlp).
 */
export const DROPPED_ATTRIBUTES = 'otel.dropped_attributes_count';
export const DROPPED_EVENTS = 'otel.dropped_events_count';
export const DROPPED_LINKS = 'otel.dropped_links_count';
export const TRACE_STATE = 'w3c.tracestate';
/** A list of `{ traceId, spanId, attributes }`. */
export const LINKS = 'otel.links';

export interface SpanLink {
  readonly traceId: string;
  readonly spanId: string;
  readonly attributes: JsonObject;
}

export interface SpanParts {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | null;
  readonly name: string;
  readonly kind: number;
  readonly startNs: string;
  readonly endNs: string;
  readonly status: Span['status'];
  readonly attributes: Fillable;
  readonly events: Span['events'];
  readonly resource: JsonObject;
  readonly scope: Span['scope'];
  readonly links: readonly SpanLink[];
  readonly traceState: string;
  readonly droppedAttributes: number;
  readonly droppedEvents: number;
  readonly droppedLinks: number;
}

export function buildSpan(parts: SpanParts): Span {
  if (parts.startNs === '0') throw malformed('expected a time above 0', 'startTimeUnixNano');
  const { attributes } = parts;
  if (parts.links.length > 0) {
    setAttribute(
      attributes,
      LINKS,
      parts.links.map((link) => ({ ...link })),
    );
  }
  if (parts.traceState !== '') setAttribute(attributes, TRACE_STATE, parts.traceState);
  if (parts.droppedAttributes > 0) setAttribute(attributes, DROPPED_ATTRIBUTES, parts.droppedAttributes);
  if (parts.droppedEvents > 0) setAttribute(attributes, DROPPED_EVENTS, parts.droppedEvents);
  if (parts.droppedLinks > 0) setAttribute(attributes, DROPPED_LINKS, parts.droppedLinks);
  return {
    traceId: parts.traceId,
    spanId: parts.spanId,
    parentSpanId: parts.parentSpanId,
    name: parts.name,
    kind: parts.kind,
    startNs: parts.startNs,
    endNs: parts.endNs,
    status: parts.status,
    attributes,
    events: parts.events,
    resource: parts.resource,
    scope: parts.scope,
    dialect: 'none',
  };
}
