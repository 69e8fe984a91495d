// A hold that nobody answers asks others after a while: they may answer from then on, are told, and a replay proves it. On the
// real language, monitor and replay.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMonitor } from '../monitor/session-monitor.ts';
import { loadSpecObject } from '../sdk/spec-files.ts';
import { compileSpec } from '../spec/index.ts';
import { call, problemCode, withEngine } from './testing/engine.ts';
import type { Engine } from './types.ts';

const MINUTE = 60_000;
const SPEC = {
  interlock: 1,
  name: 'escalating',
  tools: { wire: { effect: 'send' } },
  rules: [
    {
      id: 'lead',
      on: 'call wire',
      hold: true,
      approve: {
        by: ['lead'],
        not: 'principal',
        expires: '30m',
        escalate: { after: '10m', to: ['director'] },
      },
      because: 'A lead looks at wires.',
    },
  ],
};
const lea = { approve: true, by: 'user:lea', role: 'lead' };
const dora = { approve: true, by: 'user:dora', role: 'director' };

async function held(engine: Engine) {
  const { id } = await engine.openSession({ agent: { name: 'agent' }, principal: 'user:1' });
  const { holdId } = await engine.decide(id, call('wire', { a: 1 }, 'c'));
  return { id, hold: holdId! };
}

const specs = () => [loadSpecObject(SPEC)];

test('others may answer after their time, and not before', async (t) => {
  const { engine, time } = await withEngine(t, { specs: specs() });
  const { id, hold } = await held(engine);
  assert.deepEqual((await engine.hold(hold))!.escalation, { at: time.now + 10 * MINUTE, to: ['director'] });
  await assert.rejects(engine.answerHold(hold, dora), problemCode('not-allowed-to-answer'));
  time.now += 9 * MINUTE;
  // Asking again does not start the time anew.
  await engine.decide(id, call('wire', { a: 1 }, 'c-2'));
  time.now += MINUTE;
  await assert.rejects(
    engine.answerHold(hold, { ...dora, by: 'user:1' }),
    problemCode('not-allowed-to-answer'),
  );
  assert.equal((await engine.answerHold(hold, dora)).state, 'approved');
  assert.equal((await engine.decide(id, call('wire', { a: 1 }, 'c-3'))).decision.verdict, 'allow');
  assert.equal((await engine.decide(id, call('wire', { a: 1 }, 'c-4'))).decision.verdict, 'hold');
});

test('whom it asked first may still answer', async (t) => {
  const { engine, time } = await withEngine(t, { specs: specs() });
  const { hold } = await held(engine);
  time.now += 20 * MINUTE;
  assert.equal((await engine.answerHold(hold, lea)).state, 'approved');
});

test('a replay holds an early answer of theirs to the terms', () => {
  const compiled = compileSpec(JSON.stringify(SPEC));
  assert.ok(compiled.ok);
  const monitor = createMonitor(compiled.spec.program);
  for (const [waited, verdict] of [
    [9 * MINUTE, 'hold'],
    [10 * MINUTE, 'allow'],
  ] as const) {
    const state = monitor.load(monitor.save(monitor.start()));
    const base = { session: 's', agent: { name: 'agent' } };
    const wire = { ...base, kind: 'tool.call', name: 'wire', args: { a: 1 } } as const;
    const { binding } = monitor.step(state, { ...wire, id: 'a', seq: 0, time: 0, callId: 'c' }).decision;
    const args = { binding: binding!, approve: true, by: ['user:dora'], roles: ['director'] };
    const restored = monitor.load(monitor.save(state));
    monitor.step(restored, { ...base, id: 'b', seq: 1, time: waited, kind: 'approval', name: 'wire', args });
    const { decision } = monitor.step(restored, { ...wire, id: 'c', seq: 2, time: waited, callId: 'd' });
    assert.equal(decision.verdict, verdict, `after ${waited} ms`);
  }
});

test('listeners are told when it escalates, also after a restart', async (t) => {
  const spec = structuredClone(SPEC);
  spec.rules[0]!.approve.escalate.after = '120ms';
  const first = await withEngine(t, { specs: [loadSpecObject(spec)], clock: Date.now });
  const { hold } = await held(first.engine);
  const { engine } = await first.reopen();
  const alive = setInterval(() => {}, 1_000);
  t.after(() => clearInterval(alive));
  const told = await new Promise<string>((resolve) => {
    engine.subscribe((event) => {
      if (event.type === 'hold' && event.escalated) resolve(event.hold);
    });
  });
  assert.equal(told, hold);
  assert.equal((await engine.answerHold(hold, dora)).state, 'approved');
});

test('a spec whose hold would expire first does not check', () => {
  for (const [escalate, words] of [
    [{ after: '30m', to: ['director'] }, /expires before it escalates/],
    [{ after: '10m' }, /`escalate` needs/],
    [{ to: ['director'] }, /`escalate` needs/],
    [{ after: 'soon', to: ['director'] }, /must be a duration/],
    [{ after: '10m', to: ['director'], when: 'x' }, /when/],
  ] as const) {
    const spec = structuredClone(SPEC) as { rules: { approve: { escalate: unknown } }[] };
    spec.rules[0]!.approve.escalate = escalate;
    const result = compileSpec(JSON.stringify(spec));
    assert.equal(result.ok, false);
    assert.match(result.problems.map(({ message }) => message).join('\n'), words);
  }
});
