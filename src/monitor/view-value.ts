// Between steps' JSON and the values expressions see: a step's time is a CEL timestamp, everything else is its JSON. Pure.
import { celAbsent, Timestamp, type Value } from '../spec/cel/value.ts';
import type { Json } from '../step/types.ts';

export function absent(what: string): Value {
  return celAbsent(`this step has no ${what}`);
}

export function timestampOf(ms: number): Value {
  return Timestamp.fromMillis(ms);
}

/** A remembered step for saving: its timestamp as milliseconds. */
export function timeOf(kept: Value): Value {
  if (!hasTime(kept)) return kept;
  const { time } = kept as { time: Value };
  return time instanceof Timestamp
    ? ({ ...(kept as object), time: time.toMillis() } as unknown as Value)
    : kept;
}

/** The reverse of `timeOf`. */
export function stepTime(kept: Value): Value {
  if (!hasTime(kept)) return kept;
  const { time } = kept as { time: Value };
  return typeof time === 'number'
    ? ({ ...(kept as object), time: timestampOf(time) } as unknown as Value)
    : kept;
}

function hasTime(kept: Value): boolean {
  return typeof kept === 'object' && kept !== null && !Array.isArray(kept) && Object.hasOwn(kept, 'time');
}

/** A CEL value as JSON: what a transform writes into arguments. */
export function toJsonValue(value: Value): Json {
  if (typeof value === 'bigint') return Number(value);
  if (value === null || typeof value === 'boolean' || typeof value === 'number' || typeof value === 'string')
    return value;
  if (Array.isArray(value)) return value.map((item) => toJsonValue(item as Value));
  if (value instanceof Map) {
    return Object.fromEntries([...value].map(([key, item]) => [String(key), toJsonValue(item as Value)]));
  }
  if (value instanceof Timestamp) return value.toString();
  if (Object.getPrototypeOf(value) === Object.prototype) {
    return Object.fromEntries(
      Object.entries(value as object).map(([key, item]) => [key, toJsonValue(item as Value)]),
    );
  }
  return String(value);
}
