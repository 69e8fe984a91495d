// What the analysis of a spec says, and that it only says what is so: over random specs and sessions, a rule called
// vacuous never fires, and taking away a rule or a guard that is called needless changes no verdict.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { STATE_BOUNDS } from '../../cli/spec/bounds.ts';
import { bindingOf, createMonitor } from '../../monitor/session-monitor.ts';
import type { Decision } from '../../monitor/types.ts';
import type { Json, JsonObject, Step } from '../../step/types.ts';
import { compileSpec } from '../index.ts';
import { type Analysis, analyzeSpec } from './index.ts';

const RUNS = Number(process.env.INTERLOCK_RUNS ?? 200);

function analyzed(rules: string, head = ''): Analysis {
  const text = `interlock: 1\nname: t\ntools:\n  pay: { effect: write, reversible: false }\n  look: { effect: read }\n  mail: { effect: send }\n${head}rules:\n${rules}`;
  const { problems } = compileSpec(text);
  assert.deepEqual(problems, []);
  return analyzeSpec(text, {}, STATE_BOUNDS)!;
}

function warnings(rules: string): string[] {
  return analyzed(rules)
    .findings.filter((finding) => finding.severity === 'warning')
    .map(({ code, subject, other }) => `${code} ${subject}${other === undefined ? '' : ` ${other.rule}`}`);
}

const NEEDLESS: readonly [string, string, string[]][] = [
  ['a condition that is never so', '- { id: r, on: call pay, deny: 1 > 2 }', ['vacuous-rule r']],
  [
    'a condition that is always so',
    '- { id: r, on: call pay, require: "true || args.x" }',
    ['vacuous-rule r'],
  ],
  [
    'another tool by name',
    '- { id: r, on: [call pay, call look], when: name == "mail", deny: args.x }',
    ['vacuous-rule r'],
  ],
  [
    'the effect of the contract',
    '- { id: r, on: call pay, unless: tool.effect == "write", deny: args.x }',
    ['vacuous-rule r'],
  ],
  [
    'a guard that is always so',
    '- { id: r, on: call pay, when: kind == "tool.call", deny: args.x }',
    ['constant-condition r'],
  ],
  [
    'a number on both sides of a bound may be absent: the rule fires then',
    '- { id: r, on: call pay, deny: args.n > 5 && args.n < 3 }',
    [],
  ],
  [
    'the same, said otherwise',
    '- { id: a, on: call pay, require: args.x }\n  - { id: b, on: call pay, deny: "!args.x" }',
    ['duplicate-rule b a'],
  ],
  [
    'a looser bound',
    '- { id: a, on: call pay, deny: args.n > 10 }\n  - { id: b, on: call pay, deny: args.n > 20 }',
    ['shadowed-rule b a'],
  ],
  [
    'a guarded one beside an unguarded one',
    '- { id: a, on: call *, deny: args.x == "p" }\n  - { id: b, on: call pay, when: args.n > 1, deny: "args.x == \'p\' && args.y" }',
    [],
  ],
  [
    'the same over an effect',
    '- { id: a, on: [call effect:write], deny: args.x == "p" }\n  - { id: b, on: call effect:write, when: args.n > 1, deny: "args.x == \'p\' && args.y" }',
    ['shadowed-rule b a'],
  ],
  [
    'a smaller count',
    '- { id: a, on: call pay, limit: { count: 3 } }\n  - { id: b, on: call pay, limit: { count: 5 } }',
    ['shadowed-rule b a'],
  ],
  [
    'limits that count other things',
    '- { id: a, on: call pay, limit: { count: 3, per: args.to } }\n  - { id: b, on: call pay, limit: { count: 5 } }',
    [],
  ],
  [
    'a weaker mode',
    '- { id: a, on: call pay, deny: args.x, mode: shadow }\n  - { id: b, on: call pay, deny: args.x }',
    ['shadowed-rule a b'],
  ],
  [
    'a hold beside a hold is asked for apart',
    '- { id: a, on: call pay, hold: args.n > 1 }\n  - { id: b, on: call pay, hold: args.n > 5 }',
    [],
  ],
  [
    'opposite rules',
    '- { id: a, on: call pay, require: args.x }\n  - { id: b, on: call pay, deny: args.x }',
    ['contradictory-rules b a'],
  ],
  [
    'bounds that leave nothing',
    '- { id: a, on: call pay, require: args.n > 5 }\n  - { id: b, on: call pay, require: args.n < 3 }',
    ['contradictory-rules b a'],
  ],
  [
    'a step that is required and refused',
    '- { id: a, on: call pay, require: \'past.exists("result look") && args.ok\' }\n  - { id: b, on: call look, deny: true }',
    ['contradictory-rules a b'],
  ],
  [
    'what is owed and refused',
    '- { id: a, after: result pay, then: call look, before: { event: end } }\n  - { id: b, on: call effect:read, deny: true }',
    ['contradictory-rules a b'],
  ],
  [
    'one of two that may be done',
    '- { id: a, on: call pay, require: \'past.exists("call look") || past.exists("call mail")\' }\n  - { id: b, on: call look, deny: true }',
    [],
  ],
];

