import assert from 'node:assert/strict';
import { test } from 'node:test';
import { counterSpec } from './testing/counter-spec.ts';
import { call, problemCode, withEngine } from './testing/engine.ts';
import type { Engine } from './types.ts';

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

const ann = { approve: true, by: 'ann', role: 'reviewer' };
const bob = { approve: true, by: 'bob', role: 'reviewer' };

async function heldCall(engine: Engine, name = 'hold-it') {
  const { id } = await engine.openSession({ agent: { name: 'agent' }, principal: 'user:1' });
  const { holdId } = await engine.decide(id, call(name, { a: 1 }, 'c'));
  return { id, hold: holdId! };
}

test('only the right roles may answer, never the principal, and nobody twice', async (t) => {
  const terms = { by: ['officer', 'reviewer'], quorum: 2, notPrincipal: true, expiresMs: 1_000 };
  const first = await withEngine(t, { specs: [counterSpec({ terms })] });
  const { id, hold } = await heldCall(first.engine);
  const refused = problemCode('not-allowed-to-answer');
  await assert.rejects(first.engine.answerHold(hold, { ...ann, role: 'clerk' }), refused);
  await assert.rejects(first.engine.answerHold(hold, { ...ann, by: 'user:1' }), refused);
  assert.equal((await first.engine.answerHold(hold, ann)).state, 'pending');
  await assert.rejects(first.engine.answerHold(hold, { ...ann, role: 'officer' }), refused);
  assert.equal((await first.engine.session(id))?.steps, 2);
  // A partial answer outlives a restart.
  const { engine } = await first.reopen();
  assert.equal((await engine.answerHold(hold, { ...bob, role: 'officer' })).state, 'approved');
  await assert.rejects(engine.answerHold(hold, { ...ann, by: 'eve' }), problemCode('hold-closed'));
  await assert.rejects(engine.answerHold('nowhere', ann), problemCode('unknown-hold'));
  const { steps } = await engine.steps(id, { from: 2, limit: 1 });
  assert.deepEqual(steps[0]?.step.args?.by, ['ann', 'bob']);
  assert.deepEqual(steps[0]?.step.args?.roles, ['reviewer', 'officer']);
});

test('two answers at once count once each', async (t) => {
  const { engine } = await withEngine(t);
  const { id, hold } = await heldCall(engine);
  const results = await Promise.allSettled([engine.answerHold(hold, ann), engine.answerHold(hold, bob)]);
  assert.deepEqual(results.map((result) => result.status).sort(), ['fulfilled', 'rejected']);
  assert.equal((await engine.session(id))?.steps, 3);
});

test('a refusal is recorded, and the call stays held', async (t) => {
  const { engine, events } = await withEngine(t);
  const { id, hold } = await heldCall(engine);
  const answered = await engine.answerHold(hold, { ...ann, approve: false, reason: 'too much' });
  assert.equal(answered.state, 'refused');
  assert.deepEqual(answered.answers[0]?.reason, 'too much');
  const { steps } = await engine.steps(id, { from: 2, limit: 1 });
  assert.equal(steps[0]?.step.args?.approve, false);
  assert.ok(events.some((event) => event.type === 'hold' && event.state === 'refused'));
  const again = await engine.decide(id, call('hold-it', { a: 1 }, 'c'));
  assert.equal(again.decision.verdict, 'hold');
  assert.notEqual(again.holdId, hold);
});

test('an approval outlives a restart and is still used once', async (t) => {
  const first = await withEngine(t);
  const { id, hold } = await heldCall(first.engine);
  await first.engine.answerHold(hold, ann);
  const second = await first.reopen();
  assert.equal((await second.engine.decide(id, call('hold-it', { a: 1 }, 'c'))).decision.verdict, 'allow');
  assert.equal((await second.engine.hold(hold))?.state, 'used');
  const third = await second.reopen();
  assert.equal((await third.engine.decide(id, call('hold-it', { a: 1 }, 'c'))).decision.verdict, 'hold');
});

test('the same act proposed again renews its hold instead of asking twice', async (t) => {
  const { engine, time } = await withEngine(t);
  const { id, hold } = await heldCall(engine);
  time.now += 50_000;
  const again = await engine.decide(id, call('hold-it', { a: 1 }, 'c-2'));
  assert.equal(again.holdId, hold);
  assert.equal((await engine.holds({ session: id })).length, 1);
  time.now += 50_000;
  assert.equal((await engine.answerHold(hold, ann)).state, 'approved');
});

test('a hold nobody answers in time closes', async (t) => {
  const { engine, time } = await withEngine(t);
  const { id, hold } = await heldCall(engine);
  assert.equal((await engine.holds({ state: 'pending' })).length, 1);
  time.now += 60_001;
  assert.equal((await engine.hold(hold))?.state, 'expired');
  assert.equal((await engine.holds({ state: 'pending' })).length, 0);
  assert.equal((await engine.session(id))?.state, 'open');
  await assert.rejects(engine.answerHold(hold, ann), problemCode('hold-closed'));
  assert.notEqual((await engine.decide(id, call('hold-it', { a: 1 }, 'c'))).holdId, hold);
});

test('listeners are told when a hold expires', async (t) => {
  const terms = { by: ['reviewer'], quorum: 1, notPrincipal: false, expiresMs: 30 };
  const { engine, store } = await withEngine(t, { specs: [counterSpec({ terms })], clock: Date.now });
  const expired = new Promise<string>((resolve) => {
    engine.subscribe((event) => {
      if (event.type === 'hold' && event.state === 'expired') resolve(event.hold);
    });
  });
  const { hold } = await heldCall(engine);
  // The engine's timer does not keep a process alive; this test does.
  const alive = setInterval(() => {}, 1_000);
  assert.equal(await expired, hold);
  clearInterval(alive);
  assert.equal((await store.hold(hold))?.hold.state, 'expired');
});

test('the end of a session closes its holds', async (t) => {
  const { engine } = await withEngine(t);
  const { id, hold } = await heldCall(engine);
  await engine.endSession(id);
  assert.equal((await engine.hold(hold))?.state, 'expired');
  await assert.rejects(engine.answerHold(hold, ann), problemCode('hold-closed'));
  assert.equal((await engine.session(id))?.state, 'ended');
});

test('too many open holds stop the session until some are answered or expire', async (t) => {
  const { engine, time } = await withEngine(t, { limits: { openHoldsPerSession: 2 } });
  const { id, hold } = await heldCall(engine, 'hold-1');
  await engine.decide(id, call('hold-2'));
  await assert.rejects(engine.decide(id, call('hold-3')), problemCode('limit-exceeded'));
  await engine.answerHold(hold, ann);
  assert.equal((await engine.decide(id, call('hold-3'))).decision.verdict, 'hold');
  await assert.rejects(engine.decide(id, call('hold-4')), problemCode('limit-exceeded'));
  time.now += 60_001;
  assert.equal((await engine.decide(id, call('hold-4'))).decision.verdict, 'hold');
});
