import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { strictest } from '../monitor/session-monitor.ts';
import { sessionOf } from '../monitor/testing/session.ts';
import { type CompileResult, compileSpec } from './index.ts';

const PAYMENTS = `
interlock: 1
name: payments
parameters:
  max_amount: { type: number, minimum: 0, default: 100 }
  reviewers: { type: array, items: { type: string }, default: [reviewer] }
let: { large: args.amount > max_amount }
tools:
  pay: { effect: send, trust: trusted, labels: [money] }
rules:
  - id: at-most
    on: call pay
    deny: large
    repair: At most {{ max_amount }}.
  - id: per-session
    on: call pay
    limit: { sum: args.amount, max: $max_amount }
  - id: ask
    on: call pay
    hold: args.amount > max_amount / 2.0
    approve: { by: $reviewers }
`;
const MAIL = `
interlock: 1
name: mail
default: allow
tools: { pay: { effect: send, reversible: false }, send: { effect: send, input: { $ref: ./send.json } } }
rules: [{ id: no-send, on: call send, deny: args.to == "x" }]
`;
const FILES: Record<string, string> = {
  'lib/payments.yaml': PAYMENTS,
  'lib/mail.yaml': MAIL,
  'lib/send.json': '{"type":"object","properties":{"to":{"type":"string"}}}',
  'lib/both.yaml': 'interlock: 1\nname: both\nimports: [./payments.yaml, mail.yaml]\n',
  'round.yaml': 'interlock: 1\nname: round\nimports: [{ spec: ./round.yaml, as: again }]\n',
};
const readRef = (path: string) => FILES[path] ?? null;
const compile = (text: string) => compileSpec(`interlock: 1\nname: app\n${text}`, { readRef });
const errors = (result: CompileResult) =>
  result.problems.map((p) => `${p.file}:${p.line} ${p.code} ${p.message} ${p.suggestion ?? ''}`.trim());
const compiled = (text: string) => {
  const result = compile(text);
  assert.ok(result.ok, errors(result).join('\n'));
  return result.spec;
};

test('every rule of every part is in force under the name of its part', () => {
  const spec = compiled(
    'imports: [lib/mail.yaml, { spec: lib/payments.yaml, as: bank }]\nrules: [{ id: own, on: call send, deny: false }]',
  );
  assert.deepEqual(
    spec.program.rules.map((rule) => rule.id),
    ['own', 'mail.no-send', 'bank.at-most', 'bank.per-session', 'bank.ask'],
  );
  assert.equal(spec.program.defaultVerdict, 'deny');
});

test('parameters are values in any place, and names in expressions', () => {
  const s = sessionOf(
    compiled('imports: [{ spec: lib/payments.yaml, as: bank, with: { max_amount: 40, reviewers: [a, b] } }]')
      .canonical,
  );
  const large = s.call('pay', { amount: 41 });
  assert.deepEqual(
    large.rules.map((rule) => [rule.rule, rule.verdict]),
    [
      ['bank.at-most', 'deny'],
      ['bank.per-session', 'deny'],
      ['bank.ask', 'hold'],
    ],
  );
  assert.equal(large.rules[0]?.repair, 'At most 40.');
  assert.deepEqual(s.call('pay', { amount: 21 }).rules[0]?.approve?.by, ['a', 'b']);
  assert.equal(s.call('pay', { amount: 20 }).verdict, 'allow');
});

test('the meaning needs no other file: what was composed compiles again to the same spec', () => {
  const spec = compiled('imports: [{ spec: lib/both.yaml, as: all }]\nlet: { b: a > 1, a: args.n }');
  const again = compileSpec(spec.canonical);
  assert.ok(again.ok, errors(again).join('\n'));
  assert.equal(again.spec.digest, spec.digest);
  assert.deepEqual(
    again.spec.program.rules.map((rule) => rule.id),
    ['all.payments.at-most', 'all.payments.per-session', 'all.payments.ask', 'all.mail.no-send'],
  );
  const other = compiled('imports: [{ spec: lib/payments.yaml, with: { max_amount: 99 } }]');
  assert.notEqual(other.digest, compiled('imports: [lib/payments.yaml]').digest);
  const given = compiled('imports: [{ spec: lib/payments.yaml, with: { max_amount: 100 } }]');
  assert.equal(given.digest, compiled('imports: [lib/payments.yaml]').digest, 'a default that is given');
});

test('a tool that two parts describe keeps the strictest of both', () => {
  const { contract } = compiled('imports: [lib/both.yaml]').program.tools.get('pay')!;
  assert.deepEqual([contract.trust, contract.reversible, contract.labels], ['untrusted', false, ['money']]);
  const result = compile('imports: [lib/mail.yaml]\ntools: { pay: { effect: read } }');
  assert.deepEqual(errors(result), [
    'spec:4 conflict `mail` says another effect of the tool `pay`; let one of them leave it out',
  ]);
});

