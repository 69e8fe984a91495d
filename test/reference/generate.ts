// Random specs and random sessions that make every operator meet: few tools, few values, times that cross windows, calls
// in parallel, failures, approvals, two sessions that share a principal or not.
import fc from 'fast-check';
import { type Cond, type Form, type Past, type Pattern, type Rule, type Scope, TOOLS } from './spec-model.ts';

export const IDS = ['ab1001', 'cd2002', 'ef3003'] as const;
const tool = fc.constantFrom(...TOOLS);
const pattern: fc.Arbitrary<Pattern> = fc.record({ kind: fc.constantFrom('call', 'call!', 'result'), tool });
const windowMs = fc.option(fc.integer({ min: 1, max: 40 }), { freq: 2 });
const scope: fc.Arbitrary<Scope> = fc.oneof(
  { weight: 4, arbitrary: fc.constant('session' as const) },
  { weight: 1, arbitrary: fc.constant('principal' as const) },
  { weight: 1, arbitrary: fc.constant('tenant' as const) },
);

const past: fc.Arbitrary<Past> = fc
  .record({
    operator: fc.constantFrom('exists', 'none', 'count', 'sum', 'min', 'max', 'last'),
    pattern,
    local: fc.option(fc.nat(4)),
    join: fc.boolean(),
    rest: fc.boolean(),
    nested: fc.option(pattern, { freq: 3 }),
    windowMs,
    scope,
    bound: fc.nat(8),
  })
  // Across sessions conditions join by equality, and look back from nowhere.
  .map((one) => (one.scope === 'session' ? one : { ...one, rest: false, nested: null }));

const leaf: fc.Arbitrary<Cond> = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({
      t: fc.constant('n' as const),
      of: fc.constant('now' as const),
      op: fc.constantFrom('<', '>='),
      k: fc.nat(6),
    }),
  },
  { weight: 1, arbitrary: fc.record({ t: fc.constant('opt' as const), k: fc.nat(3) }) },
  { weight: 5, arbitrary: past.map((one) => ({ t: 'past' as const, past: one })) },
  {
    weight: 2,
    arbitrary: fc.record({
      t: fc.constant('since' as const),
      a: pattern,
      b: pattern,
      join: fc.boolean(),
      windowMs,
      scope,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      t: fc.constant('origin' as const),
      sources: fc.subarray(['user', 'tool:a', 'tool:b', 'trusted', 'untrusted', 'model'], { minLength: 1 }),
      every: fc.boolean(),
    }),
  },
);
const cond: fc.Arbitrary<Cond> = fc.letrec<{ cond: Cond }>((tie) => ({
  cond: fc.oneof(
    { maxDepth: 2, depthSize: 'small' },
    { weight: 4, arbitrary: leaf },
    {
      weight: 1,
      arbitrary: fc.record({
        t: fc.constantFrom('and' as const, 'or' as const),
        a: tie('cond'),
        b: tie('cond'),
      }),
    },
    { weight: 1, arbitrary: fc.record({ t: fc.constant('not' as const), a: tie('cond') }) },
  ),
})).cond;

const form: fc.Arbitrary<Form> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ t: fc.constantFrom('require' as const, 'deny' as const, 'hold' as const), cond }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      t: fc.constant('limit' as const),
      sum: fc.boolean(),
      max: fc.nat(8),
      perId: fc.boolean(),
      scope,
      windowMs,
      by: fc.constantFrom('success', 'attempt'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ t: fc.constant('transform' as const), set: fc.nat(3) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      t: fc.constant('flow' as const),
      from: fc.constantFrom('label', 'untrusted', 'tool'),
      track: fc.constantFrom('context', 'value'),
      free: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ t: fc.constant('order' as const), back: fc.boolean() }) },
  {
    weight: 2,
    arbitrary: fc
      .record({
        t: fc.constant('owed' as const),
        after: fc.record({
          kind: fc.constantFrom('call' as const, 'result' as const),
          tool: fc.constant('a' as const),
        }),
        join: fc.boolean(),
        withinMs: windowMs,
        event: fc.constantFrom('end', 'call b', null),
      })
      .map((one) => (one.withinMs === null && one.event === null ? { ...one, event: 'end' as const } : one)),
  },
);

