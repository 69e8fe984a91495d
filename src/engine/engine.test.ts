import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chainState, stateStart, stepDigest } from '../step/digest.ts';
import { counterSpec } from './counter-spec.ts';
import { call, problemCode, withEngine } from './test-engine.ts';

test('a session records its start, its steps and its end, and chains their states', async (t) => {
  const { engine } = await withEngine(t);
  const session = await engine.openSession({ agent: { name: 'agent' }, principal: 'user:1', tenant: 'acme' });
  assert.equal(session.state, 'open');
  assert.equal(session.steps, 1);
  assert.equal(session.specName, 'counter');
  await engine.decide(session.id, { kind: 'input', name: '', content: 'Please refund me' });
  const denied = await engine.decide(session.id, call('deny-it'));
  assert.equal(denied.decision.verdict, 'deny');
  assert.equal(denied.step.seq, 2);
  const end = await engine.endSession(session.id);
  assert.equal(end.step.kind, 'session.end');

  const { steps, total } = await engine.steps(session.id, { from: 0, limit: 100 });
  assert.equal(total, 4);
  assert.deepEqual(
    steps.map((row) => [row.step.seq, row.step.kind]),
    [
      [0, 'session.start'],
      [1, 'input'],
      [2, 'tool.call'],
      [3, 'session.end'],
    ],
  );
  // A fresh monitor over the recorded steps goes through the same states.
  const spec = counterSpec();
  const monitor = spec.createMonitor();
  const state = monitor.start();
  let digest = stateStart(spec.digest);
  for (const row of steps) {
    const outcome = monitor.step(state, row.step);
    digest = chainState(digest, outcome.changes);
    assert.equal(row.stateDigest, digest);
    assert.deepEqual(row.decision, outcome.decision);
    assert.equal(row.stepDigest, stepDigest(row.step));
    assert.equal(row.step.principal, 'user:1');
  }
  const after = await engine.session(session.id);
  assert.equal(after?.state, 'ended');
  assert.equal(after?.title, 'Please refund me');
  assert.deepEqual(after?.verdicts, { allow: 3, transform: 0, hold: 0, deny: 1, halt: 0 });
  await assert.rejects(engine.decide(session.id, call('x')), problemCode('session-ended'));
  await assert.rejects(
    engine.openSession({ id: session.id, agent: { name: 'agent' } }),
    problemCode('session-ended'),
  );
});

test('a held step waits, is approved, and lets exactly one call through', async (t) => {
  const { engine } = await withEngine(t);
  const { id } = await engine.openSession({ agent: { name: 'agent' }, principal: 'user:1' });
  const held = await engine.decide(id, call('hold-send', { to: 'bob' }, 'c-1'));
  assert.equal(held.decision.verdict, 'hold');
  assert.equal((await engine.session(id))?.state, 'held');
  const hold = await engine.hold(held.holdId!);
  assert.deepEqual([hold?.state, hold?.callId, hold?.args], ['pending', 'c-1', { to: 'bob' }]);
  const answered = await engine.answerHold(held.holdId!, { approve: true, by: 'ann', role: 'reviewer' });
  assert.equal(answered.state, 'approved');
  const other = await engine.decide(id, call('hold-send', { to: 'eve' }, 'c-2'));
  assert.equal(other.decision.verdict, 'hold');
  const again = await engine.decide(id, call('hold-send', { to: 'bob' }, 'c-1'));
  assert.equal(again.decision.verdict, 'allow');
  assert.equal((await engine.hold(held.holdId!))?.state, 'used');
  const third = await engine.decide(id, call('hold-send', { to: 'bob' }, 'c-3'));
  assert.equal(third.decision.verdict, 'hold');
  assert.notEqual(third.holdId, held.holdId);
  const { steps } = await engine.steps(id, { from: 0, limit: 10 });
  assert.deepEqual(steps[2]?.step.args, {
    hold: held.holdId,
    binding: held.decision.binding,
    kind: 'tool.call',
    approve: true,
    by: ['ann'],
    roles: ['reviewer'],
  });
  assert.equal(steps[1]?.hold?.state, 'used');
});
