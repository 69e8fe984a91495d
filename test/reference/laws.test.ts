// Laws of specs over random specs and sessions.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createMonitor } from '../../src/monitor/session-monitor.ts';
import { VERDICTS, type Verdict } from '../../src/monitor/types.ts';
import type { Program } from '../../src/spec/index.ts';
import type { Step } from '../../src/step/types.ts';
import { acts, rules } from './generate.ts';
import { playActs, programOf } from './run.ts';
import type { Cond, Rule } from './spec-model.ts';

const RUNS = Number(process.env.INTERLOCK_RUNS ?? 1_500);

/** One session by itself: its verdicts, and the arguments that ran. */
function player(program: Program) {
  const monitor = createMonitor(program);
  const states = [monitor.start(), monitor.start()];
  return (session: 0 | 1, step: Step) => monitor.step(states[session]!, step).decision;
}

test('law: a rule more never makes a verdict laxer, while the sessions went the same way', () => {
  let stricter = 0;
  fc.assert(
    fc.property(rules, rules, acts, (some, [more], session) => {
      // A rewrite changes what the other rules see: it is no restriction alone.
      const added: Rule = { ...more!, id: 'added' };
      if (added.form.t === 'transform' || some.some(({ form }) => form.t === 'transform')) return;
      const one = player(programOf(some));
      const both = player(programOf([...some, added]));
      let parted = false;
      playActs(session, (of, step) => {
        const before = one(of, step);
        if (parted) return before;
        const after = both(of, step);
        const rank = (verdict: Verdict) => VERDICTS.indexOf(verdict);
        assert.ok(rank(after.verdict) >= rank(before.verdict), `${before.verdict} became ${after.verdict}`);
        assert.ok(rank(after.wouldBe) >= rank(before.wouldBe));
        parted = after.verdict !== before.verdict;
        if (parted) stricter++;
        return before;
      });
    }),
    { numRuns: RUNS },
  );
  assert.ok(stricter > RUNS / 20, `${stricter}`);
});

test('law: other names for the spec and its rules, in another order, change no verdict', () => {
  fc.assert(
    fc.property(rules, acts, (some, session) => {
      const renamed = [...some].reverse().map((rule) => ({ ...rule, id: `other-${rule.id}` }));
      const one = player(programOf(some));
      const other = player(programOf(renamed, 'renamed'));
      playActs(session, (of, step) => {
        const before = one(of, step);
        const after = other(of, step);
        assert.deepEqual(
          [after.verdict, after.wouldBe, after.binding],
          [before.verdict, before.wouldBe, before.binding],
        );
        assert.deepEqual(
          after.rules.map(({ rule }) => rule.replace('other-', '')).sort(),
          before.rules.map(({ rule }) => rule).sort(),
        );
        return before;
      });
    }),
    { numRuns: RUNS },
  );
});

test('law: a condition means what its parts mean: not twice is not at all, and and-true is nothing', () => {
  const same = (cond: Cond): Cond => ({ t: 'not', a: { t: 'not', a: cond } });
  fc.assert(
    fc.property(rules, acts, (some, session) => {
      const written = some.map((rule) =>
        'cond' in rule.form ? { ...rule, form: { ...rule.form, cond: same(rule.form.cond) } } : rule,
      );
      const one = player(programOf(some));
      const other = player(programOf(written));
      playActs(session, (of, step) => {
        const before = one(of, step);
        const after = other(of, step);
        assert.deepEqual([after.verdict, after.wouldBe], [before.verdict, before.wouldBe]);
        return before;
      });
    }),
    { numRuns: RUNS },
  );
});

test('law: a session cut anywhere has the verdicts of its beginning', () => {
  fc.assert(
    fc.property(rules, acts, fc.nat(), (some, session, at) => {
      const whole: string[] = [];
      const part: string[] = [];
      const record = (into: string[], play: ReturnType<typeof player>) => (of: 0 | 1, step: Step) => {
        const decision = play(of, step);
        into.push(JSON.stringify([decision.verdict, decision.witness]));
        return decision;
      };
      playActs(session, record(whole, player(programOf(some))));
      playActs(session.slice(0, at % (session.length + 1)), record(part, player(programOf(some))));
      assert.deepEqual(part, whole.slice(0, part.length));
    }),
    { numRuns: Math.ceil(RUNS / 3) },
  );
});
