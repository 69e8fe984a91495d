import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { JsonObject } from '../step/types.ts';
import { createContexts } from './context.ts';
import { createEmitter, type EmitterOptions } from './emitter.ts';
import { contextIdentity } from './identity.ts';
import type { AgentContext, ApprovalResolution, Composition, Verdict } from './types.ts';

const allow: Verdict = { decision: 'allow' };
const deny: Verdict = { decision: 'deny', reason: 'no' };
const ask: Verdict = { decision: 'deny', reason: 'ask', approval: { who: 'ann' } };
const set = (path: string, value: string): Verdict => ({
  decision: 'transform',
  transform: { path: `$target.${path}`, value },
});

function call(args: JsonObject = { a: '1', b: '2' }): AgentContext {
  const contexts = createContexts({ agent: { id: 'a', framework: 'f' }, session: 's' });
  return contexts.preTool({ id: 'c', name: 't', args });
}

/** Interceptors that answer as told, and what each of them saw. */
function scripted(...answers: readonly (Verdict | (() => unknown))[]) {
  const seen: (AgentContext | undefined)[] = answers.map(() => undefined);
  const interceptors = answers.map((answer, i) => ({
    interceptor: {
      intercept(context: AgentContext) {
        seen[i] = context;
        return typeof answer === 'function' ? answer() : answer;
      },
    },
  }));
  return { seen, interceptors };
}

async function emitted(
  composition: Composition,
  answers: readonly (Verdict | (() => unknown))[],
  more: Partial<EmitterOptions> = {},
) {
  const { seen, interceptors } = scripted(...answers);
  const emission = await createEmitter({ interceptors, composition, ...more }).emit(call());
  const { verdict, record, context } = emission;
  return {
    ...emission,
    seen,
    summary: [verdict.decision, verdict.reason, record.decided_by],
    args: context.target,
  };
}

const approving = (verdict: Verdict) => ({
  resolve: ({ context_identity }: { context_identity: string | null }): ApprovalResolution => ({
    outcome: 'approve',
    context_identity,
    verdict,
  }),
});

const FIRST: Composition = { profile: 'sequential/first_deny' };
const ALL: Composition = { profile: 'sequential/run_all' };
const STRICTEST: Composition = { profile: 'parallel/strictest' };
const UNANIMOUS: Composition = { profile: 'parallel/unanimous' };

test('with nobody registered nothing proceeds', async () => {
  for (const composition of [FIRST, ALL, STRICTEST, UNANIMOUS]) {
    const { proceeds, summary } = await emitted(composition, []);
    assert.deepEqual([proceeds, ...summary], [false, 'deny', 'host_error:no_interceptor', null]);
  }
});

test('first_deny: the next sees what the one before rewrote, and none comes after a deny', async () => {
  const { seen, summary, record, args } = await emitted(FIRST, [set('a', 'x'), deny, allow]);
  assert.deepEqual(summary, ['deny', 'no', 1]);
  assert.deepEqual(args, { a: 'x', b: '2' });
  assert.deepEqual(seen[1]?.target, { a: 'x', b: '2' });
  assert.deepEqual((seen[1]!.tool_call as JsonObject).args, { a: 'x', b: '2' });
  assert.equal(seen[2], undefined);
  assert.equal(record.fold_truncated, true);
});

test('a transform that cannot be applied denies, in the words of the contract', async () => {
  const wrong: [string, Verdict][] = [
    ['host_error:transform_invalid', set('c.d', 'x')],
    ['host_error:transform_invalid', { decision: 'transform', transform: { path: '$target[0]' } }],
    ['host_error:transform_target_forbidden', { decision: 'transform', transform: { path: '$session.id' } }],
  ];
  for (const composition of [FIRST, ALL, STRICTEST]) {
    for (const [reason, verdict] of wrong) {
      const { proceeds, verdict: combined } = await emitted(composition, [verdict]);
      assert.deepEqual([proceeds, combined.reason], [false, reason]);
    }
  }
  const startup = createContexts({ agent: { id: 'a', framework: 'f' }, session: 's' }).startup([]);
  const { interceptors } = scripted({ decision: 'transform', transform: { path: '$target' } });
  const { verdict } = await createEmitter({ interceptors }).emit(startup);
  assert.equal(verdict.reason, 'host_error:transform_target_forbidden');
});

test('run_all: everyone runs, the strictest counts, and the first of equals', async () => {
  const other: Verdict = { decision: 'deny', reason: 'other', warnings: [{ reason: 'w' }] };
  const { summary, record, verdict } = await emitted(ALL, [ask, deny, other, allow]);
  assert.deepEqual(summary, ['deny', 'no', 1]);
  assert.deepEqual(verdict.warnings, [{ reason: 'w' }]);
  assert.deepEqual(
    record.verdicts.map(({ decision }) => decision),
    ['deny', 'deny', 'deny', 'allow'],
  );
  assert.equal(record.fold_truncated, false);
});

