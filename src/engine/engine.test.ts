import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { chainState, stateStart, stepDigest } from '../step/digest.ts';
import { openSqliteStore } from '../store/sqlite/store.ts';
import { createEngine } from './engine.ts';
import type { CompiledSpecLike, EngineLogLine } from './options.ts';
import { counterSpec, LIMIT } from './testing/counter-spec.ts';
import { call, input, problemCode, temporaryDirectory, withEngine } from './testing/engine.ts';

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

test('parallel calls never get more than the limit, and a failed call gives its slot back', async (t) => {
  const { engine } = await withEngine(t);
  const { id } = await engine.openSession({ agent: { name: 'agent' } });
  const calls = Array.from({ length: 50 }, (_, i) => engine.decide(id, call('limited', {}, `c-${i}`)));
  const decided = await Promise.all(calls);
  const allowed = decided.filter(({ decision }) => decision.verdict === 'allow');
  assert.equal(allowed.length, LIMIT);
  assert.deepEqual(
    decided.map(({ step }) => step.seq),
    Array.from({ length: 50 }, (_, i) => i + 1),
  );
  const { callId } = allowed[0]!.step;
  await engine.decide(id, {
    kind: 'tool.result',
    name: 'limited',
    callId: callId!,
    error: { message: 'down' },
  });
  assert.equal((await engine.decide(id, call('limited'))).decision.verdict, 'allow');
  assert.equal((await engine.decide(id, call('limited'))).decision.verdict, 'deny');
});

test('a retry with the same id gets the same decision: in flight, later, and after a restart', async (t) => {
  const first = await withEngine(t);
  const { id } = await first.engine.openSession({ agent: { name: 'agent' } });
  const proposal = { ...call('limited', { a: 1, b: 2 }, 'c'), id: 'step-1' };
  const [one, two] = await Promise.all([
    first.engine.decide(id, proposal),
    first.engine.decide(id, proposal),
  ]);
  assert.deepEqual(one, two);
  first.time.now += 5_000;
  const reordered = { ...proposal, args: { b: 2, a: 1 } };
  assert.deepEqual(await first.engine.decide(id, reordered), one);
  await assert.rejects(
    first.engine.decide(id, { ...proposal, args: { a: 2, b: 2 } }),
    problemCode('duplicate-id'),
  );
  const { engine } = await first.reopen();
  assert.deepEqual(await engine.decide(id, proposal), one);
  await assert.rejects(engine.decide(id, { ...proposal, name: 'other' }), problemCode('duplicate-id'));
  await engine.endSession(id);
  assert.deepEqual(await engine.decide(id, proposal), one);
  assert.equal((await engine.session(id))?.steps, 3);
});

test('a different proposal with the id of one in flight is refused', async (t) => {
  const { engine } = await withEngine(t);
  const { id } = await engine.openSession({ agent: { name: 'agent' } });
  const [one, two] = await Promise.allSettled([
    engine.decide(id, { ...call('a'), id: 'x' }),
    engine.decide(id, { ...call('b'), id: 'x' }),
  ]);
  assert.equal(one.status, 'fulfilled');
  assert.equal(two.status, 'rejected');
  assert.ok(problemCode('duplicate-id')(two.reason));
});

test('after a halt nothing that can be stopped goes through', async (t) => {
  const first = await withEngine(t);
  const { id } = await first.engine.openSession({ agent: { name: 'agent' } });
  assert.equal((await first.engine.decide(id, call('halt-now'))).decision.verdict, 'halt');
  assert.equal((await first.engine.session(id))?.state, 'halted');
  const { engine } = await first.reopen();
  const after = await engine.decide(id, call('harmless'));
  assert.deepEqual([after.decision.verdict, after.decision.rules[0]?.rule], ['deny', '$halted']);
  assert.equal((await engine.decide(id, input('still there?'))).decision.verdict, 'allow');
});

for (const noSpec of ['deny', 'allow'] as const) {
  test(`without a spec the configured default is ${noSpec}, under its own rule and said aloud`, async (t) => {
    const lines: EngineLogLine[] = [];
    const first = await withEngine(t, { noSpec, log: (line) => lines.push(line) });
    const session = await first.engine.openSession({ agent: { name: 'stranger' } });
    await first.engine.openSession({ agent: { name: 'stranger' } });
    assert.equal(session.spec, null);
    const { decision } = await first.engine.decide(session.id, call('anything'));
    assert.deepEqual([decision.verdict, decision.rules[0]?.rule, decision.spec], [noSpec, '$no-spec', null]);
    assert.equal((await first.engine.decide(session.id, input('hi'))).decision.verdict, 'allow');
    assert.equal(lines.length, 1);
    assert.match(lines[0]!.message, /no spec applies to the agent "stranger"/);
    // The default a session began with stays with it.
    const { engine } = await first.reopen({ noSpec: noSpec === 'deny' ? 'allow' : 'deny' });
    assert.equal((await engine.decide(session.id, call('anything'))).decision.verdict, noSpec);
  });
}

