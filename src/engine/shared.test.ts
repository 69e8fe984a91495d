// What sessions share: counted across them, kept with the steps, exact after restarts and failures, and in each step's record.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { createMonitor } from '../monitor/session-monitor.ts';
import { compare } from '../replay/compare.ts';
import { replaySpec } from '../replay/replay.ts';
import { compileSpec } from '../spec/index.ts';
import type { JsonObject, SessionInit, Step } from '../step/types.ts';
import { problemCode, withEngine } from './testing/engine.ts';
import type { Engine, Recorded } from './types.ts';

const SPEC = `
interlock: 1
name: shared
tools:
  pay:
    effect: write
    input: { type: object, properties: { amount: { type: number }, account: { type: string } } }
  login: { effect: read, output: { type: object, properties: { user: { type: string } } } }
  logout: { effect: read }
rules:
  - id: five-hundred-a-day
    on: call pay
    limit: { sum: args.amount, max: 500, per: principal, window: 24h }
  - id: not-twice-to-one-account
    on: call pay
    when: has(args.account)
    require: past.count("call pay", e, e.args.account == args.account).of("tenant") < 2
  - id: logged-in
    on: call pay
    unless: principal == "user:free"
    require: past.since("result login", a, true, "result logout", b, true).of("principal")
`;

function like(text = SPEC) {
  const compiled = compileSpec(text);
  assert.ok(compiled.ok, JSON.stringify(compiled.problems));
  const { spec } = compiled;
  return {
    program: spec,
    spec: { ...spec, applies: () => true, createMonitor: () => createMonitor(spec.program) },
  };
}

async function open(engine: Engine, more: Partial<SessionInit> = {}): Promise<string> {
  return (await engine.openSession({ agent: { name: 'a' }, principal: 'user:1', ...more })).id;
}

let calls = 0;
async function call(engine: Engine, session: string, name: string, args: JsonObject = {}, error = false) {
  const callId = `c${++calls}`;
  const recorded = await engine.decide(session, { kind: 'tool.call', name, callId, args });
  if (recorded.decision.verdict !== 'allow') return recorded;
  const outcome = error ? { error: { message: 'no' } } : { result: { user: 'x' } };
  await engine.decide(session, { kind: 'tool.result', name, callId, ...outcome });
  return recorded;
}

const fired = ({ decision }: Recorded) => decision.rules.map((rule) => `${rule.rule} ${rule.cause}`);

test('a new session is no new history: limits and the past of a principal go on, others have their own', async (t) => {
  const { spec } = like();
  const { engine } = await withEngine(t, { specs: [spec] });
  const one = await open(engine);
  assert.deepEqual(fired(await call(engine, one, 'pay', { amount: 10 })), ['logged-in violated']);
  await call(engine, one, 'login');
  assert.deepEqual(fired(await call(engine, one, 'pay', { amount: 300 })), []);
  const two = await open(engine);
  const over = await call(engine, two, 'pay', { amount: 201 });
  assert.deepEqual(fired(over), ['five-hundred-a-day violated']);
  assert.deepEqual(
    over.decision.witness.map(({ session, kind, name }) => [session, kind, name]),
    [[one, 'tool.call', 'pay']],
  );
  assert.deepEqual(over.decision.rules[0]?.fixes, [
    { t: 'at-most', path: 'args.amount', value: 200, exclusive: false },
  ]);
  assert.deepEqual(fired(await call(engine, two, 'pay', { amount: 200 })), []);
  assert.deepEqual(fired(await call(engine, one, 'pay', { amount: 1 })), ['five-hundred-a-day violated']);
  const other = await open(engine, { principal: 'user:2' });
  assert.deepEqual(fired(await call(engine, other, 'pay', { amount: 1 })), ['logged-in violated']);
  const elsewhere = await open(engine, { tenant: 't' });
  assert.deepEqual(fired(await call(engine, elsewhere, 'pay', { amount: 1 })), ['logged-in violated']);
  await call(engine, two, 'logout');
  assert.deepEqual(fired(await call(engine, one, 'pay', { amount: 0 })), ['logged-in violated']);
  const nobody = (await engine.openSession({ agent: { name: 'a' } })).id;
  assert.deepEqual(fired(await call(engine, nobody, 'pay', { amount: 1 })), [
    'five-hundred-a-day absent',
    'logged-in absent',
  ]);
});

