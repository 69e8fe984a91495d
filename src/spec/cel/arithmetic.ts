// CEL arithmetic and ordering. Ints are checked 64-bit; doubles are IEEE 754; JSON numbers add up as decimals
// (docs/decisions/001). Pure.
import { CelType, CelUint, celError, Duration, isCelError, Timestamp, type Value } from './value.ts';

const INT_MIN = -(2n ** 63n);
const INT_MAX = 2n ** 63n - 1n;
const UINT_MAX = 2n ** 64n - 1n;
const TIME_MIN = -62_135_596_800_000_000_000n;
const TIME_MAX = 253_402_300_799_999_999_999n;
const DURATION_MAX = INT_MAX;

export type Operator = '+' | '-' | '*' | '/' | '%';

export function inInt(value: bigint): Value {
  return value < INT_MIN || value > INT_MAX ? celError('error', 'int overflow') : value;
}
export function inUint(value: bigint): Value {
  return value < 0n || value > UINT_MAX ? celError('error', 'uint overflow') : new CelUint(value);
}
export function inTime(nanos: bigint): Value {
  return nanos < TIME_MIN || nanos > TIME_MAX
    ? celError('error', 'timestamp out of range')
    : new Timestamp(nanos);
}
export function inDuration(nanos: bigint): Value {
  return nanos > DURATION_MAX || nanos < -DURATION_MAX
    ? celError('error', 'duration out of range')
    : new Duration(nanos);
}

/** `json`: an operand may be a JSON number, so an int beside a double widens and results round to 15 digits. */
export function arithmetic(operator: Operator, a: Value, b: Value, json: boolean): Value {
  if (typeof a === 'number' && typeof b === 'number') return doubles(operator, a, b, json);
  if (isCelError(a)) return a;
  if (isCelError(b)) return b;
  if (typeof a === 'bigint' && typeof b === 'bigint') return ints(operator, a, b);
  if (a instanceof CelUint && b instanceof CelUint) return uints(operator, a.value, b.value);
  if (json) {
    const x = asDouble(a);
    const y = asDouble(b);
    if (x !== null && y !== null) return doubles(operator, x, y, true);
  }
  return other(operator, a, b);
}

function asDouble(value: Value): number | null {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  return value instanceof CelUint ? Number(value.value) : null;
}

function doubles(operator: Operator, a: number, b: number, decimal: boolean): Value {
  switch (operator) {
    case '+':
      return decimal ? rounded(a + b) : a + b;
    case '-':
      return decimal ? rounded(a - b) : a - b;
    case '*':
      return decimal ? rounded(a * b) : a * b;
    case '/':
      // Among JSON numbers a rule must not rest on an infinity or on what is no number.
      return decimal && b === 0 ? celError('error', 'divide by zero') : a / b;
    case '%':
      if (!decimal) return celError('error', 'no such overload: double % double');
      if (b === 0) return celError('error', 'modulus by zero');
      return a % b;
  }
}

function rounded(value: number): number {
  return Number.isSafeInteger(value) || !Number.isFinite(value) ? value : Number(value.toPrecision(15));
}

function ints(operator: Operator, a: bigint, b: bigint): Value {
  switch (operator) {
    case '+':
      return inInt(a + b);
    case '-':
      return inInt(a - b);
    case '*':
      return inInt(a * b);
    case '/':
      return b === 0n ? celError('error', 'divide by zero') : inInt(a / b);
    case '%':
      if (b === 0n) return celError('error', 'modulus by zero');
      return a === INT_MIN && b === -1n ? celError('error', 'int overflow') : a % b;
  }
}

function uints(operator: Operator, a: bigint, b: bigint): Value {
  switch (operator) {
    case '+':
      return inUint(a + b);
    case '-':
      return inUint(a - b);
    case '*':
      return inUint(a * b);
    case '/':
      return b === 0n ? celError('error', 'divide by zero') : inUint(a / b);
    case '%':
      return b === 0n ? celError('error', 'modulus by zero') : inUint(a % b);
  }
}

