// The standard library: functions and methods by name. Errors among the arguments are handled before any of these. Pure.
import { RE2JS } from '@bufbuild/re2';
import { BOOL, DYN, INT, STRING, type Type } from '../schema/type.ts';
import { arithmetic, compare, kindOf } from './arithmetic.ts';
import {
  floorDiv,
  offsetSeconds,
  toBool,
  toBytes,
  toDouble,
  toDuration,
  toInt,
  toText,
  toTimestamp,
  toUint,
  typeOf,
} from './convert.ts';
import { entriesOf } from './equals.ts';
import { mentions } from './mentions.ts';
import { compilePattern, matchText } from './pattern.ts';
import { CelUint, celError, Duration, Timestamp, type Value } from './value.ts';

export interface CelFunction {
  readonly type: Type;
  /** Numbers of arguments, the receiver of a method counted. */
  readonly arity: readonly number[];
  readonly call: (args: readonly Value[]) => Value;
}

const LIST_OF_STRINGS: Type = { t: 'list', of: STRING };
const MAX_TEXT = 1_000_000;

function overload(name: string, args: readonly Value[]): Value {
  return celError('error', `no such overload: ${name}(${args.map(kindOf).join(', ')})`);
}

function size(value: Value): Value {
  if (typeof value === 'string') return BigInt(codePoints(value));
  if (Array.isArray(value) || value instanceof Uint8Array) return BigInt(value.length);
  const entries = entriesOf(value);
  return entries === null ? overload('size', [value]) : BigInt(entries.length);
}

function codePoints(text: string): number {
  let count = 0;
  for (let i = 0; i < text.length; i++, count++) if ((text.codePointAt(i) ?? 0) > 0xffff) i++;
  return count;
}

export function matches(text: Value, pattern: Value): Value {
  if (typeof text !== 'string' || typeof pattern !== 'string') return overload('matches', [text, pattern]);
  const compiled = compilePattern(pattern);
  return compiled instanceof RE2JS ? matchText(text, compiled) : compiled;
}

function texts(name: string, type: Type, call: (...texts: string[]) => Value, arity: number): CelFunction {
  return {
    type,
    arity: [arity],
    call: (args) =>
      args.every((arg) => typeof arg === 'string') ? call(...(args as string[])) : overload(name, args),
  };
}

function conversion(type: Type, convert: (value: Value) => Value): CelFunction {
  return { type, arity: [1], call: ([value]) => convert(value!) };
}

export const FUNCTIONS: ReadonlyMap<string, CelFunction> = new Map<string, CelFunction>([
  ['size', { type: INT, arity: [1], call: ([value]) => size(value!) }],
  ['int', conversion(INT, toInt)],
  ['uint', conversion({ t: 'uint' }, toUint)],
  ['double', conversion({ t: 'double' }, toDouble)],
  ['string', conversion(STRING, toText)],
  ['bytes', conversion({ t: 'bytes' }, toBytes)],
  ['bool', conversion(BOOL, toBool)],
  ['timestamp', conversion({ t: 'timestamp' }, toTimestamp)],
  ['duration', conversion({ t: 'duration' }, toDuration)],
  ['dyn', conversion(DYN, (value) => value)],
  ['type', conversion({ t: 'type' }, typeOf)],
  ['matches', { type: BOOL, arity: [2], call: ([text, pattern]) => matches(text!, pattern!) }],
  [
    'math.greatest',
    { type: DYN, arity: [1, 2, 3, 4, 5, 6], call: (args) => extreme('math.greatest', args, 1) },
  ],
  ['math.least', { type: DYN, arity: [1, 2, 3, 4, 5, 6], call: (args) => extreme('math.least', args, -1) }],
  [
    'math.abs',
    {
      type: DYN,
      arity: [1],
      call: ([value]) =>
        typeof value === 'number'
          ? Math.abs(value)
          : typeof value === 'bigint'
            ? value < 0n
              ? -value
              : value
            : value instanceof CelUint
              ? value
              : overload('math.abs', [value!]),
    },
  ],
  [
    'math.ceil',
    {
      type: DYN,
      arity: [1],
      call: ([value]) => (typeof value === 'number' ? Math.ceil(value) : overload('math.ceil', [value!])),
    },
  ],
  [
    'math.floor',
    {
      type: DYN,
      arity: [1],
      call: ([value]) => (typeof value === 'number' ? Math.floor(value) : overload('math.floor', [value!])),
    },
  ],
]);

