import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createMonitor } from '../monitor/session-monitor.ts';
import { compileSpec } from '../spec/index.ts';
import type { EngineLogLine } from './options.ts';
import { call, type TestEngine, withEngine } from './testing/engine.ts';

function specOf(otherwise: 'deny' | 'halt') {
  const compiled = compileSpec(`
interlock: 1
name: owed
tools: { refund: { effect: write }, post_ledger: { effect: write } }
rules:
  - { id: ledger, after: result refund, then: call post_ledger, before: { within: 60s }, otherwise: ${otherwise} }
`);
  assert.ok(compiled.ok);
  const { spec } = compiled;
  return { ...spec, applies: () => true, createMonitor: () => createMonitor(spec.program) };
}

async function refunded({ engine }: TestEngine): Promise<string> {
  const { id } = await engine.openSession({ agent: { name: 'a' } });
  await engine.decide(id, call('refund', {}, 'c1'));
  await engine.decide(id, { kind: 'tool.result', name: 'refund', callId: 'c1', result: 'ok' });
  return id;
}

/** Waits until the session has this many steps; the clock of the test stands still meanwhile. */
async function untilSteps({ engine }: TestEngine, session: string, count: number) {
  for (let i = 0; i < 100; i++) {
    const { steps } = await engine.steps(session, { from: 0, limit: 100 });
    if (steps.length >= count) return steps;
    await sleep(20);
  }
  return assert.fail(`the session ${session} never had ${count} steps`);
}

test('a deadline that passes is recorded once, with what was owed, and found', async (t) => {
  const under = await withEngine(t, { specs: [specOf('deny')] });
  const id = await refunded(under);
  under.time.now += 59_000;
  await sleep(120);
  assert.equal((await under.engine.session(id))?.steps, 3, 'not before its time');
  under.time.now += 2_000;
  // The timer sleeps by the real clock: a step of another session wakes nothing, a restart does.
  const again = await under.reopen();
  const steps = await untilSteps(again, id, 4);
  assert.deepEqual([steps[3]?.step.kind, steps[3]?.step.name], ['check', 'deadline']);
  assert.deepEqual(
    steps[3]?.decision?.rules.map(({ rule, witness }) => [rule, witness[0]?.seq]),
    [['ledger', 2]],
  );
  const [finding] = await again.engine.findings({ session: id });
  assert.deepEqual([finding?.kind, finding?.name, finding?.seq], ['overdue-obligation', 'ledger', 3]);
  await sleep(200);
  assert.equal((await again.engine.session(id))?.steps, 4, 'no second notice');
  assert.equal((await again.engine.decide(id, call('refund'))).decision.verdict, 'deny');
  assert.equal((await again.engine.decide(id, call('post_ledger'))).decision.verdict, 'allow');
  assert.equal((await again.engine.decide(id, call('refund'))).decision.verdict, 'allow');
});

test('with `halt` the missed deadline stops the session without waiting for its next step', async (t) => {
  const under = await withEngine(t, { specs: [specOf('halt')] });
  const id = await refunded(under);
  under.time.now += 61_000;
  const again = await under.reopen();
  await untilSteps(again, id, 4);
  assert.equal((await again.engine.session(id))?.state, 'halted');
});

test('the timer of a running engine notices too', async (t) => {
  const compiled = compileSpec(`
interlock: 1
name: soon
tools: { lock: { effect: write }, unlock: { effect: write } }
rules: [{ id: u, after: call lock, then: call unlock, before: { within: 1s } }]
`);
  assert.ok(compiled.ok);
  const { spec } = compiled;
  const like = { ...spec, applies: () => true, createMonitor: () => createMonitor(spec.program) };
  const under = await withEngine(t, { specs: [like], clock: Date.now });
  const { id } = await under.engine.openSession({ agent: { name: 'a' } });
  await under.engine.decide(id, call('lock'));
  const steps = await untilSteps(under, id, 3);
  assert.equal(steps[2]?.decision?.rules[0]?.rule, 'u');
  assert.ok(under.events.some((event) => event.type === 'finding' && event.session === id));
});

test('what is done in time, or in a session that has ended, is not noticed', async (t) => {
  const under = await withEngine(t, { specs: [specOf('deny')] });
  const done = await refunded(under);
  await under.engine.decide(done, call('post_ledger'));
  const ended = await refunded(under);
  await under.engine.endSession(ended);
  under.time.now += 61_000;
  const again = await under.reopen();
  await sleep(200);
  assert.equal((await again.engine.session(done))?.steps, 4);
  assert.equal((await again.engine.session(ended))?.steps, 4);
});

test('a session that cannot go on is said once and does not keep the others waiting', async (t) => {
  const log: EngineLogLine[] = [];
  const under = await withEngine(t, { specs: [specOf('deny')] });
  const broken = await refunded(under);
  const fine = await refunded(under);
  const { steps } = await under.engine.steps(broken, { from: 1, limit: 1 });
  await under.engine.close();
  const { DatabaseSync } = await import('node:sqlite');
  const file = new DatabaseSync(`${under.directory}/interlock.sqlite`);
  file
    .prepare('UPDATE payload SET step = ? WHERE step LIKE ?')
    .run(JSON.stringify({ ...steps[0]!.step, name: 'other' }), `%"kind":"tool.call"%"session":"${broken}"%`);
  file.close();
  under.time.now += 61_000;
  const again = await under.reopen({ log: (line) => log.push(line) });
  await untilSteps(again, fine, 4);
  await sleep(200);
  assert.equal(log.filter((line) => line.message.includes('deadline of the session')).length, 1);
});
