import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Json } from '../../step/types.ts';
import { NO_ENGINES } from '../engines.ts';
import { compileSchema } from '../schema/schema.ts';
import { showType } from '../schema/type.ts';
import { tried } from './testing.ts';
import { isCelError, type Value } from './value.ts';

const SCHEMA = compileSchema(
  {
    type: 'object',
    additionalProperties: false,
    properties: {
      amount: { type: 'number' },
      note: { type: 'string' },
      ok: { type: 'boolean' },
      to: { type: 'array', items: { type: 'string' } },
      lines: {
        type: 'array',
        items: { type: 'object', additionalProperties: false, properties: { total: { type: 'number' } } },
      },
      extra: { type: 'object', properties: { colour: { type: 'string' } } },
    },
  },
  'args',
  NO_ENGINES,
).type;

const resultOf = (source: string, args: Json = {}): Value => tried(source, { args }).run();
const codeOf = (source: string, args: Json = {}): string => {
  const value = resultOf(source, args);
  return isCelError(value) ? value.code : `no error, but ${String(value)}`;
};
const problemsOf = (source: string) => tried(source, { args: {} }, { args: SCHEMA }).problems;

test('JSON numbers add up as decimals; literal doubles are IEEE 754', () => {
  const args = { a: 0.1, b: 0.2, n: 3, price: 19.99 };
  for (const source of [
    'args.a + args.b == 0.3',
    'args.price * 3 == 59.97',
    'args.n + 1 == 4',
    'args.n / 2 == 1.5',
    'args.n % 2 == 1',
    'args.n > 2u && args.n < 4 && args.n <= 3.5',
    '[args.a, args.b].sum() == 0.3',
    '0.1 + 0.2 != 0.3',
  ])
    assert.equal(resultOf(source, args), true, source);
  assert.equal(codeOf('9223372036854775807 + 1'), 'error');
});

test('law: a JSON number compares with a literal as numbers do, on either side and at the limit', () => {
  const number = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.constantFrom(0.5, -0, 2 ** 53 - 1, 1e300));
  const limits = fc.constantFrom('0', '1', '-2', '3u', '0.5', '9007199254740991');
  fc.assert(
    fc.property(number, limits, (value, limit) => {
      const other = Number(limit.replace('u', ''));
      const expected = [value < other, value <= other, value > other, value >= other, value === other];
      const answers = (form: (op: string) => string) =>
        ['<', '<=', '>', '>=', '=='].map((op) => resultOf(form(op), { n: value }));
      assert.deepEqual(
        answers((op) => `args.n ${op} ${limit}`),
        expected,
      );
      assert.deepEqual(
        answers((op) => `args.n ${op} dyn(${limit})`),
        expected,
        'without the literal',
      );
      const mirrored: Readonly<Record<string, string>> = {
        '<': '>',
        '<=': '>=',
        '>': '<',
        '>=': '<=',
        '==': '==',
      };
      assert.deepEqual(
        answers((op) => `${limit} ${mirrored[op]} args.n`),
        expected,
        'the other way round',
      );
    }),
  );
  for (const [source, expected] of [
    ['size(args.l) >= 2', true],
    ['size(args.l) > 2', false],
    ['args.l.size() == 2', true],
    ['size(args.t) < 2', true],
  ] as const)
    assert.equal(resultOf(source, { l: [1, 2], t: '😀' }), expected, source);
});

test('what is not there is absent, and names its path; what is wrong is an error', () => {
  const args = { list: [1, 2], nothing: null, text: 'a' };
  for (const [source, path] of [
    ['args.zip.code', 'args.zip'],
    ['args.list[2]', 'args.list[2]'],
    ['args["zip"]', 'args["zip"]'],
    ['args.nothing.code', 'args.nothing.code'],
  ] as const) {
    const value = resultOf(source, args);
    assert.ok(isCelError(value) && value.code === 'absent' && value.message.includes(path), source);
  }
  for (const source of [
    'args.text.code',
    'args.list["a"]',
    'args.list[0.5]',
    '1 / 0',
    'args.text < 1',
    'int(args.text)',
  ])
    assert.equal(codeOf(source, args), 'error', source);
  assert.equal(resultOf('args["nothing"]', args), null, 'null is there');
});

