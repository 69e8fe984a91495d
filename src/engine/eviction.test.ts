// Whether a session stays in memory, is written out and read back, or outlives a restart makes no difference to it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Proposal } from '../step/types.ts';
import type { CompiledSpecLike } from './options.ts';
import { counterSpec } from './testing/counter-spec.ts';
import { type TestEngine, withEngine } from './testing/engine.ts';
import { paymentsSpec } from './testing/payments-spec.ts';
import type { Engine } from './types.ts';

type Action =
  | { readonly t: 'call'; readonly session: number; readonly name: string; readonly n: number }
  | { readonly t: 'result'; readonly session: number; readonly name: string; readonly n: number; ok: boolean }
  | { readonly t: 'answer'; readonly session: number; readonly by: string; readonly approve: boolean }
  | { readonly t: 'wait'; readonly ms: number }
  | { readonly t: 'restart' };

function actions(names: readonly string[]): fc.Arbitrary<Action[]> {
  const session = fc.nat(2);
  const name = fc.constantFrom(...names);
  const n = fc.nat(3);
  const action: fc.Arbitrary<Action> = fc.oneof(
    { weight: 10, arbitrary: fc.record({ t: fc.constant('call' as const), session, name, n }) },
    {
      weight: 6,
      arbitrary: fc.record({ t: fc.constant('result' as const), session, name, n, ok: fc.boolean() }),
    },
    {
      weight: 5,
      arbitrary: fc.record({
        t: fc.constant('answer' as const),
        session,
        by: fc.constantFrom('ann', 'bob'),
        approve: fc.constantFrom(true, true, false),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ t: fc.constant('wait' as const), ms: fc.constantFrom(1, 61_000, 3_700_000) }),
    },
    { weight: 1, arbitrary: fc.constant({ t: 'restart' as const }) },
  );
  return fc.array(action, { minLength: 20, maxLength: 60 });
}

/** Everything a caller can see of what happened, one line an action. */
async function perform(engine: Engine, action: Action, prefix: string, index: number): Promise<string> {
  if (action.t === 'wait' || action.t === 'restart') return action.t;
  const session = `${prefix}-${action.session}`;
  const callId = action.t === 'answer' ? '' : `c-${action.n}`;
  try {
    if (action.t === 'answer') {
      const [hold] = await engine.holds({ session, state: 'pending', limit: 1 });
      if (hold === undefined) return 'none';
      const { by, approve } = action;
      return JSON.stringify(await engine.answerHold(hold.id, { by, approve, role: 'reviewer' }));
    }
    const common = { id: `id-${index}`, name: action.name, callId };
    const proposal: Proposal =
      action.t === 'call'
        ? { ...common, kind: 'tool.call', args: { account: action.n } }
        : {
            ...common,
            kind: 'tool.result',
            ...(action.ok ? { result: { n: 1 } } : { error: { message: 'no' } }),
          };
    return JSON.stringify(await engine.decide(session, proposal));
  } catch (error) {
    return (error as Error).message;
  }
}

const cases: [name: string, spec: CompiledSpecLike, agent: string, names: string[]][] = [
  ['counter', counterSpec(), 'agent', ['limited', 'hold-it', 'plain', 'rewrite-it', 'deny-it']],
  ['payments', paymentsSpec(), 'payer-1', ['look', 'pay', 'send']],
];
for (const [name, spec, agent, names] of cases) {
  test(`evicted, restored and restarted sessions decide alike: ${name}`, async (t) => {
    const steady = await withEngine(t, { specs: [spec] });
    const limits = { sessionsInMemory: 1, stepsPerSnapshot: 3 };
    let moving: TestEngine = await withEngine(t, { specs: [spec], limits });
    let run = 0;
    const property = fc.asyncProperty(actions(names), async (list) => {
      run += 1;
      const prefix = `run-${run}`;
      moving.time.now = steady.time.now;
      for (const engine of [steady.engine, moving.engine]) {
        for (const i of [0, 1, 2]) await engine.openSession({ id: `${prefix}-${i}`, agent: { name: agent } });
      }
      for (const [index, action] of list.entries()) {
        if (action.t === 'wait') {
          steady.time.now += action.ms;
          moving.time.now += action.ms;
        }
        if (action.t === 'restart') moving = await moving.reopen();
        const expected = await perform(steady.engine, action, prefix, index);
        assert.equal(await perform(moving.engine, action, prefix, index), expected);
      }
      for (const i of [0, 1, 2]) {
        const [one, two] = await Promise.all(
          [steady, moving].map(({ engine }) => engine.steps(`${prefix}-${i}`, { from: 0, limit: 1_000 })),
        );
        assert.deepEqual(two, one);
      }
    });
    await fc.assert(property, { numRuns: 8, endOnFailure: true });
  });
}

