// The compiled, incremental monitor says what the definition says: on every verdict, every rule that fired and why. With
// INTERLOCK_RUNS=1000000 as many cases; a failure prints its seed and its smallest case.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { acts, answers, owners, rules, twins } from './generate.ts';
import { compareAll, seenOf } from './run.ts';
import { specText } from './spec-model.ts';

const RUNS = Number(process.env.INTERLOCK_RUNS ?? 10_000);

test('law: the monitor agrees with the reference interpreter, live, replayed from facts, saved and loaded', (t) => {
  const seen = new Map<string, number>();
  const note = (what: string) => seen.set(what, (seen.get(what) ?? 0) + 1);
  fc.assert(
    fc.property(rules, acts, owners, fc.infiniteStream(fc.boolean()), (spec, session, whose, reload) => {
      for (const { decision, judged, step } of compareAll(spec, session, whose, () => reload.next().value)) {
        const wanted = { ...judged, fired: [...judged.fired].sort(), witness: [...judged.witness].sort() };
        assert.deepEqual(
          seenOf(decision, spec),
          wanted,
          `${step.kind} ${step.name} at ${step.seq} of ${step.session}\n${specText(spec)}`,
        );
        note(decision.verdict);
        for (const { rule, cause } of decision.rules) {
          const form = spec.find(({ id }) => id === rule)?.form;
          note(form === undefined ? rule : form.t);
          note(cause);
          if (form !== undefined && 'cond' in form && form.cond.t === 'past')
            note(`past.${form.cond.past.operator}`);
        }
        for (const fact of step.facts ?? []) note(fact.id);
      }
    }),
    { numRuns: RUNS },
  );
  // What never happens tests nothing.
  const expected =
    'allow transform hold deny halt violated absent require limit flow order owed $contract $halted past.exists past.none past.count past.sum past.min past.max past.last';
  for (const what of expected.split(' '))
    assert.ok((seen.get(what) ?? 0) >= RUNS / 500, `${what}: ${seen.get(what) ?? 0}`);
  t.diagnostic([...seen].map(([what, count]) => `${what} ${count}`).join(', '));
});

test('law: the same of holds that are answered and asked again, and of limits that two rules share', () => {
  fc.assert(
    fc.property(twins, answers, owners, (spec, session, whose) => {
      for (const { decision, judged, step } of compareAll(spec, session, whose, () => true)) {
        const wanted = { ...judged, fired: [...judged.fired].sort(), witness: [...judged.witness].sort() };
        assert.deepEqual(
          seenOf(decision, spec),
          wanted,
          `${step.kind} at ${step.seq} of ${step.session}\n${specText(spec)}`,
        );
      }
    }),
    { numRuns: Math.ceil(RUNS / 4) },
  );
});