test('a join key counts over all sessions of a tenant', async (t) => {
  const { engine } = await withEngine(t, { specs: [like().spec] });
  for (const [principal, expected] of [
    ['user:free', []],
    ['user:free', []],
    ['user:free', ['not-twice-to-one-account violated']],
  ] as const) {
    const session = await open(engine, { principal });
    assert.deepEqual(fired(await call(engine, session, 'pay', { amount: 1, account: 'A' })), expected);
    assert.deepEqual(fired(await call(engine, session, 'pay', { amount: 1, account: session })), []);
  }
});

test('a failed call gives its share back, in whichever session and after a restart; a window ends', async (t) => {
  const { spec } = like();
  const first = await withEngine(t, { specs: [spec] });
  let { engine } = first;
  const one = await open(engine);
  await call(engine, one, 'login');
  const open1 = await engine.decide(one, {
    kind: 'tool.call',
    name: 'pay',
    callId: 'slow',
    args: { amount: 500 },
  });
  assert.equal(open1.decision.verdict, 'allow');
  ({ engine } = await first.reopen());
  const two = await open(engine);
  assert.deepEqual(fired(await call(engine, two, 'pay', { amount: 1 })), ['five-hundred-a-day violated']);
  await engine.decide(one, { kind: 'tool.result', name: 'pay', callId: 'slow', error: { message: 'no' } });
  assert.deepEqual(fired(await call(engine, two, 'pay', { amount: 500 })), []);
  assert.deepEqual(fired(await call(engine, one, 'pay', { amount: 1 })), ['five-hundred-a-day violated']);
  first.time.now += 24 * 3_600_000 + 1;
  assert.deepEqual(fired(await call(engine, one, 'pay', { amount: 500 })), []);
});

test('when a write fails, what sessions share goes back to what is durable', async (t) => {
  const { spec } = like();
  const { engine, directory } = await withEngine(t, { specs: [spec] });
  const one = await open(engine);
  const two = await open(engine);
  await call(engine, one, 'login');
  await call(engine, one, 'pay', { amount: 100 });
  const other = new DatabaseSync(join(directory, 'interlock.sqlite'));
  other.exec('BEGIN IMMEDIATE');
  const failed = await Promise.allSettled([
    call(engine, one, 'pay', { amount: 400 }),
    call(engine, two, 'logout'),
  ]);
  for (const result of failed) {
    assert.equal(result.status, 'rejected');
    assert.ok(problemCode('store-failed')(result.reason));
  }
  other.exec('ROLLBACK');
  other.close();
  assert.deepEqual(fired(await call(engine, two, 'pay', { amount: 401 })), ['five-hundred-a-day violated']);
  assert.deepEqual(fired(await call(engine, two, 'pay', { amount: 400 })), []);
});

test('a recorded session replays alone, to the same verdicts and digests', async (t) => {
  const { program, spec } = like();
  const { engine, store } = await withEngine(t, { specs: [spec] });
  const one = await open(engine);
  await call(engine, one, 'login');
  await call(engine, one, 'pay', { amount: 450, account: 'A' });
  const two = await open(engine);
  await call(engine, two, 'pay', { amount: 50, account: 'A' });
  await call(engine, two, 'pay', { amount: 1, account: 'A' });
  const rows = await store.recorded(two, 0, 100);
  const steps = rows.map((row) => JSON.parse(row.step) as Step);
  assert.ok(steps.some((step) => step.facts?.some((fact) => fact.seen.some((seen) => seen.session === one))));
  const recorded = {
    steps,
    decisions: rows.map((row) => JSON.parse(row.decision)),
    stepDigests: rows.map((row) => row.stepDigest),
    stateDigests: rows.map((row) => row.stateDigest),
  };
  assert.equal(compare(replaySpec(program), recorded), null);
  const forged = steps.map(({ facts: _, ...step }) => step);
  assert.match(compare(replaySpec(program), { ...recorded, steps: forged })!.what, /step digest/);
});

