import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseCel } from './parse.ts';

/** The source with `^` put before the character that the problem points at. */
function marked(source: string): string {
  const result = parseCel(source);
  if (!('problem' in result)) return 'no problem';
  const { offset } = result.problem;
  return `${source.slice(0, offset)}^${source.slice(offset)}`;
}

test('a syntax problem points at the token that cannot stand there', () => {
  // A bracket that is closed by another kind is blamed at the closer.
  for (const expected of [
    'args.a ^= 5',
    'args.a ^<= ',
    'a ^and b',
    'f(a ^b)',
    '[1, 2,^, 3]',
    'a.b(c.d ^e)',
    '"abc" ^"d"',
    'a == r"x\\" && b ^c',
    '{"a": 1, "b" ^2}',
    'a == "(" ^b',
    'a == "x" // c (\n ^b',
    'a && ^(b',
    'a^)',
    'a[^(b]',
    "a == ^'b",
    'args^.?n',
  ])
    assert.equal(marked(expected.replace('^', '')), expected === 'a[^(b]' ? 'a[(b^]' : expected);
});

test('what other languages write is answered with what CEL has', () => {
  for (const [source, hint] of [
    ['a = 5', 'compare with `==`'],
    ['a and b', 'write `&&`'],
    ['a | b', 'write `||`'],
    ['a.?b', 'ask with has()'],
    ['a ? b', 'a ? b : c'],
  ] as const) {
    const result = parseCel(source);
    assert.ok('problem' in result && result.problem.message.includes(hint), source);
  }
});

test('law: any text either parses or has a problem within it', () => {
  const pieces = fc.constantFrom(
    'a',
    '.b',
    '(',
    ')',
    '[',
    ']',
    '{',
    '}',
    '"',
    "'",
    '+',
    '&&',
    '1',
    ' ',
    ',',
    ':',
    '?',
    '//',
    '\n',
    'r"',
    '\\',
    '😀',
    '`',
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 24 }), (parts) => {
      const source = parts.join('');
      const result = parseCel(source);
      if (!('problem' in result)) return;
      assert.ok(
        result.problem.offset >= 0 && result.problem.offset <= Math.max(0, source.length - 1),
        source,
      );
      assert.notEqual(result.problem.message, '');
    }),
    { numRuns: 500 },
  );
});

test('long and deep texts are refused with a reason', () => {
  for (const [source, reason] of [
    ['a'.repeat(20_000), /longer than/],
    [`${'('.repeat(70)}1${')'.repeat(70)}`, /deeper than 64 brackets/],
    [`1${' + 1'.repeat(500)}`, /deeper than 400 operators/],
    [`1${' + a1'.repeat(1500)} b ${' + a1'.repeat(1500)}`, /`b` cannot stand here/],
  ] as const) {
    const result = parseCel(source);
    assert.ok('problem' in result && reason.test(result.problem.message), String(reason));
  }
});
