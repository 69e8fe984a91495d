// CEL equality: numbers of any kind by value, lists and maps by content, different kinds unequal. Pure.
import {
  CelError,
  type CelObject,
  CelType,
  CelUint,
  Duration,
  isCelObject,
  Timestamp,
  type Value,
} from './value.ts';

/** True or false; an error only when one of the operands is one. Depth is bounded by the steps' own depth limit. */
export function celEquals(a: Value, b: Value): boolean {
  if (a === b) return true;
  if (typeof a === 'number' || typeof a === 'bigint' || a instanceof CelUint) {
    if (typeof b !== 'number' && typeof b !== 'bigint' && !(b instanceof CelUint)) return false;
    // Loose equality compares a bigint with a double by mathematical value (ECMA-262 IsLooselyEqual).
    // biome-ignore lint/suspicious/noDoubleEquals: see above
    return plain(a) == plain(b);
  }
  if (a === null || b === null || typeof a !== 'object' || typeof b !== 'object') return false;
  if (Array.isArray(a))
    return (
      Array.isArray(b) &&
      a.length === b.length &&
      a.every((item, i) => celEquals(item as Value, b[i] as Value))
    );
  if (a instanceof Uint8Array)
    return b instanceof Uint8Array && a.length === b.length && a.every((byte, i) => byte === b[i]);
  if (a instanceof Timestamp) return b instanceof Timestamp && a.nanos === b.nanos;
  if (a instanceof Duration) return b instanceof Duration && a.nanos === b.nanos;
  if (a instanceof CelType) return b instanceof CelType && a.name === b.name;
  if (a instanceof CelError || b instanceof CelError) return false;
  const left = entriesOf(a);
  const right = entriesOf(b);
  if (left === null || right === null || left.length !== right.length) return false;
  return left.every(([key, value]) => {
    const other = mapGet(b, key);
    return other !== undefined && celEquals(value, other);
  });
}

function plain(value: number | bigint | CelUint): number | bigint {
  return value instanceof CelUint ? value.value : value;
}

/** Whether a value has keys: CEL's maps, and JSON's objects. */
export function isCelMap(value: Value): value is ReadonlyMap<Value, Value> | CelObject {
  return value instanceof Map || isCelObject(value);
}

/** Entries of a map or object; null when the value is neither. */
export function entriesOf(value: Value): readonly (readonly [Value, Value])[] | null {
  if (value instanceof Map) return [...(value as Map<Value, Value>)];
  return isCelObject(value) ? Object.entries(value) : null;
}

/** The value under a key, numbers matching across kinds; undefined when there is none. Own fields only. */
export function mapGet(map: Value, key: Value): Value | undefined {
  if (map instanceof Map) {
    const direct = (map as Map<Value, Value>).get(key);
    if (direct !== undefined || typeof key === 'string' || typeof key === 'boolean') return direct;
    for (const [other, value] of map as Map<Value, Value>) if (celEquals(other, key)) return value;
    return undefined;
  }
  return typeof key === 'string' && isCelObject(map) && Object.hasOwn(map, key) ? map[key] : undefined;
}
