// The forms of a `Source` (see types.ts) turned into functions, once, when a table is loaded. Pure.
import type { Json, JsonObject } from '../../step/types.ts';
import { define, type Fillable } from '../otlp/values.ts';
import { gather, isObject, unwrapJson } from './json-text.ts';
import type { Source } from './types.ts';
import { unwrapFlattened } from './unflatten.ts';

/** The value at a source, or undefined where there is none; null and empty text count as none. */
export type ReadSource = (attributes: JsonObject, spanName: string) => Json | undefined;

export function compileSource(source: Source): ReadSource {
  if (source.startsWith('name:')) return nameTemplate(source.slice('name:'.length));
  if (source.endsWith('.*')) {
    const prefix = source.slice(0, -1);
    return (attributes) => {
      const gathered = gather(attributes, prefix);
      return gathered === undefined ? undefined : unwrapFlattened(gathered);
    };
  }
  if (source.endsWith('}')) return selection(source);
  const hash = source.indexOf('#');
  if (hash > 0) return member(source.slice(0, hash), source.slice(hash + 1));
  return (attributes) => given(attributes[source]);
}

function given(value: Json | undefined): Json | undefined {
  return value === null || value === '' ? undefined : value;
}

/** The part of a span's name at the star; the rest must match exactly. */
function nameTemplate(template: string): ReadSource {
  const star = template.indexOf('*');
  const before = template.slice(0, star);
  const after = template.slice(star + 1);
  return (_attributes, name) => {
    if (name.length <= before.length + after.length) return undefined;
    if (!name.startsWith(before) || !name.endsWith(after)) return undefined;
    return name.slice(before.length, name.length - after.length);
  };
}

function selection(source: Source): ReadSource {
  const open = source.indexOf('{');
  const prefix = source.slice(0, open);
  const names = source.slice(open + 1, -1).split(',');
  return (attributes) => {
    const found: Fillable = {};
    for (const name of names) {
      const value = given(attributes[prefix + name]);
      if (value !== undefined) define(found, name, unwrapJson(value));
    }
    return Object.keys(found).length === 0 ? undefined : found;
  };
}

function member(attribute: string, key: string): ReadSource {
  return (attributes) => {
    const value = given(attributes[attribute]);
    const map = value === undefined ? undefined : unwrapJson(value);
    return isObject(map) && Object.hasOwn(map, key) ? given(map[key]) : undefined;
  };
}