/** Largest text, bytes or list that `+` may make. */
const MAX_JOINED = 1_000_000;

function other(operator: Operator, a: Value, b: Value): Value {
  if (operator === '+') {
    if (typeof a === 'string' && typeof b === 'string') {
      return a.length + b.length > MAX_JOINED ? celError('error', 'the joined text is too long') : a + b;
    }
    if (Array.isArray(a) && Array.isArray(b)) {
      return a.length + b.length > MAX_JOINED
        ? celError('error', 'the joined list is too long')
        : [...(a as Value[]), ...(b as Value[])];
    }
    if (a instanceof Uint8Array && b instanceof Uint8Array) {
      const out = new Uint8Array(a.length + b.length);
      out.set(a);
      out.set(b, a.length);
      return out;
    }
    if (a instanceof Timestamp && b instanceof Duration) return inTime(a.nanos + b.nanos);
    if (a instanceof Duration && b instanceof Timestamp) return inTime(a.nanos + b.nanos);
    if (a instanceof Duration && b instanceof Duration) return inDuration(a.nanos + b.nanos);
  }
  if (operator === '-') {
    if (a instanceof Timestamp && b instanceof Timestamp) return inDuration(a.nanos - b.nanos);
    if (a instanceof Timestamp && b instanceof Duration) return inTime(a.nanos - b.nanos);
    if (a instanceof Duration && b instanceof Duration) return inDuration(a.nanos - b.nanos);
  }
  return celError('error', `no such overload: ${kindOf(a)} ${operator} ${kindOf(b)}`);
}

export function negate(a: Value): Value {
  if (typeof a === 'number') return -a;
  if (typeof a === 'bigint') return inInt(-a);
  if (a instanceof Duration) return inDuration(-a.nanos);
  return isCelError(a) ? a : celError('error', `no such overload: -${kindOf(a)}`);
}

/** Negative, zero or positive; NaN for unordered doubles; null when the two have no order. */
export function compare(a: Value, b: Value): number | null {
  if (typeof a === 'number' && typeof b === 'number')
    return a < b ? -1 : a > b ? 1 : a === b ? 0 : Number.NaN;
  const x = a instanceof CelUint ? a.value : a;
  const y = b instanceof CelUint ? b.value : b;
  if (typeof x === 'bigint' && typeof y === 'bigint') return order(x, y);
  if ((typeof x === 'number' || typeof x === 'bigint') && (typeof y === 'number' || typeof y === 'bigint')) {
    // An int beside a double is compared as a double, lossy above 2^53, as cel-spec asks.
    return compare(Number(x), Number(y));
  }
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b);
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b);
  if (a instanceof Timestamp && b instanceof Timestamp) return order(a.nanos, b.nanos);
  if (a instanceof Duration && b instanceof Duration) return order(a.nanos, b.nanos);
  if (a instanceof Uint8Array && b instanceof Uint8Array) {
    for (let i = 0; i < Math.min(a.length, b.length); i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
    return a.length - b.length;
  }
  return null;
}

function order(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** By code point, as CEL orders text; UTF-16 order differs above the basic plane. */
function compareText(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    const xSurrogate = x >= 0xd800 && x <= 0xdfff;
    const ySurrogate = y >= 0xd800 && y <= 0xdfff;
    return xSurrogate === ySurrogate ? x - y : xSurrogate ? 1 : -1;
  }
  return a.length - b.length;
}

export function kindOf(value: Value): string {
  if (value === null) return 'null_type';
  switch (typeof value) {
    case 'boolean':
      return 'bool';
    case 'number':
      return 'double';
    case 'bigint':
      return 'int';
    case 'string':
      return 'string';
  }
  if (Array.isArray(value)) return 'list';
  if (value instanceof Uint8Array) return 'bytes';
  if (value instanceof CelUint) return 'uint';
  if (value instanceof Timestamp) return 'google.protobuf.Timestamp';
  if (value instanceof Duration) return 'google.protobuf.Duration';
  if (isCelError(value)) return 'error';
  return value instanceof CelType ? 'type' : 'map';
}