describe('warnings', () => {
  for (const [what, rules, expected] of NEEDLESS)
    test(what, () => assert.deepEqual(warnings(`  ${rules}\n`), expected));

  test('an effect that no declared tool has', () => {
    const text = 'interlock: 1\nname: t\nrules:\n  - { id: r, on: call effect:send, deny: true }\n';
    const { findings } = analyzeSpec(text, {}, STATE_BOUNDS)!;
    assert.deepEqual(
      findings.map(({ code, line, column, excerpt }) => [code, line, excerpt.slice(column - 1, column + 15)]),
      [['vacuous-rule', 4, 'call effect:send']],
    );
  });

  test('a parameter may have another value where the spec is imported', () => {
    const text = `interlock: 1
name: t
parameters: { strict: { type: boolean, default: false }, most: { type: number, default: 5 } }
rules:
  - { id: a, on: call pay, when: strict, deny: args.x }
  - { id: b, on: call pay, deny: args.n > most }
  - { id: c, on: call pay, deny: args.n > 7 }
`;
    assert.deepEqual(analyzeSpec(text, {}, STATE_BOUNDS)!.findings, []);
  });

  test('what an import says too is left to it; what the spec adds in vain is not', () => {
    const part =
      'interlock: 1\nname: p\nrules:\n  - { id: a, on: call pay, deny: args.n > 10 }\n  - { id: d, on: call pay, deny: 1 > 2 }\n';
    const found = (deny: string) =>
      analyzeSpec(
        `interlock: 1\nname: t\nimports: [./p.yaml]\nrules:\n  - { id: b, on: call pay, deny: '${deny}' }\n`,
        { file: 't.yaml', readRef: () => part },
        STATE_BOUNDS,
      )!.findings.map(({ code, subject, other }) => `${code} ${subject} ${other?.rule}`);
    assert.deepEqual(found('args.n > 5'), []);
    assert.deepEqual(found('args.n > 20'), ['shadowed-rule b p.a']);
  });

  test('a spec that does not check has no findings', () => {
    assert.equal(analyzeSpec('interlock: 1\nname: t\nrulez: []', {}, STATE_BOUNDS), null);
  });
});

test('notes: tools that no rule is about, and effects that nothing limits', () => {
  const notes = (rules: string) =>
    analyzed(rules)
      .findings.filter((finding) => finding.severity === 'note')
      .map(({ code, subject }) => `${code} ${subject}`);
  assert.deepEqual(notes('  - { id: r, on: call pay, deny: args.x }\n'), [
    'unlimited-effect pay',
    'uncovered-tool look',
    'uncovered-tool mail',
  ]);
  assert.deepEqual(
    notes(
      '  - { id: r, on: call *, deny: args.x }\n  - { id: l, on: call pay, limit: { count: 2 } }\n  - { id: h, on: call mail, hold: args.x }\n',
    ),
    [],
  );
  assert.deepEqual(notes('  - { id: r, on: call *, limit: { count: 9 }, mode: warn }\n'), [
    'unlimited-effect pay',
    'unlimited-effect mail',
  ]);
});

