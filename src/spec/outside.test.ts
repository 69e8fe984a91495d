// Hand-offs, checks and metrics: what they read, what they refuse, what they decide.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createMonitor } from '../monitor/session-monitor.ts';
import type { Decision } from '../monitor/types.ts';
import type { JsonObject, Step } from '../step/types.ts';
import { compileSpec, type Program } from './index.ts';

const HEAD = 'interlock: 1\nname: out\n';

function problems(text: string): string[] {
  const result = compileSpec(HEAD + text);
  return result.problems.map(
    (p) => `${p.line}:${p.column} ${p.code}${p.suggestion ? ` → ${p.suggestion}` : ''}`,
  );
}

function program(text: string) {
  const result = compileSpec(HEAD + text);
  assert.ok(result.ok, JSON.stringify(result.problems));
  return result.spec.program;
}

function sessionOf(under: Program) {
  const monitor = createMonitor(under);
  const state = monitor.start();
  let seq = 0;
  let time = 1_000;
  const outcome = (step: Pick<Step, 'kind' | 'name'> & Partial<Step>) =>
    monitor.step(state, { id: `s${seq}`, session: 's', seq: seq++, time: time++, ...step });
  return {
    outcome,
    step: (step: Parameters<typeof outcome>[0]) => outcome(step).decision,
    wait: (ms: number) => {
      time += ms;
    },
  };
}

const fired = (decision: Decision) => decision.rules.map(({ rule }) => rule);

describe('handoff', () => {
  const TEXT = `
tools: { verify: { effect: read, output: { type: object, properties: { ok: { type: boolean } } } }, refund: { effect: write }, post: { effect: write } }
rules:
  - id: desk
    handoff:
      allow: { triage: [billing, "ref*"], billing: [triage] }
  - id: to-refunds
    handoff:
      to: refunds
      input: { type: object, required: [customer], additionalProperties: false, properties: { customer: { type: string } } }
      proven: past.exists("result verify", v, v.args.customer == args.customer && v.result.ok)
      settled: true
  - { id: ledger, after: result refund, then: call post, before: { event: end } }
`;
  const handoff = (name: string, agent: string, args: JsonObject = {}) =>
    ({ kind: 'handoff', name, agent: { name: agent }, args }) as const;

  test('who may hand to whom, what, after what, and with nothing owed', () => {
    const session = sessionOf(program(TEXT));
    const desk = session.step(handoff('shipping', 'triage'));
    assert.deepEqual(fired(desk), ['desk']);
    assert.match(desk.rules[0]!.because, /triage may not hand over to shipping/);
    assert.equal(desk.repair, 'triage may hand over to billing, ref*.');
    assert.deepEqual(fired(session.step(handoff('billing', 'triage'))), []);
    assert.deepEqual(fired(session.step(handoff('triage', 'stranger'))), ['desk']);
    const misfit = session.step(handoff('refunds', 'triage', { customer: 'C', note: 'x' }));
    assert.deepEqual(fired(misfit), ['to-refunds']);
    assert.match(misfit.rules[0]!.because, /note/);
    const unproven = session.step(handoff('refunds', 'triage', { customer: 'C' }));
    assert.deepEqual(unproven.rules[0]?.fixes, [
      { t: 'call-first', tool: 'verify', args: { customer: 'C' } },
    ]);
    session.step({ kind: 'tool.call', name: 'verify', callId: 'v', args: { customer: 'C' } });
    session.step({ kind: 'tool.result', name: 'verify', callId: 'v', result: { ok: true } });
    assert.deepEqual(fired(session.step(handoff('refunds', 'triage', { customer: 'C' }))), []);
    session.step({ kind: 'tool.call', name: 'refund', callId: 'r', args: {} });
    session.step({ kind: 'tool.result', name: 'refund', callId: 'r', result: {} });
    const owing = session.step(handoff('refunds', 'triage', { customer: 'C' }));
    assert.match(owing.rules[0]!.because, /one thing is still owed/);
    assert.deepEqual(
      owing.witness.map(({ name }) => name),
      ['refund'],
    );
    session.step({ kind: 'tool.call', name: 'post', callId: 'p', args: {} });
    assert.deepEqual(fired(session.step(handoff('refunds', 'triage', { customer: 'C' }))), []);
  });

  test('mistakes are told where they are', () => {
    assert.deepEqual(problems('rules: [{ id: h, handoff: { to: x } }]'), ['3:18 missing']);
    assert.deepEqual(problems('rules: [{ id: h, handoff: { alow: {} } }]')[1], '3:29 unknown-key → allow');
    assert.deepEqual(problems('rules: [{ id: h, on: call x, handoff: { settled: true } }]'), ['3:18 form']);
    assert.deepEqual(problems('rules: [{ id: h, handoff: { input: { type: strin } } }]'), [
      '3:27 schema → string',
    ]);
  });
});

