// `past.since` lets go of what has ended: verdicts by the definition over the whole history, memory by what is open.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compileSpec } from '../spec/index.ts';
import type { Json, Step } from '../step/types.ts';
import type { Monitor } from './monitor.ts';
import { ENDED_KEPT } from './pairs.ts';
import { createMonitor } from './session-monitor.ts';

const INPUT = { type: 'object', properties: { f: { type: 'string' } } };
const OPEN = 'past.since("call open", o, o.args.f == args.f, "call close", c, c.args.f == args.f)';

function monitorOf(require: string): Monitor {
  const compiled = compileSpec(
    JSON.stringify({
      interlock: 1,
      name: 'files',
      tools: Object.fromEntries(
        ['open', 'close', 'use'].map((tool) => [tool, { effect: 'write', input: INPUT }]),
      ),
      rules: [{ id: 'is-open', on: 'call use', require, because: 'The file is open.' }],
    }),
  );
  assert.ok(compiled.ok, JSON.stringify(compiled.problems));
  return createMonitor(compiled.spec.program);
}

function call(seq: number, name: string, f: string): Step {
  return { id: `s${seq}`, session: 's', seq, time: 1_000 + seq, kind: 'tool.call', name, args: { f } };
}

function keysOf(saved: Json): number[] {
  return (saved as unknown as { views: unknown[][] }).views.map((cells) => cells.length);
}

const acts = fc.array(
  fc.record({ name: fc.constantFrom('open', 'close', 'use'), f: fc.constantFrom('a', 'b', 'c') }),
  { maxLength: 40 },
);

test('an open with no later close of the same file, with both as witnesses, however often it is saved', () => {
  const monitor = monitorOf(OPEN);
  fc.assert(
    fc.property(acts, fc.integer({ min: 1, max: 7 }), (session, every) => {
      let state = monitor.start();
      const history: Step[] = [];
      for (const [seq, { name, f }] of session.entries()) {
        const step = call(seq, name, f);
        const { decision } = monitor.step(state, step);
        if (name === 'use') {
          const last = (of: string) => history.findLast((past) => past.name === of && past.args?.f === f);
          const opened = last('open');
          const closed = last('close');
          const isOpen = opened !== undefined && (closed === undefined || closed.seq < opened.seq);
          assert.equal(decision.verdict, isOpen ? 'allow' : 'deny');
          const seqs = opened === undefined || closed === undefined ? [] : [opened.seq, closed.seq];
          const witness = decision.witness.map((ref) => ref.seq);
          assert.deepEqual(witness, isOpen ? [] : seqs);
        }
        history.push(step);
        if (seq % every === 0) state = monitor.load(JSON.parse(JSON.stringify(monitor.save(state))));
      }
    }),
  );
});

test('what has ended is let go, and begins anew', () => {
  const monitor = monitorOf(OPEN);
  const state = monitor.start();
  let seq = 0;
  const verdictOf = (name: string, f: string) => monitor.step(state, call(seq++, name, f)).decision.verdict;
  for (let i = 0; i < 10 * ENDED_KEPT; i++) {
    verdictOf('open', `f${i}`);
    verdictOf('close', `f${i}`);
    verdictOf('close', `never-open${i}`);
  }
  for (const f of ['x', 'y', 'f0']) verdictOf('open', f);
  assert.deepEqual(keysOf(monitor.save(state)), [ENDED_KEPT + 3, ENDED_KEPT]);
  for (const f of ['x', 'y', 'f0']) assert.equal(verdictOf('use', f), 'allow');
  for (const f of ['f1', `f${10 * ENDED_KEPT - 1}`, 'never-open1', 'z'])
    assert.equal(verdictOf('use', f), 'deny');
});

test('what another operator remembers is not let go', () => {
  const monitor = monitorOf(`${OPEN} || past.exists("call open", o, o.args.f == args.f)`);
  const state = monitor.start();
  let seq = 0;
  for (let i = 0; i < 2 * ENDED_KEPT; i++)
    for (const name of ['open', 'close']) monitor.step(state, call(seq++, name, `f${i}`));
  assert.equal(monitor.step(state, call(seq, 'use', 'f0')).decision.verdict, 'allow');
});

test('sides that join on other values keep all they need', () => {
  const monitor = monitorOf(
    'past.since("call open", o, o.args.f == args.f, "call close", c, c.args.f == "all")',
  );
  const state = monitor.start();
  let seq = 0;
  const verdictOf = (name: string, f: string) => monitor.step(state, call(seq++, name, f)).decision.verdict;
  verdictOf('open', 'a');
  verdictOf('open', 'b');
  verdictOf('close', 'a');
  assert.equal(verdictOf('use', 'a'), 'allow');
  verdictOf('close', 'all');
  verdictOf('open', 'b');
  assert.equal(verdictOf('use', 'a'), 'deny');
  assert.equal(verdictOf('use', 'b'), 'allow');
});
