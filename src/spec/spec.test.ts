import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compileSpec, formatProblem, lineMap } from './index.ts';

const HEAD = `interlock: 1
name: shop
tools:
  get_order: { effect: read, output: { type: object, additionalProperties: false, properties: { id: { type: string }, total: { type: number } } } }
  refund: { effect: write, input: { type: object, additionalProperties: false, properties: { order_id: { type: string }, amount: { type: number } } } }
`;

function problemsOf(text: string): string[] {
  return compileSpec(text, { file: 'shop.yaml' }).problems.map(
    (problem) =>
      `${problem.line}:${problem.column} ${problem.code}${problem.suggestion === undefined ? '' : ` → ${problem.suggestion}`}`,
  );
}

function rule(body: string): string {
  return `${HEAD}rules:\n  - id: r\n    ${body}\n`;
}

test('every mistake has a place, a code and, when one is near, the word that was meant', () => {
  const cases: readonly (readonly [string, string])[] = [
    [`${HEAD}rulez: []`, '6:1 unknown-key → rules'],
    [rule('on: call refnd\n    deny: true'), '8:9 unknown-tool → refund'],
    [rule('on: cal refund\n    deny: true'), '8:9 pattern → call'],
    [rule('on: call refund\n    deny: args.amuont > 5'), '9:16 unknown-field → amount'],
    [rule('on: call refund\n    deny: arg.amount > 5'), '9:11 unknown-name → args'],
    [
      rule('on: call refund\n    require: past.exists("result get_order", e, e.result.totl > 5)'),
      '9:58 unknown-field → total',
    ],
    [rule('on: call refund\n    require: past.exist("result get_order", e, true)'), '9:14 history → exists'],
    [rule('on: call refund\n    require: origin(args.order_id).within(["usr"])'), '9:45 origin → user'],
    [
      rule('on: call refund\n    require: args.order_id.startWith("A")'),
      '9:28 unknown-function → startsWith',
    ],
    [rule('on: call refund\n    require: args.order_id == 5'), '9:14 type'],
    [rule('on: call refund\n    require: args.amount'), '9:14 type'],
    [rule('on: call refund\n    require: args.order_id.matches("(a")'), '9:28 regex'],
    [rule('on: call refund\n    require: args.amount <= '), '9:26 cel-syntax'],
    [rule('on: call refund\n    require: (args.amount <= 5'), '9:14 cel-syntax'],
    [rule('on: result refund\n    deny: true'), '8:9 unenforceable'],
    [rule('on: call refund\n    deny: true\n    otherwise: dney'), '10:16 type → deny'],
    [rule('on: call refund\n    deny: true\n    require: true'), '7:9 form'],
    [rule('on: call refund\n    limit: { count: 3, per: principal, of: tenant }'), '9:40 scope'],
    [
      rule('on: call refund\n    require: past.none("call refund").of("princpal")'),
      '9:43 history → principal',
    ],
    [
      rule('on: call refund\n    repair: "give {{ args.amont }}"\n    deny: true'),
      '9:27 unknown-field → amount',
    ],
    ['interlock: 2\nname: x', '1:12 version'],
    ['interlock: 1', '1:1 missing'],
    ['interlock: 1\nname: x\nname: y', '3:1 syntax'],
    ['a: &x 1\nb: *x', '2:4 alias'],
    ['', '1:1 empty'],
    ['[1, 2', '1:6 syntax'],
  ];
  for (const [text, expected] of cases)
    assert.ok(
      problemsOf(text).includes(expected),
      `${expected} not in ${JSON.stringify(problemsOf(text))} for\n${text}`,
    );
});

test('all mistakes are shown at once, and shown with a caret', () => {
  const text = rule('on: call refund\n    deny: args.amuont > 5\n    becuase: x');
  const { problems } = compileSpec(text, { file: 'shop.yaml' });
  assert.deepEqual(
    problems.map((problem) => problem.code),
    ['unknown-field', 'unknown-key'],
  );
  assert.equal(
    formatProblem(problems[0]!, lineMap(text)),
    [
      'shop.yaml:9:16 error unknown-field: `args` has no field `amuont`; it has order_id, amount',
      '    9 |     deny: args.amuont > 5',
      '      |                ^^^^^^ did you mean `amount`?',
    ].join('\n'),
  );
});

