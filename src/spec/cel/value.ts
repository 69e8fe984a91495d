// The values CEL expressions work on. Steps' JSON is used as it is, never converted or copied; what JSON lacks has a
// class here. Errors are values, so that `&&` and `||` can absorb them as the CEL specification asks. Pure.

export interface CelObject {
  readonly [field: string]: Value;
}
export type Value =
  | null
  | boolean
  /** CEL double; also every JSON number. */
  | number
  /** CEL int, signed 64 bit. */
  | bigint
  | string
  | Uint8Array
  | readonly Value[]
  | CelObject
  | ReadonlyMap<Value, Value>
  | CelUint
  | Timestamp
  | Duration
  | CelType
  | CelError;

/** One slot per variable; slot 0 belongs to the host. */
export type Frame = Value[];

export class CelUint {
  readonly value: bigint;
  constructor(value: bigint) {
    this.value = value;
  }
}

export class CelType {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/** `absent`: a field, key or step is not there. `error`: the expression went wrong. The difference shows in decisions. */
export class CelError {
  readonly code: 'absent' | 'error';
  readonly message: string;
  constructor(code: 'absent' | 'error', message: string) {
    this.code = code;
    this.message = message;
  }
}

export function celError(code: 'absent' | 'error', message: string): CelError {
  return new CelError(code, message);
}

export function celAbsent(message: string): CelError {
  return new CelError('absent', message);
}

export function isCelError(value: Value): value is CelError {
  return value instanceof CelError;
}

const NANOS_PER_MS = 1_000_000n;
const NANOS_PER_SECOND = 1_000_000_000n;

/** A point in time, nanoseconds since the Unix epoch. */
export class Timestamp {
  readonly nanos: bigint;
  constructor(nanos: bigint) {
    this.nanos = nanos;
  }
  static fromMillis(ms: number): Timestamp {
    return new Timestamp(BigInt(Math.trunc(ms)) * NANOS_PER_MS);
  }
  toMillis(): number {
    return Number(this.nanos / NANOS_PER_MS);
  }
  /** RFC 3339, fraction only as long as it needs to be. */
  toString(): string {
    let seconds = this.nanos / NANOS_PER_SECOND;
    let fraction = this.nanos % NANOS_PER_SECOND;
    if (fraction < 0n) {
      fraction += NANOS_PER_SECOND;
      seconds -= 1n;
    }
    const head = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
    return fraction === 0n ? `${head}Z` : `${head}.${trimZeros(fraction.toString().padStart(9, '0'))}Z`;
  }
}

/** A length of time in nanoseconds. */
export class Duration {
  readonly nanos: bigint;
  constructor(nanos: bigint) {
    this.nanos = nanos;
  }
  toMillis(): number {
    return Number(this.nanos / NANOS_PER_MS);
  }
  /** Seconds, as protobuf JSON writes a Duration: `1.5s`. */
  toString(): string {
    const negative = this.nanos < 0n;
    const nanos = negative ? -this.nanos : this.nanos;
    const fraction = nanos % NANOS_PER_SECOND;
    const tail = fraction === 0n ? '' : `.${trimZeros(fraction.toString().padStart(9, '0'))}`;
    return `${negative ? '-' : ''}${nanos / NANOS_PER_SECOND}${tail}s`;
  }
}

function trimZeros(digits: string): string {
  let end = digits.length;
  while (end > 0 && digits[end - 1] === '0') end--;
  return digits.slice(0, end);
}

/** Whether a value is JSON-like data with fields: an object that is none of the classes above. */
export function isCelObject(value: Value): value is CelObject {
  if (typeof value !== 'object' || value === null) return false;
  const prototype = Object.getPrototypeOf(value) as unknown;
  return prototype === Object.prototype || prototype === null;
}
