// OTLP values as JSON, by the same rules for both encodings. Pure.
// What JSON numbers cannot carry becomes text, so that nothing is rounded; what JSON has no type for gets a marker.
import type { Json } from '../../step/types.ts';

/** An attribute map while it is being filled. */
export type Fillable = Record<string, Json>;

/**
 * Keys are unique by the standard (common/attribute-collections) but not in the wild. The first value stays under its
 * key; later ones are kept as a list under this attribute, by key.
 */
export const REPEATED_ATTRIBUTES = 'interlock.repeated_attributes';

/** Bytes as an object with this one key and standard base64 as its value. */
export const BYTES_MARKER = '$bytes';

export function setAttribute(into: Fillable, key: string, value: Json): void {
  if (into[key] !== undefined && Object.hasOwn(into, key)) keepRepeated(into, key, value);
  else define(into, key, value);
}

/** Assignment to `__proto__` would set the prototype: define it, as JSON.parse does. */
export function define(into: Fillable, key: string, value: Json): void {
  if (key === '__proto__') {
    Object.defineProperty(into, key, { value, enumerable: true, writable: true, configurable: true });
  } else into[key] = value;
}

function keepRepeated(into: Fillable, key: string, value: Json): void {
  const before = into[REPEATED_ATTRIBUTES];
  const repeated: Fillable =
    typeof before === 'object' && before !== null && !Array.isArray(before) ? (before as Fillable) : {};
  const list = Object.hasOwn(repeated, key) ? repeated[key] : undefined;
  if (Array.isArray(list)) (list as Json[]).push(value);
  else define(repeated, key, [value]);
  into[REPEATED_ATTRIBUTES] = repeated;
}

export function bytesValue(base64: string): Json {
  return { [BYTES_MARKER]: base64 };
}

/** A 64-bit integer from its halves: a number when a double holds it exactly, else decimal text. */
export function int64Value(low: number, high: number): Json {
  const value = (high | 0) * 4_294_967_296 + (low >>> 0);
  if (Number.isSafeInteger(value)) return value;
  return String(BigInt.asIntN(64, (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)));
}

/** A double; NaN and the infinities as text, as in the JSON mapping of protobuf. */
export function doubleValue(value: number): Json {
  return Number.isFinite(value) ? value : String(value);
}

const BILLION = 1_000_000_000;

/** An unsigned 64-bit count of nanoseconds in decimal, without BigInt: this runs twice a span. */
export function nanoseconds(low: number, high: number): string {
  const top = high >>> 16;
  const middle = high & 0xffff;
  // 2^48 = 281,474 × 10^9 + 976,710,656 and 2^32 = 4 × 10^9 + 294,967,296.
  const rest = top * 976_710_656 + middle * 294_967_296 + (low >>> 0);
  const seconds = top * 281_474 + middle * 4 + Math.floor(rest / BILLION);
  if (seconds === 0) return String(rest % BILLION);
  return `${seconds}${String(rest % BILLION).padStart(9, '0')}`;
}