test('a decisive side absorbs an error, in either order and in loops', () => {
  const args = { items: [{ n: 1 }, {}, { n: 3 }] };
  assert.equal(resultOf('args.gone || true'), true);
  assert.equal(resultOf('true || args.gone'), true);
  assert.equal(resultOf('args.gone && false'), false);
  assert.equal(codeOf('args.gone && true'), 'absent');
  assert.equal(resultOf('args.items.exists(i, i.n == 3)', args), true);
  assert.equal(codeOf('args.items.exists(i, i.n == 4)', args), 'absent');
  assert.equal(resultOf('args.items.all(i, i.n < 3)', args), false);
  assert.equal(codeOf('args.items.all(i, i.n < 4)', args), 'absent');
  assert.equal(codeOf('args.items.filter(i, i.n > 1)', args), 'absent', 'a list has no such rule');
  assert.equal(resultOf('args.items.exists_one(i, has(i.n) && i.n == 3)', args), true);
});

test('fields are own fields: names of Object.prototype are data or absent', () => {
  const args = JSON.parse('{"o": {"__proto__": {"x": 1}, "constructor": 2}}') as Json;
  assert.equal(resultOf('args.o.__proto__.x', args), 1);
  assert.equal(resultOf('args.o.constructor', args), 2);
  assert.equal(resultOf('"__proto__" in args.o && has(args.o.__proto__)', args), true);
  for (const source of ['args.toString', 'args.constructor', 'args["hasOwnProperty"]', 'args.__proto__'])
    assert.equal(codeOf(source), 'absent', source);
  assert.equal(resultOf('has(args.toString) || "valueOf" in args'), false);
});

test('loops end within the budget, whatever the data, and say so', () => {
  const many = Array.from({ length: 2_000 }, (_, i) => `user${i}`);
  const args = { a: many, b: [...many].reverse(), text: 'u'.repeat(400_000) };
  for (const source of [
    'args.a.all(x, args.a.all(y, true))',
    'args.a.all(x, x in args.b)',
    'args.a.exists(x, args.text.contains(x))',
    'args.a.exists(x, args.text.matches(x))',
    'args.a.exists(x, args.a == args.b)',
    'args.a.all(x, size(args.a + args.b) > 0)',
    'args.a.all(x, size(args.text + x) > 0)',
  ]) {
    const value = resultOf(source, args);
    assert.ok(isCelError(value) && value.message.includes('100000 rounds'), source);
  }
  assert.equal(
    resultOf('args.text.contains("q") || args.a == args.b', args),
    false,
    'outside a loop, the spec bounds it',
  );
  assert.equal(resultOf('args.a.all(x, x.startsWith("user"))', args), true);
});

test('loops, bindings and nested names each have their own variable', () => {
  assert.deepEqual(resultOf('[1, 2].map(x, [3, 4].map(y, x * y))'), [
    [3n, 4n],
    [6n, 8n],
  ]);
  assert.deepEqual(resultOf('[1, 2].map(x, [3].map(x, x))'), [[3n], [3n]]);
  assert.deepEqual(resultOf('cel.bind(x, 5, [1, 2].map(y, cel.bind(z, x + y, z)))'), [6n, 7n]);
  assert.deepEqual(resultOf('[1, 2, 3].map(x, x > 1, x * 10)'), [20n, 30n]);
  assert.deepEqual(resultOf('args.o.filter(k, args.o[k] > 1)', { o: { a: 1, b: 2 } }), ['b']);
});

