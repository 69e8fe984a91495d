// Gathered keys keep the wrappers that flattening gave them: `{ message: { role, … } }`, `{ tool_call: { … } }`.
// Without them OpenInference's messages have the shape of chat messages. Pure.
import type { Json } from '../../step/types.ts';
import { define, type Fillable } from '../otlp/values.ts';
import { isObject, unwrapStructure } from './json-text.ts';

const WRAPPERS = ['message', 'message_content', 'tool_call', 'tool', 'document', 'embedding'];
/** Members that hold JSON as text. */
const TEXT_MEMBERS = ['arguments', 'json_schema', 'metadata', 'parameters'];

export function unwrapFlattened(value: Json): Json {
  if (Array.isArray(value)) return value.map(unwrapFlattened);
  if (!isObject(value)) return value;
  const keys = Object.keys(value);
  const only = keys.length === 1 ? keys[0]! : '';
  if (WRAPPERS.includes(only) && isObject(value[only])) return unwrapFlattened(value[only]);
  const copy: Fillable = {};
  for (const key of keys) {
    const item = value[key]!;
    define(copy, key, TEXT_MEMBERS.includes(key) ? unwrapStructure(item) : unwrapFlattened(item));
  }
  return copy;
}
