// Attributes that are JSON in a string, parsed once; and dotted keys put back together. Text that is not JSON stays text.
import type { Json, JsonObject } from '../../step/types.ts';
import { define, type Fillable } from '../otlp/values.ts';
import { isExact } from './exact.ts';

/** Levels of a key such as `llm.input_messages.0.message.role`; deeper keys stay in the raw attributes only. */
const KEY_PARTS_MAX = 24;
const JSON_STARTS = '{["-0123456789tfn';

/** JSON text as its value, lists of JSON texts element by element; anything else as it is. */
export function unwrapJson(value: Json): Json {
  if (typeof value === 'string') return parseText(value);
  return Array.isArray(value)
    ? value.map((item) => (typeof item === 'string' ? parseText(item) : item))
    : value;
}

/** Structure written as text: objects and lists only, so that a message that reads `42` stays a message. */
export function unwrapStructure(value: Json): Json {
  const parsed = unwrapJson(value);
  return typeof value === 'string' && (typeof parsed !== 'object' || parsed === null) ? value : parsed;
}

function parseText(text: string): Json {
  const trimmed = text.trimStart();
  if (trimmed === '' || !JSON_STARTS.includes(trimmed[0]!)) return text;
  try {
    // Numbers that were rounded and nesting beyond the step's bound make it text again: what is kept is exact.
    const parsed = JSON.parse(text) as Json;
    return isExact(parsed) ? parsed : text;
  } catch {
    return text;
  }
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

type Node = Map<string, Node | Json>;

/**
 * The attributes under a prefix as one value: `{prefix}0.role` and `{prefix}1.role` as a list of two, in order of their
 * index, whatever the gaps; other keys as an object. Undefined when there is none.
 */
export function gather(attributes: JsonObject, prefix: string): Json | undefined {
  const root: Node = new Map();
  for (const key of Object.keys(attributes)) {
    if (!key.startsWith(prefix) || key.length === prefix.length) continue;
    const parts = key.slice(prefix.length).split('.', KEY_PARTS_MAX + 1);
    if (parts.length > KEY_PARTS_MAX) continue;
    place(root, parts, attributes[key]!);
  }
  return root.size === 0 ? undefined : close(root);
}

function place(root: Node, parts: readonly string[], value: Json): void {
  let node = root;
  for (const part of parts.slice(0, -1)) {
    const next = node.get(part);
    if (next instanceof Map) node = next;
    else {
      const made: Node = new Map();
      // `a` and `a.b` both given: what stood at `a` is kept beside `b`.
      if (next !== undefined) made.set('', next);
      node.set(part, made);
      node = made;
    }
  }
  const last = parts.at(-1)!;
  const taken = node.get(last);
  if (taken instanceof Map) taken.set('', value);
  else node.set(last, value);
}

function close(node: Node): Json {
  const keys = [...node.keys()];
  const item = (key: string): Json => {
    const value = node.get(key)!;
    return value instanceof Map ? close(value) : value;
  };
  if (keys.every(isIndex)) return keys.sort((a, b) => Number(a) - Number(b)).map(item);
  const object: Fillable = {};
  for (const key of keys) define(object, key, item(key));
  return object;
}

function isIndex(key: string): boolean {
  if (key === '' || key.length > 9) return false;
  for (let i = 0; i < key.length; i++) {
    const unit = key.charCodeAt(i);
    if (unit < 0x30 || unit > 0x39) return false;
  }
  return true;
}
