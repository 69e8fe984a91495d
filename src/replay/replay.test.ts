// A replay decides as the monitor decides, chains digests as the engine does, and names the first difference.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { compileSpec } from '../spec/index.ts';
import { chainState, stateStart, stepDigest } from '../step/digest.ts';
import type { Step } from '../step/types.ts';
import { compare, type RecordedSession } from './compare.ts';
import { replaySession, replaySpec, replayWithDigests, sharedHistory } from './replay.ts';

const compiled = compileSpec(`
interlock: 1
name: payments
tools:
  check: { effect: read, output: { type: object, properties: { ok: { type: boolean } } } }
  pay: { effect: write, input: { type: object, properties: { to: { type: string } } } }
rules:
  - id: check-first
    on: call pay
    require: past.exists("result check", e, e.result.ok)
    because: A payment needs a check.
    repair: Call check first.
`);
assert.ok(compiled.ok, JSON.stringify(compiled.problems));
const spec = replaySpec(compiled.spec);

const step = (seq: number, kind: Step['kind'], name: string, more: Partial<Step> = {}): Step => ({
  id: `s${seq}`,
  session: 's',
  seq,
  time: seq * 1000,
  kind,
  name,
  ...more,
});
const steps: Step[] = [
  step(0, 'session.start', '', { agent: { name: 'a' } }),
  step(1, 'tool.call', 'pay', { callId: 'c1', args: { to: 'ada' } }),
  step(2, 'tool.call', 'check', { callId: 'c2', args: {} }),
  step(3, 'tool.result', 'check', { callId: 'c2', result: { ok: true } }),
  step(4, 'tool.call', 'pay', { callId: 'c3', args: { to: 'ada' } }),
  step(5, 'session.end', ''),
];

function record(): RecordedSession {
  const { decisions, stateDigests } = replayWithDigests(spec, steps);
  return { steps, decisions, stateDigests, stepDigests: steps.map((s) => stepDigest(s)) };
}

describe('replay', () => {
  test('decides every step; a session leaves nothing behind for the next', () => {
    for (let i = 0; i < 2; i++) {
      const verdicts = replaySession(spec, steps).map((decision) => decision.verdict);
      assert.deepEqual(verdicts, ['allow', 'deny', 'allow', 'allow', 'allow', 'allow']);
    }
  });

  test('chains state digests from the spec', () => {
    const monitor = spec.createMonitor();
    const state = monitor.start();
    const first = monitor.step(state, steps[0]!);
    assert.equal(
      replayWithDigests(spec, steps).stateDigests[0],
      chainState(stateStart(spec.digest), first.changes),
    );
  });
});

describe('compare', () => {
  test('a record compares equal to its replay, after a trip through JSON too', () => {
    assert.equal(compare(spec, record()), null);
    assert.equal(compare(spec, JSON.parse(JSON.stringify(record())) as RecordedSession), null);
  });

  test('names the first difference, whatever was changed', () => {
    const recorded = record();
    const change = <T>(list: readonly T[], at: number, item: T) => list.with(at, item);
    const decision = recorded.decisions[1]!;
    const tampered: [Partial<RecordedSession>, number, RegExp][] = [
      [
        { decisions: change(recorded.decisions, 1, { ...decision, verdict: 'allow' }) },
        1,
        /^tool\.call pay: verdict: recorded allow, replayed deny$/,
      ],
      [
        { decisions: change(recorded.decisions, 1, { ...decision, rules: [] }) },
        1,
        /rules: recorded none, replayed check-first \(deny, /,
      ],
      [
        { decisions: change(recorded.decisions, 1, { ...decision, repair: 'Give up.' }) },
        1,
        /repair: recorded Give up\./,
      ],
      [
        { decisions: change(recorded.decisions, 4, { ...recorded.decisions[4]!, mode: 'warn' }) },
        4,
        /decision: /,
      ],
      [{ stateDigests: change(recorded.stateDigests, 2, recorded.stateDigests[3]!) }, 2, /state digest: /],
      [{ steps: change(steps, 3, { ...steps[3]!, result: { ok: false } }) }, 3, /step digest: /],
      [{ decisions: recorded.decisions.slice(0, 5) }, 5, /no decision was recorded/],
      [{ stateDigests: [...recorded.stateDigests, recorded.stateDigests[0]!] }, 6, /7 decisions for 6 steps/],
    ];
    for (const [part, seq, what] of tampered) {
      const difference = compare(spec, { ...recorded, ...part });
      assert.equal(difference?.seq, seq);
      assert.match(difference.what, what);
    }
  });
});

test('replayed sessions of one principal share their history, in the order of the input', () => {
  const twice = compileSpec(`
interlock: 1
name: twice
tools: { pay: { effect: write } }
rules: [{ id: two, on: call pay, require: past.count("call pay").of("principal").within(duration("1h")) < 2 }]
`);
  assert.ok(twice.ok, JSON.stringify(twice.problems));
  const shares = replaySpec(twice.spec);
  const history = sharedHistory(shares);
  const session = (id: string, principal: string, at: number): Step[] => [
    step(0, 'session.start', '', { session: id, agent: { name: 'a' }, principal, time: at }),
    step(1, 'tool.call', 'pay', { session: id, callId: 'c', args: {}, time: at + 1 }),
  ];
  const verdict = (...given: Parameters<typeof session>) =>
    replaySession(shares, session(...given), history)[1]!.verdict;
  assert.equal(verdict('s1', 'ada', 0), 'allow');
  assert.equal(verdict('s2', 'bob', 10), 'allow');
  assert.equal(verdict('s3', 'ada', 20), 'allow');
  assert.equal(verdict('s4', 'ada', 30), 'deny');
  assert.equal(verdict('s5', 'ada', 7_200_000), 'allow');
  assert.equal(verdict('s6', 'ada', 40), 'allow');
  assert.equal(verdict('s7', 'ada', 50), 'deny');
});
