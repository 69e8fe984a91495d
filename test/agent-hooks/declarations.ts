// For tests: host declarations at random, most with at most one thing wrong.
import fc from 'fast-check';
import { type DeclarationHost, POINTS } from '../../src/agent-hooks/index.ts';

const usually = <T>(value: T, ...others: T[]) =>
  fc.oneof({ weight: 25, arbitrary: fc.constant(value) }, fc.constantFrom(...others));

/** Some of these members, now and then with a value of another type. */
const some = (members: Readonly<Record<string, fc.Arbitrary<unknown>>>): fc.Arbitrary<object> =>
  fc.record(
    Object.fromEntries(
      Object.entries(members).map(([key, member]) => [
        key,
        fc.oneof({ weight: 60, arbitrary: member }, fc.constantFrom<unknown>(null, 7, 'x', {}, [])),
      ]),
    ),
    { requiredKeys: [] },
  );

const points = fc.oneof(
  { weight: 6, arbitrary: fc.constant([...POINTS]) },
  fc.constant(POINTS.filter((point) => !point.includes('_call'))),
  fc.subarray([...POINTS]),
);
const ms = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom(1, 5_000, 3_600_000, null) },
  fc.constantFrom(3_600_001, 0),
);
const composition = fc
  .tuple(
    fc.constantFrom(
      'sequential/first_deny',
      'sequential/run_all',
      'parallel/strictest',
      'parallel/unanimous',
    ),
    fc.constantFrom('stop', 'resume'),
    fc.constantFrom('deny', 'approval'),
    fc.nat(12),
  )
  .map(([profile, stop, deny, n]) => ({
    profile,
    ...(n === 0 || (n > 6 && profile === 'sequential/first_deny') ? { on_approval: stop } : {}),
    ...(n > 6 && profile === 'parallel/strictest' ? { on_transform_conflict: deny } : {}),
    ...(n > 6 && profile === 'parallel/unanimous' ? { on_disagreement: deny } : {}),
    ...(n === 1 ? { on_timeout: deny } : {}),
  }));
const knob = (values: string[]) => fc.subarray(values, { minLength: 1 });

const configuration = some({
  mode: usually('enforce', 'evaluate_only', 'audit'),
  composition,
  identity_provider: usually<string | null>('jcs-sha256', null, 'own', 'unknown', 'jcs-x', 'A'),
  approval: some({
    resolver: usually<string | null>('queue', null, 'nobody'),
    redactor: usually<string | null>(null, 'cut', 'x'),
  }),
  posture: some({ tool_seam_host_error: usually('continue', 'terminate') }),
  timeouts: some({ interceptor_ms: ms, approval_resolver_ms: ms }),
  records: some({ max_buffered: usually<number | null>(10, null, 0, 2 ** 53 - 1, 2 ** 53) }),
});
const surface = some({
  interception_points: points,
  capabilities: fc.oneof(
    { weight: 4, arbitrary: fc.constant(['tool_calls', 'model_calls']) },
    fc.subarray(['model_calls', 'tool_calls', 'streaming', 'incremental_output']),
  ),
  profiles: some({
    'sequential/first_deny': some({ on_approval: knob(['stop', 'resume']) }),
    'sequential/run_all': usually<object>({}, { on_approval: ['stop'] }),
    'parallel/strictest': some({ on_transform_conflict: knob(['deny', 'approval']) }),
    'parallel/unanimous': some({ on_disagreement: knob(['deny', 'approval']) }),
  }),
  buffered_output: usually(true, false),
  declaration_versions: usually(
    ['agent-hooks-declaration/1.0'],
    ['agent-hooks-declaration/2.0'],
    ['agent-hooks-declaration/1.0', 'agent-hooks-declaration/2.0'],
  ),
});
const binding = fc.tuple(
  usually('a', 'b', 'A'),
  usually('own.guard', 'own.other', 'guard'),
  some({
    config: usually<unknown>({ n: 1 }, { n: 2 ** 53 }, 'x', null),
    at: fc.subarray([...POINTS], { minLength: 1 }),
    timeout_ms: ms,
  }),
);

export const declarationAtRandom = fc
  .tuple(
    some({
      $schema: fc.constant('s'),
      spec: usually('agent-hooks/0.1', 'agent-hooks/0.0', 'agent-hooks/0.2', 'agent-hooks/1.0', 'x'),
      id: usually('prod-1', 'Prod', ''),
      host: some({ name: usually('h', 'H'), version: usually('1', '') }),
      configuration,
      surface,
      extensions: usually<object>({ a: { b: 1 } }, { A: 1 }, {}),
    }),
    usually('agent-hooks-declaration/1.0', 'agent-hooks-declaration/0.1', ''),
    fc.array(binding, { maxLength: 2 }),
    fc.nat(40),
  )
  .map(([rest, declaration, bindings, n]) => ({
    ...rest,
    declaration,
    bindings: bindings.map(([id, kind, more], i) => ({ id: n === 0 ? id : `${id}${i}`, kind, ...more })),
    ...(n === 1 ? { more: 1 } : {}),
    ...(n === 2 ? { surface: { buffered_output: false, exposure_bound: 'none' } } : {}),
  }));

export const HOST: DeclarationHost = {
  capabilities: ['model_calls', 'tool_calls', 'host_declaration'],
  kinds: {
    'own.guard': (config) => {
      if (config === 'x') throw new Error('not a configuration');
      return { intercept: () => ({ decision: 'allow' }) };
    },
  },
  providers: { own: () => 'x' },
  resolvers: { queue: { resolve: () => ({ outcome: 'unresolved', context_identity: null }) } },
  redactors: { cut: (context) => context },
};
