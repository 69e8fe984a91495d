import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMonitor } from '../monitor/session-monitor.ts';
import { compare } from '../replay/compare.ts';
import { replaySpec } from '../replay/replay.ts';
import { compileSpec } from '../spec/index.ts';
import type { Step } from '../step/types.ts';
import { call, input, problemCode, withEngine } from './testing/engine.ts';
import type { StopRequest } from './types.ts';

const ALL: StopRequest = {
  agent: null,
  version: null,
  tool: null,
  tenant: null,
  reason: 'runaway',
  by: 'ann',
};

function like() {
  const compiled = compileSpec('interlock: 1\nname: open\ndefault: allow\n');
  assert.ok(compiled.ok);
  const { spec } = compiled;
  return {
    program: spec,
    spec: {
      ...spec,
      applies: (agent: string) => agent !== 'free',
      createMonitor: () => createMonitor(spec.program),
    },
  };
}

test('a stop denies at once whom it names, over a restart, until it is lifted', async (t) => {
  const first = await withEngine(t, { specs: [like().spec], noSpec: 'allow' });
  let { engine } = first;
  const open = async (name: string, version: string, tenant?: string) =>
    (await engine.openSession({ agent: { name, version }, ...(tenant === undefined ? {} : { tenant }) })).id;
  const [a1, a2, b, acme, free] = [
    await open('shop-a', '1'),
    await open('shop-a', '2'),
    await open('mail', '1'),
    await open('mail', '1', 'acme'),
    await open('free', '1'),
  ];
  const denied = async (tool = 'x') => {
    const found: string[] = [];
    for (const [name, id] of Object.entries({ a1, a2, b, acme, free })) {
      const { decision } = await engine.decide(id, call(tool));
      if (decision.rules[0]?.rule === '$stopped') found.push(name);
    }
    return found.join(' ');
  };
  const during = async (scope: Partial<StopRequest>, tool?: string) => {
    const stop = await engine.stop({ ...ALL, ...scope });
    const found = await denied(tool);
    await engine.liftStop(stop.id, 'bob');
    assert.equal(await denied(tool), '');
    return found;
  };
  assert.equal(await denied(), '');
  assert.equal(await during({}), 'a1 a2 b acme free');
  assert.equal(await during({ agent: 'shop-*' }), 'a1 a2');
  assert.equal(await during({ agent: 'shop-a', version: '2' }), 'a2');
  assert.equal(await during({ tenant: 'acme' }), 'acme');
  assert.equal(await during({ tool: 'pay*' }, 'pay_all'), 'a1 a2 b acme free');
  assert.equal(await during({ tool: 'pay*' }, 'look'), '');

  const proposed = engine.stop({ ...ALL, agent: 'mail' });
  const { decision } = await engine.decide(b, call('x'));
  assert.equal(decision.rules[0]?.rule, '$stopped', 'in force before it is durable');
  const stop = await proposed;
  assert.match(decision.rules[0]!.because, /ann stopped this: runaway/);
  const as = await engine.decide(b, { ...call('x'), agent: { name: 'other' } });
  assert.equal(as.decision.verdict, 'deny', 'another name is no way out');
  assert.equal((await engine.decide(b, input('hello'))).decision.verdict, 'allow');
  assert.equal((await engine.decide(b, { kind: 'output', name: '', content: 'x' })).decision.verdict, 'deny');

  ({ engine } = await first.reopen());
  assert.equal(await denied(), 'b acme');
  assert.deepEqual(await engine.stops({ inForce: true }), [stop]);
  await engine.liftStop(stop.id, 'bob');
  await assert.rejects(engine.liftStop(stop.id, 'bob'), problemCode('unknown-stop'));
  assert.equal(await denied(), '');
  assert.deepEqual((await engine.stops({}))[0]?.lifted?.by, 'bob');
  assert.equal((await engine.stops({})).length, 7);
  const ended = await engine.stop(ALL);
  assert.equal((await engine.endSession(b)).decision.verdict, 'allow', 'a session may always end');
  await engine.liftStop(ended.id, 'bob');
});

test('a session that was stopped replays to the same verdicts', async (t) => {
  const { program, spec } = like();
  const { engine, store } = await withEngine(t, { specs: [spec] });
  const { id } = await engine.openSession({ agent: { name: 'a' } });
  await engine.decide(id, call('x'));
  const stop = await engine.stop(ALL);
  await engine.decide(id, call('x'));
  await engine.liftStop(stop.id, 'ann');
  await engine.decide(id, call('x'));
  const rows = await store.recorded(id, 0, 100);
  const recorded = {
    steps: rows.map((row) => JSON.parse(row.step) as Step),
    decisions: rows.map((row) => JSON.parse(row.decision)),
    stepDigests: rows.map((row) => row.stepDigest),
    stateDigests: rows.map((row) => row.stateDigest),
  };
  assert.deepEqual(
    recorded.decisions.map(({ verdict }) => verdict),
    ['allow', 'allow', 'deny', 'allow'],
  );
  assert.equal(compare(replaySpec(program), recorded), null);
});

test('a stop that was lifted before it was heard of does not come from a node that has not heard of that', async (t) => {
  const { engine } = await withEngine(t, { specs: [like().spec] });
  const { id } = await engine.openSession({ agent: { name: 'shop' } });
  const stop = { ...ALL, id: 'stop-1', at: 1, lifted: null };
  await engine.adoptStops([{ ...stop, lifted: { by: 'ann', at: 2 } }]);
  await engine.adoptStops([stop]);
  assert.equal((await engine.decide(id, call('pay'))).decision.verdict, 'allow');
  assert.deepEqual(await engine.stops({ inForce: true }), []);
});
