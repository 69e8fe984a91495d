// Reads fields out of records nobody has checked. Pure; every reader answers undefined for what is not there.
import { parseExactJson } from '../../step/structure/json-exact.ts';
import type { JsonObject } from '../../step/types.ts';

export type Fields = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** Text of a message: a string, or content parts of which the text is joined and the rest is named, e.g. `[image]`. */
export function contentText(content: unknown): string | undefined {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return isObject(content) ? JSON.stringify(content) : undefined;
  const parts: string[] = [];
  for (const part of content as readonly unknown[]) {
    if (typeof part === 'string') parts.push(part);
    else if (isObject(part)) {
      const words = part.text ?? part.refusal ?? (part.type === undefined ? JSON.stringify(part) : undefined);
      parts.push(typeof words === 'string' ? words : `[${String(part.type)}]`);
    }
  }
  return parts.join('\n');
}

/** Arguments of a call, or null when they cannot be read in one way only: not an object, or with duplicate keys. */
export function callArguments(value: unknown): JsonObject | null {
  if (value === undefined || value === null || value === '') return {};
  const parsed = parseExactJson(typeof value === 'string' ? value : JSON.stringify(value));
  return isObject(parsed) ? (parsed as JsonObject) : null;
}

/** Raw text of arguments that could not be read. */
export function argumentsText(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}

/** Times of day without a zone are UTC, so that a replay does not depend on where it runs. */
const ISO_TIME = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(Z|[+-]\d\d:?\d\d)?$/;
/** Numbers below are seconds since the epoch, above milliseconds: 10^11 s is the year 5138. */
const SECONDS_MAX = 1e11;

/** Milliseconds since the epoch from an ISO 8601 time or a Unix time in seconds or milliseconds. */
export function timeMs(value: unknown): number | undefined {
  if (typeof value === 'number') {
    if (!Number.isFinite(value) || value <= 0) return undefined;
    return Math.trunc(value < SECONDS_MAX ? value * 1000 : value);
  }
  if (typeof value !== 'string' || value.length > 40) return undefined;
  const match = ISO_TIME.exec(value);
  if (match === null) return undefined;
  const ms = Date.parse(match[1] === undefined ? `${value}Z` : value);
  return Number.isNaN(ms) ? undefined : ms;
}

/** A record's other fields as plain JSON. */
export function otherFields(record: Fields, known: ReadonlySet<string>): JsonObject {
  return Object.fromEntries(Object.entries(record).filter(([key]) => !known.has(key))) as JsonObject;
}
