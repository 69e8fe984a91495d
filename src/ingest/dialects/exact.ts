// Whether JSON already in hand may stand in a step as it is. The rules are those of `toJson` in step/json.ts (a test
// holds the two together); that one copies, freezes and names places, which costs most of a batch's time here.
import { JSON_DEPTH_MAX } from '../../step/json.ts';
import type { Json } from '../../step/types.ts';

/** False for lone surrogates, integers that a double rounds, and nesting beyond a step's bound. */
export function isExact(value: Json, depth = 0): boolean {
  switch (typeof value) {
    case 'string':
      return value.isWellFormed();
    case 'number':
      return Number.isFinite(value) && (Number.isSafeInteger(value) || !Number.isInteger(value));
    case 'boolean':
      return true;
    default:
      if (value === null) return true;
      return depth < JSON_DEPTH_MAX && membersAreExact(value, depth + 1);
  }
}

function membersAreExact(value: object, depth: number): boolean {
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) if (!isExact(value[i] as Json, depth)) return false;
    return true;
  }
  for (const key of Object.keys(value)) {
    if (!key.isWellFormed() || !isExact((value as Record<string, Json>)[key]!, depth)) return false;
  }
  return true;
}
