// Two specs over one recording: nothing changes against itself, what changes is exactly what fires, and an explanation
// takes apart what fired.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { compileSpec } from '../spec/index.ts';
import { splitCondition } from '../spec/split.ts';
import type { Step } from '../step/types.ts';
import { backtestSession } from './backtest.ts';
import { explainStep } from './explain.ts';
import { countWatching, type RuleRecord, rateAtMost } from './promotion.ts';
import { replaySession, replaySpec, sharedHistory } from './replay.ts';

function spec(rules: string, more = '') {
  const compiled = compileSpec(`
interlock: 1
name: t
${more}
tools:
  look: { effect: read, output: { type: object, properties: { ok: { type: boolean } } } }
  pay: { effect: write, input: { type: object, properties: { n: { type: number }, to: { type: string } } } }
rules:
${rules}`);
  assert.ok(compiled.ok, JSON.stringify(compiled.problems));
  return compiled.spec;
}
const side = (of: ReturnType<typeof spec>) => {
  const run = replaySpec(of);
  return { spec: run, history: sharedHistory(run) };
};

const BASE = '  - { id: small, on: call pay, require: args.n < 8.0 }';
const sessions: fc.Arbitrary<Step[]> = fc
  .array(fc.record({ tool: fc.constantFrom('look', 'pay'), n: fc.nat(9), wait: fc.nat(5) }), {
    maxLength: 12,
  })
  .map((acts) => {
    let time = 0;
    const steps: Step[] = [{ id: 's', session: 's', seq: 0, time, kind: 'session.start', name: 'a' }];
    for (const { tool, n, wait } of acts) {
      time += wait;
      const seq = steps.length;
      const args = tool === 'pay' ? { n, to: `t${n % 3}` } : {};
      steps.push({
        id: `s${seq}`,
        session: 's',
        seq,
        time,
        kind: 'tool.call',
        name: tool,
        callId: `c${seq}`,
        args,
      });
    }
    return steps;
  });

describe('backtest', () => {
  test('law: a spec against itself changes nothing; an added rule only makes stricter, on its first step where it fires', () => {
    const before = spec(BASE);
    const after = spec(`${BASE}\n  - { id: few, on: call pay, require: past.count("call pay") < 2 }`);
    fc.assert(
      fc.property(sessions, (steps) => {
        assert.deepEqual(backtestSession(side(after), side(after), steps).changes, []);
        const { changes } = backtestSession(side(before), side(after), steps);
        assert.ok(
          changes.every(({ direction, rules }) => direction === 'stricter' && rules[0]?.rule === 'few'),
        );
        const alone = replaySession(replaySpec(before), steps);
        const first = replaySession(replaySpec(after), steps).findIndex(
          (decision, i) => decision.verdict !== alone[i]!.verdict,
        );
        assert.equal(changes[0]?.seq ?? -1, first);
        const back = backtestSession(side(after), side(before), steps).changes;
        assert.deepEqual(
          back.map(({ seq, from, to, direction }) => [seq, to, from, direction]),
          changes.map(({ seq, from, to }) => [seq, from, to, 'laxer']),
        );
      }),
    );
  });

  test('a rule that only watches changes no verdict', () => {
    const watched = spec(`${BASE}\n  - { id: none, on: call pay, deny: true, mode: shadow }`);
    const steps: Step[] = [
      { id: 'a', session: 's', seq: 0, time: 0, kind: 'tool.call', name: 'pay', args: { n: 1 } },
    ];
    assert.deepEqual(backtestSession(side(spec(BASE)), side(watched), steps).changes, []);
  });
});

