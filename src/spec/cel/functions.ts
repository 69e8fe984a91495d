// The standard library: functions and methods by name, with their signatures. Errors among the arguments are handled
// before any of these. Pure.
import type { Engines } from '../engines.ts';
import { BOOL, DYN, INT, STRING, type Type } from '../schema/type.ts';
import { arithmetic, compare, inInt } from './arithmetic.ts';
import {
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
import { DATE_GETTERS, partOf } from './dates.ts';
import { mentions } from './mentions.ts';
import { overload } from './overload.ts';
import { compilePattern, isPattern, matchText } from './pattern.ts';
import { normalize, SHELL, shell, within } from './shell.ts';
import {
  charAt,
  codePoints,
  indexOf,
  joinTexts,
  lowerAscii,
  replace,
  split,
  substring,
  upperAscii,
} from './text.ts';
import { type CelError, CelUint, celError, isCelObject, type Value } from './value.ts';

export type Kind = Type['t'];

export interface CelFunction {
  readonly type: Type;
  /** Numbers of arguments, the receiver of a method counted. */
  readonly arity: readonly number[];
  /** The kinds each argument may have; the last entry holds for those that follow; none: anything. */
  readonly takes: readonly (readonly Kind[])[];
  readonly call: (args: readonly Value[], engines: Engines) => Value;
  /** The engine without which there is no such function. */
  readonly needs?: 'patterns' | 'shell';
  /** A yes-or-no question about two texts: asked without a list of arguments. */
  readonly test?: (text: string, part: string) => boolean;
}

const TEXT: readonly Kind[] = ['string'];
const LIST: readonly Kind[] = ['list'];
const NUMERIC: readonly Kind[] = ['int', 'uint', 'double', 'number'];
const INDEX: readonly Kind[] = ['int', 'double', 'number'];
const SIZED: readonly Kind[] = ['string', 'bytes', 'list', 'map', 'object'];
const LIST_OF_STRINGS: Type = { t: 'list', of: STRING };

/** Code points, bytes, items or entries. */
export function sizeOf(value: Value): number | CelError {
  if (typeof value === 'string') return codePoints(value);
  if (Array.isArray(value) || value instanceof Uint8Array) return value.length;
  if (value instanceof Map) return value.size;
  return isCelObject(value) ? Object.keys(value).length : overload('size', [value]);
}

function matches(args: readonly Value[], { patterns }: Engines): Value {
  const [text, pattern] = args;
  if (typeof text !== 'string' || typeof pattern !== 'string') return overload('matches', args);
  const compiled = compilePattern(patterns, pattern);
  return isPattern(compiled) ? matchText(text, compiled) : compiled;
}

function textTest(name: string, test: (text: string, part: string) => boolean): [string, CelFunction] {
  const call = (args: readonly Value[]) => {
    const [text, part] = args;
    return typeof text === 'string' && typeof part === 'string' ? test(text, part) : overload(name, args);
  };
  return [name, { type: BOOL, arity: [2], takes: [TEXT], call, test }];
}

function textMap(name: string, change: (text: string) => string): [string, CelFunction] {
  const call = (args: readonly Value[]) =>
    typeof args[0] === 'string' ? change(args[0]) : overload(name, args);
  return [name, { type: STRING, arity: [1], takes: [TEXT], call }];
}

function conversion(
  name: string,
  type: Type,
  takes: readonly Kind[] | null,
  convert: (value: Value) => Value,
): [string, CelFunction] {
  return [
    name,
    { type, arity: [1], takes: takes === null ? [] : [takes], call: ([value]) => convert(value!) },
  ];
}

function rounding(name: string, round: (value: number) => number): [string, CelFunction] {
  const call = (args: readonly Value[]) =>
    typeof args[0] === 'number' ? round(args[0]) : overload(name, args);
  return [name, { type: DYN, arity: [1], takes: [['double', 'number']], call }];
}

function extremes(name: string, sign: 1 | -1): [string, CelFunction] {
  const arity = Array.from({ length: 16 }, (_, i) => i + 1);
  const takes = [[...NUMERIC, ...LIST]];
  return [name, { type: DYN, arity, takes, call: (args) => extreme(name, args, sign) }];
}

const SIZE: CelFunction = {
  type: INT,
  arity: [1],
  takes: [SIZED],
  call: ([value]) => {
    const size = sizeOf(value!);
    return typeof size === 'number' ? BigInt(size) : size;
  },
};
const MATCHES: CelFunction = { type: BOOL, arity: [2], takes: [TEXT], call: matches };

export const FUNCTIONS: ReadonlyMap<string, CelFunction> = new Map<string, CelFunction>([
  ['size', SIZE],
  conversion('int', INT, [...NUMERIC, 'string', 'timestamp'], toInt),
  conversion('uint', { t: 'uint' }, [...NUMERIC, 'string'], toUint),
  conversion('double', { t: 'double' }, [...NUMERIC, 'string'], toDouble),
  conversion('string', STRING, [...NUMERIC, 'string', 'bool', 'bytes', 'timestamp', 'duration'], toText),
  conversion('bytes', { t: 'bytes' }, ['string', 'bytes'], toBytes),
  conversion('bool', BOOL, ['bool', 'string'], toBool),
  conversion('timestamp', { t: 'timestamp' }, ['timestamp', 'int', 'string'], toTimestamp),
  conversion('duration', { t: 'duration' }, ['duration', 'int', 'string'], toDuration),
  conversion('dyn', DYN, null, (value) => value),
  conversion('type', { t: 'type' }, null, typeOf),
  ['matches', MATCHES],
  extremes('math.greatest', 1),
  extremes('math.least', -1),
  ['math.abs', { type: DYN, arity: [1], takes: [NUMERIC], call: ([value]) => absolute(value!) }],
  rounding('math.ceil', Math.ceil),
  rounding('math.floor', Math.floor),
  ['shell', { type: SHELL, arity: [1, 2], takes: [['string', 'list'], TEXT], call: shell, needs: 'shell' }],
  ['path.within', { type: BOOL, arity: [2], takes: [TEXT], call: within }],
  ['path.normalize', { type: STRING, arity: [1], takes: [TEXT], call: normalize }],
]);

export const METHODS: ReadonlyMap<string, CelFunction> = new Map<string, CelFunction>([
  ['size', SIZE],
  textTest('contains', (text, part) => text.includes(part)),
  textTest('startsWith', (text, part) => text.startsWith(part)),
  textTest('endsWith', (text, part) => text.endsWith(part)),
  ['matches', MATCHES],
  [
    'mentions',
    { type: BOOL, arity: [2], takes: [TEXT, LIST], call: ([text, list]) => mentions(text!, list!) },
  ],
  textMap('lowerAscii', lowerAscii),
  textMap('upperAscii', upperAscii),
  textMap('trim', (text) => text.trim()),
  textMap('reverse', (text) => [...text].reverse().join('')),
  ['charAt', { type: STRING, arity: [2], takes: [TEXT, INDEX], call: charAt }],
  ['indexOf', { type: INT, arity: [2, 3], takes: [TEXT, TEXT, INDEX], call: (args) => indexOf(args, false) }],
  [
    'lastIndexOf',
    { type: INT, arity: [2, 3], takes: [TEXT, TEXT, INDEX], call: (args) => indexOf(args, true) },
  ],
  ['substring', { type: STRING, arity: [2, 3], takes: [TEXT, INDEX], call: substring }],
  ['replace', { type: STRING, arity: [3, 4], takes: [TEXT, TEXT, TEXT, INDEX], call: replace }],
  ['split', { type: LIST_OF_STRINGS, arity: [2, 3], takes: [TEXT, TEXT, INDEX], call: split }],
  ['join', { type: STRING, arity: [1, 2], takes: [LIST, TEXT], call: joinTexts }],
  ['sum', { type: DYN, arity: [1], takes: [LIST], call: ([list]) => sum(list!) }],
  ...DATE_GETTERS.map((name): [string, CelFunction] => [
    name,
    {
      type: INT,
      arity: [1, 2],
      takes: [['timestamp', 'duration'], TEXT],
      call: (args) => partOf(name, args),
    },
  ]),
]);

function absolute(value: Value): Value {
  if (typeof value === 'number') return Math.abs(value);
  if (typeof value === 'bigint') return value < 0n ? inInt(-value) : value;
  return value instanceof CelUint ? value : overload('math.abs', [value]);
}

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
