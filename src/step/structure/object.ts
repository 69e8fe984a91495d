// Objects built key by key from text nobody vouches for. Pure.
import type { Json } from '../types.ts';

export type Fields = Record<string, Json>;

/** Adds a field as JSON.parse would; false when the key is there already, because two readers could pick differently. */
export function addField(fields: Fields, key: string, value: Json): boolean {
  if (Object.hasOwn(fields, key)) return false;
  // Assignment to `__proto__` would set the prototype.
  if (key === '__proto__') {
    Object.defineProperty(fields, key, { value, enumerable: true, writable: true, configurable: true });
  } else fields[key] = value;
  return true;
}
