// Checks of objects and lists: their fields and items, which must be there, how many there may be. Pure.
import { nearest } from '../../step/nearest.ts';
import type { Json, JsonObject } from '../../step/types.ts';
import { compilePattern, isPattern } from '../cel/pattern.ts';
import type { Pattern } from '../engines.ts';
import {
  below,
  type Check,
  type Context,
  fail,
  identityOf,
  isDone,
  isObject,
  MAX_DEPTH,
  MAX_WORK,
  type Node,
} from './check.ts';
import { DYN, type Field, type Type } from './type.ts';

export type Sub = (child: Json, name: string) => Node;

/** What a schema says about the fields of an object. */
export interface Shape {
  readonly fields: ReadonlyMap<string, Field>;
  /** Fields that are not listed may be there. */
  readonly open: boolean;
  /** The type of those. */
  readonly others: Type;
}

export function addObjectChecks(
  schema: JsonObject,
  where: string,
  context: Context,
  checks: Check[],
  sub: Sub,
): Shape {
  const required = (schema.required ?? []) as readonly string[];
  const properties = new Map(
    Object.entries((schema.properties ?? {}) as JsonObject).map(
      ([name, child]) => [name, sub(child, name)] as const,
    ),
  );
  const patterns: { test: Pattern; node: Node }[] = [];
  for (const [pattern, child] of Object.entries((schema.patternProperties ?? {}) as JsonObject)) {
    const test = compilePattern(context.patterns, pattern);
    if (isPattern(test)) patterns.push({ test, node: sub(child, pattern) });
    else context.problems.push({ path: where, message: test.message });
  }
  const additional = schema.additionalProperties ?? true;
  const others = typeof additional === 'boolean' ? null : sub(additional, '*');
  const isClosed = additional === false;
  if (required.length > 0) checks.push(requiredCheck(required));
  if (properties.size > 0 || patterns.length > 0 || others !== null || isClosed)
    checks.push(fieldsCheck(properties, patterns, others, isClosed, context));
  addSizeChecks(schema, checks);
  if (schema.propertyNames !== undefined) {
    const names = sub(schema.propertyNames, 'propertyNames');
    checks.push(
      (value, path, into, depth) =>
        !isObject(value) ||
        Object.keys(value).every((key) => names.check(key, below(into, path, key), into, depth + 1)),
    );
  }
  const fields = new Map(
    [...properties].map(([name, { type }]) => [name, { type, required: required.includes(name) }] as const),
  );
  return { fields, open: !isClosed, others: others?.type ?? DYN };
}

function requiredCheck(required: readonly string[]): Check {
  return (value, path, into) => {
    if (!isObject(value)) return true;
    let ok = true;
    for (const name of required) {
      if (Object.hasOwn(value, name)) continue;
      if (isDone(into)) return false;
      ok = false;
      into?.push({ path: below(into, path, name), expected: 'a value, as it is required', found: 'nothing' });
    }
    return ok;
  };
}

function fieldsCheck(
  properties: ReadonlyMap<string, Node>,
  patterns: readonly { test: Pattern; node: Node }[],
  others: Node | null,
  isClosed: boolean,
  context: Context,
): Check {
  const unknown = (key: string) => {
    const near = nearest(key, properties.keys());
    const names = [...properties.keys()].slice(0, 20).join(', ') || 'none';
    return near === null ? `no such field; there are ${names}` : `no such field (did you mean ${near}?)`;
  };
  return (value, path, into, depth) => {
    if (!isObject(value)) return true;
    if (depth > MAX_DEPTH) return fail(into, path, `at most ${MAX_DEPTH} levels`, value);
    let ok = true;
    for (const key of Object.keys(value)) {
      if (++context.work > MAX_WORK) return false;
      const item = value[key]!;
      const node = properties.get(key);
      let known = node !== undefined;
      if (node !== undefined && !node.check(item, below(into, path, key), into, depth + 1)) ok = false;
      for (const { test, node: matched } of patterns) {
        if (!test.test(key)) continue;
        known = true;
        if (!matched.check(item, below(into, path, key), into, depth + 1)) ok = false;
      }
      if (!known && isClosed) {
        if (into !== null) fail(into, below(into, path, key), unknown(key), item);
        ok = false;
      } else if (!known && others !== null && !others.check(item, below(into, path, key), into, depth + 1))
        ok = false;
      if (!ok && isDone(into)) return false;
    }
    return ok;
  };
}

function addSizeChecks(schema: JsonObject, checks: Check[]): void {
  const { minProperties, maxProperties } = schema;
  const fields = (expected: string, test: (count: number) => boolean) =>
    checks.push(
      (value, path, into) =>
        !isObject(value) || test(Object.keys(value).length) || fail(into, path, expected, value),
    );
  if (typeof minProperties === 'number')
    fields(`at least ${minProperties} fields`, (count) => count >= minProperties);
  if (typeof maxProperties === 'number')
    fields(`at most ${maxProperties} fields`, (count) => count <= maxProperties);
}

/** Adds the checks of a list; answers the type of its items. */
export function addArrayChecks(schema: JsonObject, context: Context, checks: Check[], sub: Sub): Type {
  const prefix = ((schema.prefixItems ?? []) as readonly Json[]).map((child, i) => sub(child, String(i)));
  const rest = schema.items === undefined ? null : sub(schema.items, 'items');
  if (prefix.length > 0 || rest !== null) checks.push(itemsCheck(prefix, rest, context));
  const { minItems, maxItems } = schema;
  const items = (expected: string, test: (list: readonly Json[]) => boolean) =>
    checks.push(
      (value, path, into) =>
        !Array.isArray(value) || test(value as readonly Json[]) || fail(into, path, expected, value as Json),
    );
  if (typeof minItems === 'number') items(`at least ${minItems} items`, (list) => list.length >= minItems);
  if (typeof maxItems === 'number') items(`at most ${maxItems} items`, (list) => list.length <= maxItems);
  if (schema.uniqueItems === true)
    items('no item twice', (list) => new Set(list.map(identityOf)).size === list.length);
  return prefix.length > 0 ? DYN : (rest?.type ?? DYN);
}

function itemsCheck(prefix: readonly Node[], rest: Node | null, context: Context): Check {
  return (value, path, into, depth) => {
    if (!Array.isArray(value)) return true;
    if (depth > MAX_DEPTH) return fail(into, path, `at most ${MAX_DEPTH} levels`, value as Json);
    let ok = true;
    for (let i = 0; i < value.length; i++) {
      if (++context.work > MAX_WORK) return false;
      const node = prefix[i] ?? rest;
      if (node && !node.check(value[i] as Json, below(into, path, i), into, depth + 1)) ok = false;
      if (!ok && isDone(into)) return false;
    }
    return ok;
  };
}
