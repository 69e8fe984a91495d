// Scalar fields of OTLP/JSON: text, 64-bit numbers as text or number, lists. Each answers a value or throws what is wrong.
import { describe } from '../../step/json.ts';
import type { Json } from '../../step/types.ts';
import { malformed } from './fault.ts';

export type JsonRecord = { readonly [key: string]: Json | undefined };

/** Thrown when JSON.parse has already rounded a number: the body must be parsed again by `parseExactly`. */
export class InexactNumber extends Error {}

export function isRecord(value: unknown): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Parses with integers past 2^53 as decimal text. Several times slower than `JSON.parse` alone. */
export function parseExactly(text: string): unknown {
  // The third argument of a reviver is ECMAScript's "JSON.parse source text access"; TypeScript's library lacks it.
  const revive = (_key: string, value: unknown, context?: { readonly source?: string }): unknown =>
    typeof value === 'number' && !Number.isSafeInteger(value) && isInteger(context?.source)
      ? context?.source
      : value;
  return JSON.parse(text, revive);
}

/** Decimal digits, with a sign at most. */
export function isInteger(text: string | undefined): text is string {
  if (text === undefined) return false;
  const start = text.charCodeAt(0) === 0x2d ? 1 : 0;
  if (text.length === start || text.length > 20) return false;
  for (let i = start; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x30 || unit > 0x39) return false;
  }
  return true;
}

export function readText(value: Json | undefined, at: string): string {
  if (value === undefined || value === null) return '';
  if (typeof value !== 'string') throw malformed(`expected a string, found ${describe(value)}`, at);
  return value.isWellFormed() ? value : value.toWellFormed();
}

export function readList(value: Json | undefined, at: string): readonly Json[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw malformed(`expected a list, found ${describe(value)}`, at);
  return value;
}

const UINT64_MAX = 18_446_744_073_709_551_615n;

/** Nanoseconds since the epoch, as decimal text without leading zeros. */
export function readNs(value: Json | undefined, at: string): string {
  if (value === undefined || value === null || value === '') return '0';
  if (typeof value === 'number') {
    if (Number.isSafeInteger(value) && value >= 0) return String(value);
    if (Number.isInteger(value) && value > 0) throw new InexactNumber();
  } else if (typeof value === 'string' && isInteger(value) && value[0] !== '-') {
    if (value.length < 20 && value[0] !== '0') return value;
    const count = BigInt(value);
    if (count <= UINT64_MAX) return String(count);
  }
  throw malformed(`expected nanoseconds since 1970 as digits, found ${describe(value)}`, at);
}

export function readCount(value: Json | undefined, at: string): number {
  if (value === undefined || value === null) return 0;
  const count = typeof value === 'string' && isInteger(value) ? Number(value) : value;
  if (typeof count === 'number' && Number.isInteger(count) && count >= 0 && count <= 0xffff_ffff)
    return count;
  throw malformed(`expected a count, found ${describe(value)}`, at);
}
