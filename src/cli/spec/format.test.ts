// The canonical layout: no comment is lost, no value changes, a second time changes nothing.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { Lexer, parse, stringify } from 'yaml';
import { compileSpec } from '../../spec/index.ts';
import { canonicalize } from '../../step/canonical.ts';
import { optionsFor } from './files.ts';
import { formatSpec } from './format.ts';

const ROOT = join(import.meta.dirname, '../../..');
const RUNS = Number(process.env.INTERLOCK_RUNS ?? 300);

function formatted(text: string, isJson = false): string {
  const result = formatSpec(text, isJson);
  assert.ok('text' in result, JSON.stringify(result));
  return result.text;
}

/** Comments, in any order: keys may change places. */
function commentsOf(text: string): string[] {
  return [...new Lexer().lex(text)].filter((token) => token.startsWith('#')).sort();
}

function digestOf(text: string, file: string): string | null {
  const result = compileSpec(text, optionsFor(file));
  return result.ok ? result.spec.digest : null;
}

function assertKept(text: string, file = 'spec.yaml'): string {
  const out = formatted(text);
  assert.equal(canonicalize(parse(out)), canonicalize(parse(text)), 'the same values');
  assert.deepEqual(commentsOf(out), commentsOf(text), 'the same comments');
  assert.equal(digestOf(out, file), digestOf(text, file), 'the same digest');
  assert.equal(formatted(out), out, 'once is enough');
  assert.doesNotMatch(out, /[ \t]$/m);
  return out;
}

describe('keeps all that is said', () => {
  for (const folder of ['packs', 'examples', 'docs/spec/cookbook'])
    for (const name of readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })) {
      if (!name.endsWith('.yaml')) continue;
      const file = join(ROOT, folder, name);
      test(`${folder}/${name}`, () => {
        const text = readFileSync(file, 'utf8');
        assert.notEqual(digestOf(text, file), null);
        assertKept(text, file);
      });
    }
});

const UNTIDY = `# About the spec.
# Two lines.

name:   untidy # its name
interlock: 1
# the rules
rules:
    # first
    -   because: "why"   # quoted
        deny: >-
              args.n > 1
                || args.m
        # on which
        on: call pay
        id: r
    - {  id: s, because: 'too long for a line', on: [call pay,  call look], require: 'args.a_long_name == "a long text" && args.another_long_name == "another long text"' } # behind
    - id: t
      on: call pay
      require: args.a_long_name == "a long text" &&
        args.another_long_name == "another long text" && args.one_more == "another"
# the tools


tools: { pay: { reversible: false, effect: write }, look: {effect: read} } # both
tests:
- steps:
  - { expect: deny, args: {n: 2}, call: pay }
  name: x
# at the end
`;
const TIDY = `# About the spec.
# Two lines.

interlock: 1
name: untidy # its name

# the tools
tools: { pay: { effect: write, reversible: false }, look: { effect: read } } # both

# the rules
rules:
  # first
  - id: r
    # on which
    on: call pay
    deny: >-
      args.n > 1
        || args.m
    because: "why" # quoted
  # behind
  - id: s
    on: [call pay, call look]
    require: 'args.a_long_name == "a long text" && args.another_long_name == "another long text"'
    because: 'too long for a line'
  - id: t
    on: call pay
    require: >-
      args.a_long_name == "a long text" && args.another_long_name == "another long text" && args.one_more == "another"

tests:
  - name: x
    steps:
      - { call: pay, args: { n: 2 }, expect: deny }

# at the end
`;

test('an untidy spec', () => {
  assert.equal(assertKept(UNTIDY), TIDY);
});

test('examples beside a spec: a list, or a map with fixtures', () => {
  assert.equal(formatted('- steps: [ {input: hi} ]\n  name: a\n'), '- name: a\n  steps: [{ input: hi }]\n');
  assert.equal(formatted('fixtures: {}\ntests: []\n'), 'fixtures: {}\ntests: []\n');
});

test('JSON stays JSON', () => {
  const out = formatted('{"name":"x","interlock":1,"rules":[{"deny":true,"on":"call x","id":"r"}]}', true);
  assert.equal(
    out,
    `${JSON.stringify({ interlock: 1, name: 'x', rules: [{ id: 'r', on: 'call x', deny: true }] }, null, 2)}\n`,
  );
});

