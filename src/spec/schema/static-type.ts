// The static type a schema gives a value: what expressions over it are checked against. It knows at least every field
// the schema names, so that a check against it never calls a declared field unknown. Pure.
import type { JsonObject } from '../../step/types.ts';
import type { Node } from './check.ts';
import type { Shape } from './container-checks.ts';
import { DYN, type Field, join, type Type } from './type.ts';

export function ownType(schema: JsonObject, types: readonly string[] | null, shape: Shape, item: Type): Type {
  const named = new Set((types ?? (schema.properties === undefined ? [] : ['object'])).map(typeName));
  if (named.size > 1) named.delete('null');
  if (named.size !== 1) return DYN;
  switch ([...named][0]) {
    case 'null':
      return { t: 'null' };
    case 'boolean':
      return { t: 'bool' };
    case 'number':
      return { t: 'number' };
    case 'string':
      return { t: 'string' };
    case 'array':
      return { t: 'list', of: item };
    default:
      // Names that a pattern allows cannot be listed, so no name can be called unknown.
      if (schema.patternProperties !== undefined) return { t: 'map', of: DYN };
      return shape.fields.size === 0 && shape.open && shape.others.t !== 'dyn'
        ? { t: 'map', of: shape.others }
        : { t: 'object', fields: shape.fields, open: shape.open };
  }
}

function typeName(type: string): string {
  return type === 'integer' ? 'number' : type;
}

/** The type of alternatives; `null` among them only makes the value optional. */
export function alternatives(nodes: readonly Node[]): Type {
  const types = nodes.map((node) => node.type).filter((type) => type.t !== 'null');
  if (types.length === 0) return DYN;
  const objects = types.filter((type) => type.t === 'object');
  if (objects.length === 0 || objects.length === types.length) return types.reduce(join);
  // Beside an alternative that says nothing of fields, those of the others are names to know, of any type.
  if (types.some((type) => type.t !== 'object' && type.t !== 'dyn' && type.t !== 'map')) return DYN;
  const fields = new Map<string, Field>();
  for (const { fields: named } of objects)
    for (const name of named.keys()) fields.set(name, { type: DYN, required: false });
  return { t: 'object', fields, open: true };
}
