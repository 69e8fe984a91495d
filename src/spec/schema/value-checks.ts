// Checks that look at one value alone: its type, enum and const, bounds, lengths, patterns and formats. Pure.
import type { Json, JsonObject } from '../../step/types.ts';
import { compilePattern, isPattern, MAX_MATCHED } from '../cel/pattern.ts';
import { type Check, type Context, fail, identityOf, shown } from './check.ts';
import { checkFormat } from './format.ts';

const SHOWN_OPTIONS = 20;

export function typesOf(schema: JsonObject): readonly string[] | null {
  if (schema.type === undefined) return null;
  const types = (Array.isArray(schema.type) ? schema.type : [schema.type]) as string[];
  return schema.nullable === true ? [...types, 'null'] : types;
}

export function typeCheck(types: readonly string[]): Check {
  const tests = types.map((type) => TYPE_TESTS[type]!);
  const expected = types.join(' or ');
  const [only] = tests;
  const is = tests.length === 1 ? only! : (value: Json) => tests.some((test) => test(value));
  return (value, path, into) => is(value) || fail(into, path, expected, value);
}

const TYPE_TESTS: Readonly<Record<string, (value: Json) => boolean>> = {
  null: (value) => value === null,
  boolean: (value) => typeof value === 'boolean',
  number: (value) => typeof value === 'number',
  integer: (value) => Number.isInteger(value),
  string: (value) => typeof value === 'string',
  array: (value) => Array.isArray(value),
  object: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
};

export function addValueChecks(schema: JsonObject, where: string, context: Context, checks: Check[]): void {
  if (schema.enum !== undefined) checks.push(oneOf(schema.enum as readonly Json[]));
  if (schema.const !== undefined) checks.push(oneOf([schema.const]));
  addNumberChecks(schema, checks);
  addTextChecks(schema, where, context, checks);
}

function oneOf(options: readonly Json[]): Check {
  const scalars = new Set<Json>();
  const structures = new Set<string>();
  for (const option of options) {
    if (typeof option === 'object' && option !== null) structures.add(identityOf(option));
    else scalars.add(option);
  }
  const words = options.slice(0, SHOWN_OPTIONS).map(shown).join(', ');
  const rest = options.length > SHOWN_OPTIONS ? `, … (${options.length} values)` : '';
  const expected = options.length === 1 ? words : `one of ${words}${rest}`;
  const isOption = (value: Json) =>
    typeof value === 'object' && value !== null
      ? structures.size > 0 && structures.has(identityOf(value))
      : scalars.has(value);
  return (value, path, into) => isOption(value) || fail(into, path, expected, value);
}

function addNumberChecks(schema: JsonObject, checks: Check[]): void {
  const bound = (key: string, words: string, test: (value: number, limit: number) => boolean) => {
    const limit = schema[key];
    if (typeof limit !== 'number') return;
    const expected = `${words} ${limit}`;
    checks.push(
      (value, path, into) =>
        typeof value !== 'number' || test(value, limit) || fail(into, path, expected, value),
    );
  };
  bound('minimum', 'at least', (value, limit) => value >= limit);
  bound('maximum', 'at most', (value, limit) => value <= limit);
  bound('exclusiveMinimum', 'more than', (value, limit) => value > limit);
  bound('exclusiveMaximum', 'less than', (value, limit) => value < limit);
  // As decimals: 0.3 is a multiple of 0.1 (docs/decisions/001).
  bound('multipleOf', 'a multiple of', (value, limit) =>
    Number.isInteger(Number((value / limit).toPrecision(15))),
  );
}

function addTextChecks(schema: JsonObject, where: string, context: Context, checks: Check[]): void {
  const { minLength, maxLength, pattern, format } = schema;
  const text = (expected: string, test: (value: string) => boolean) =>
    checks.push(
      (value, path, into) => typeof value !== 'string' || test(value) || fail(into, path, expected, value),
    );
  if (typeof minLength === 'number')
    text(`at least ${minLength} characters`, (value) => isAtLeast(value, minLength));
  if (typeof maxLength === 'number')
    text(`at most ${maxLength} characters`, (value) => !isAtLeast(value, maxLength + 1));
  if (typeof pattern === 'string') {
    const compiled = compilePattern(context.patterns, pattern);
    if (isPattern(compiled)) {
      text(`at most ${MAX_MATCHED} characters to match`, (value) => value.length <= MAX_MATCHED);
      text(`text that matches ${pattern}`, (value) => value.length > MAX_MATCHED || compiled.test(value));
    } else context.problems.push({ path: where, message: compiled.message });
  }
  if (typeof format === 'string') text(`a ${format}`, (value) => checkFormat(format, value));
}

/** Whether the text has `count` code points; a text is measured only as far as that. */
function isAtLeast(text: string, count: number): boolean {
  if (text.length < count) return false;
  if (text.length >= count * 2) return true;
  let seen = 0;
  for (let i = 0; i < text.length && seen < count; i++, seen++) if ((text.codePointAt(i) ?? 0) > 0xffff) i++;
  return seen >= count;
}