test('time never runs backwards in a session', async (t) => {
  const first = await withEngine(t);
  const { id } = await first.engine.openSession({ agent: { name: 'agent' } });
  const before = first.time.now;
  first.time.now -= 60_000;
  assert.equal((await first.engine.decide(id, call('a'))).step.time, before);
  const { engine } = await first.reopen();
  assert.equal((await engine.decide(id, call('b'))).step.time, before);
});

test('a session is resumed only by whom it began for', async (t) => {
  const first = await withEngine(t);
  const init = { id: 'mine', agent: { name: 'agent' }, principal: 'user:1' };
  const both = await Promise.all([first.engine.openSession(init), first.engine.openSession(init)]);
  assert.deepEqual(
    both.map((session) => session.steps),
    [1, 1],
  );
  const { engine } = await first.reopen();
  assert.equal((await engine.openSession(init)).steps, 1);
  await assert.rejects(engine.openSession({ ...init, principal: 'user:2' }), problemCode('duplicate-id'));
  await assert.rejects(engine.openSession({ ...init, tenant: 't' }), problemCode('duplicate-id'));
  await assert.rejects(
    engine.openSession({ ...init, agent: { name: 'agent-2' } }),
    problemCode('duplicate-id'),
  );
});

test('what cannot be proposed or is not there is refused', async (t) => {
  const { engine } = await withEngine(t);
  const { id } = await engine.openSession({ agent: { name: 'agent' } });
  const approval = {
    kind: 'approval',
    name: 'hold-x',
    args: { approve: true, binding: 'sha256:0' },
  } as const;
  await assert.rejects(engine.decide(id, approval), problemCode('invalid'));
  await assert.rejects(engine.decide(id, { kind: 'session.start', name: 'agent' }), problemCode('invalid'));
  await assert.rejects(engine.decide(id, call('x', { text: '\ud800' })), problemCode('invalid'));
  await assert.rejects(
    engine.decide(id, { ...call('x'), id: 'interlock:approval:1' }),
    problemCode('invalid'),
  );
  await assert.rejects(engine.decide('nowhere', call('x')), problemCode('unknown-session'));
  await assert.rejects(engine.sessions({ limit: 10, cursor: 'zzz' }), problemCode('invalid'));
  assert.equal(await engine.session('nowhere'), null);
  assert.equal(await engine.hold('nowhere'), null);
  assert.equal((await engine.session(id))?.steps, 1);
});

test('limits are refused before anything is decided', async (t) => {
  const { engine } = await withEngine(t, { limits: { stepsPerSession: 3, bytesPerProposal: 500 } });
  const { id } = await engine.openSession({ agent: { name: 'agent' } });
  await assert.rejects(engine.decide(id, input('é'.repeat(300))), problemCode('limit-exceeded'));
  await engine.decide(id, call('a'));
  await engine.decide(id, call('b'));
  await assert.rejects(engine.decide(id, call('c')), problemCode('limit-exceeded'));
  // A full session can still be ended.
  assert.equal((await engine.endSession(id)).step.seq, 3);
});

test('a full queue is refused before anything is decided', async (t) => {
  const store = await openSqliteStore({ directory: temporaryDirectory(t), queuedRowsMax: 4 });
  const { engine } = await withEngine(t, { store });
  const { id } = await engine.openSession({ agent: { name: 'agent' } });
  const results = await Promise.allSettled(Array.from({ length: 10 }, () => engine.decide(id, call('a'))));
  const refused = results.filter((result) => result.status === 'rejected');
  assert.ok(refused.length > 0 && refused.length < 10);
  for (const { reason } of refused) assert.ok(problemCode('overloaded')(reason));
  const { steps } = await engine.steps(id, { from: 0, limit: 100 });
  assert.equal(steps.length, 11 - refused.length);
  assert.equal((await engine.decide(id, call('a'))).step.seq, steps.length);
});

test('when a write fails, nothing was decided and the session goes on from what is durable', async (t) => {
  const { engine, directory, events } = await withEngine(t);
  const { id } = await engine.openSession({ agent: { name: 'agent' } });
  await engine.decide(id, call('limited', {}, 'c-0'));
  const other = new DatabaseSync(join(directory, 'interlock.sqlite'));
  other.exec('BEGIN IMMEDIATE');
  const seen = events.length;
  const failed = await Promise.allSettled([
    engine.decide(id, call('limited', {}, 'c-1')),
    engine.decide(id, call('limited', {}, 'c-2')),
  ]);
  for (const result of failed) {
    assert.equal(result.status, 'rejected');
    assert.ok(problemCode('store-failed')(result.reason));
  }
  assert.equal(events.length, seen);
  other.exec('ROLLBACK');
  other.close();
  const next = await engine.decide(id, call('limited', {}, 'c-1'));
  assert.deepEqual([next.step.seq, next.decision.verdict], [2, 'allow']);
  assert.equal((await engine.decide(id, call('limited', {}, 'c-2'))).decision.verdict, 'allow');
  assert.equal((await engine.decide(id, call('limited', {}, 'c-3'))).decision.verdict, 'deny');
});