test('parallel: nobody sees what another rewrote, and two rewritings are a conflict', async () => {
  const one = await emitted(STRICTEST, [set('a', 'x'), allow]);
  assert.deepEqual([one.summary, one.args], [['transform', undefined, 0], { a: 'x', b: '2' }]);
  assert.deepEqual(one.seen[1]?.target, { a: '1', b: '2' });
  const two = await emitted(STRICTEST, [set('a', 'x'), set('b', 'y')]);
  assert.deepEqual(two.summary, ['deny', 'host_error:transform_conflict', null]);
  const settled = await emitted(
    { ...STRICTEST, on_transform_conflict: 'approval' },
    [set('a', 'x'), set('b', 'y')],
    {
      resolver: approving(set('a', 'z')),
    },
  );
  assert.deepEqual([settled.proceeds, settled.args], [true, { a: 'z', b: '2' }]);
});

test('unanimous: anything but allow from everyone is a disagreement', async () => {
  assert.equal((await emitted(UNANIMOUS, [allow, allow])).proceeds, true);
  for (const other of [deny, ask, set('a', 'x')]) {
    const { summary } = await emitted(UNANIMOUS, [allow, other]);
    assert.deepEqual(summary, ['deny', 'host_error:composition_disagreement', null]);
  }
});

test('a failure takes the place of the verdict and says nothing of the content', async () => {
  const thrower = () => {
    throw new RangeError('the card number is 1234');
  };
  for (const composition of [FIRST, ALL, STRICTEST]) {
    const { verdict, record } = await emitted(composition, [allow, thrower]);
    assert.deepEqual(
      [verdict.reason, verdict.message, record.decided_by],
      ['host_error:interceptor_failed', 'RangeError', 1],
    );
  }
  const late = await emitted(FIRST, [() => new Promise(() => {})], { interceptorMs: 1 });
  assert.equal(late.verdict.reason, 'host_error:interceptor_timeout');
  for (const answer of [
    null,
    'allow',
    {},
    { decision: 'maybe' },
    { decision: 'allow', approval: {} },
    { decision: 'deny', reason: 'host_error:x' },
  ]) {
    const { verdict } = await emitted(FIRST, [() => answer]);
    assert.equal(verdict.reason, 'host_error:verdict_invalid', JSON.stringify(answer));
  }
});

test('what an interceptor does to its copy changes nothing', async () => {
  const { interceptors } = scripted(allow);
  const tamperer = {
    interceptor: {
      intercept(context: AgentContext) {
        context.target = 'tampered';
        (context.tool_call as { args: unknown }).args = {};
        return allow;
      },
    },
  };
  const emitter = createEmitter({ interceptors: [tamperer, ...interceptors] });
  const { context, record } = await emitter.emit(call());
  assert.deepEqual(context.target, { a: '1', b: '2' });
  assert.equal(record.input_identity, record.enforced_identity);
});

test('the seam lifts a deny for exactly what was shown, and whatever it does wrong lifts nothing', async () => {
  const lifted = await emitted(FIRST, [ask, deny], { resolver: approving(allow) });
  assert.deepEqual(
    [lifted.proceeds, lifted.record.resolved_by, lifted.record.fold_truncated],
    [true, 'approval', true],
  );
  const resumed = await emitted({ ...FIRST, on_approval: 'resume' }, [ask, deny], {
    resolver: approving(allow),
  });
  assert.deepEqual([resumed.proceeds, resumed.summary], [false, ['deny', 'no', 1]]);

  const wrong: [reason: string, resolution: (identity: string | null) => unknown][] = [
    [
      'host_error:approval_identity_mismatch',
      () => ({ outcome: 'approve', context_identity: 'x', verdict: allow }),
    ],
    ['host_error:approval_identity_mismatch', () => null],
    [
      'host_error:approval_resolver_failed',
      (context_identity) => ({ outcome: 'yes', context_identity, verdict: allow }),
    ],
    ['host_error:approval_resolver_failed', (context_identity) => ({ outcome: 'approve', context_identity })],
    [
      'host_error:approval_resolver_failed',
      (context_identity) => ({ outcome: 'unresolved', context_identity, verdict: allow }),
    ],
    ['host_error:approval_unresolved', (context_identity) => ({ outcome: 'unresolved', context_identity })],
    [
      'host_error:verdict_invalid',
      (context_identity) => ({ outcome: 'approve', context_identity, verdict: {} }),
    ],
    [
      'host_error:verdict_invalid',
      (context_identity) => ({ outcome: 'approve', context_identity, verdict: deny }),
    ],
    [
      'host_error:verdict_invalid',
      (context_identity) => ({ outcome: 'reject', context_identity, verdict: allow }),
    ],
    [
      'host_error:approval_resolver_failed',
      () => {
        throw new Error('no');
      },
    ],
    ['host_error:approval_resolver_failed', () => new Promise(() => {})],
  ];
  for (const composition of [FIRST, ALL, STRICTEST]) {
    for (const [reason, resolution] of wrong) {
      const { proceeds, verdict, record } = await emitted(composition, [ask], {
        resolver: { resolve: ({ context_identity }) => resolution(context_identity) as never },
        resolverMs: 5,
      });
      assert.deepEqual([proceeds, verdict.reason, record.resolved_by], [false, reason, 'rejection']);
    }
  }
});