test('the digest is of the meaning: layout, comments and tests do not change it, a rule does', () => {
  const digest = (text: string) => {
    const result = compileSpec(text);
    assert.ok(result.ok, JSON.stringify(result.problems));
    return result.spec.digest;
  };
  const a = digest(rule('on: call refund\n    deny: args.amount > 5'));
  assert.equal(digest(`# hello\n${rule('deny:   args.amount > 5\n    on: "call refund"')}tests: []\n`), a);
  assert.notEqual(digest(rule('on: call refund\n    deny: args.amount > 6')), a);
  const compiled = compileSpec(rule('on: call refund\n    deny: args.amount > 5'));
  assert.ok(compiled.ok);
  assert.equal(digest(compiled.spec.canonical), a, 'the canonical form is a spec with the same digest');
});

test('a schema file beside the spec is read through the host, and is part of the meaning', () => {
  const text = HEAD.replace(
    /refund: \{.*/,
    'refund: { effect: write, input: { $ref: ./refund.schema.json } }',
  );
  const read = (limit: number) =>
    compileSpec(text, {
      readRef: (path) =>
        path === './refund.schema.json'
          ? JSON.stringify({ type: 'object', properties: { amount: { type: 'number', maximum: limit } } })
          : null,
    });
  const [one, two, none] = [read(1), read(2), compileSpec(text)];
  assert.ok(one.ok && two.ok && one.spec.digest !== two.spec.digest);
  assert.deepEqual(
    none.problems.map((problem) => problem.code),
    ['missing-file'],
  );
});

test('hostile text never hangs or throws', () => {
  const hostile = [
    `interlock: 1\nname: ${'['.repeat(5_000)}`,
    `${'a: {'.repeat(500)}`,
    `interlock: 1\nname: x\nrules: [${'{},'.repeat(3_000)}]`,
    rule(`on: call refund\n    deny: ${'('.repeat(300)}1`),
    rule(`on: call refund\n    deny: ${'!'.repeat(3_000)}true`),
    rule(`on: call refund\n    deny: "${'a+'.repeat(4_000)}a == 'x'"`),
  ];
  for (const text of hostile) assert.equal(compileSpec(text).ok, false, text.slice(0, 60));
  fc.assert(
    fc.property(
      fc.string({ maxLength: 200 }),
      (text) => void compileSpec(`${HEAD}rules:\n  - id: r\n    on: call refund\n    deny: ${text}`),
    ),
  );
});

test('let: a name stands for its expression, in rules and repairs, and equal history is remembered once', () => {
  const text = (rules: string) => `${HEAD}let:
  order: past.last("result get_order", o, o.result.id == args.order_id).result
  left: order.total - past.sum("call refund", r, r.args.order_id == args.order_id, r.args.amount)
rules:
  - { id: a, on: call refund, require: ${rules}, repair: "At most {{ left }}." }
`;
  const named = compileSpec(text('args.amount <= left'));
  const written = compileSpec(
    text(
      '\'args.amount <= past.last("result get_order", o, o.result.id == args.order_id).result.total - past.sum("call refund", r, r.args.order_id == args.order_id, r.args.amount)\'',
    ),
  );
  assert.ok(named.ok && written.ok, JSON.stringify([named.problems, written.problems]));
  assert.equal(named.spec.program.views.length, 2);
  assert.equal(written.spec.program.views.length, 2);
  assert.deepEqual(
    problemsOf(text('args.amount <= lefd')).map((p) => p.split(' ')[1]),
    ['unknown-name'],
  );
  const wrong = `${HEAD}let: { args: "1", "a b": "2", ok: "1 +" }\nrules: []\n`;
  assert.deepEqual(
    problemsOf(wrong)
      .map((p) => p.split(' ')[1])
      .sort(),
    ['cel-syntax', 'name', 'name'],
  );
});
