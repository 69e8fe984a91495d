// Arguments that fit a schema, for the examples in a starter spec.
import type { Json, JsonObject } from '../step/types.ts';
import { wordsOf } from './effects.ts';

const DEPTH_MAX = 6;

/** The required arguments, and those named in `also`. */
export function exampleArgs(input: JsonObject | null, also: Readonly<Record<string, Json>> = {}): JsonObject {
  const required = Array.isArray(input?.required) ? (input.required as string[]) : [];
  const properties = (input?.properties ?? {}) as Record<string, JsonObject>;
  const args: Record<string, Json> = {};
  for (const name of required) args[name] = exampleOf(properties[name] ?? {}, name, 0);
  return { ...args, ...also };
}

/** A value of the schema; for an argument that takes addresses, an address. */
export function exampleOf(schema: JsonObject, name: string, depth = 0): Json {
  if (Array.isArray(schema.enum)) return schema.enum[0] as Json;
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type;
  switch (type) {
    case 'number':
    case 'integer':
      return 1;
    case 'boolean':
      return true;
    case 'null':
      return null;
    case 'array':
      return depth > DEPTH_MAX ? [] : [exampleOf((schema.items ?? {}) as JsonObject, name, depth + 1)];
    case 'object':
      return depth > DEPTH_MAX ? {} : exampleObject(schema, depth);
    default:
      return exampleText(name);
  }
}

function exampleObject(schema: JsonObject, depth: number): JsonObject {
  const required = Array.isArray(schema.required) ? (schema.required as string[]) : [];
  const properties = (schema.properties ?? {}) as Record<string, JsonObject>;
  return Object.fromEntries(
    required.map((name) => [name, exampleOf(properties[name] ?? {}, name, depth + 1)]),
  );
}

function exampleText(name: string): string {
  const words = new Set(wordsOf(name));
  if (['command', 'cmd', 'script'].some((word) => words.has(word))) return 'ls';
  if (words.has('id') || words.has('ids')) return 'A-1';
  return 'text';
}
