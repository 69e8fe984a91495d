import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Json, Proposal } from '../step/types.ts';
import { LEFT_OUT } from './span.ts';
import { call, input, withEngine } from './testing/engine.ts';
import type { Engine, Observation, Span } from './types.ts';

const T0 = 1_700_000_000_000;
const agent = { name: 'agent' };

function span(spanId: string, more: Partial<Span> = {}): Span {
  return {
    traceId: 'trace',
    spanId,
    parentSpanId: null,
    name: 'execute_tool',
    kind: 1,
    startNs: `${T0}000000`,
    endNs: `${T0 + 50}000000`,
    status: { code: 0, message: '' },
    attributes: {},
    events: [],
    resource: {},
    scope: { name: 'test', version: '1' },
    dialect: 'otel-genai',
    ...more,
  };
}

function seen(session: string, proposal: Proposal, of: Span, time = T0): Observation {
  return { session, agent, time, proposal, span: of };
}

/** What a tool span shows: the call and its result. */
function tool(session: string, of: Span, name: string, args: { [key: string]: Json } = {}, callId?: string) {
  const result: Proposal = { kind: 'tool.result', name, content: 'ok', ...(callId ? { callId } : {}) };
  return [seen(session, call(name, args, callId), of), seen(session, result, of, T0 + 50)];
}

async function spansOf(engine: Engine, id: string) {
  const { steps } = await engine.steps(id, { from: 0, limit: 100 });
  return steps.map((row) => row.span?.spanId ?? null);
}

test('a session without a guard is recorded as observed, and each tool that ran is a finding', async (t) => {
  const { engine, events } = await withEngine(t);
  const [s1, s2] = [span('1'), span('2')];
  const observations = [seen('obs', input('What is up?'), s1), ...tool('obs', s2, 'search', { q: 'x' }, 'c')];
  await engine.observe([s1, s2], observations);
  const session = await engine.session('obs');
  assert.deepEqual(
    [session?.guarded, session?.steps, session?.findings, session?.title, session?.spec],
    [false, 3, 1, 'What is up?', null],
  );
  const { steps, total } = await engine.steps('obs', { from: 0, limit: 10 });
  assert.equal(total, 3);
  assert.deepEqual(
    steps.map((row) => [row.step.kind, row.decision, row.stateDigest, row.span?.spanId, row.finding?.kind]),
    [
      ['input', null, null, '1', undefined],
      ['tool.call', null, null, '2', 'unguarded-step'],
      ['tool.result', null, null, '2', undefined],
    ],
  );
  assert.ok(events.some((event) => event.type === 'finding' && event.session === 'obs'));
  assert.match((await engine.findings({}))[0]!.detail, /search ran.* no decision covers it/);
});

test('a span that arrives twice changes nothing', async (t) => {
  const { engine, events } = await withEngine(t);
  const s1 = span('1');
  const observations = tool('obs', s1, 'search');
  await engine.observe([s1, s1], [...observations]);
  const before = [await engine.session('obs'), await engine.findings({}), events.length];
  await engine.observe([s1], observations);
  await Promise.all([engine.observe([s1], observations), engine.observe([s1], observations)]);
  assert.deepEqual([await engine.session('obs'), await engine.findings({}), events.length], before);
});

test('a span is joined to its decision by call id, to the attempt that was let through', async (t) => {
  const { engine } = await withEngine(t);
  const { id } = await engine.openSession({ agent });
  const { holdId } = await engine.decide(id, call('hold-it', { a: 1 }, 'c'));
  await engine.answerHold(holdId!, { approve: true, by: 'ann', role: 'reviewer' });
  await engine.decide(id, call('hold-it', { a: 1 }, 'c'));
  await engine.decide(id, { kind: 'tool.result', name: 'hold-it', callId: 'c', content: 'ok' });
  const state = (await engine.steps(id, { from: 4, limit: 1 })).steps[0]?.stateDigest;
  await engine.observe([], tool(id, span('1'), 'hold-it', { a: 1 }, 'c'));
  assert.deepEqual(await spansOf(engine, id), [null, null, null, '1', '1']);
  assert.equal((await engine.session(id))?.findings, 0);
  // What was observed is no step of a guarded session and did not touch its state.
  assert.equal((await engine.session(id))?.steps, 5);
  assert.equal((await engine.steps(id, { from: 4, limit: 1 })).steps[0]?.stateDigest, state);
  assert.equal((await engine.decide(id, call('a'))).step.seq, 5);
});