test('sessions whose states are packed decide as those that are ready', async (t) => {
  const limits = { stepsPerSnapshot: 4 };
  const [ready, packed] = await Promise.all(
    [limits, { ...limits, statesUnpacked: 1 }].map((limits) =>
      withEngine(t, { specs: [paymentsSpec()], limits }),
    ),
  );
  const recorded = async ({ engine }: TestEngine) => {
    for (const i of [0, 1, 2]) await engine.openSession({ id: `s-${i}`, agent: { name: 'payer-1' } });
    for (let n = 0; n < 36; n++) {
      const name = ['look', 'pay', 'send', 'pay'][n % 4]!;
      const id = `s-${(n * 7) % 3}`;
      const call = { id: `${n}`, callId: `${n}`, name, args: { account: n % 2 } };
      await engine.decide(id, { ...call, kind: 'tool.call' });
      if (n % 5 === 0)
        await engine.decide(id, { kind: 'tool.result', id: `${n}r`, name, callId: `${n}`, result: { n: 1 } });
    }
    return Promise.all([0, 1, 2].map((i) => engine.steps(`s-${i}`, { from: 0, limit: 100 })));
  };
  const rows = await recorded(packed!);
  assert.deepEqual(rows, await recorded(ready!));
  const verdicts = rows.flatMap(({ steps }) => steps.map(({ decision }) => decision?.verdict));
  assert.ok(verdicts.includes('deny') && verdicts.includes('allow'));
});

test('sessions beyond the limit are written out with a snapshot, and come back', async (t) => {
  const { engine, store } = await withEngine(t, { limits: { sessionsInMemory: 2, stepsPerSnapshot: 1_000 } });
  for (let i = 0; i < 10; i++) {
    await engine.openSession({ id: `s-${i}`, agent: { name: 'agent' } });
    await engine.decide(`s-${i}`, { kind: 'tool.call', name: 'limited', args: {} });
  }
  for (let i = 0; i < 10; i++) {
    const { step } = await engine.decide(`s-${i}`, { kind: 'tool.call', name: 'limited', args: {} });
    assert.equal(step.seq, 2);
  }
  const evicted = await store.load('s-0');
  assert.ok((evicted?.snapshot?.seq ?? 0) >= 1);
  assert.equal(evicted?.row.steps, 3);
});

test('a long session is snapshot as it goes, so that a restart replays little', async (t) => {
  const { engine, store } = await withEngine(t, { limits: { stepsPerSnapshot: 10 } });
  const { id } = await engine.openSession({ agent: { name: 'agent' } });
  for (let i = 0; i < 3; i++) {
    await Promise.all(
      Array.from({ length: 50 }, () => engine.decide(id, { kind: 'tool.call', name: 'a', args: {} })),
    );
  }
  const stored = await store.load(id);
  assert.equal(stored?.row.steps, 151);
  assert.ok((stored?.snapshot?.seq ?? 0) >= 140);
});

test('a snapshot that cannot be read any more is replaced by a replay from the start', async (t) => {
  const first = await withEngine(t, { limits: { stepsPerSnapshot: 2 } });
  const { id } = await first.engine.openSession({ agent: { name: 'agent' } });
  for (let i = 0; i < 5; i++) await first.engine.decide(id, { kind: 'tool.call', name: 'limited', args: {} });
  const spec = counterSpec();
  const unreadable: CompiledSpecLike = {
    ...spec,
    createMonitor: () => ({
      ...spec.createMonitor(),
      load: () => {
        throw new RangeError('saved by another version');
      },
    }),
  };
  const { engine } = await first.reopen({ specs: [unreadable] });
  const { step, decision } = await engine.decide(id, { kind: 'tool.call', name: 'limited', args: {} });
  assert.deepEqual([step.seq, decision.verdict], [6, 'deny']);
});
