// Random rules over random sessions: the compiled, incremental monitor says what the definition says, at every step;
// and saving and loading it between any two steps changes nothing.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createMonitor } from '../../src/monitor/session-monitor.ts';
import { compileSpec } from '../../src/spec/index.ts';
import type { Step } from '../../src/step/types.ts';
import { evaluate, type Query, queryText, type Remembered } from './history.ts';

const RUNS = Number(process.env.INTERLOCK_RUNS ?? 2_000);
const TOOLS = ['a', 'b'];

const queries: fc.Arbitrary<Query> = fc.record({
  operator: fc.constantFrom('exists', 'none', 'count', 'sum', 'min', 'max', 'last'),
  kind: fc.constantFrom('call', 'call!', 'result'),
  tool: fc.constantFrom(...TOOLS),
  local: fc.option(fc.integer({ min: 0, max: 4 })),
  joined: fc.boolean(),
  rest: fc.boolean(),
  windowMs: fc.option(fc.integer({ min: 1, max: 40 })),
});

interface Act {
  readonly tool: string;
  readonly id: string;
  readonly n: number;
  readonly wait: number;
  readonly result: boolean;
}
const acts: fc.Arbitrary<Act[]> = fc.array(
  fc.record({
    tool: fc.constantFrom(...TOOLS),
    id: fc.constantFrom('x', 'y'),
    n: fc.integer({ min: 0, max: 5 }),
    wait: fc.integer({ min: 0, max: 12 }),
    result: fc.boolean(),
  }),
  { maxLength: 24 },
);

/** A bound for numbers, so that the rule is a truth value. */
function ruleText(query: Query, bound: number): string {
  const text = queryText(query);
  return query.operator === 'exists' || query.operator === 'none' ? text : `${text} <= ${bound}.0`;
}

function expected(query: Query, bound: number, history: readonly Remembered[], step: Step): string {
  const value = evaluate(query, history, step);
  if (value === 'absent') return 'absent';
  const holds = typeof value === 'boolean' ? value : value <= bound;
  return holds ? 'satisfied' : 'violated';
}

test('law: the monitor agrees with the definition, through any saving and loading', () => {
  const input = fc.property(
    fc.array(fc.tuple(queries, fc.integer({ min: 0, max: 9 })), { minLength: 1, maxLength: 4 }),
    acts,
    fc.infiniteStream(fc.boolean()),
    (rules, session, reload) => {
      const text = JSON.stringify({
        interlock: 1,
        name: 'random',
        tools: Object.fromEntries(
          TOOLS.map((tool) => [
            tool,
            {
              effect: 'write',
              input: { type: 'object', properties: { id: { type: 'string' }, n: { type: 'number' } } },
            },
          ]),
        ),
        rules: rules.map(([query, bound], i) => ({
          id: `r${i}`,
          on: 'call *',
          require: ruleText(query, bound),
          because: 'random',
        })),
      });
      const compiled = compileSpec(text);
      assert.ok(compiled.ok, JSON.stringify(compiled.problems));
      const eager = createMonitor(compiled.spec.program, { origins: 'eager' });
      const other = createMonitor(compiled.spec.program, { origins: 'lazy' });
      const state = eager.start();
      let reloaded = other.start();
      const history: Remembered[] = [];
      let seq = 0;
      let time = 1_000;
      const propose = (step: Step, args: Readonly<Record<string, unknown>>) => {
        const outcome = eager.step(state, step);
        if (reload.next().value) reloaded = other.load(JSON.parse(JSON.stringify(other.save(reloaded))));
        assert.deepEqual(other.step(reloaded, step), outcome);
        // The result of a denied call counts never.
        const isOfDenied =
          step.kind === 'tool.result' &&
          history.some((past) => past.step.callId === step.callId && !past.happened);
        history.push({ step, args, happened: outcome.decision.verdict === 'allow' && !isOfDenied });
        return outcome.decision;
      };
      for (const act of session) {
        time += act.wait;
        const args = { id: act.id, n: act.n };
        const call: Step = {
          id: `s${seq}`,
          session: 's',
          seq,
          time,
          kind: 'tool.call',
          name: act.tool,
          callId: `c${seq}`,
          args,
        };
        seq++;
        const wanted = rules.map(([query, bound]) => expected(query, bound, history, call));
        const decision = propose(call, args);
        const found = rules.map(
          (_, i) => decision.rules.find((rule) => rule.rule === `r${i}`)?.cause ?? 'satisfied',
        );
        assert.deepEqual(found, wanted, text);
        assert.equal(decision.verdict, wanted.every((cause) => cause === 'satisfied') ? 'allow' : 'deny');
        if (act.result)
          propose(
            {
              id: `s${seq}`,
              session: 's',
              seq: seq++,
              time,
              kind: 'tool.result',
              name: act.tool,
              callId: call.callId!,
              result: 'ok',
            },
            args,
          );
      }
    },
  );
  fc.assert(input, { numRuns: RUNS });
});
