// What of a growing text a rule lets through: each claim holds for the monitor's own verdicts.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createMonitor } from '../monitor/session-monitor.ts';
import type { Step } from '../step/types.ts';
import { compileSpec, formatProblem } from './index.ts';
import { compileAutomaton } from './text-automaton.ts';

function monitorOf(rules: string) {
  const result = compileSpec(`interlock: 1\nname: watched\nrules:\n${rules}`);
  if (!result.ok) throw new Error(result.problems.map((problem) => formatProblem(problem)).join('\n'));
  const monitor = createMonitor(result.spec.program);
  const state = monitor.start();
  const step = (content: string, seq: number): Step => ({
    id: `s${seq}`,
    session: 's',
    seq,
    time: 1_000,
    kind: 'output',
    name: '',
    content,
  });
  monitor.step(state, { ...step('', 0), kind: 'session.start', name: 'agent' });
  return (content: string) => monitor.foresee(state, step(content, 1));
}

const rule = (form: string, id = 'r') =>
  `  - id: ${id}\n    on: output\n    ${form}\n    because: So it is.\n`;
const watch = (form: string) => monitorOf(rule(form))('').watch;

describe('what of an output a rule lets through', () => {
  it('all, when no rule reads it', () => {
    assert.deepEqual(watch('deny: context.untrusted'), { t: 'free' });
    assert.deepEqual(watch('limit: { count: 3, per: session }'), { t: 'free' });
    assert.deepEqual(monitorOf('  - id: x\n    on: call *\n    deny: true\n    because: No.\n')('').watch, {
      t: 'free',
    });
    assert.deepEqual(watch('mode: shadow\n    deny: size(content) > 3'), { t: 'free' });
  });

  it('all but what may be a pattern, when rules look for patterns', () => {
    assert.deepEqual(watch('deny: content.contains("a.b")'), { t: 'patterns', patterns: ['a\\.b'] });
    assert.deepEqual(watch('require: "!content.lowerAscii().contains(\'key\')"'), {
      t: 'patterns',
      patterns: ['(?i)key'],
    });
    assert.deepEqual(watch('when: content.matches("x+y")\n    deny: context.untrusted'), {
      t: 'patterns',
      patterns: ['x+y'],
    });
  });

  it('nothing, when a rule reads it as a whole, or looks for what is not followed', () => {
    for (const form of [
      'deny: size(content) > 100',
      'deny: content.matches("\\\\p{Greek}")',
      'deny: content.matches("a*")',
      'deny: content.matches(name)',
      'deny: content == "no"',
      'deny: content.mentions(["secret"])',
      'flow: { from: { labels: [secret] } }',
    ])
      assert.deepEqual(watch(form.replaceAll('\\\\\\\\', '\\\\')), { t: 'whole' }, form);
  });

  it('is the same verdict as for no text, while no pattern stands in it', () => {
    const atom = fc.constantFrom(
      'content.contains("ab")',
      'content.matches("b+c")',
      'content.lowerAscii().contains("ca")',
      'content.matches("(?i)c[ab]a$")',
      'context.untrusted',
      'true',
    );
    const condition = fc.letrec<{ node: string }>((tie) => ({
      node: fc.oneof(
        { maxDepth: 3 },
        atom,
        tie('node').map((a) => `!(${a})`),
        fc.tuple(tie('node'), tie('node')).map(([a, b]) => `(${a} && ${b})`),
        fc.tuple(tie('node'), tie('node')).map(([a, b]) => `(${a} || ${b})`),
      ),
    })).node;
    const text = fc
      .array(fc.constantFrom('a', 'b', 'c', 'A', 'C', ' '), { maxLength: 8 })
      .map((parts) => parts.join(''));
    let followed = 0;
    fc.assert(
      fc.property(
        condition,
        fc.constantFrom('deny', 'require', 'hold'),
        fc.array(text, { minLength: 1, maxLength: 10 }),
        (expression, form, texts) => {
          const foresee = monitorOf(rule(`${form}: ${JSON.stringify(expression)}`));
          const empty = foresee('');
          if (empty.watch.t === 'whole') return;
          const patterns = empty.watch.t === 'patterns' ? empty.watch.patterns : [];
          for (const content of texts) {
            const found = patterns.some((pattern) => {
              const walk = compileAutomaton(pattern)!.start();
              walk.push(content);
              return walk.found !== null;
            });
            if (found) continue;
            followed++;
            assert.equal(foresee(content).verdict, empty.verdict, `${form} ${expression} on ${content}`);
          }
        },
      ),
      { numRuns: 400 },
    );
    assert.ok(followed > 400);
  });
});