test('without call ids, equal acts are joined one decision each', async (t) => {
  const { engine } = await withEngine(t);
  const { id } = await engine.openSession({ agent });
  await engine.decide(id, call('search', { q: 'a' }));
  await engine.decide(id, call('search', { q: 'b' }));
  await engine.decide(id, call('search', { q: 'a' }));
  const spans = ['1', '2', '3', '4'].map((spanId) => span(spanId));
  await engine.observe(
    spans,
    spans.flatMap((of, i) => tool(id, of, 'search', { q: i === 1 ? 'b' : 'a' })),
  );
  assert.deepEqual(await spansOf(engine, id), [null, '3', '2', '1']);
  // Two decisions, three runs: one was not asked for.
  const findings = await engine.findings({ session: id });
  assert.deepEqual(
    findings.map((finding) => [finding.id, finding.seq, finding.kind]),
    [['unguarded:trace:4', null, 'unguarded-step']],
  );
  assert.equal((await engine.session(id))?.findings, 1);
});

test('a rewritten call is known by what ran', async (t) => {
  const { engine } = await withEngine(t);
  const { id } = await engine.openSession({ agent });
  const { decision } = await engine.decide(id, call('rewrite-it', { q: 'a' }));
  await engine.observe([], tool(id, span('1'), 'rewrite-it', { ...decision.transformed }));
  await engine.observe([], tool(id, span('2'), 'rewrite-it', { q: 'a' }));
  assert.deepEqual(await spansOf(engine, id), [null, '1']);
  assert.equal((await engine.findings({ session: id }))[0]?.id, 'unguarded:trace:2');
});

test('a tool that nobody asked about, or with other arguments, is a finding', async (t) => {
  const { engine } = await withEngine(t);
  const { id } = await engine.openSession({ agent });
  await engine.decide(id, call('search', { q: 'a' }, 'c-1'));
  await engine.observe([], tool(id, span('1'), 'delete', {}));
  await engine.observe([], tool(id, span('2'), 'search', { q: 'other' }));
  await engine.observe([], tool(id, span('3'), 'search', { q: 'a' }, 'c-2'));
  assert.equal((await engine.findings({ session: id })).length, 3);
  await engine.observe([], tool(id, span('4'), 'search', { q: 'a' }));
  assert.equal((await engine.findings({ session: id })).length, 3);
});

test('arguments that telemetry did not record are taken from any decided call of the tool', async (t) => {
  const { engine } = await withEngine(t);
  const { id } = await engine.openSession({ agent });
  await engine.decide(id, call('search', { q: 'a' }));
  const blind = (of: Span) => [
    seen(id, { ...call('search'), labels: ['arguments-not-recorded'] }, of),
    seen(id, { kind: 'tool.result', name: 'search' }, of),
  ];
  await engine.observe([], blind(span('1')));
  assert.equal((await engine.findings({ session: id })).length, 0);
  await engine.observe([], blind(span('2')));
  assert.equal((await engine.findings({ session: id })).length, 1);
});

test('two instruments that show the same act are one act, in one batch or in two', async (t) => {
  const { engine } = await withEngine(t);
  const { id } = await engine.openSession({ agent });
  for (const callId of ['c-1', 'c-2']) await engine.decide(id, call('search', { q: 'a' }, callId));
  const inner = span('in', { parentSpanId: 'out' });
  const [first, second] = [
    tool(id, inner, 'search', { q: 'a' }),
    tool(id, span('out'), 'search', { q: 'a' }),
  ];
  await engine.observe([], [...first, ...second]);
  await engine.observe([], tool(id, span('out-2'), 'search', { q: 'a' }));
  await engine.observe([], tool(id, span('in-2', { parentSpanId: 'out-2' }), 'search', { q: 'a' }));
  assert.equal((await engine.findings({ session: id })).length, 0);
  assert.deepEqual(await spansOf(engine, id), [null, 'out-2', 'in']);
});

test('a decision long after a run does not cover it', async (t) => {
  const { engine, time } = await withEngine(t);
  const { id } = await engine.openSession({ agent });
  time.now += 60_000;
  await engine.decide(id, call('search', { q: 'a' }));
  await engine.observe([], tool(id, span('1'), 'search', { q: 'a' }));
  assert.equal((await engine.findings({ session: id })).length, 1);
});

test('a session that was observed first can be guarded from then on', async (t) => {
  const { engine } = await withEngine(t);
  await engine.observe([], tool('late', span('1'), 'search'));
  const session = await engine.openSession({ id: 'late', agent });
  assert.deepEqual([session.guarded, session.steps, session.findings], [true, 1, 1]);
  assert.equal((await engine.decide('late', call('search'))).step.seq, 1);
  await engine.observe([], tool('late', span('2'), 'search'));
  assert.deepEqual(await spansOf(engine, 'late'), [null, '2']);
  assert.equal((await engine.session('late'))?.findings, 1);
});

