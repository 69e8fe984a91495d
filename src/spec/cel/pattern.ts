// Patterns: compiled once, kept in a bounded cache, matched against text of bounded length. Pure.
import type { Pattern, Patterns } from '../engines.ts';
import { type CelError, celError } from './value.ts';

/** Longest text a pattern is matched against: RE2 is linear, and this bounds the line. */
export const MAX_MATCHED = 262_144;
const MAX_PATTERN = 1_000;
const MAX_CACHED = 256;

const caches = new WeakMap<Patterns, Map<string, Pattern>>();

export function isPattern(value: Pattern | CelError): value is Pattern {
  return 'test' in value;
}

/** A compiled pattern, or the error that says why it is none. */
export function compilePattern(engine: Patterns | null, pattern: string): Pattern | CelError {
  if (engine === null) return celError('error', 'patterns are not here: compile with an engine for them');
  if (pattern.length > MAX_PATTERN)
    return celError('error', `a pattern is longer than ${MAX_PATTERN} characters`);
  let cache = caches.get(engine);
  if (cache === undefined) {
    cache = new Map();
    caches.set(engine, cache);
  }
  const known = cache.get(pattern);
  if (known !== undefined) return known;
  try {
    const compiled = engine.compile(pattern);
    if (cache.size >= MAX_CACHED) cache.delete(cache.keys().next().value as string);
    cache.set(pattern, compiled);
    return compiled;
  } catch (error) {
    return celError('error', `not an RE2 pattern: ${(error as Error).message}`);
  }
}

export function matchText(text: string, compiled: Pattern): boolean | CelError {
  if (text.length > MAX_MATCHED)
    return celError('error', `the text is longer than the ${MAX_MATCHED} characters that matches() looks at`);
  return compiled.test(text);
}
