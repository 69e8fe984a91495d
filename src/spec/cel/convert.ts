// CEL's type conversions and the forms of timestamps and durations. Pure, no RegExp over outside text.
import { inDuration, inInt, inTime, inUint, kindOf } from './arithmetic.ts';
import {
  type CelError,
  CelType,
  CelUint,
  celError,
  Duration,
  isCelError,
  Timestamp,
  type Value,
} from './value.ts';

const NANOS = 1_000_000_000n;
const TWO_63 = 2 ** 63;

export function toInt(value: Value): Value {
  if (typeof value === 'bigint') return value;
  if (value instanceof CelUint) return inInt(value.value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value) || value >= TWO_63 || value <= -TWO_63)
      return celError('error', 'int overflow');
    return BigInt(Math.trunc(value));
  }
  if (typeof value === 'string')
    return isInteger(value) ? inInt(BigInt(value)) : celError('error', `not an int: ${value.slice(0, 40)}`);
  if (value instanceof Timestamp) return floorDiv(value.nanos, NANOS);
  return failed('int', value);
}

export function toUint(value: Value): Value {
  if (value instanceof CelUint) return value;
  if (typeof value === 'bigint') return inUint(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value) || value < 0 || value >= 2 * TWO_63)
      return celError('error', 'uint overflow');
    return new CelUint(BigInt(Math.trunc(value)));
  }
  if (typeof value === 'string')
    return isInteger(value) && value[0] !== '-'
      ? inUint(BigInt(value))
      : celError('error', `not a uint: ${value.slice(0, 40)}`);
  return failed('uint', value);
}

export function toDouble(value: Value): Value {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof CelUint) return Number(value.value);
  if (typeof value === 'string') {
    const known = SPECIAL_DOUBLES.get(value);
    if (known !== undefined) return known;
    const parsed = isDecimal(value) ? Number(value) : Number.NaN;
    return Number.isFinite(parsed) ? parsed : celError('error', `not a double: ${value.slice(0, 40)}`);
  }
  return failed('double', value);
}

const SPECIAL_DOUBLES: ReadonlyMap<string, number> = new Map([
  ['NaN', Number.NaN],
  ...['Infinity', '+Infinity', 'inf', '+inf', 'infinity', '+infinity'].map(
    (text) => [text, Number.POSITIVE_INFINITY] as const,
  ),
  ...['-Infinity', '-inf', '-infinity'].map((text) => [text, Number.NEGATIVE_INFINITY] as const),
]);

/** Only what a decimal is written with: JavaScript also reads blanks, `0x10` and nothing at all as numbers. */
function isDecimal(text: string): boolean {
  if (text === '' || text.length > 400) return false;
  for (const c of text) if (!'0123456789.eE+-'.includes(c)) return false;
  return true;
}

export function toText(value: Value): Value {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (typeof value === 'number') return String(value);
  if (value instanceof CelUint) return String(value.value);
  if (value instanceof Timestamp || value instanceof Duration) return value.toString();
  if (value instanceof Uint8Array) {
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(value);
    } catch {
      return celError('error', 'the bytes are not UTF-8');
    }
  }
  return failed('string', value);
}

export function toBytes(value: Value): Value {
  if (value instanceof Uint8Array) return value;
  return typeof value === 'string' ? new TextEncoder().encode(value) : failed('bytes', value);
}

