// JSON Schema (draft 2020-12, the subset tool contracts use) compiled to closures: a check, a static type, and the
// trust and labels that our own annotations give each field. Patterns are RE2. Pure, no eval.
import { RE2JS } from '@bufbuild/re2';
import { nearest } from '../../step/nearest.ts';
import type { Json, JsonObject } from '../../step/types.ts';
import { celEquals } from '../cel/equals.ts';
import { compilePattern } from '../cel/functions.ts';
import type { Value } from '../cel/value.ts';
import { checkFormat } from './format.ts';
import { DYN, join, type Type } from './type.ts';

export interface SchemaViolation {
  /** JSON Pointer into the value. */
  readonly path: string;
  readonly expected: string;
  readonly found: string;
}

export interface SchemaProblem {
  readonly path: string;
  readonly message: string;
  readonly suggestion?: string;
}

export interface CompiledSchema {
  readonly type: Type;
  /** The first violations, or null when the value is valid. */
  validate(value: Json): readonly SchemaViolation[] | null;
  readonly problems: readonly SchemaProblem[];
}

const MAX_DEPTH = 64;
const MAX_VIOLATIONS = 10;
const MAX_NODES = 10_000;

const TYPES = ['null', 'boolean', 'number', 'integer', 'string', 'array', 'object'];
const ANNOTATIONS = [
  'title',
  'description',
  'default',
  'examples',
  'deprecated',
  'readOnly',
  'writeOnly',
  '$comment',
  '$schema',
  '$id',
  '$defs',
  'definitions',
  'contentEncoding',
  'contentMediaType',
  'trust',
  'labels',
];
const KEYWORDS = [
  'type',
  'properties',
  'required',
  'additionalProperties',
  'patternProperties',
  'propertyNames',
  'items',
  'prefixItems',
  'enum',
  'const',
  'anyOf',
  'oneOf',
  'allOf',
  'not',
  '$ref',
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
  'minLength',
  'maxLength',
  'pattern',
  'format',
  'minItems',
  'maxItems',
  'uniqueItems',
  'minProperties',
  'maxProperties',
  'nullable',
];

/** Reports violations into `into`; `path` is a JSON Pointer. Answers whether the value is valid. */
type Check = (value: Json, path: string, into: SchemaViolation[] | null, depth: number) => boolean;

interface Context {
  readonly root: JsonObject;
  readonly problems: SchemaProblem[];
  readonly refs: Map<string, { check: Check | null; type: Type }>;
  nodes: number;
}

export function compileSchema(schema: Json, where: string): CompiledSchema {
  const root = isObject(schema) ? schema : {};
  const context: Context = { root, problems: [], refs: new Map(), nodes: 0 };
  const compiled = compileNode(schema, where, context, 0);
  return {
    type: compiled.type,
    problems: context.problems,
    validate(value) {
      if (compiled.check(value, '', null, 0)) return null;
      const violations: SchemaViolation[] = [];
      compiled.check(value, '', violations, 0);
      return violations.slice(0, MAX_VIOLATIONS);
    },
  };
}

interface Node {
  readonly type: Type;
  readonly check: Check;
}

const ANYTHING: Node = { type: DYN, check: () => true };

function compileNode(schema: Json, where: string, context: Context, depth: number): Node {
  if (schema === true) return ANYTHING;
  if (schema === false)
    return { type: DYN, check: (value, path, into) => fail(into, path, 'nothing', value) };
  if (!isObject(schema)) {
    context.problems.push({ path: where, message: 'a schema is an object, true or false' });
    return ANYTHING;
  }
  if (depth > MAX_DEPTH || ++context.nodes > MAX_NODES) {
    context.problems.push({
      path: where,
      message: `the schema is nested deeper than ${MAX_DEPTH} or larger than ${MAX_NODES} nodes`,
    });
    return ANYTHING;
  }
  for (const key of Object.keys(schema)) {
    if (KEYWORDS.includes(key) || ANNOTATIONS.includes(key) || key.startsWith('x-')) continue;
    const near = nearest(key, [...KEYWORDS, ...ANNOTATIONS]);
    context.problems.push({
      path: where,
      message: `unknown schema keyword \`${key}\``,
      ...(near === null ? {} : { suggestion: near }),
    });
  }
  const checks: Check[] = [];
  const types = typesOf(schema, where, context);
  if (types !== null) checks.push(typeCheck(types));
  const sub = (child: Json, name: string) => compileNode(child, `${where}.${name}`, context, depth + 1);
  addValueChecks(schema, where, context, checks);
  const shape = addObjectChecks(schema, where, context, checks, sub);
  const item = addArrayChecks(schema, checks, sub);
  const combined = addCombinators(schema, where, context, checks, sub, depth);
  const type = staticType(schema, types, shape, item, combined);
  return { type, check: allOf(checks) };
}