test('evaluate_only records what would be, asks nobody, rewrites nothing and lets all pass', async () => {
  let asked = 0;
  const resolver = {
    resolve: () => {
      asked++;
      return { outcome: 'unresolved', context_identity: null } as const;
    },
  };
  for (const answer of [deny, ask, set('a', 'x')]) {
    const { proceeds, record, args } = await emitted(FIRST, [answer], { mode: 'evaluate_only', resolver });
    assert.deepEqual([proceeds, args, record.mode], [true, { a: '1', b: '2' }, 'evaluate_only']);
    assert.equal(record.verdict.decision, answer.decision);
    assert.equal(record.input_identity, record.enforced_identity);
  }
  assert.equal(asked, 0);
});

test('a context that is not whole, or has no identity, is denied before anybody sees it', async () => {
  const { target: _, ...without } = call();
  const wrong = [
    without,
    call({ n: 2 ** 53 }),
    call({ n: Number.NaN }),
    call({ s: '\ud800' }),
    { ...call(), sequence: -1 },
  ];
  for (const context of wrong) {
    const { seen, interceptors } = scripted(allow);
    const { proceeds, verdict, record } = await createEmitter({ interceptors }).emit(context as AgentContext);
    assert.deepEqual([proceeds, verdict.reason], [false, 'host_error:context_invalid']);
    assert.deepEqual([record.input_identity, record.enforced_identity], [null, null]);
    assert.equal(seen[0], undefined);
  }
});

test('a rewriting into what has no identity is denied', async () => {
  const { proceeds, verdict, record } = await emitted(FIRST, [
    { decision: 'transform', transform: { path: '$target.a', value: 2 ** 60 } },
  ]);
  assert.deepEqual([proceeds, verdict.reason], [false, 'host_error:context_invalid']);
  assert.equal(record.enforced_identity, null);
  assert.notEqual(record.input_identity, null);
});

test('a provider of the host is named in the record; a name of ours is refused', async () => {
  const { record } = await emitted(FIRST, [allow], { identity: { name: 'own', identify: () => 'id-1' } });
  assert.deepEqual([record.identity_provider, record.input_identity], ['own', 'id-1']);
  const unbound = await emitted(FIRST, [allow], { identity: null });
  assert.deepEqual([unbound.record.identity_provider, unbound.record.input_identity], [null, null]);
  for (const name of ['jcs-mine', 'Own', ''])
    assert.throws(
      () => createEmitter({ interceptors: [], identity: { name, identify: () => '' } }),
      TypeError,
    );
});

test('an interceptor runs only at its points', async () => {
  const { seen, interceptors } = scripted(allow);
  const { record } = await createEmitter({ interceptors: [{ ...interceptors[0]!, at: ['input'] }] }).emit(
    call(),
  );
  assert.equal(seen[0], undefined);
  assert.deepEqual([record.verdict.reason, record.interceptors_registered], ['host_error:no_interceptor', 0]);
});

test('a record carries nothing of the target', async () => {
  const long = 'é'.repeat(400);
  const verdict: Verdict = {
    ...set('a', 'SECRET'),
    message: long,
    warnings: [{ message: long }],
    result_labels: ['l'],
  };
  const { record } = await emitted(FIRST, [verdict]);
  assert.doesNotMatch(JSON.stringify(record), /SECRET/);
  assert.ok(Buffer.byteLength(record.verdict.message!) <= 256);
  assert.ok(record.verdict.message!.endsWith('é…'));
  assert.equal(record.verdict.warnings![0]!.message, record.verdict.message);
  const held = await emitted(FIRST, [ask]);
  assert.deepEqual(held.record.verdict.approval, {});
});

test('in every profile a deny that nobody may lift is never outvoted, whatever the others say', async () => {
  const verdict = fc.constantFrom(allow, deny, ask, set('a', 'x'));
  const profile = fc.constantFrom(
    FIRST,
    { ...FIRST, on_approval: 'resume' } as const,
    ALL,
    STRICTEST,
    UNANIMOUS,
  );
  await fc.assert(
    fc.asyncProperty(
      profile,
      fc.array(verdict, { minLength: 1, maxLength: 4 }),
      async (composition, answers) => {
        const { proceeds, seen } = await emitted(composition, answers);
        const reached = answers.filter((_, i) => seen[i] !== undefined);
        if (reached.some(({ decision }) => decision === 'deny')) assert.equal(proceeds, false);
        if (proceeds) assert.equal(reached.length, answers.length);
      },
    ),
  );
});

test('optional members do not change the identity; every required one does', () => {
  const context = call();
  const identity = contextIdentity(context);
  assert.equal(contextIdentity({ ...context, trace: { trace_id: 'x' }, extensions: { a: 1 } }), identity);
  for (const key of ['spec', 'timestamp', 'sequence', 'target'] as const)
    assert.notEqual(contextIdentity({ ...context, [key]: 7 }), identity, key);
  assert.notEqual(contextIdentity({ ...context, session: { id: 'other' } }), identity);
});