test('a monitor that fails decides nothing, and what was in flight beside it stays', async (t) => {
  const spec = counterSpec();
  const failing: CompiledSpecLike = {
    ...spec,
    createMonitor: () => {
      const monitor = spec.createMonitor();
      const step: typeof monitor.step = (state, step) => {
        const outcome = monitor.step(state, step);
        if (step.name === 'boom') throw new Error('boom');
        return outcome;
      };
      return { ...monitor, step };
    },
  };
  const { engine } = await withEngine(t, { specs: [failing] });
  const { id } = await engine.openSession({ agent: { name: 'agent' } });
  const names = ['limited', 'limited', 'boom', 'limited', 'limited'];
  const results = await Promise.allSettled(names.map((name) => engine.decide(id, call(name))));
  assert.deepEqual(
    results.map((result) => (result.status === 'fulfilled' ? result.value.decision.verdict : 'failed')),
    ['allow', 'allow', 'failed', 'allow', 'deny'],
  );
  assert.equal((await engine.session(id))?.steps, 5);
});

test('a session keeps its spec when others are loaded, or says which one it needs', async (t) => {
  const old = counterSpec({ name: 'old' });
  const first = await withEngine(t, { specs: [old] });
  const { id } = await first.engine.openSession({ agent: { name: 'agent' } });
  await first.engine.decide(id, call('limited'));
  const second = await first.reopen({ specs: [counterSpec({ name: 'new' })] });
  await assert.rejects(second.engine.decide(id, call('limited')), /spec old .* not loaded/);
  assert.equal((await second.engine.session(id))?.steps, 2);
  assert.equal((await second.engine.spec(old.digest))?.name, 'old');
  assert.equal(await second.engine.spec('sha256:0'), null);
  const wrong = await second.reopen({ recompile: () => counterSpec({ name: 'newer' }) });
  await assert.rejects(wrong.engine.decide(id, call('limited')), problemCode('invalid'));
  const third = await wrong.reopen({ recompile: ({ canonical }) => counterSpec(JSON.parse(canonical)) });
  const { step, decision } = await third.engine.decide(id, call('limited'));
  assert.deepEqual([step.seq, decision.spec], [2, old.digest]);
});

test('a spec whose digest is not that of its canonical form is not run', async (t) => {
  const spec = { ...counterSpec(), canonical: '{}' };
  const store = await openSqliteStore({ directory: temporaryDirectory(t) });
  t.after(() => store.close());
  await assert.rejects(createEngine({ store, specs: [spec], noSpec: 'deny' }), problemCode('invalid'));
});

test('a record that was changed is found when the session is loaded, and the session stops', async (t) => {
  const first = await withEngine(t);
  const { id } = await first.engine.openSession({ agent: { name: 'agent' } });
  for (let i = 0; i < 5; i++) await first.engine.decide(id, call('limited', {}, `c-${i}`));
  await first.engine.close();
  const file = new DatabaseSync(join(first.directory, 'interlock.sqlite'));
  file.exec(`UPDATE payload SET step = replace(step, '"c-1"', '"c-9"') WHERE n = 3`);
  file.exec(`UPDATE payload SET step = replace(step, 'limited', 'limitee') WHERE n = 3`);
  file.close();
  const { engine } = await first.reopen();
  await assert.rejects(engine.decide(id, call('x')), /cannot go on: replaying step 2/);
  await assert.rejects(engine.decide(id, call('x')), problemCode('invalid'));
  const findings = await engine.findings({ session: id });
  assert.deepEqual(
    findings.map(({ kind, seq }) => [kind, seq]),
    [['replay-mismatch', 2]],
  );
  const { steps } = await engine.steps(id, { from: 2, limit: 1 });
  assert.equal(steps[0]?.finding?.kind, 'replay-mismatch');
});

test('a missing record is found too', async (t) => {
  const first = await withEngine(t);
  const { id } = await first.engine.openSession({ agent: { name: 'agent' } });
  for (let i = 0; i < 5; i++) await first.engine.decide(id, call('a'));
  await first.engine.close();
  const file = new DatabaseSync(join(first.directory, 'interlock.sqlite'));
  file.exec('DELETE FROM steps WHERE seq = 5');
  file.close();
  const { engine } = await first.reopen();
  await assert.rejects(engine.decide(id, call('x')), /step 5 is missing: 6 steps were recorded/);
});

test('listeners hear of what is durable, and one that throws harms nobody', async (t) => {
  const { engine, events } = await withEngine(t);
  engine.subscribe(() => {
    throw new Error('mine');
  });
  const heard: string[] = [];
  const stop = engine.subscribe((event) => heard.push(event.type));
  const { id } = await engine.openSession({ agent: { name: 'agent' } });
  const deciding = engine.decide(id, call('a'));
  assert.deepEqual(heard, ['step', 'session']);
  await deciding;
  stop();
  await engine.decide(id, call('hold-it'));
  assert.deepEqual(heard, ['step', 'session', 'step']);
  assert.deepEqual(
    events.map((event) => event.type),
    ['step', 'session', 'step', 'step', 'hold', 'session'],
  );
});