const BOUNDS: readonly [rule: string, grows: string, bound: string][] = [
  ['on: call pay, deny: args.n > 5', 'constant', 'nothing'],
  ['on: call pay, require: \'past.exists("result look")\'', 'constant', 'O(1)'],
  [
    'on: call pay, require: \'past.exists("result look", e, e.args.id == args.id)\'',
    'keys',
    '1 entry per args.id, at most 1,000,000 keys',
  ],
  [
    'on: call pay, require: \'past.count("call pay").within(duration("24h")) < 3\'',
    'window',
    '≤ 4,096 entries in 1d',
  ],
  ['on: call pay, limit: { count: 3 }', 'constant', 'O(1)'],
  ['on: call pay, limit: { count: 3, window: 24h }', 'window', '≤ 3 entries in 1d'],
  ['on: call pay, limit: { sum: args.n, max: 9, window: 24h }', 'window', '≤ 100,000 entries in 1d'],
  ['on: call pay, limit: { count: 3, per: args.to }', 'keys', '1 entry per args.to, at most 100,000 keys'],
  ['on: call pay, limit: { count: 3, per: tenant }', 'keys', '1 entry per tenant, at most 100,000 keys'],
  ['on: call pay, hold: true', 'keys', '≤ 1,000 held acts (one table for all rules)'],
  [
    'after: result pay, then: call look, before: { event: end }',
    'keys',
    '1 entry per `call look` owed, at most 10,000 open',
  ],
];
describe('memory', () => {
  for (const [rule, grows, bound] of BOUNDS)
    test(rule, () => {
      const [memory] = analyzed(`  - { id: r, ${rule} }\n`).memory;
      assert.deepEqual([memory!.grows, memory!.bound], [grows, bound]);
    });
});

interface Rule {
  readonly [key: string]: Json;
}

const leaves = fc.constantFrom(
  'args.n > 1',
  'args.n >= 2',
  'args.n < 1',
  '3 > args.n',
  'args.n == 2',
  'args.n != 2',
  'args.s == "x"',
  'args.s in ["x", "y"]',
  'args.f',
  'has(args.n)',
  'name == "a"',
  'tool.effect == "write"',
  'past.exists("call a")',
  'past.count("call *", e, e.args.n == args.n) > 0',
  '[1, 2].exists(i, i == args.n)',
  'true',
  '1 == 2',
);
const conditions = fc.letrec<{ any: string }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 2, depthSize: 'small' },
    leaves,
    fc.tuple(tie('any'), fc.constantFrom('&&', '||'), tie('any')).map(([a, op, b]) => `(${a} ${op} ${b})`),
    tie('any').map((a) => `!(${a})`),
  ),
})).any;
const forms: fc.Arbitrary<Rule> = fc.oneof(
  fc.record({ require: conditions }),
  fc.record({ deny: conditions }),
  fc.record({ hold: conditions, approve: fc.constantFrom<Json>({ by: ['reviewer'] }, { by: ['lead'] }) }),
  fc.record({ limit: fc.record({ count: fc.integer({ min: 0, max: 2 }) }) }),
  fc.record({
    limit: fc.record({
      sum: fc.constant('args.n'),
      max: fc.integer({ min: 1, max: 4 }),
      per: fc.constant('args.s'),
    }),
  }),
);
const rules: fc.Arbitrary<Rule[]> = fc
  .array(
    fc
      .tuple(
        forms,
        fc.constantFrom<Json>(
          'call a',
          'call b',
          'call *',
          ['call a', 'call b'],
          'call effect:write',
          'call! a',
        ),
        fc.record(
          {
            when: conditions,
            unless: conditions,
            otherwise: fc.constantFrom('deny', 'hold', 'halt'),
            mode: fc.constantFrom('enforce', 'enforce', 'warn'),
          },
          { requiredKeys: [] },
        ),
      )
      .map(([form, on, rest]): Rule => ({ on, ...rest, ...form }) as Rule),
    { minLength: 2, maxLength: 4 },
  )
  .map((list) => list.map((rule, i) => ({ id: `r${i}`, ...rule })));

