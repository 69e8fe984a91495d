// Examples in a spec may hold steps of every kind that a session may hold.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileSpec } from '../spec/index.ts';
import { runSpecTests } from './spec-tests.ts';

const RULES = `interlock: 1
name: kinds
rules:
  - { id: r-request, on: request model-x, deny: 'args.max > 10' }
  - { id: r-remember, on: remember notes, deny: 'args.text.contains("secret")' }
  - { id: r-handoff, on: handoff billing, require: 'past.exists("check tests", c, c.result.ok)' }
  - { id: r-output, on: output, deny: 'past.exists("response", r, r.content == "bad")' }
  - { id: r-recall, on: output, deny: 'past.exists("recall notes", r, r.content == "old")' }
  - { id: r-found, on: output, deny: 'past.exists("retrieval docs", r, r.result.found)' }
  - { id: r-end, on: end, require: 'past.exists("check tests", c, !has(c.error))' }
`;

const cases: readonly [string, string][] = [
  [
    'r-request',
    '- { request: model-x, args: { max: 11 }, expect: deny, rule: r-request }\n      - { request: model-x, args: { max: 10 }, expect: allow }',
  ],
  [
    'r-remember',
    '- { remember: notes, args: { text: a secret }, expect: deny, rule: r-remember }\n      - { remember: notes, args: { text: fine }, expect: allow }',
  ],
  [
    'r-handoff',
    '- { handoff: billing, args: {}, expect: deny, rule: r-handoff }\n      - { check: tests, value: { ok: true } }\n      - { handoff: billing, args: {}, expect: allow }',
  ],
  [
    'r-output',
    '- { output: x, expect: allow }\n      - { response: model-x, content: bad }\n      - { output: x, expect: deny, rule: r-output }',
  ],
  ['r-recall', '- { recall: notes, content: old }\n      - { output: x, expect: deny, rule: r-recall }'],
  [
    'r-found',
    '- { retrieval: docs, value: { found: true } }\n      - { output: x, expect: deny, rule: r-found }',
  ],
  [
    'r-end',
    '- { check: tests, error: broken }\n      - { end: true, expect: deny, rule: r-end }\n      - { check: tests }\n      - { end: true, expect: allow }',
  ],
];

for (const [rule, steps] of cases)
  test(`an example decides ${rule}`, () => {
    const text = `${RULES}tests:\n  - name: t\n    steps:\n      ${steps}\n`;
    const compiled = compileSpec(text);
    assert.ok(compiled.ok, JSON.stringify(compiled.problems));
    const report = runSpecTests(compiled.spec, 'kinds', text);
    assert.deepEqual(report.problems, []);
    assert.deepEqual(report.results[0]!.failures, []);
    assert.deepEqual(report.fired, [rule]);
  });

test('a quorum answers at once, each person with a role', () => {
  const text = `interlock: 1
name: quorum
rules:
  - { id: two, on: call pay, hold: true, approve: { by: [lead], quorum: 2 } }
tests:
  - name: two people, one person twice, and a role that may not
    steps:
      - { call: pay, args: {}, expect: hold }
      - { approve: true, by: [ann, ann], role: [lead, lead], expect: hold }
      - { approve: true, by: [ann, bob], role: [lead, guest], expect: hold }
      - { approve: true, by: [ann, bob], role: [lead, lead], expect: allow }
`;
  const compiled = compileSpec(text);
  assert.ok(compiled.ok, JSON.stringify(compiled.problems));
  const report = runSpecTests(compiled.spec, 'quorum', text);
  assert.deepEqual(report.problems, []);
  assert.deepEqual(report.results[0]!.failures, []);
});

test('a result with arguments is a call of its own; one without answers the oldest call that was not refused', () => {
  const text = `interlock: 1
name: results
rules:
  - { id: small, on: call pay, require: args.n < 10 }
  - { id: asked, on: output, require: 'past.count("result pay", r, r.args.n == 1) == 1' }
  - { id: own, on: output, require: 'past.count("result pay", r, r.args.n == 2) == 1' }
tests:
  - name: three calls
    steps:
      - { call: pay, args: { n: 11 }, expect: deny }
      - { call: pay, args: { n: 1 }, expect: allow }
      - { result: pay, args: { n: 2 }, value: {} }
      - { result: pay, value: {} }
      - { output: done, expect: allow }
`;
  const compiled = compileSpec(text);
  assert.ok(compiled.ok, JSON.stringify(compiled.problems));
  assert.deepEqual(runSpecTests(compiled.spec, 'results', text).results[0]!.failures, []);
});

test('an example may go on in another session, and what sessions share goes with it', () => {
  const text = `interlock: 1
name: shared
tools: { pay: { effect: send } }
rules:
  - { id: two, on: call pay, limit: { count: 2, per: principal } }
  - { id: once-here, on: call pay, limit: { count: 1 } }
  - { id: known, on: call pay, require: 'past.none("call pay", p, p.args.to == args.to).of("principal")' }
tests:
  - name: one person in three sessions, and another
    principal: ann
    steps:
      - { call: pay, args: { to: a }, expect: allow }
      - { call: pay, args: { to: b }, expect: deny, rule: once-here }
      - { session: ann }
      - { call: pay, args: { to: a }, expect: deny, rule: known }
      - { call: pay, args: { to: b }, expect: allow }
      - { session: ann }
      - { call: pay, args: { to: c }, expect: deny, rule: two }
      - { session: bob }
      - { call: pay, args: { to: a }, expect: allow }
`;
  const compiled = compileSpec(text);
  assert.ok(compiled.ok, JSON.stringify(compiled.problems));
  const { results, problems, silent } = runSpecTests(compiled.spec, 'shared.yaml', text);
  assert.deepEqual(problems, []);
  assert.deepEqual(silent, []);
  assert.deepEqual(
    results.flatMap((result) => result.failures),
    [],
  );
});

test('rules read what the door knows of the circumstances, of this step and of earlier ones', () => {
  const text = `interlock: 1
name: circumstances
tools: { run: { effect: execute }, stop: { effect: write } }
rules:
  - { id: at-home, on: call run, require: 'attributes.folder == "/home"', otherwise: hold }
  - { id: same-place, on: call stop, require: 'past.none("call run", r, r.attributes.folder != attributes.folder)' }
tests:
  - name: the folder is the step's, or that of the example
    attributes: { folder: /home }
    steps:
      - { call: run, expect: allow }
      - { call: stop, expect: allow }
      - { call: run, attributes: { folder: /etc }, expect: hold, rule: at-home }
      - { call: run, attributes: {}, expect: hold, rule: at-home }
      - { call: run, attributes: { elsewhere: true }, expect: hold, rule: at-home }
      - { call: run, args: { attributes: { folder: /home } }, attributes: {}, expect: hold, rule: at-home }
  - name: an approval is of this act in these circumstances
    steps:
      - { call: run, args: { a: 1 }, attributes: { folder: /etc }, expect: hold }
      - { approve: true, expect: allow }
      - { call: run, args: { a: 1 }, attributes: { folder: /usr }, expect: hold }
  - name: none
    steps:
      - { call: run, expect: hold }
`;
  const compiled = compileSpec(text);
  assert.ok(compiled.ok, JSON.stringify(compiled.problems));
  const { results, problems } = runSpecTests(compiled.spec, 'circumstances.yaml', text);
  assert.deepEqual(problems, []);
  assert.deepEqual(
    results.flatMap((result) => result.failures),
    [],
  );
});