export function toBool(value: Value): Value {
  if (typeof value === 'boolean') return value;
  if (typeof value === 'string') {
    if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(value)) return true;
    if (['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(value)) return false;
    return celError('error', `not a bool: ${value.slice(0, 40)}`);
  }
  return failed('bool', value);
}

export function toTimestamp(value: Value): Value {
  if (value instanceof Timestamp) return value;
  if (typeof value === 'bigint') return inTime(value * NANOS);
  return typeof value === 'string' ? parseTimestamp(value) : failed('timestamp', value);
}

export function toDuration(value: Value): Value {
  if (value instanceof Duration) return value;
  if (typeof value === 'bigint') return inDuration(value * NANOS);
  return typeof value === 'string' ? parseDurationText(value) : failed('duration', value);
}

export function typeOf(value: Value): Value {
  return isCelError(value) ? value : new CelType(kindOf(value));
}

function failed(to: string, value: Value): CelError {
  return isCelError(value) ? value : celError('error', `no such overload: ${to}(${kindOf(value)})`);
}

function isInteger(text: string): boolean {
  const start = text[0] === '-' || text[0] === '+' ? 1 : 0;
  if (text.length === start || text.length > 24) return false;
  for (let i = start; i < text.length; i++)
    if (text.charCodeAt(i) < 48 || text.charCodeAt(i) > 57) return false;
  return true;
}

export function floorDiv(a: bigint, b: bigint): bigint {
  const quotient = a / b;
  return a % b < 0n ? quotient - 1n : quotient;
}

/** RFC 3339 section 5.6 with up to nine digits of fraction. */
function parseTimestamp(text: string): Value {
  const wrong = celError('error', `not an RFC 3339 timestamp: ${text.slice(0, 40)}`);
  if (text.length < 20 || text.length > 40) return wrong;
  const separators =
    text[4] === '-' &&
    text[7] === '-' &&
    (text[10] === 'T' || text[10] === 't') &&
    text[13] === ':' &&
    text[16] === ':';
  if (!separators) return wrong;
  const part = (start: number, end: number) =>
    isInteger(text.slice(start, end)) && text[start] !== '-' && text[start] !== '+'
      ? Number(text.slice(start, end))
      : Number.NaN;
  const [year, month, day, hour, minute, second] = [
    part(0, 4),
    part(5, 7),
    part(8, 10),
    part(11, 13),
    part(14, 16),
    part(17, 19),
  ] as const;
  const utc = Date.UTC(year, month - 1, day, hour, minute, second);
  const check = new Date(Date.UTC(2000, month - 1, day));
  if (
    Number.isNaN(utc) ||
    month < 1 ||
    month > 12 ||
    check.getUTCMonth() !== month - 1 ||
    hour > 23 ||
    minute > 59 ||
    second > 59
  )
    return wrong;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second, 0);
  if (date.getUTCDate() !== day) return wrong;
  let at = 19;
  let fraction = '';
  if (text[at] === '.') {
    at++;
    while (at < text.length && text.charCodeAt(at) >= 48 && text.charCodeAt(at) <= 57) fraction += text[at++];
    if (fraction === '' || fraction.length > 9) return wrong;
  }
  const offset = offsetSeconds(text.slice(at));
  if (offset === null) return wrong;
  const seconds = BigInt(Math.floor(date.getTime() / 1000)) - BigInt(offset);
  return inTime(seconds * NANOS + BigInt(fraction.padEnd(9, '0')));
}

/** `Z`, `+hh:mm` or `-hh:mm` in seconds east of UTC; null when it is neither. */
export function offsetSeconds(text: string): number | null {
  if (text === 'Z' || text === 'z') return 0;
  const signed = text[0] === '-' || text[0] === '+';
  const body = signed ? text.slice(1) : text;
  if (body.length !== 5 || body[2] !== ':') return null;
  const hours = Number(body.slice(0, 2));
  const minutes = Number(body.slice(3));
  if (!isInteger(body.slice(0, 2)) || !isInteger(body.slice(3)) || hours > 23 || minutes > 59) return null;
  return (text[0] === '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
}

const UNIT_NANOS: Readonly<Record<string, bigint>> = {
  h: 3600n * NANOS,
  m: 60n * NANOS,
  s: NANOS,
  ms: 1_000_000n,
  us: 1_000n,
  µs: 1_000n,
  ns: 1n,
};

/** `1h30m`, `-1.5s`: the form of Go's time.ParseDuration, as CEL asks; `d` for days as an extension. */
function parseDurationText(text: string): Value {
  const wrong = celError('error', `not a duration: ${text.slice(0, 40)}`);
  if (text === '' || text.length > 64) return wrong;
  const negative = text[0] === '-';
  let at = negative || text[0] === '+' ? 1 : 0;
  if (text.slice(at) === '0') return new Duration(0n);
  let total = 0n;
  if (at === text.length) return wrong;
  while (at < text.length) {
    let whole = '';
    let fraction = '';
    while (isDigitAt(text, at)) whole += text[at++];
    if (text[at] === '.') {
      at++;
      while (isDigitAt(text, at)) fraction += text[at++];
    }
    let unit = '';
    while (at < text.length && !isDigitAt(text, at) && text[at] !== '.') unit += text[at++];
    const nanos = unit === 'd' ? 24n * UNIT_NANOS.h! : UNIT_NANOS[unit];
    if (whole + fraction === '' || nanos === undefined) return wrong;
    total += BigInt(whole === '' ? '0' : whole) * nanos;
    if (fraction !== '') total += (BigInt(fraction) * nanos) / 10n ** BigInt(fraction.length);
  }
  return inDuration(negative ? -total : total);
}

function isDigitAt(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 48 && code <= 57;
}