export const rules: fc.Arbitrary<Rule[]> = fc
  .array(
    fc.record({
      on: fc.subarray(
        TOOLS.map((name): Pattern => ({ kind: 'call', tool: name })),
        { minLength: 1 },
      ),
      when: fc.option(cond, { freq: 4 }),
      unless: fc.option(cond, { freq: 5 }),
      form,
      otherwise: fc.oneof(
        { weight: 5, arbitrary: fc.constant('deny' as const) },
        { weight: 2, arbitrary: fc.constant('hold' as const) },
        { weight: 1, arbitrary: fc.constant('halt' as const) },
      ),
      mode: fc.oneof(
        { weight: 5, arbitrary: fc.constant('enforce' as const) },
        { weight: 1, arbitrary: fc.constantFrom('shadow' as const, 'warn' as const) },
      ),
    }),
    { minLength: 1, maxLength: 4 },
  )
  .map((list) => {
    const rewriting = list.findIndex((rule) => rule.form.t === 'transform');
    return list
      .filter((rule, i) => rule.form.t !== 'transform' || i === rewriting)
      .map((rule, i) => ({
        ...rule,
        id: `r${i}`,
        otherwise: rule.form.t === 'hold' ? ('hold' as const) : rule.otherwise,
        // What is owed and an order say themselves what they are about; a guard on them would be of another step.
        ...(rule.form.t === 'owed' || rule.form.t === 'order' ? { when: null, unless: null } : {}),
      }));
  });

export interface Act {
  readonly session: 0 | 1;
  readonly act: 'call' | 'result' | 'fail' | 'input' | 'approve' | 'again' | 'deadline' | 'end';
  readonly tool: (typeof TOOLS)[number];
  readonly id: number;
  readonly n: number;
  readonly opt: number | null;
  readonly wait: number;
  /** Which of the open calls a result is of. */
  readonly pick: number;
}

/** Holds that are answered and asked again, and limits that two rules share. */
export const twins: fc.Arbitrary<Rule[]> = fc
  .record({
    hold: fc.nat(4),
    scope: fc.constantFrom<Scope>('session', 'principal', 'tenant'),
    by: fc.constantFrom('success' as const, 'attempt' as const),
    maxima: fc.tuple(fc.nat(4), fc.nat(4)),
    sum: fc.boolean(),
  })
  .map(({ hold, scope: of, by, maxima, sum }) => {
    const on: Pattern[] = [{ kind: 'call', tool: 'a' }];
    const common = { on, when: null, unless: null, mode: 'enforce' as const };
    const cond: Cond = { t: 'n', of: 'now', op: '>=', k: hold };
    return [
      { ...common, id: 'ask', form: { t: 'hold', cond }, otherwise: 'hold' },
      ...maxima.map(
        (max, i): Rule => ({
          ...common,
          id: `most${i}`,
          form: { t: 'limit', sum, max, perId: false, scope: of, windowMs: null, by },
          otherwise: i === 0 ? 'deny' : 'hold',
        }),
      ),
    ];
  });

export const answers: fc.Arbitrary<Act[]> = fc.array(
  fc.record({
    session: fc.constantFrom(0 as const, 1 as const),
    act: fc.constantFrom('call', 'approve', 'again', 'again', 'result', 'fail'),
    tool: fc.constant('a' as const),
    id: fc.constant(0),
    n: fc.nat(5),
    opt: fc.constant(null),
    wait: fc.nat(3),
    pick: fc.nat(3),
  }),
  { maxLength: 20 },
);

export const acts: fc.Arbitrary<Act[]> = fc.array(
  fc.record({
    session: fc.constantFrom(0 as const, 1 as const),
    act: fc.oneof(
      { weight: 10, arbitrary: fc.constant('call' as const) },
      { weight: 6, arbitrary: fc.constant('result' as const) },
      { weight: 2, arbitrary: fc.constant('fail' as const) },
      { weight: 2, arbitrary: fc.constantFrom('input' as const, 'deadline' as const) },
      { weight: 4, arbitrary: fc.constantFrom('approve' as const, 'again' as const) },
      { weight: 1, arbitrary: fc.constant('end' as const) },
    ),
    tool,
    id: fc.nat(IDS.length - 1),
    n: fc.nat(7),
    opt: fc.option(fc.nat(4)),
    wait: fc.nat(12),
    pick: fc.nat(3),
  }),
  { maxLength: 28 },
);

export const owners = fc.constantFrom(
  [
    { principal: 'user:1', tenant: null },
    { principal: 'user:1', tenant: null },
  ],
  [
    { principal: 'user:1', tenant: null },
    { principal: 'user:2', tenant: null },
  ],
  [
    { principal: 'user:1', tenant: 't' },
    { principal: 'user:1', tenant: 'u' },
  ],
  [
    { principal: 'user:1', tenant: null },
    { principal: null, tenant: null },
  ],
) as fc.Arbitrary<
  readonly [
    { principal: string | null; tenant: string | null },
    { principal: string | null; tenant: string | null },
  ]
>;