describe('check', () => {
  const TEXT = `
checks:
  unit-tests: { command: [npm, test], timeout: 5m }
  posted: { get: "https://ledger.example/p/{{ subject }}", pass: status == 200 && body.state == "posted" }
rules:
  - { id: tested, on: call merge, check: { name: unit-tests, subject: args.commit, fresh: 1h } }
  - { id: closed, on: end, check: posted }
default: allow
`;
  test('the latest check of the subject must have passed, not too long ago', () => {
    const session = sessionOf(program(TEXT));
    const merge = (commit: string) => session.step({ kind: 'tool.call', name: 'merge', args: { commit } });
    const check = (subject: string, passed: boolean) =>
      session.step({ kind: 'check', name: 'unit-tests', args: { subject }, result: { passed } });
    const missing = merge('a');
    assert.deepEqual(fired(missing), ['tested']);
    assert.equal(missing.rules[0]?.cause, 'absent');
    assert.deepEqual(missing.rules[0]?.fixes, [{ t: 'run-check', check: 'unit-tests', subject: 'a' }]);
    check('b', true);
    assert.deepEqual(fired(merge('a')), ['tested']);
    check('a', true);
    assert.deepEqual(fired(merge('a')), []);
    check('a', false);
    assert.deepEqual(fired(merge('a')), ['tested']);
    check('a', true);
    session.wait(3_600_001);
    assert.deepEqual(fired(merge('a')), ['tested']);
    assert.deepEqual(fired(session.step({ kind: 'session.end', name: '' })), ['closed']);
    session.step({ kind: 'check', name: 'posted', args: { subject: null }, result: { passed: true } });
    assert.deepEqual(fired(session.step({ kind: 'session.end', name: '' })), []);
  });

  test('evidence is judged by the check, or by what is usual for its kind', () => {
    const { checks } = program(TEXT);
    const tests = checks.get('unit-tests')!;
    assert.deepEqual(
      [tests.timeoutMs, tests.passes({ exit: 0 }), tests.passes({ exit: 1 })],
      [300_000, true, false],
    );
    const posted = checks.get('posted')!;
    assert.equal(posted.passes({ status: 200, body: { state: 'posted' } }), true);
    assert.equal(posted.passes({ status: 200, body: { state: 'open' } }), false);
    assert.match(String(posted.passes({ status: 200, body: {} })), /state/);
  });

  test('mistakes are told where they are', () => {
    const rule = 'rules: [{ id: c, on: call x, check: unit-test }]';
    assert.deepEqual(problems(rule), ['3:37 check']);
    assert.deepEqual(problems(`checks: { unit-tests: { command: [x] } }\n${rule}`), [
      '4:37 check → unit-tests',
    ]);
    assert.deepEqual(problems('checks: { a: { command: [x], get: "https://x.example/" } }'), ['3:11 form']);
    assert.deepEqual(problems('checks: { a: { command: ["{{ subject }}"] } }'), ['3:25 type']);
    assert.deepEqual(problems('checks: { a: { command: [x, "{{ args.y }}"] } }'), ['3:25 check']);
    assert.deepEqual(problems('checks: { a: { get: "https://{{ subject }}/x" } }'), ['3:21 type']);
    assert.deepEqual(problems('checks: { a: { get: "https://x.example{{ subject }}/x" } }'), ['3:21 type']);
    assert.deepEqual(problems('checks: { a: { get: "file:///etc/passwd" } }'), ['3:21 type']);
    assert.deepEqual(problems('checks: { a: { command: [x], pass: exti == 0 } }'), [
      '3:36 unknown-name → exit',
    ]);
    assert.deepEqual(
      problems('checks: { a: { command: [x], pass: past.exists("call y") } }')[0],
      '3:36 check',
    );
    assert.deepEqual(problems('checks: { a: { attestation: { type: t } } }'), ['3:16 missing']);
  });
});

describe('metric', () => {
  test('a metric counts steps, after the verdict, and gives none', () => {
    const session = sessionOf(
      program(`
tools: { pay: { effect: write } }
rules:
  - { id: small, on: call pay, require: args.amount < 10 }
  - { id: denied, on: call pay, when: has(args.amount), metric: { bad: verdict == "deny", budget: 1% } }
  - { id: slow, on: result pay, metric: { bad: result.ms > 100, budget: 0.05, alarm: 5% } }
`),
    );
    const call = (args: JsonObject) => session.outcome({ kind: 'tool.call', name: 'pay', args }).metrics;
    assert.deepEqual(call({ amount: 5 }), [{ metric: 'denied', bad: false }]);
    assert.deepEqual(call({ amount: 50 }), [{ metric: 'denied', bad: true }]);
    assert.equal(call({}), undefined);
    const result = (value: JsonObject) =>
      session.outcome({ kind: 'tool.result', name: 'pay', result: value }).metrics;
    assert.deepEqual(result({ ms: 101 }), [{ metric: 'slow', bad: true }]);
    assert.deepEqual(result({}), [{ metric: 'slow', bad: null }]);
  });

  test('mistakes are told where they are', () => {
    const metric = (inner: string) => `rules: [{ id: m, on: call x, ${inner} }]`;
    assert.deepEqual(problems(metric('metric: { bad: "true" }')), ['3:30 missing']);
    assert.deepEqual(problems(metric('metric: { bad: "true", budget: 100% }')), ['3:61 type']);
    assert.deepEqual(problems(metric('otherwise: deny, metric: { bad: "true", budget: 1% }')), ['3:30 form']);
    assert.deepEqual(problems(metric('deny: verdict == "deny"')), ['3:36 unknown-name']);
  });
});