test('a decision on a session that was only observed is refused', async (t) => {
  const { engine } = await withEngine(t);
  await engine.observe([], tool('obs', span('1'), 'search'));
  await assert.rejects(engine.decide('obs', call('search')), /no session obs/);
});

test('large spans and steps are kept within bounds and say so', async (t) => {
  const { engine } = await withEngine(t, { limits: { charactersPerSpan: 2_000, bytesPerProposal: 500 } });
  const attributes = { small: 'kept', large: 'x'.repeat(5_000), other: 'y'.repeat(500) };
  const of = span('1', { attributes });
  await engine.observe([of], [seen('obs', { kind: 'input', name: '', content: 'z'.repeat(5_000) }, of)]);
  const [row] = (await engine.steps('obs', { from: 0, limit: 1 })).steps;
  assert.deepEqual(row?.span?.attributes, { small: 'kept', other: 'y'.repeat(500), [LEFT_OUT]: 1 });
  assert.equal(row?.step.content, undefined);
  assert.deepEqual(row?.step.labels, ['content-left-out']);
});

test('many spans at once are all kept', async (t) => {
  const { engine } = await withEngine(t);
  const spans = Array.from({ length: 950 }, (_, i) => span(String(i)));
  await engine.observe(
    spans,
    spans.flatMap((of, i) => tool(`obs-${i % 3}`, of, 'search', { i })),
  );
  const { sessions } = await engine.sessions({ limit: 10 });
  assert.deepEqual(sessions.map((session) => session.steps).sort(), [632, 634, 634]);
  assert.equal(
    sessions.reduce((sum, session) => sum + session.findings, 0),
    950,
  );
  const { steps } = await engine.steps('obs-1', { from: 0, limit: 1_000 });
  assert.deepEqual(
    steps.map((row) => row.step.seq),
    Array.from({ length: 634 }, (_, i) => i),
  );
});

test('coverage says by agent which tools ran with a decision, without one, or unseen', async (t) => {
  const { engine, time } = await withEngine(t);
  const { id } = await engine.openSession({ agent });
  await engine.decide(id, call('a', { n: 1 }, 'c1'));
  await engine.decide(id, call('b', { n: 2 }, 'c2'));
  await engine.decide(id, call('deny_it', {}, 'c3'));
  assert.deepEqual(
    (await engine.coverage(0)).map(({ agent, covered, unguarded, unseen }) => [
      agent,
      covered,
      unguarded,
      unseen,
    ]),
    [['agent', 0, 0, 2]],
  );
  const [s1, s2] = [span('1'), span('2')];
  await engine.observe([s1, s2], [...tool(id, s1, 'a', { n: 1 }, 'c1'), ...tool(id, s2, 'other', {}, 'cx')]);
  const [coverage] = await engine.coverage(0);
  assert.deepEqual([coverage?.covered, coverage?.unguarded, coverage?.unseen], [1, 1, 1]);
  assert.deepEqual(coverage?.doors, []);
  for (const door of ['mcp', 'gateway', 'mcp'] as const) {
    const opened = await engine.openSession({ agent, door });
    assert.equal(opened.door, door);
    await engine.decide(opened.id, call('a'));
  }
  assert.deepEqual((await engine.coverage(0))[0]?.doors, ['gateway', 'mcp']);
  assert.deepEqual(await engine.coverage(time.now + 1_000_000), []);
});

test('an agent whose tool ran without a decision is stopped, once, when that is asked for', async (t) => {
  const { engine } = await withEngine(t, { stopUnguarded: true, specs: [], noSpec: 'allow' });
  const { id } = await engine.openSession({ agent });
  const other = (await engine.openSession({ agent: { name: 'agent-b' } })).id;
  assert.equal((await engine.decide(id, call('a'))).decision.verdict, 'allow');
  const [s1, s2] = [span('1'), span('2')];
  await engine.observe([s1, s2], [...tool('obs', s1, 'search'), ...tool('obs', s2, 'search')]);
  const stops = await engine.stops({});
  assert.deepEqual(
    stops.map(({ agent, by }) => [agent, by]),
    [['agent', 'interlock']],
  );
  const { decision } = await engine.decide(id, call('a'));
  assert.match(decision.rules[0]!.because, /the tool search ran without a decision in the session obs/);
  assert.equal((await engine.decide(other, call('a'))).decision.verdict, 'allow');
});