test('what is no YAML map is left alone, with the line', () => {
  assert.deepEqual(Object.keys(formatSpec('a: [1\nb: 2\n')), ['problem', 'line']);
  assert.deepEqual(formatSpec('just text'), {
    problem: 'a spec is a map, examples are a list or a map',
    line: 1,
  });
});

/** Texts that are awkward in YAML, short and long. */
const texts = fc.oneof(
  fc.constantFrom(
    '',
    ' ',
    'yes',
    '1',
    '# no comment',
    'a: b',
    '- a',
    '"',
    "'",
    'a\nb',
    'a\n\n b\n',
    '\t',
    '{{ x }}',
    '[a',
    '> x',
    '| y',
  ),
  fc.string({ maxLength: 200, unit: 'grapheme' }),
  fc
    .array(fc.constantFrom('args.n', '==', '&&', '"x"', 'é', '#', ':'), { maxLength: 60 })
    .map((words) => words.join(' ')),
);
const values = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    texts,
    fc.constantFrom(0, 1.5, -3, 1e21, true, false, null),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(
      texts.filter((key) => key !== '__proto__'),
      tie('value'),
      { maxKeys: 4 },
    ),
  ),
})).value;
const specs = fc.record(
  {
    rules: fc.array(
      fc.record(
        { because: texts, when: texts, on: fc.array(texts, { maxLength: 4 }), id: texts, limit: values },
        { requiredKeys: [] },
      ),
      { maxLength: 4 },
    ),
    tests: fc.array(
      fc.record({ steps: fc.array(fc.record({ expect: texts, args: values, call: texts })), name: texts }),
      {
        maxLength: 3,
      },
    ),
    tools: fc.dictionary(texts, fc.record({ output: values, effect: texts }), { maxKeys: 4 }),
    name: texts,
    let: values,
    interlock: fc.constant(1),
  },
  { requiredKeys: ['interlock'] },
);

test('law: values are kept, and a second time changes nothing, whatever the layout was', () => {
  const property = fc.property(
    specs,
    fc.constantFrom(2, 3, 6),
    fc.constantFrom(0, 40, 80),
    fc.constantFrom('PLAIN', 'QUOTE_DOUBLE', 'BLOCK_LITERAL', 'BLOCK_FOLDED') as fc.Arbitrary<'PLAIN'>,
    fc.boolean(),
    (spec, indent, lineWidth, defaultStringType, indentSeq) => {
      const text = stringify(spec, {
        indent,
        lineWidth,
        defaultStringType,
        indentSeq,
        aliasDuplicateObjects: false,
      });
      const out = formatted(text);
      assert.equal(canonicalize(parse(out)), canonicalize(parse(text)));
      assert.equal(formatted(out), out);
    },
  );
  fc.assert(property, { numRuns: RUNS });
});

test('law: comments are kept wherever they stand', () => {
  const folder = join(ROOT, 'docs/spec/cookbook');
  const pages = [
    UNTIDY,
    ...['budgets.yaml', 'checkout-order.yaml', 'deploy-window.yaml', 'ledger-entry-follows.yaml'].map(
      (name) => readFileSync(join(folder, name), 'utf8'),
    ),
  ];
  const notes = fc.array(
    fc.record({ at: fc.nat(200), behind: fc.boolean(), blank: fc.constantFrom('', '', '\n', '\n\n') }),
    { minLength: 1, maxLength: 4 },
  );
  const property = fc.property(fc.constantFrom(...pages), notes, (page, wanted) => {
    const lines = page.split('\n');
    for (const [i, { at, behind, blank }] of wanted.entries()) {
      const line = lines[at % lines.length]!;
      const indent = /^ */.exec(line)![0];
      lines[at % lines.length] = behind
        ? `${line} # note ${i}`
        : `${blank}${indent}# note ${i}\n${blank}${line}`;
    }
    const text = lines.join('\n');
    // Not inside a text, where it would be no comment.
    fc.pre(sameValues(text, page) && commentsOf(text).length === commentsOf(page).length + wanted.length);
    assertKept(text);
  });
  fc.assert(property, { numRuns: Math.ceil(RUNS / 6) });
});

function sameValues(text: string, page: string): boolean {
  try {
    return canonicalize(parse(text)) === canonicalize(parse(page));
  } catch {
    return false;
  }
}