test('a retry of a step with facts is the same step', async (t) => {
  const { engine } = await withEngine(t, { specs: [like().spec] });
  const one = await open(engine);
  await call(engine, one, 'login');
  const given = { id: 'p1', kind: 'tool.call', name: 'pay', callId: 'x', args: { amount: 5 } } as const;
  const first = await engine.decide(one, given);
  assert.deepEqual(await engine.decide(one, given), first);
  assert.ok(first.step.facts !== undefined);
});

test('specs that ask the same share one history, whatever they call their variables and however high their limit', async (t) => {
  const text = (name: string, max: number, variable: string) => `
interlock: 1
name: ${name}
applies: { agents: [${name}] }
tools: { pay: { effect: write, input: { type: object, properties: { amount: { type: number } } } } }
rules:
  - { id: most, on: call pay, limit: { sum: args.amount, max: ${max}, of: principal } }
  - id: few
    on: call pay
    require: past.count("call pay", ${variable}, ${variable}.args.amount > 0.0).of("principal") < 3
`;
  const specs = [like(text('one', 10, 'e')), like(text('two', 20, 'earlier'))].map(({ program, spec }) => ({
    ...spec,
    applies: (agent: string) => program.applies(agent),
  }));
  const { engine } = await withEngine(t, { specs });
  const one = await open(engine, { agent: { name: 'one' } });
  const two = await open(engine, { agent: { name: 'two' } });
  assert.deepEqual(fired(await call(engine, one, 'pay', { amount: 9 })), []);
  assert.deepEqual(fired(await call(engine, one, 'pay', { amount: 2 })), ['most violated']);
  assert.deepEqual(fired(await call(engine, two, 'pay', { amount: 10 })), []);
  assert.deepEqual(fired(await call(engine, two, 'pay', { amount: 1 })), []);
  assert.deepEqual(fired(await call(engine, two, 'pay', { amount: 0 })), ['few violated']);
});

test('hundreds of parallel calls in many sessions never pass a shared limit', async (t) => {
  const text = `
interlock: 1
name: many
tools: { pay: { effect: write } }
rules: [{ id: most, on: call pay, limit: { count: 25, per: principal } }]
`;
  const { engine } = await withEngine(t, { specs: [like(text).spec] });
  const sessions = await Promise.all(Array.from({ length: 20 }, () => open(engine)));
  const all = await Promise.all(
    Array.from({ length: 400 }, (_, i) =>
      engine.decide(sessions[i % 20]!, { kind: 'tool.call', name: 'pay', callId: `p${i}`, args: {} }),
    ),
  );
  assert.equal(all.filter(({ decision }) => decision.verdict === 'allow').length, 25);
});

test('a spec that asks something new finds it answered by what is in the record', async (t) => {
  const rule =
    'past.exists("result check", c, c.args.customer == args.customer && c.result.ok).of("principal")';
  const text = (require: string) => `
interlock: 1
name: late
tools:
  check: { effect: read, output: { type: object, properties: { ok: { type: boolean } } } }
  pay: { effect: write }
rules:
  - { id: never, on: call check, deny: args.customer == "denied" }
  - { id: known, on: call pay, require: '${require}' }
`;
  const first = await withEngine(t, { specs: [like(text('true')).spec] });
  const one = await open(first.engine);
  for (const [customer, ok] of [
    ['ada', true],
    ['bob', false],
    ['denied', true],
  ] as const) {
    const callId = `check-${customer}`;
    await first.engine.decide(one, { kind: 'tool.call', name: 'check', callId, args: { customer } });
    await first.engine.decide(one, { kind: 'tool.result', name: 'check', callId, result: { ok } });
  }
  const second = await first.reopen({ specs: [like(text(rule)).spec] });
  const verdicts = async ({ engine }: typeof first, principal = 'user:1') => {
    const session = await open(engine, { principal });
    return Promise.all(
      ['ada', 'bob', 'denied'].map(
        async (customer) => (await call(engine, session, 'pay', { customer })).decision.verdict,
      ),
    );
  };
  assert.deepEqual(await verdicts(second), ['allow', 'deny', 'deny']);
  assert.deepEqual(await verdicts(second, 'user:2'), ['deny', 'deny', 'deny']);
  // Not asked for a while, and asked again: what happened meanwhile is known too.
  const third = await second.reopen({ specs: [like(text('true')).spec] });
  const later = await open(third.engine);
  await third.engine.decide(later, {
    kind: 'tool.call',
    name: 'check',
    callId: 'b',
    args: { customer: 'bob' },
  });
  await third.engine.decide(later, { kind: 'tool.result', name: 'check', callId: 'b', result: { ok: true } });
  const fourth = await third.reopen({ specs: [like(text(rule)).spec] });
  assert.deepEqual(await verdicts(fourth), ['allow', 'allow', 'deny']);
});

