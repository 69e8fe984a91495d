// The grammar against @bufbuild/cel's parser: the same trees, and the same texts refused, but for the differences that are named here.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from '@bufbuild/cel';
import { getConformanceSuite, type IncrementalTestSuite } from '@bufbuild/cel-spec/testdata/tests.js';
import fc from 'fast-check';
import { parseGrammar } from './grammar.ts';
import { NotCel } from './lexer.ts';

/** The tree as text; null when the text is refused. */
function treeOf(read: () => unknown): string | null {
  let tree: unknown;
  try {
    tree = read();
  } catch {
    return null;
  }
  return JSON.stringify(tree, (key, value: unknown) => {
    if (key === 'id' || key === '$typeName' || key === 'optionalEntry' || key === 'optionalIndices')
      return undefined;
    if (typeof value === 'bigint') return `${value}n`;
    if (value instanceof Uint8Array) return [...value];
    if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? sorted(value) : value;
  });
}

function sorted(value: object): object {
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function ours(text: string): string | null {
  return treeOf(() => {
    try {
      return parseGrammar(text);
    } catch (error) {
      assert.ok(error instanceof NotCel, String(error));
      assert.ok(error.offset >= 0 && error.offset <= text.length);
      throw error;
    }
  });
}

/** Where the other parser leaves the language: it ends a name after `true` or `in`, and reads no `-1u`, no comment at the end and no two in a row; `\u` is a byte to it. */
const THEIR_OWN = /(true|false|null|in)\w|-\s*(\d+|0x[\da-f]+)u|\/\/[^\n]*$|b["'][\s\S]*\\u|\/\/[\s\S]*\/\//i;

function same(text: string): void {
  if (THEIR_OWN.test(text)) return;
  assert.equal(
    ours(text),
    treeOf(() => parse(text).expr),
    text,
  );
}

function* expressions(suite: IncrementalTestSuite): Generator<string> {
  for (const { original } of suite.tests) yield original.expr;
  for (const child of suite.suites) yield* expressions(child);
}

test('every expression of the conformance suite', () => {
  let seen = 0;
  for (const text of new Set(expressions(getConformanceSuite()))) {
    // Fields in back quotes are of the language and not of the other parser.
    if (text.includes('`')) continue;
    same(text);
    seen++;
  }
  assert.ok(seen > 1_000, String(seen));
});

const PIECES = [
  ...[
    'a',
    'b.c',
    'x1',
    '_y',
    'true',
    'false',
    'null',
    'in',
    'has',
    'if',
    'size',
    'exists',
    'all',
    'map',
    'filter',
    'exists_one',
  ],
  ...['0', '1', '42u', '0x1F', '0xffu', '1.5', '.5', '1e3', '2.5E-1', '9223372036854775808'],
  ...[
    '"s"',
    "'t'",
    'r"\\d"',
    'b"x"',
    '"""m"""',
    '"\\n\\u00e9\\x41\\101"',
    'b"\\xff\\101"',
    'rb"\\"',
    '"\\q"',
    '"\\ud800"',
  ],
  ...[
    '+',
    '-',
    '*',
    '/',
    '%',
    '==',
    '!=',
    '<',
    '<=',
    '>',
    '>=',
    '&&',
    '||',
    '!',
    '?',
    ':',
    '.',
    ',',
    '(',
    ')',
    '[',
    ']',
    '{',
    '}',
  ],
  ...[
    ' ',
    '\n',
    '// c\n',
    '.exists(e, e)',
    '.map(k, k, k)',
    '(a)',
    '[1, 2,]',
    '{1: 2}',
    '{"a": b,}',
    'M{f: 1}',
    'a.M{}',
  ],
];

test('law: whatever pieces a text has, the same tree or the same refusal', () => {
  const text = fc
    .array(fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...PIECES) }, fc.string({ maxLength: 3 })), {
      maxLength: 14,
    })
    .map((pieces) => pieces.join(''))
    .filter((one) => !one.includes('`'));
  fc.assert(fc.property(text, same), { numRuns: Number(process.env.INTERLOCK_RUNS ?? 5_000) });
});

const whole: fc.Arbitrary<string> = fc.letrec<{ e: string }>((tie) => ({
  e: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom('a', 'b.c', '1', '-2', '2u', '1.5', '"s"', 'true', 'null', '[]', '{}', 'f()', 'x.y()'),
    fc
      .tuple(tie('e'), fc.constantFrom('+', '-', '*', '/', '%', '==', '<', 'in', '&&', '||'), tie('e'))
      .map((p) => p.join(' ')),
    tie('e').map((e) => `(${e})`),
    fc.tuple(fc.constantFrom('!', '-', '--', '!!', '- '), tie('e')).map((p) => p.join('')),
    fc.tuple(tie('e'), tie('e'), tie('e')).map(([a, b, c]) => `${a} ? ${b} : ${c}`),
    fc
      .tuple(
        tie('e'),
        fc.constantFrom('.f', '[0]', '.g(a)', '.all(e, e)', '.exists_one(e, e > 1)', '.filter(e, a)'),
      )
      .map((p) => p.join('')),
    fc.array(tie('e'), { maxLength: 3 }).map((items) => `[${items.join(', ')}]`),
    fc.tuple(tie('e'), tie('e')).map(([a, b]) => `{${a}: ${b}}`),
    tie('e').map((e) => `has(a.b) && f(${e}, ${e})`),
  ),
})).e;

test('law: whole expressions have the same tree', () => {
  fc.assert(fc.property(whole, same), { numRuns: Number(process.env.INTERLOCK_RUNS ?? 2_000) });
});

test('bytes have no escapes of characters, as the language has it', () => {
  assert.equal(ours('b"\\u00e9"'), null);
});

test('fields in back quotes', () => {
  assert.equal(ours('a.`b-c/d`'), ours('a.b')!.replace('"b"', '"b-c/d"'));
  assert.equal(ours('a.`b`()'), null);
});

test('long chains are not deep, long choices are refused and not a fault', () => {
  assert.notEqual(ours(Array(4_000).fill('a').join(' && ')), null);
  assert.equal(ours(`${'a ? b : '.repeat(2_000)}c`), null);
  assert.notEqual(ours(`${'!'.repeat(2_001)}a`), null);
});