interface Act {
  readonly name: string;
  readonly args: JsonObject;
  readonly answer: boolean | null;
  readonly fails: boolean;
}
const acts: fc.Arbitrary<Act[]> = fc.array(
  fc.record({
    name: fc.constantFrom('a', 'a', 'b', 'c'),
    args: fc.record(
      {
        n: fc.constantFrom<Json>(0, 1, 2, 3, 'x', null),
        s: fc.constantFrom<Json>('x', 'y', 'z', 2),
        f: fc.constantFrom<Json>(true, false, 'yes'),
      },
      { requiredKeys: [] },
    ) as fc.Arbitrary<JsonObject>,
    answer: fc.constantFrom(null, null, true, false),
    fails: fc.boolean(),
  }),
  { minLength: 1, maxLength: 10 },
);

function specText(rules: readonly Rule[], fallback: string): string {
  const tools = { a: { effect: 'write' }, b: { effect: 'read' } };
  return JSON.stringify({ interlock: 1, name: 'random', default: fallback, tools, rules });
}

/** Decisions on the proposed acts, in order; what is allowed gets a result, what is held may be answered and proposed again. */
function decide(text: string, session: readonly Act[]): { name: string; decision: Decision }[] {
  const compiled = compileSpec(text);
  assert.ok(compiled.ok);
  const monitor = createMonitor(compiled.spec.program);
  const state = monitor.start();
  const decided: { name: string; decision: Decision }[] = [];
  let seq = 0;
  const step = (kind: Step['kind'], name: string, rest: Partial<Step>) => {
    const at: Step = { id: `s${seq}`, session: 's', seq, time: 1_000 * seq++, kind, name, ...rest };
    return { at, decision: monitor.step(state, at).decision };
  };
  for (const [i, act] of session.entries()) {
    const propose = () => step('tool.call', act.name, { callId: `c${i}`, args: act.args });
    let taken = propose();
    decided.push({ name: act.name, decision: taken.decision });
    if (taken.decision.verdict === 'hold' && act.answer !== null) {
      const args = {
        binding: bindingOf(taken.at),
        approve: act.answer,
        by: ['p', 'q'],
        roles: ['reviewer', 'lead'],
      };
      step('approval', act.name, { args });
      taken = propose();
      decided.push({ name: act.name, decision: taken.decision });
    }
    if (taken.decision.verdict === 'allow')
      step('tool.result', act.name, {
        callId: `c${i}`,
        ...(act.fails ? { error: { message: 'no' } } : { result: 1 }),
      });
  }
  return decided;
}

test('law: every warning is so, in every session', () => {
  const property = fc.property(
    rules,
    fc.constantFrom('allow', 'deny'),
    fc.array(acts, { minLength: 1, maxLength: 6 }),
    (list, fallback, sessions) => {
      const text = specText(list, fallback);
      fc.pre(compileSpec(text).ok);
      const { findings } = analyzeSpec(text, {}, STATE_BOUNDS)!;
      const without = (id: string) =>
        specText(
          list.filter((rule) => rule.id !== id),
          fallback,
        );
      for (const { code, subject, message, other } of findings) {
        for (const session of sessions) {
          const before = decide(text, session);
          const verdicts = before.map(({ decision }) => decision.verdict);
          if (code === 'vacuous-rule')
            assert.ok(before.every(({ decision }) => decision.rules.every(({ rule }) => rule !== subject)));
          if (code === 'duplicate-rule' || code === 'shadowed-rule')
            assert.deepEqual(
              decide(without(subject!), session).map(({ decision }) => decision.verdict),
              verdicts,
            );
          if (code === 'constant-condition') {
            const guard = message.startsWith('`when`') ? 'when' : 'unless';
            const bare = list.map((rule) => {
              if (rule.id !== subject) return rule;
              const { [guard]: _, ...rest } = rule;
              return rest as Rule;
            });
            assert.deepEqual(
              decide(specText(bare, fallback), session).map(({ decision }) =>
                decision.rules.map(({ rule }) => rule),
              ),
              before.map(({ decision }) => decision.rules.map(({ rule }) => rule)),
            );
          }
          if (code === 'contradictory-rules' && message.startsWith('no `call')) {
            const place = message.split('`')[1]!.slice('call '.length);
            for (const { name, decision } of before)
              if (name === place || place === '*')
                assert.ok(['deny', 'halt'].includes(decision.verdict), `${subject} and ${other!.rule}`);
          }
        }
      }
    },
  );
  fc.assert(property, { numRuns: RUNS });
});
