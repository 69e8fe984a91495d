// The compiler against @bufbuild/cel's interpreter, on random expressions of what the two have in common.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isCelList, isCelUint, isCelError as isTheirError, run } from '@bufbuild/cel';
import fc from 'fast-check';
import { ENGINES } from '../engines/all.ts';
import type { Type } from '../schema/type.ts';
import { compileExpr, Scope } from './compile.ts';
import { parseCel } from './parse.ts';
import { CelUint, type Frame, isCelError, type Value } from './value.ts';

type Kind = 'bool' | 'int' | 'uint' | 'double' | 'string' | 'list';

const VARIABLES = { i: 3n, d: 0.5, s: 'a😀b', l: [1n, -2n, 3n] };
const TYPES: Readonly<Record<keyof typeof VARIABLES, Type>> = {
  i: { t: 'int' },
  d: { t: 'double' },
  s: { t: 'string' },
  l: { t: 'list', of: { t: 'int' } },
};
const NAMES = Object.keys(VARIABLES) as (keyof typeof VARIABLES)[];

const form = (parts: readonly string[], ...holes: fc.Arbitrary<string>[]): fc.Arbitrary<string> =>
  fc.tuple(...holes).map((filled) => parts.reduce((text, part, n) => `${text}${part}${filled[n] ?? ''}`, ''));

const expressions = fc.letrec<Record<Kind, string>>((tie) => {
  const bool = tie('bool');
  const int = tie('int');
  const uint = tie('uint');
  const double = tie('double');
  const string = tie('string');
  const list = tie('list');
  const infix = (left: fc.Arbitrary<string>, operators: readonly string[], right: fc.Arbitrary<string>) =>
    fc.tuple(left, fc.constantFrom(...operators), right).map(([a, op, b]) => `(${a} ${op} ${b})`);
  const orders = ['<', '<=', '>', '>=', '==', '!='];
  const numbers = fc.oneof(int, uint, double);
  return {
    bool: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom('true', 'false', '(1 / 0 > 0)', '([1][5] == 1)', '({"a": 1}.b == 1)'),
      infix(bool, ['&&', '||', '==', '!='], bool),
      form(['!', ''], bool),
      infix(int, orders, int),
      infix(double, orders, double),
      infix(string, orders, string),
      infix(list, ['==', '!='], list),
      form(['(dyn(', ') == dyn(', '))'], numbers, numbers),
      infix(int, ['in'], list),
      form(['', '.contains(', ')'], string, string),
      form(['', '.startsWith(', ')'], string, string),
      form(['', '.matches("^[a-b]+$")'], string),
      form(['', '.all(x, x > ', ')'], list, int),
      form(['', '.exists(x, 6 / x == ', ')'], list, int),
      form(['', '.exists_one(x, x == ', ')'], list, int),
    ),
    int: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom('0', '1', '-7', '9223372036854775807', 'i'),
      infix(int, ['+', '-', '*', '/', '%'], int),
      form(['-(', ')'], int),
      form(['size(', ')'], string),
      form(['size(', ')'], list),
      form(['', '[', ']'], list, int),
      form(['int(', ')'], double),
      // Not of an empty text, which @bufbuild/cel reads as 0 and cel-spec does not.
      form(['int("1" + ', ')'], string),
      form(['(', ' ? ', ' : ', ')'], bool, int, int),
    ),
    uint: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom('0u', '3u'),
      infix(uint, ['+', '-', '*', '/', '%'], uint),
    ),
    double: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom('0.0', '0.1', '0.2', '1e300', '-2.5', 'd'),
      infix(double, ['+', '-', '*', '/'], double),
      form(['double(', ')'], int),
    ),
    string: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom('""', '"a"', '"b😀"', '"12"', 's'),
      infix(string, ['+'], string),
      form(['string(', ')'], int),
      form(['(', ' ? ', ' : ', ')'], bool, string, string),
    ),
    list: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom('[]', '[1, 2]', 'l'),
      infix(list, ['+'], list),
      form(['[', ', ', ']'], int, int),
      form(['', '.map(x, x + ', ')'], list, int),
      form(['', '.filter(x, x > ', ')'], list, int),
    ),
  };
});

function ours(source: string): unknown {
  const parsed = parseCel(source);
  assert.ok('expr' in parsed, source);
  const problems: string[] = [];
  let next = 16 + NAMES.length;
  const scope = Scope.root(
    { engines: ENGINES, nextSlot: () => next++, problem: ({ message }) => problems.push(message) },
    Object.fromEntries(NAMES.map((name, i) => [name, [16 + i, TYPES[name]] as const])),
  );
  const compiled = compileExpr(parsed.expr, scope);
  assert.deepEqual(problems, [], `well typed, and refused: ${source}`);
  const frame: Frame = new Array<Value>(next).fill(null);
  for (const [i, name] of NAMES.entries()) frame[16 + i] = VARIABLES[name];
  return plain(compiled.eval(frame));
}

/** Both sides' values in one form; every error is `error`. */
function plain(value: unknown): unknown {
  if (isCelError(value as Value) || isTheirError(value)) return 'error';
  if (value instanceof CelUint || isCelUint(value)) return `${value.value}u`;
  if (isCelList(value)) return [...value].map(plain);
  return Array.isArray(value) ? value.map(plain) : value;
}

for (const kind of ['bool', 'int', 'double', 'string', 'list'] as const) {
  test(`law: ${kind} expressions have the value that @bufbuild/cel gives them`, () => {
    fc.assert(
      fc.property(expressions[kind], (source) => {
        fc.pre(source.length < 400);
        assert.deepEqual(ours(source), plain(run(source, VARIABLES)), source);
      }),
      { numRuns: 400 },
    );
  });
}