test('a part without a mode takes that of its importer; one that names it keeps it', () => {
  const modes = (text: string) => compiled(text).program.rules.map((rule) => rule.mode);
  assert.deepEqual(modes('mode: shadow\nimports: [lib/mail.yaml]'), ['shadow']);
  FILES['strict.yaml'] = MAIL.replace('default: allow', 'default: allow\nmode: enforce').replace(
    './',
    './lib/',
  );
  assert.deepEqual(modes('mode: shadow\nimports: [strict.yaml]'), ['enforce']);
  assert.equal(compiled('mode: shadow\nimports: [strict.yaml]').program.mode, 'enforce');
});

test('mistakes are told where they are', () => {
  const cases: [string, RegExp][] = [
    ['imports: [nowhere.yaml]', /^spec:3 missing-file the spec `nowhere.yaml` cannot be read/],
    ['imports: [lib/mail.yaml, lib/mail.yaml]', /duplicate-id two imports are called `mail`/],
    ['imports: [round.yaml]', /^round.yaml:3 circular `.\/round.yaml` imports itself/],
    [
      'imports: [{ spec: lib/payments.yaml, with: { max_amuont: 1 } }]',
      /^spec:3 parameter the imported spec has no parameter `max_amuont` max_amount$/,
    ],
    [
      'imports: [{ spec: lib/payments.yaml, with: { max_amount: many } }]',
      /parameter the parameter `max_amount` must be number; found "many"/,
    ],
    ['parameters: { a: { type: number } }', /^spec:3 parameter the parameter `a` has no value/],
    ['parameters: { a: { default: 1 } }\nlet: { a: "2" }', /name `a` is a parameter already/],
    ['let: { a: b, b: a + 1 }', /circular `a` stands for itself: a → b → a/],
    ['parameters: { a: { default: 1 } }\ndescription: $b', /parameter the spec has no parameter `b`/],
    ['imports: [{ spec: lib/mail.yaml, as: "a b" }]', /name `as` has 1 to 100/],
    ['imports: lib/mail.yaml', /type `imports` is a list/],
  ];
  for (const [text, expected] of cases) {
    const result = compile(text);
    assert.equal(result.ok, false, text);
    assert.match(errors(result)[0]!, expected, text);
  }
});

test('a mistake in an imported file shows that file, its line and its words', () => {
  FILES['wrong.yaml'] =
    'interlock: 1\nname: wrong\ntools: { pay: { effect: send } }\nrules:\n  - { id: r, on: call pya, deny: true }\n';
  const result = compile('imports: [wrong.yaml]');
  const [problem] = result.problems;
  assert.deepEqual([problem?.file, problem?.line, problem?.suggestion], ['wrong.yaml', 5, 'pay']);
  assert.match(problem?.excerpt ?? '', /call pya/);
});

const RULES = [
  '{ id: r0, on: call pay, deny: args.amount > 50 }',
  '{ id: r1, on: call pay, hold: args.amount > 20 }',
  '{ id: r2, on: call pay, limit: { count: 2 } }',
  '{ id: r3, on: call pay, require: past.exists("call look") }',
  '{ id: r4, on: call pay, deny: args.amount > 90, otherwise: halt }',
];
const partOf = (rules: readonly number[]) =>
  `interlock: 1\nname: part\ntools: { pay: { effect: send }, look: { effect: read } }\nrules: [${rules.map((i) => RULES[i]).join(', ')}]\n`;

test('law: composition never weakens: while sessions agree, no verdict is laxer than that of any part', () => {
  const rules = fc.subarray(RULES.map((_, i) => i));
  const steps = fc.array(fc.tuple(fc.constantFrom('pay', 'look'), fc.integer({ min: 0, max: 100 })), {
    maxLength: 8,
  });
  fc.assert(
    fc.property(rules, rules, steps, (a, b, calls) => {
      FILES['a.yaml'] = partOf(a);
      FILES['b.yaml'] = partOf(b);
      const whole = sessionOf(
        compiled('imports: [{ spec: a.yaml, as: a }, { spec: b.yaml, as: b }]').canonical,
      );
      const parts = [sessionOf(FILES['a.yaml']), sessionOf(FILES['b.yaml'])];
      for (const [name, amount] of calls) {
        const decision = whole.call(name, { amount });
        const apart = parts.map((part) => part.call(name, { amount }));
        const rank = (verdict: string) => ['allow', 'transform', 'hold', 'deny', 'halt'].indexOf(verdict);
        for (const { verdict } of apart) assert.ok(rank(decision.verdict) >= rank(verdict));
        assert.equal(
          decision.verdict,
          strictest(
            apart.flatMap((one) => one.rules),
            true,
          ),
        );
        // Once the parts differ, their sessions have other histories.
        if (apart[0]!.verdict !== apart[1]!.verdict) return;
      }
    }),
  );
});
