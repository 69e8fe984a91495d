// Keeps a raw span to a bounded size: the largest attributes go first, and the span says how many went. Pure.
import type { JsonObject } from '../step/types.ts';
import type { Span } from './types.ts';

/** Attribute of a span that was cut: how many attributes and events are not there any more. */
export const LEFT_OUT = 'interlock.left_out';

export function boundedSpan(span: Span, charactersMax: number): Span {
  const excess = JSON.stringify(span).length - charactersMax;
  if (excess <= 0) return span;
  const attributes = withoutLargest(span.attributes, excess);
  const cut = { ...span, attributes: marked(attributes, span.attributes, 0) };
  if (JSON.stringify(cut).length <= charactersMax) return cut;
  const bare = { ...span, name: span.name.slice(0, 200), events: [], resource: {}, attributes: {} };
  return { ...bare, attributes: marked({}, span.attributes, span.events.length) };
}

function withoutLargest(attributes: JsonObject, excess: number): JsonObject {
  const sized = Object.entries(attributes).map(
    ([key, value]) => [key, JSON.stringify(value).length] as const,
  );
  sized.sort((a, b) => b[1] - a[1]);
  const dropped = new Set<string>();
  // The mark itself takes some room.
  let over = excess + LEFT_OUT.length + 20;
  for (const [key, size] of sized) {
    if (over <= 0) break;
    dropped.add(key);
    over -= size;
  }
  return Object.fromEntries(Object.entries(attributes).filter(([key]) => !dropped.has(key)));
}

function marked(kept: JsonObject, before: JsonObject, events: number): JsonObject {
  return { ...kept, [LEFT_OUT]: Object.keys(before).length - Object.keys(kept).length + events };
}