test('a view that is filled late is the view that was there from the start', async (t) => {
  const text = (extra: string) => `
interlock: 1
name: twin
tools: { pay: { effect: write, input: { type: object, properties: { amount: { type: number } } } } }
rules:
  - { id: any, on: call pay, require: args.amount >= 0.0 }
${extra}`;
  const asks =
    '  - { id: sum, on: call pay, require: \'past.sum("call pay", e, e.args.amount > 1.0, e.args.amount).of("tenant") < 1000.0\' }\n';
  const cells = async (extras: readonly string[]) => {
    let at = await withEngine(t, { specs: [like(text(extras[0]!)).spec] });
    for (const extra of extras.slice(1)) at = await at.reopen({ specs: [like(text(extra)).spec] });
    const session = await open(at.engine);
    for (let i = 0; i < 30; i++)
      await at.engine.decide(session, {
        kind: 'tool.call',
        name: 'pay',
        callId: `c${i}`,
        args: { amount: i % 7 },
      });
    const { step } = await at.engine.decide(session, { kind: 'tool.call', name: 'pay', args: { amount: 5 } });
    return step.facts?.map(({ value }) => value);
  };
  const late = await withEngine(t, { specs: [like(text('')).spec] });
  const session = await open(late.engine);
  for (let i = 0; i < 30; i++)
    await late.engine.decide(session, {
      kind: 'tool.call',
      name: 'pay',
      callId: `c${i}`,
      args: { amount: i % 7 },
    });
  const again = await late.reopen({ specs: [like(text(asks)).spec] });
  const asked = await open(again.engine);
  const { step } = await again.engine.decide(asked, { kind: 'tool.call', name: 'pay', args: { amount: 5 } });
  assert.deepEqual(
    step.facts?.map(({ value }) => value),
    await cells([asks]),
  );
});

test('rules that count the same to different maxima count each step once, and give it back once', async (t) => {
  const text = `
interlock: 1
name: twice
tools: { pay: { effect: write } }
rules:
  - { id: most, on: call pay, limit: { count: 4, per: principal } }
  - { id: many, on: call pay, mode: warn, limit: { count: 3, per: principal } }
`;
  const { engine } = await withEngine(t, { specs: [like(text).spec] });
  const one = await open(engine);
  const outcome = async (error: boolean) => fired(await call(engine, one, 'pay', {}, error));
  assert.deepEqual(await outcome(true), []);
  for (let i = 0; i < 3; i++) assert.deepEqual(await outcome(false), []);
  assert.deepEqual(await outcome(false), ['many violated']);
  assert.deepEqual(await outcome(false), ['most violated', 'many violated']);
});

test('a value of the step can be what sessions are joined by, in a window too, whatever the order of the two', async (t) => {
  const text = (reach: string) => `
interlock: 1
name: key
tools: { pay: { effect: write, input: { type: object, properties: { account: { type: string } } } } }
rules: [{ id: once, on: call pay, require: 'past.none("call pay", e, true)${reach}' }]
`;
  const window = '.within(duration("1h"))';
  for (const reach of [`${window}.of(args.account)`, `.of(args.account)${window}`]) {
    const { engine, time } = await withEngine(t, { specs: [like(text(reach)).spec] });
    const pay = async (principal: string, account: string, more: Partial<SessionInit> = {}) =>
      (await call(engine, await open(engine, { principal, ...more }), 'pay', { account })).decision.verdict;
    assert.equal(await pay('user:1', 'A'), 'allow');
    assert.equal(await pay('user:2', 'A'), 'deny');
    assert.equal(await pay('user:2', 'B'), 'allow');
    assert.equal(await pay('user:2', 'A', { tenant: 't' }), 'allow');
    time.now += 3_600_001;
    assert.equal(await pay('user:2', 'A'), 'allow');
  }
});