describe('explain', () => {
  const RULES = `
  - id: checked
    on: call pay
    require: 'args.n > 0.0 && past.exists("result look", e, e.result.ok) && args.to.startsWith("t")'
  - { id: barred, on: call pay, deny: 'args.to == "x" || args.n > 100.0' }
  - { id: quiet, on: call pay, require: args.n < 1000.0 }`;
  const steps: Step[] = [
    { id: 'a', session: 's', seq: 0, time: 0, kind: 'session.start', name: 'a' },
    { id: 'b', session: 's', seq: 1, time: 1, kind: 'tool.call', name: 'pay', args: { n: 5, to: 'x' } },
    { id: 'c', session: 's', seq: 2, time: 2, kind: 'tool.call', name: 'pay', args: { n: 5 } },
  ];

  test('says which part failed, on what values, and which could not be decided', () => {
    const explained = explainStep(spec(RULES), steps, 1)!;
    assert.deepEqual(
      explained.fired.map(({ outcome, parts }) => [outcome.rule, ...parts.map((part) => part.outcome)]),
      [
        ['checked', 'holds', 'fails', 'fails'],
        ['barred', 'holds', 'fails'],
      ],
    );
    assert.deepEqual(explained.fired[0]!.parts[2]!.values, [['args.to', 'x']]);
    assert.deepEqual(explained.satisfied, ['quiet']);
    const absent = explainStep(spec(RULES), steps, 2)!;
    assert.equal(absent.fired[0]!.parts[2]!.outcome, 'absent');
    assert.deepEqual(absent.fired[0]!.parts[2]!.values, [['args.to', undefined]]);
    assert.equal(explainStep(spec(RULES), steps, 3), null);
  });

  test('law: taking a spec apart changes no verdict', () => {
    const whole = spec(RULES);
    fc.assert(
      fc.property(sessions, (steps) => {
        const decisions = replaySession(replaySpec(whole), steps);
        for (const step of steps) {
          const { decision } = explainStep(whole, steps, step.seq)!;
          assert.deepEqual(
            [decision.verdict, decision.rules.map(({ rule }) => rule)],
            [decisions[step.seq]!.verdict, decisions[step.seq]!.rules.map(({ rule }) => rule)],
          );
        }
      }),
      { numRuns: 30 },
    );
  });

  test('conditions split where they are joined, and nowhere else', () => {
    assert.deepEqual(splitCondition('a && (b && c) && "x && y" == d', '&&'), [
      'a',
      '(b && c)',
      '"x && y" == d',
    ]);
    assert.deepEqual(splitCondition('a && b || c', '&&'), ['a && b || c']);
    assert.deepEqual(splitCondition('a && b || c', '||'), ['a && b', 'c']);
    assert.deepEqual(splitCondition('a ? b : c && d', '&&'), ['a ? b : c && d']);
    assert.deepEqual(splitCondition("a == '\\'&&' && b", '&&'), ["a == '\\'&&'", 'b']);
  });
});

describe('promotion', () => {
  test('counts what watching rules would have done', () => {
    const watched = spec(`${BASE}\n  - { id: even, on: call pay, deny: args.n == 2.0, mode: shadow }`);
    const steps: Step[] = [1, 2, 3, 2].map((n, seq) => ({
      ...{
        id: `s${seq}`,
        session: 's',
        seq,
        time: seq,
        kind: 'tool.call' as const,
        name: 'pay',
        args: { n },
      },
    }));
    const records = new Map<string, RuleRecord>();
    countWatching(watched.program, records, steps, replaySession(replaySpec(watched), steps));
    const [even, ...others] = records.values();
    assert.deepEqual(others, []);
    assert.deepEqual(
      [
        even?.rule,
        even?.asked,
        even?.fired,
        even?.sessions.size,
        even?.firstAt,
        even?.lastAt,
        even?.example?.seq,
      ],
      ['even', 4, 2, 1, 1, 3, 3],
    );
  });

  test('a rate is at most what was seen, and as much more as few steps leave open', () => {
    assert.equal(rateAtMost(0, 0), 1);
    assert.ok(rateAtMost(0, 100) > 0.02 && rateAtMost(0, 100) < 0.04);
    assert.ok(rateAtMost(0, 1_000) < 0.004);
    assert.ok(rateAtMost(50, 100) > 0.5 && rateAtMost(100, 100) === 1);
  });
});
