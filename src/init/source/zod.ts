// Schemas written with Zod (and builders that chain alike) as JSON Schema of what a model may send: a default makes an argument
// optional, a coerced one takes anything.
import type { SyntaxNode } from '@lezer/common';
import type { Json, JsonObject } from '../../step/types.ts';
import { argumentsOf, calleeOf, entriesOf, literalOf, resolved, type Scope } from './javascript-values.ts';
import { ANYTHING, keptSchema, objectSchema, orNull } from './schema.ts';
import { DEPTH_MAX, parts } from './tree.ts';

interface Field {
  readonly schema: JsonObject;
  readonly optional: boolean;
}

const PLAIN: Readonly<Record<string, JsonObject>> = {
  string: { type: 'string' },
  email: { type: 'string' },
  url: { type: 'string' },
  uuid: { type: 'string' },
  number: { type: 'number' },
  int: { type: 'integer' },
  boolean: { type: 'boolean' },
  record: { type: 'object' },
};
const OPTIONAL = new Set(['optional', 'default', 'prefault', 'catch', 'nullish']);
const NULLABLE = new Set(['nullable', 'nullish']);
const OBJECTS = new Set(['object', 'strictObject', 'looseObject']);

/** The schema in `node`: Zod, a shape `{ city: z.string() }`, or JSON Schema; null when it is none of these. */
export function schemaOf(scope: Scope, node: SyntaxNode): JsonObject | null {
  const value = resolved(scope, node);
  if (value.name === 'ObjectExpression') {
    const entries = entriesOf(scope, value);
    const shape = entries.length > 0 && entries.every((e) => e.value !== null && isCall(scope, e.value));
    if (shape) return shapeOf(scope, value, 0);
    const written = literalOf(scope, value);
    return isJsonSchema(written) ? keptSchema(written) : null;
  }
  if (value.name !== 'CallExpression') return null;
  const [callee] = calleeOf(scope, value);
  const [first] = argumentsOf(value);
  // `jsonSchema({…})`, `zodSchema(z.object(…))` wrap what they are given.
  if (callee !== undefined && /^(json|zod)Schema$/.test(callee) && first !== undefined)
    return schemaOf(scope, first);
  const { schema } = fieldOf(scope, value, 0);
  return schema.type === 'object' ? schema : null;
}

function isJsonSchema(value: Json | undefined): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return (value as JsonObject).type === 'object' || 'properties' in value;
}

function isCall(scope: Scope, node: SyntaxNode): boolean {
  return resolved(scope, node).name === 'CallExpression';
}

function shapeOf(scope: Scope, object: SyntaxNode, depth: number): JsonObject {
  const properties: Record<string, JsonObject> = {};
  const required: string[] = [];
  for (const { key, value } of entriesOf(scope, object)) {
    const field = value === null ? { schema: ANYTHING, optional: true } : fieldOf(scope, value, depth + 1);
    properties[key] = field.schema;
    if (!field.optional) required.push(key);
  }
  return objectSchema(properties, required);
}

/** `z.string().min(3).optional()` is read from the outside in. */
function fieldOf(scope: Scope, node: SyntaxNode, depth: number): Field {
  const value = resolved(scope, node);
  const unknown = { schema: ANYTHING, optional: true };
  if (value.name !== 'CallExpression' || depth > DEPTH_MAX) return unknown;
  const member = parts(value)[0];
  const name = member?.getChild('PropertyName');
  if (member === undefined || name === null || name === undefined) return unknown;
  const method = scope.source.text(name);
  const of = parts(member)[0]!;
  if (resolved(scope, of).name === 'CallExpression') return refined(method, fieldOf(scope, of, depth + 1));
  if (of.name !== 'VariableName') return unknown;
  return { schema: madeBy(scope, method, argumentsOf(value), depth), optional: false };
}

function refined(method: string, field: Field): Field {
  if (method === 'array') return { schema: { type: 'array', items: field.schema }, optional: false };
  if (method === 'or' || method === 'and' || method === 'pipe' || method === 'transform')
    return { schema: method === 'transform' ? field.schema : ANYTHING, optional: field.optional };
  if (method === 'passthrough' || method === 'partial' || method === 'extend' || method === 'merge')
    return { schema: { type: 'object' }, optional: field.optional };
  const schema = NULLABLE.has(method) ? orNull(field.schema) : field.schema;
  return { schema, optional: field.optional || OPTIONAL.has(method) };
}

function madeBy(scope: Scope, method: string, given: readonly SyntaxNode[], depth: number): JsonObject {
  const [first] = given;
  const plain = Object.hasOwn(PLAIN, method) ? PLAIN[method]! : null;
  if (plain !== null) return plain;
  if (first === undefined) return ANYTHING;
  if (OBJECTS.has(method)) {
    const shape = resolved(scope, first);
    return shape.name === 'ObjectExpression' ? shapeOf(scope, shape, depth + 1) : { type: 'object' };
  }
  if (method === 'array') return { type: 'array', items: fieldOf(scope, first, depth + 1).schema };
  if (method === 'enum' || method === 'literal') {
    const values = literalOf(scope, first);
    const list = method === 'enum' ? values : values === undefined ? undefined : [values].flat();
    return keptSchema({ enum: (list ?? null) as Json }) ?? ANYTHING;
  }
  return ANYTHING;
}