export const METHODS: ReadonlyMap<string, CelFunction> = new Map<string, CelFunction>([
  ['size', { type: INT, arity: [1], call: ([value]) => size(value!) }],
  ['contains', texts('contains', BOOL, (text, part) => text!.includes(part!), 2)],
  ['startsWith', texts('startsWith', BOOL, (text, part) => text!.startsWith(part!), 2)],
  ['endsWith', texts('endsWith', BOOL, (text, part) => text!.endsWith(part!), 2)],
  ['matches', { type: BOOL, arity: [2], call: ([text, pattern]) => matches(text!, pattern!) }],
  ['mentions', { type: BOOL, arity: [2], call: ([text, list]) => mentions(text!, list!) }],
  ['lowerAscii', texts('lowerAscii', STRING, (text) => asciiCase(text!, 65, 90, 32), 1)],
  ['upperAscii', texts('upperAscii', STRING, (text) => asciiCase(text!, 97, 122, -32), 1)],
  ['trim', texts('trim', STRING, (text) => text!.trim(), 1)],
  ['reverse', texts('reverse', STRING, (text) => [...text!].reverse().join(''), 1)],
  ['charAt', { type: STRING, arity: [2], call: (args) => charAt(args) }],
  ['indexOf', { type: INT, arity: [2, 3], call: (args) => indexOf(args, false) }],
  ['lastIndexOf', { type: INT, arity: [2, 3], call: (args) => indexOf(args, true) }],
  ['substring', { type: STRING, arity: [2, 3], call: (args) => substring(args) }],
  ['replace', { type: STRING, arity: [3, 4], call: (args) => replace(args) }],
  ['split', { type: LIST_OF_STRINGS, arity: [2, 3], call: (args) => split(args) }],
  ['sum', { type: DYN, arity: [1], call: ([list]) => sum(list!) }],
  ['join', { type: STRING, arity: [1, 2], call: (args) => joinTexts(args) }],
  ...dateGetters(),
]);

function extreme(name: string, args: readonly Value[], sign: 1 | -1): Value {
  const values = args.length === 1 && Array.isArray(args[0]) ? (args[0] as Value[]) : args;
  let best: Value | undefined;
  for (const value of values) {
    if (typeof value !== 'number' && typeof value !== 'bigint' && !(value instanceof CelUint))
      return overload(name, args);
    if (best === undefined || sign * (compare(value, best) ?? 0) > 0) best = value;
  }
  return best ?? celError('error', `${name} of nothing`);
}

function asciiCase(text: string, from: number, to: number, shift: number): string {
  let out = '';
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    out += code >= from && code <= to ? String.fromCharCode(code + shift) : text[i];
  }
  return out;
}

function index(value: Value | undefined): number | null {
  return typeof value === 'bigint'
    ? Number(value)
    : typeof value === 'number' && Number.isInteger(value)
      ? value
      : null;
}

function charAt(args: readonly Value[]): Value {
  const [text] = args;
  const at = index(args[1]);
  if (typeof text !== 'string' || at === null) return overload('charAt', args);
  const characters = [...text];
  return at < 0 || at > characters.length
    ? celError('error', `index out of range: ${at}`)
    : (characters[at] ?? '');
}

function indexOf(args: readonly Value[], last: boolean): Value {
  const [text, part] = args;
  if (typeof text !== 'string' || typeof part !== 'string')
    return overload(last ? 'lastIndexOf' : 'indexOf', args);
  const characters = [...text];
  const from = args[2] === undefined ? (last ? characters.length : 0) : index(args[2]);
  if (from === null || from < 0 || (args[2] !== undefined && from > characters.length))
    return celError('error', 'index out of range');
  const prefix = characters.slice(0, from).join('').length;
  const found = last ? text.lastIndexOf(part, prefix) : text.indexOf(part, prefix);
  return found < 0 ? -1n : BigInt(codePoints(text.slice(0, found)));
}

function substring(args: readonly Value[]): Value {
  const [text] = args;
  const start = index(args[1]);
  if (typeof text !== 'string' || start === null) return overload('substring', args);
  const characters = [...text];
  const end = args[2] === undefined ? characters.length : index(args[2]);
  if (end === null || start < 0 || end > characters.length || start > end)
    return celError('error', 'substring: index out of range');
  return characters.slice(start, end).join('');
}

