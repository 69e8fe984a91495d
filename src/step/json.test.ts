import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { JSON_DEPTH_MAX, parseJsonText, pointer, toJson } from './json.ts';
import { locateSyntaxError } from './json-syntax.ts';

const broken: [text: string, line: number, column: number, expected: RegExp][] = [
  ['', 1, 1, /a value/],
  ['{"a":tru}', 1, 6, /a value/],
  ['{"a":1,}', 1, 8, /quoted key/],
  ['{\n  "a": 1\n  "b": 2\n}', 3, 3, /"," or "}"/],
  ['[1 2]', 1, 4, /"," or "]"/],
  ['[1,]', 1, 4, /a value/],
  ['{a:1}', 1, 2, /quoted key or "}"/],
  ['{"a" 1}', 1, 6, /":"/],
  ['"ab', 1, 4, /closing quote/],
  ['"a\\x"', 1, 3, /escape/],
  ['"a\nb"', 1, 3, /control/],
  ['[01]', 1, 3, /"," or "]"/],
  ['{} {}', 1, 4, /end of the text/],
  ['[}', 1, 2, /value or "]"/],
  ['[1.]', 1, 3, /"," or "]"/],
  ['nul', 1, 1, /a value/],
];
for (const [text, line, column, expected] of broken) {
  test(`places the mistake in ${JSON.stringify(text)}`, () => {
    const parsed = parseJsonText(text);
    assert.ok(!parsed.ok);
    assert.deepEqual([parsed.problem.line, parsed.problem.column], [line, column]);
    assert.match(parsed.problem.expected, expected);
  });
}

test('the locator reads every valid text to its end', () => {
  fc.assert(
    fc.property(fc.json(), fc.constantFrom('', ' ', '\n'), (text, space) => {
      const problem = locateSyntaxError(`${space}${text}${space}`);
      assert.equal(problem.expected, 'the end of the text');
      assert.equal(problem.found, 'the end of the text');
    }),
  );
});

test('the locator stops where a cut text ends', () => {
  fc.assert(
    fc.property(fc.json(), fc.nat(), (text, cut) => {
      const prefix = text.slice(0, cut % text.length);
      const parsed = parseJsonText(prefix);
      if (!parsed.ok && parsed.problem.found !== 'the end of the text') {
        // A cut inside a literal, number or escape is placed at its start, never before it.
        assert.ok(prefix.length - (parsed.problem.column - 1) <= 6, JSON.stringify([prefix, parsed.problem]));
      }
    }),
  );
});

test('a mebibyte of brackets is an error, not a crash', () => {
  const deep = '['.repeat(1 << 19) + ']'.repeat(1 << 19);
  const parsed = parseJsonText(deep);
  assert.ok(parsed.ok);
  const copied = toJson(parsed.value);
  assert.ok(!copied.ok);
  assert.match(copied.problems[0]!.expected, new RegExp(`at most ${JSON_DEPTH_MAX} levels`));
  assert.ok(!parseJsonText('['.repeat(1 << 20)).ok);
  assert.deepEqual(toJson(JSON.parse('1e999')).ok, false);
});

test('toJson copies what JSON can carry, frozen, and nothing shared', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 8 }), (value) => {
      const parsed = toJson(value);
      if (!parsed.ok) {
        assert.match(parsed.problems[0]!.expected, /exact number|well-formed/);
        return;
      }
      assert.equal(JSON.stringify(parsed.value), JSON.stringify(value));
      if (typeof parsed.value === 'object' && parsed.value !== null) {
        assert.ok(Object.isFrozen(parsed.value));
        assert.notEqual(parsed.value, value);
      }
    }),
  );
});

const circular: Record<string, unknown> = {};
circular.self = circular;
const refused: [name: string, value: unknown, at: string][] = [
  ['not a number', { a: [Number.NaN] }, '/a/0'],
  ['infinity', Number.POSITIVE_INFINITY, ''],
  ['an integer past 2^53', { id: 2 ** 53 }, '/id'],
  ['a bigint', { id: 1n }, '/id'],
  ['a date', { when: new Date(0) }, '/when'],
  ['a map', new Map(), ''],
  ['a function', { f: () => 1 }, '/f'],
  ['a lone surrogate', { s: '\ud800' }, '/s'],
  ['a lone surrogate in a key', { '\ud800': 1 }, ''],
  ['a hole in a list', [undefined], '/0'],
];
for (const [name, value, at] of refused) {
  test(`toJson refuses ${name}`, () => {
    const parsed = toJson(value);
    assert.ok(!parsed.ok);
    assert.equal(parsed.problems[0]!.at, at);
  });
}

test('toJson refuses a cycle by its depth', () => {
  assert.ok(!toJson(circular).ok);
});

test('toJson keeps a __proto__ key as data', () => {
  const parsed = toJson(JSON.parse('{"__proto__":{"admin":true}}'));
  assert.ok(parsed.ok);
  assert.equal(JSON.stringify(parsed.value), '{"__proto__":{"admin":true}}');
  assert.equal((parsed.value as { admin?: unknown }).admin, undefined);
});

test('toJson leaves undefined properties out', () => {
  assert.deepEqual(toJson({ a: undefined, b: 1 }), { ok: true, value: { b: 1 } });
});

test('a pointer escapes ~ and /', () => {
  assert.equal(pointer('/args', 'a/b~c'), '/args/a~1b~0c');
});
