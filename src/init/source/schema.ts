// JSON Schemas as they stand in source code, reduced to the keywords that can only be read one way. What is dropped makes
// the schema looser: a starter spec must not refuse what the tool takes.
import type { Json, JsonObject } from '../../step/types.ts';
import { DEPTH_MAX } from './tree.ts';

const TYPES = new Set(['string', 'number', 'integer', 'boolean', 'object', 'array', 'null']);
export const ANYTHING: JsonObject = {};

export function objectSchema(
  properties: Record<string, JsonObject>,
  required: readonly string[],
): JsonObject {
  return { type: 'object', ...(required.length > 0 && { required: [...required] }), properties };
}

export function orNull(schema: JsonObject): JsonObject {
  const { type, enum: values } = schema;
  if (values !== undefined) return { enum: [...(values as Json[]), null] };
  if (typeof type !== 'string') return ANYTHING;
  return { ...schema, type: [type, 'null'] };
}

/** The part of a written schema that is kept; null when it is none. */
export function keptSchema(value: Json | undefined, depth = 0): JsonObject | null {
  if (!isObject(value) || depth > DEPTH_MAX) return null;
  const kept: Record<string, Json> = {};
  const { type, properties, required, items } = value;
  if (typeof type === 'string' && TYPES.has(type)) kept.type = type;
  if (Array.isArray(type) && type.length > 0 && type.every((t) => typeof t === 'string' && TYPES.has(t)))
    kept.type = type;
  if (Array.isArray(value.enum) && value.enum.length > 0 && value.enum.every(isScalar))
    kept.enum = value.enum;
  if (Array.isArray(required) && required.every((name) => typeof name === 'string') && required.length > 0)
    kept.required = [...new Set(required)];
  if (isObject(properties)) {
    kept.properties = Object.fromEntries(
      Object.entries(properties).map(([name, schema]) => [name, keptSchema(schema, depth + 1) ?? ANYTHING]),
    );
  }
  if (isObject(items)) kept.items = keptSchema(items, depth + 1) ?? ANYTHING;
  return kept;
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isScalar(value: Json): boolean {
  return typeof value !== 'object' || value === null;
}
