// JSON from outside: text to value with the place of every mistake, and any value to plain, frozen, bounded JSON.
// Refuses what two readers could read differently (RFC 7493, I-JSON): lone surrogates, integers past 2^53, non-numbers.
import { locateSyntaxError, type SyntaxProblem } from './json-syntax.ts';
import type { Json } from './types.ts';

/** Deeper values are refused before anything else looks at them. */
export const JSON_DEPTH_MAX = 64;

/** What is wrong with a field: where (RFC 6901 JSON pointer), what was expected, what was found, how to mend it. */
export interface FieldProblem {
  readonly at: string;
  readonly expected: string;
  readonly found: string;
  readonly mend?: string;
}

export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly FieldProblem[] };

export type ParsedText =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly problem: SyntaxProblem };

/** `JSON.parse` with a place for the mistake. Linear, and safe on any depth: the engine's parser does not recurse. */
export function parseJsonText(text: string): ParsedText {
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch {
    return { ok: false, problem: locateSyntaxError(text) };
  }
}

/** Appends a key to a JSON pointer (RFC 6901 section 3). */
export function pointer(at: string, key: string | number): string {
  return `${at}/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

/** How a value is named in an error: its type, and the value itself when it is short. */
export function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  switch (typeof value) {
    case 'string':
      return value.length <= 40
        ? `the string ${JSON.stringify(value)}`
        : `a string of ${value.length} characters`;
    case 'number':
    case 'boolean':
    case 'bigint':
      return `the ${typeof value} ${value}`;
    case 'object':
      return Object.getPrototypeOf(value) === Object.prototype ? 'an object' : `a ${className(value)}`;
    default:
      return `a ${typeof value}`;
  }
}

function className(value: object): string {
  return (value.constructor as { name?: string } | undefined)?.name || 'special object';
}

/**
 * A deep-frozen copy of `value` as JSON, or what in it is not JSON. Properties that are `undefined` are left out, as in
 * `JSON.stringify`; anything else that JSON cannot carry exactly is a problem, so that what is decided is what is run.
 */
export function toJson(value: unknown, at = ''): Parsed<Json> {
  const problems: FieldProblem[] = [];
  const copy = copyJson(value, at, 0, problems);
  return problems.length === 0 ? { ok: true, value: copy } : { ok: false, problems };
}

function copyJson(value: unknown, at: string, depth: number, problems: FieldProblem[]): Json {
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'string') {
    if (value.isWellFormed()) return value;
    return refuse(problems, at, 'well-formed Unicode text', 'a lone surrogate', 'Send complete characters.');
  }
  if (typeof value === 'number') return copyNumber(value, at, problems);
  if (typeof value !== 'object') return refuse(problems, at, 'a JSON value', describe(value));
  if (depth >= JSON_DEPTH_MAX) {
    return refuse(problems, at, `at most ${JSON_DEPTH_MAX} levels`, 'a deeper value', 'Flatten the value.');
  }
  if (Array.isArray(value)) {
    const items: Json[] = [];
    for (let i = 0; i < value.length && problems.length === 0; i++) {
      items.push(copyJson(value[i], pointer(at, i), depth + 1, problems));
    }
    return Object.freeze(items);
  }
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    return refuse(problems, at, 'a JSON value', describe(value), 'Turn it into plain JSON first.');
  }
  const copy: Record<string, Json> = {};
  for (const key of Object.keys(value)) {
    const item = (value as Record<string, unknown>)[key];
    if (item === undefined) continue;
    if (!key.isWellFormed()) return refuse(problems, at, 'well-formed keys', 'a lone surrogate in a key');
    const copied = copyJson(item, pointer(at, key), depth + 1, problems);
    if (problems.length > 0) return null;
    // Assignment to `__proto__` would set the prototype: define it, as JSON.parse does.
    if (key === '__proto__') Object.defineProperty(copy, key, { value: copied, enumerable: true });
    else copy[key] = copied;
  }
  return Object.freeze(copy);
}

function copyNumber(value: number, at: string, problems: FieldProblem[]): Json {
  if (!Number.isFinite(value)) return refuse(problems, at, 'a finite number', describe(value));
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
    const mend = 'Send integers past 2^53 - 1 as strings: as numbers they are rounded.';
    return refuse(problems, at, 'an exact number', describe(value), mend);
  }
  return value;
}

function refuse(problems: FieldProblem[], at: string, expected: string, found: string, mend?: string): null {
  problems.push(mend === undefined ? { at, expected, found } : { at, expected, found, mend });
  return null;
}