function replace(args: readonly Value[]): Value {
  const [text, from, to] = args;
  const limit = args[3] === undefined ? -1 : index(args[3]);
  if (typeof text !== 'string' || typeof from !== 'string' || typeof to !== 'string' || limit === null)
    return overload('replace', args);
  const parts = from === '' ? ['', ...text, ''] : text.split(from);
  const times = limit < 0 ? parts.length - 1 : Math.min(limit, parts.length - 1);
  const out =
    parts.slice(0, times + 1).join(to) +
    (times < parts.length - 1 ? from + parts.slice(times + 1).join(from) : '');
  return out.length > MAX_TEXT ? celError('error', 'the replaced text is too long') : out;
}

function split(args: readonly Value[]): Value {
  const [text, by] = args;
  const limit = args[2] === undefined ? -1 : index(args[2]);
  if (typeof text !== 'string' || typeof by !== 'string' || limit === null) return overload('split', args);
  if (limit === 0) return [];
  const parts = by === '' ? [...text] : text.split(by);
  if (limit < 0 || parts.length <= limit) return parts;
  return [...parts.slice(0, limit - 1), parts.slice(limit - 1).join(by)];
}

function joinTexts(args: readonly Value[]): Value {
  const [list, by = ''] = args;
  if (!Array.isArray(list) || typeof by !== 'string' || !list.every((item) => typeof item === 'string'))
    return overload('join', args);
  const out = list.join(by);
  return out.length > MAX_TEXT ? celError('error', 'the joined text is too long') : out;
}

/** Extension: the sum of a list of numbers, as decimals (docs/decisions/001); 0 for none. */
function sum(list: Value): Value {
  if (!Array.isArray(list)) return overload('sum', [list]);
  let total: Value = 0;
  for (const item of list as readonly Value[]) {
    total = arithmetic('+', total, item, true);
    if (typeof total !== 'number') return overload('sum', [list]);
  }
  return total;
}

function dateGetters(): [string, CelFunction][] {
  const getters: Readonly<Record<string, (date: Date) => number>> = {
    getFullYear: (date) => date.getUTCFullYear(),
    getMonth: (date) => date.getUTCMonth(),
    getDate: (date) => date.getUTCDate(),
    getDayOfMonth: (date) => date.getUTCDate() - 1,
    getDayOfWeek: (date) => date.getUTCDay(),
    getDayOfYear: (date) => Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1)) / 86_400_000),
    getHours: (date) => date.getUTCHours(),
    getMinutes: (date) => date.getUTCMinutes(),
    getSeconds: (date) => date.getUTCSeconds(),
    getMilliseconds: (date) => date.getUTCMilliseconds(),
  };
  const perUnit: Readonly<Record<string, bigint>> = {
    getHours: 3_600_000_000_000n,
    getMinutes: 60_000_000_000n,
    getSeconds: 1_000_000_000n,
  };
  return Object.entries(getters).map(([name, read]) => [
    name,
    {
      type: INT,
      arity: [1, 2],
      call: (args) => {
        const [value, zone] = args;
        if (value instanceof Duration && zone === undefined) {
          if (name === 'getMilliseconds') return (value.nanos / 1_000_000n) % 1000n;
          return perUnit[name] === undefined ? overload(name, args) : value.nanos / perUnit[name];
        }
        if (!(value instanceof Timestamp) || (zone !== undefined && typeof zone !== 'string'))
          return overload(name, args);
        const ms = Number(floorDiv(value.nanos, 1_000_000n));
        const shift = zone === undefined ? 0 : zoneShiftMs(zone, ms);
        return shift === null
          ? celError('error', `unknown time zone: ${String(zone).slice(0, 40)}`)
          : BigInt(read(new Date(ms + shift)));
      },
    },
  ]);
}

/** Milliseconds east of UTC at that moment; null for a zone that is not known. */
function zoneShiftMs(zone: string, ms: number): number | null {
  const fixed = offsetSeconds(zone);
  if (fixed !== null) return fixed * 1000;
  try {
    const format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    const part: Record<string, number> = {};
    for (const { type, value } of format.formatToParts(new Date(ms))) part[type] = Number(value);
    const local = Date.UTC(part.year!, part.month! - 1, part.day, part.hour, part.minute, part.second);
    return local - Math.floor(ms / 1000) * 1000;
  } catch {
    return null;
  }
}