test('conversions read what CEL writes, and nothing that only JavaScript would', () => {
  for (const source of [
    'double("0x10")',
    'double(" 1")',
    'double("")',
    'double("1_0")',
    'int("0x10")',
    'int("1.5")',
    'bool("yes")',
  ])
    assert.equal(codeOf(source), 'error', source);
  assert.equal(resultOf('double("-1.5e3")'), -1500);
  assert.equal(
    resultOf('timestamp("0050-03-01T00:00:00Z").getDayOfYear()'),
    59n,
    'years below 100 are their own',
  );
  assert.equal(resultOf('timestamp("2026-07-01T12:00:00Z").getHours("+02:00")'), 14n);
});

test('types: what can never work is an error, at its word', () => {
  for (const [source, expected] of [
    ['args.note + args.amount > 1', 'type args'],
    ['"a" + 1 == "a1"', 'type a'],
    ['1 + 1.5 > 2.0', 'type 1'],
    ['!args.note', 'type args'],
    ['args.amount ? 1 : 2', 'type args'],
    ['args.ok && args.note', 'type args'],
    ['args.note < 5', 'type args'],
    ['args.to < args.to', 'type args'],
    ['args.note == 5', 'type args'],
    ['3 in args.to', 'type 3'],
    ['args.note in "abc"', 'type args'],
    ['args.note.all(x, true)', 'type args'],
    ['args.to.all(x, x + "y")', 'type x'],
    ['args.to["a"] == "b"', 'type args'],
    ['size(args.amount) > 1', 'type size'],
    ['args.amount.startsWith("a")', 'type startsWith'],
    ['args.note.startsWith(5)', 'type startsWith'],
    ['args.note.startsWith("a", "b")', 'type startsWith'],
    ['args.to.exists(i, x, true)', 'type exists'],
    ['args.note.matches("(a")', 'regex matches'],
    ['args.note.startWith("a")', 'unknown-function startWith → startsWith'],
    ['math.graetest(1, 2) == 2', 'unknown-function graetest → math.greatest'],
    ['agrs.note == "agrs"', 'unknown-name agrs → args'],
    ['"totl" == args.note && args.lines.exists(l, l.totl > 1)', 'unknown-field totl → total'],
    ['has(args.nott)', 'unknown-field nott → note'],
    ['args["amout"] > 1', 'unknown-field amout → amount'],
    ['has(args.extra.color)', 'unknown-field color → colour'],
    ['args.extra.size == 1', '?unknown-field size'],
  ] as const)
    assert.deepEqual(problemsOf(source), [expected], source);
  for (const source of [
    'args.amount + 1 > 2.5 && args.amount * 2u < 5',
    'args.note + "x" == "yx" && size(args.to + ["z"]) > 1',
    'args.to == [] || args.note == null || args.note in args.to',
    'has(args.extra.size) || args.extra["colour"] == "red"',
    'args.lines.map(l, l.total).sum() > 5',
    'timestamp("2026-01-01T00:00:00Z") + duration("1h") - timestamp(0) > duration("5m")',
  ])
    assert.deepEqual(problemsOf(source), [], source);
});

test('a place is that of the very name, not of the same word elsewhere', () => {
  for (const [source, offset] of [
    ['args.args == 1', 5],
    ['args.note == "x" && args.note == 5', 20],
    ['args["note"] == "" && args["nott"] == ""', 28],
    ['has(args.note) && has(args.nott)', 27],
    ['args.to.all(to, to.to == "")', 19],
    ['size(args.note) > 1 && size(args.amount) > 1', 23],
    ['true && !args . lines', 9],
  ] as const)
    assert.deepEqual(tried(source, { args: {} }, { args: SCHEMA }).offsets, [offset], source);
});

test('types of results', () => {
  for (const [source, type] of [
    ['args.amount + 1', 'number'],
    ['1 + 2', 'int'],
    ['timestamp(0) - timestamp(0)', 'duration'],
    ['args.lines.map(l, l.total)', 'list of number'],
    ['args.ok ? "a" : 1', 'any value'],
    ['args.to.filter(t, t != "")', 'list of string'],
  ] as const)
    assert.equal(showType(tried(source, { args: {} }, { args: SCHEMA }).type), type, source);
});