function allOf(checks: readonly Check[]): Check {
  if (checks.length === 1) return checks[0]!;
  return (value, path, into, depth) => {
    let ok = true;
    for (const check of checks) {
      if (check(value, path, into, depth)) continue;
      if (into === null || into.length >= MAX_VIOLATIONS) return false;
      ok = false;
    }
    return ok;
  };
}

function fail(into: SchemaViolation[] | null, path: string, expected: string, value: Json): false {
  into?.push({ path, expected, found: shown(value) });
  return false;
}

/** A value in a message: scalars as they are, the rest by its size, so that deep values stay short. */
function shown(value: Json): string {
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (isObject(value))
    return `an object with ${Object.keys(value).slice(0, 5).join(', ').slice(0, 60) || 'no fields'}`;
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function typesOf(schema: JsonObject, where: string, context: Context): readonly string[] | null {
  const given = schema.type;
  if (given === undefined) return null;
  const list = Array.isArray(given) ? given : [given];
  for (const type of list) {
    if (typeof type === 'string' && TYPES.includes(type)) continue;
    const near = typeof type === 'string' ? nearest(type, TYPES) : null;
    context.problems.push({
      path: where,
      message: `\`${shown(type as Json)}\` is no type`,
      ...(near === null ? {} : { suggestion: near }),
    });
  }
  return schema.nullable === true ? [...(list as string[]), 'null'] : (list as string[]);
}

function typeCheck(types: readonly string[]): Check {
  const expected = types.join(' or ');
  const is = (value: Json): boolean => {
    switch (typeof value) {
      case 'string':
        return types.includes('string');
      case 'boolean':
        return types.includes('boolean');
      case 'number':
        return types.includes('number') || (types.includes('integer') && Number.isInteger(value));
      default:
        return types.includes(value === null ? 'null' : Array.isArray(value) ? 'array' : 'object');
    }
  };
  return (value, path, into) => is(value) || fail(into, path, expected, value);
}

function numberAt(schema: JsonObject, key: string, where: string, context: Context): number | null {
  const value = schema[key];
  if (value === undefined) return null;
  if (typeof value === 'number') return value;
  context.problems.push({ path: where, message: `\`${key}\` must be a number` });
  return null;
}

function addValueChecks(schema: JsonObject, where: string, context: Context, checks: Check[]): void {
  const { enum: options, const: only, pattern, format } = schema;
  if (options !== undefined) {
    if (!Array.isArray(options)) context.problems.push({ path: where, message: '`enum` must be a list' });
    else
      checks.push(
        (value, path, into) =>
          options.some((option) => same(option, value)) ||
          fail(into, path, `one of ${options.map((option) => shown(option as Json)).join(', ')}`, value),
      );
  }
  if (only !== undefined)
    checks.push((value, path, into) => same(only, value) || fail(into, path, shown(only), value));
  const bound = (key: string, test: (value: number, limit: number) => boolean, words: string) => {
    const limit = numberAt(schema, key, where, context);
    if (limit !== null)
      checks.push(
        (value, path, into) =>
          typeof value !== 'number' || test(value, limit) || fail(into, path, `${words} ${limit}`, value),
      );
  };
  bound('minimum', (value, limit) => value >= limit, 'at least');
  bound('maximum', (value, limit) => value <= limit, 'at most');
  bound('exclusiveMinimum', (value, limit) => value > limit, 'more than');
  bound('exclusiveMaximum', (value, limit) => value < limit, 'less than');
  bound(
    'multipleOf',
    (value, limit) => Number.isInteger(Number((value / limit).toPrecision(15))),
    'a multiple of',
  );
  const length = (key: string, test: (size: number, limit: number) => boolean, words: string) => {
    const limit = numberAt(schema, key, where, context);
    if (limit !== null)
      checks.push(
        (value, path, into) =>
          typeof value !== 'string' ||
          test(characters(value), limit) ||
          fail(into, path, `${words} ${limit} characters`, value),
      );
  };
  length('minLength', (size, limit) => size >= limit, 'at least');
  length('maxLength', (size, limit) => size <= limit, 'at most');
  if (typeof pattern === 'string') {
    const compiled = compilePattern(pattern);
    if (compiled instanceof RE2JS)
      checks.push(
        (value, path, into) =>
          typeof value !== 'string' ||
          compiled.test(value) ||
          fail(into, path, `text that matches ${pattern}`, value),
      );
    else context.problems.push({ path: where, message: compiled.message });
  }
  if (typeof format === 'string')
    checks.push(
      (value, path, into) =>
        typeof value !== 'string' || checkFormat(format, value) || fail(into, path, `a ${format}`, value),
    );
}

function same(a: Json, b: Json): boolean {
  return celEquals(a as Value, b as Value);
}

function characters(text: string): number {
  let count = 0;
  for (let i = 0; i < text.length; i++, count++) if ((text.codePointAt(i) ?? 0) > 0xffff) i++;
  return count;
}

interface Shape {
  readonly fields: ReadonlyMap<string, { type: Type; required: boolean }>;
  readonly open: boolean;
  readonly others: Type;
}

function addObjectChecks(
  schema: JsonObject,
  where: string,
  context: Context,
  checks: Check[],
  sub: (child: Json, name: string) => Node,
): Shape {
  const required = Array.isArray(schema.required)
    ? schema.required.filter((name) => typeof name === 'string')
    : [];
  const properties = new Map<string, Node>();
  if (isObject(schema.properties))
    for (const [name, child] of Object.entries(schema.properties)) properties.set(name, sub(child, name));
  const patterns: { test: RE2JS; node: Node }[] = [];
  if (isObject(schema.patternProperties)) {
    for (const [pattern, child] of Object.entries(schema.patternProperties)) {
      const test = compilePattern(pattern);
      if (test instanceof RE2JS) patterns.push({ test, node: sub(child, pattern) });
      else context.problems.push({ path: where, message: test.message });
    }
  }
  const additional = schema.additionalProperties;
  const others = additional === undefined || additional === true ? null : sub(additional, '*');
  const closed = additional === false;
  if (required.length > 0) {
    checks.push((value, path, into) => {
      if (!isObject(value)) return true;
      let ok = true;
      for (const name of required)
        if (!Object.hasOwn(value, name))
          ok = fail(into, `${path}/${pointerPart(name)}`, 'a value, as it is required', null);
      return ok;
    });
  }
  if (properties.size > 0 || patterns.length > 0 || others !== null) {
    const names = [...properties.keys()];
    checks.push((value, path, into, depth) => {
      if (!isObject(value)) return true;
      if (depth > MAX_DEPTH) return fail(into, path, `at most ${MAX_DEPTH} levels`, value);
      let ok = true;
      for (const key of Object.keys(value)) {
        const item = value[key]!;
        const node = properties.get(key);
        let known = node !== undefined;
        if (
          node !== undefined &&
          !node.check(item, into === null ? '' : `${path}/${pointerPart(key)}`, into, depth + 1)
        )
          ok = false;
        for (const { test, node: matched } of patterns) {
          if (!test.test(key)) continue;
          known = true;
          if (!matched.check(item, `${path}/${pointerPart(key)}`, into, depth + 1)) ok = false;
        }
        if (known || others === null) continue;
        if (closed) {
          const near = nearest(key, names);
          ok = fail(
            into,
            `${path}/${pointerPart(key)}`,
            near === null
              ? `no such field; there are ${names.join(', ') || 'none'}`
              : `no such field (did you mean ${near}?)`,
            item,
          );
        } else if (!others.check(item, `${path}/${pointerPart(key)}`, into, depth + 1)) ok = false;
        if (!ok && into === null) return false;
      }
      return ok;
    });
  }
  const count = (key: string, test: (size: number, limit: number) => boolean, words: string) => {
    const limit = numberAt(schema, key, where, context);
    if (limit !== null)
      checks.push(
        (value, path, into) =>
          !isObject(value) ||
          test(Object.keys(value).length, limit) ||
          fail(into, path, `${words} ${limit} fields`, value),
      );
  };
  count('minProperties', (size, limit) => size >= limit, 'at least');
  count('maxProperties', (size, limit) => size <= limit, 'at most');
  if (schema.propertyNames !== undefined) {
    const names = sub(schema.propertyNames, 'propertyNames');
    checks.push(
      (value, path, into, depth) =>
        !isObject(value) ||
        Object.keys(value).every((key) => names.check(key, `${path}/${pointerPart(key)}`, into, depth + 1)),
    );
  }
  const fields = new Map(
    [...properties].map(
      ([name, node]) => [name, { type: node.type, required: required.includes(name) }] as const,
    ),
  );
  return { fields, open: !closed, others: others?.type ?? DYN };
}

function pointerPart(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}

function addArrayChecks(schema: JsonObject, checks: Check[], sub: (child: Json, name: string) => Node): Type {
  const prefix = Array.isArray(schema.prefixItems)
    ? schema.prefixItems.map((child, i) => sub(child as Json, String(i)))
    : [];
  const rest = schema.items === undefined ? null : sub(schema.items, 'items');
  if (prefix.length > 0 || rest !== null) {
    checks.push((value, path, into, depth) => {
      if (!Array.isArray(value)) return true;
      if (depth > MAX_DEPTH) return fail(into, path, `at most ${MAX_DEPTH} levels`, value as Json);
      let ok = true;
      for (const [i, item] of value.entries()) {
        const node = prefix[i] ?? rest;
        if (node && !node.check(item as Json, into === null ? '' : `${path}/${i}`, into, depth + 1))
          ok = false;
        if (!ok && into === null) return false;
      }
      return ok;
    });
  }
  const size = (key: string, test: (length: number, limit: number) => boolean, words: string) => {
    const limit = schema[key];
    if (typeof limit === 'number')
      checks.push(
        (value, path, into) =>
          !Array.isArray(value) ||
          test(value.length, limit) ||
          fail(into, path, `${words} ${limit} items`, value as Json),
      );
  };
  size('minItems', (length, limit) => length >= limit, 'at least');
  size('maxItems', (length, limit) => length <= limit, 'at most');
  if (schema.uniqueItems === true) {
    checks.push(
      (value, path, into) =>
        !Array.isArray(value) ||
        !value.some((item, i) => value.slice(0, i).some((before) => same(before as Json, item as Json))) ||
        fail(into, path, 'no item twice', value as Json),
    );
  }
  return prefix.length > 0 ? DYN : (rest?.type ?? DYN);
}

function addCombinators(
  schema: JsonObject,
  where: string,
  context: Context,
  checks: Check[],
  sub: (child: Json, name: string) => Node,
  depth: number,
): Type | null {
  let type: Type | null = null;
  const list = (key: string) =>
    Array.isArray(schema[key])
      ? (schema[key] as readonly Json[]).map((child, i) => sub(child, `${key}[${i}]`))
      : [];
  const any = list('anyOf');
  if (any.length > 0) {
    type = withoutNull(any);
    checks.push(
      (value, path, into, level) =>
        any.some((node) => node.check(value, path, null, level)) ||
        fail(into, path, 'one of the allowed forms', value),
    );
  }
  const one = list('oneOf');
  if (one.length > 0) {
    type = withoutNull(one);
    checks.push(
      (value, path, into, level) =>
        one.filter((node) => node.check(value, path, null, level)).length === 1 ||
        fail(into, path, 'exactly one of the allowed forms', value),
    );
  }
  const all = list('allOf');
  for (const node of all) checks.push(node.check);
  if (all.length === 1) type = all[0]!.type;
  if (schema.not !== undefined) {
    const not = sub(schema.not, 'not');
    checks.push(
      (value, path, into, level) =>
        !not.check(value, path, null, level) || fail(into, path, 'something else', value),
    );
  }
  if (typeof schema.$ref === 'string') {
    const target = reference(schema.$ref, where, context, depth);
    type = target.type;
    checks.push((value, path, into, level) => {
      if (level > MAX_DEPTH) return fail(into, path, `at most ${MAX_DEPTH} levels`, value);
      return target.check === null || target.check(value, path, into, level + 1);
    });
  }
  return type;
}

/** The static type of alternatives; `null` among them only makes the value optional. */
function withoutNull(nodes: readonly Node[]): Type {
  const types = nodes.map((node) => node.type).filter((type) => type.t !== 'null');
  return types.length === 0 ? DYN : types.reduce(join);
}

function reference(
  ref: string,
  where: string,
  context: Context,
  depth: number,
): { check: Check | null; type: Type } {
  const known = context.refs.get(ref);
  if (known !== undefined) return known;
  const entry: { check: Check | null; type: Type } = { check: null, type: DYN };
  context.refs.set(ref, entry);
  const parts =
    ref === '#'
      ? []
      : ref.startsWith('#/')
        ? ref
            .slice(2)
            .split('/')
            .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
        : null;
  let target: Json | undefined = parts === null ? undefined : context.root;
  for (const part of parts ?? [])
    target = isObject(target) && Object.hasOwn(target, part) ? target[part] : undefined;
  if (target === undefined) {
    context.problems.push({ path: where, message: `\`$ref: ${ref}\` names nothing in this schema` });
    return entry;
  }
  const node = compileNode(target, `${where}(${ref})`, context, depth + 1);
  entry.check = node.check;
  entry.type = node.type;
  return entry;
}

function staticType(
  schema: JsonObject,
  types: readonly string[] | null,
  shape: Shape,
  item: Type,
  combined: Type | null,
): Type {
  const named = (types ?? (isObject(schema.properties) ? ['object'] : [])).filter((type) => type !== 'null');
  if (named.length !== 1) {
    if (types?.length === 1) return { t: 'null' };
    if (named.length === 2 && named.every((type) => type === 'number' || type === 'integer'))
      return { t: 'number' };
    return combined ?? DYN;
  }
  switch (named[0]) {
    case 'boolean':
      return { t: 'bool' };
    case 'number':
    case 'integer':
      return { t: 'number' };
    case 'string':
      return { t: 'string' };
    case 'array':
      return { t: 'list', of: item };
    default:
      if (shape.fields.size === 0)
        return shape.open
          ? { t: 'map', of: shape.others }
          : { t: 'object', fields: shape.fields, open: false };
      return { t: 'object', fields: shape.fields, open: shape.open };
  }
}
