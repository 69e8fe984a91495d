import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Span } from '../../engine/types.ts';
import type { JsonObject } from '../../step/types.ts';
import { mapTraces } from './map-traces.ts';
import { traceMemory } from './trace-memory.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const BASE = 1_700_000_000_000n;

function span(id: number, parent: number | null, attributes: JsonObject, more: Partial<Span> = {}): Span {
  return {
    traceId: TRACE,
    spanId: hex(id),
    parentSpanId: parent === null ? null : hex(parent),
    name: `span ${id}`,
    kind: 1,
    startNs: ns(id),
    endNs: ns(id + 1000),
    status: { code: 0, message: '' },
    attributes,
    events: [],
    resource: { 'service.name': 'desk' },
    scope: { name: 'test', version: '1' },
    dialect: 'none',
    ...more,
  };
}
const hex = (id: number) => id.toString(16).padStart(16, '0');
const ns = (ms: number) => String((BASE + BigInt(ms)) * 1_000_000n);
const tool = (name: string): JsonObject => ({ 'gen_ai.tool.name': name });
const agent = (name: string): JsonObject => ({
  'gen_ai.operation.name': 'invoke_agent',
  'gen_ai.agent.name': name,
});
const map = (...spans: Span[]) => mapTraces(spans, traceMemory(10));

test('a span without a session has its ancestor`s, else its trace`s, else the trace id', () => {
  const sessions = (...spans: Span[]) => new Set(map(...spans).observations.map(({ session }) => session));
  assert.deepEqual(sessions(span(2, 1, tool('t'))), new Set([TRACE]));
  const named = { ...agent('a'), 'session.id': 's-1' };
  assert.deepEqual(sessions(span(2, 1, tool('t')), span(1, null, named)), new Set(['s-1']));
  assert.deepEqual(sessions(span(2, 9, tool('t')), span(1, null, named)), new Set(['s-1']));
  assert.deepEqual(
    sessions(span(1, null, named), span(2, 1, { ...tool('t'), 'session.id': 's-2' }), span(3, 2, tool('u'))),
    new Set(['s-2']),
  );
});

test('interlock.session wins over every other name of a session', () => {
  const attributes = {
    ...tool('t'),
    'gen_ai.conversation.id': 'c',
    'session.id': 's',
    'interlock.session': 'i',
  };
  assert.equal(map(span(1, null, attributes)).observations[0]!.session, 'i');
});

test('an operating system thread is not a conversation', () => {
  assert.equal(map(span(1, null, { ...tool('t'), 'thread.id': 140 })).observations[0]!.session, TRACE);
});

test('resource attributes name session, principal and agent of a process', () => {
  const resource = { 'service.name': 'desk', 'service.version': '3', 'session.id': 's-9', 'user.id': 'ada' };
  const [first] = map(span(1, null, tool('t'), { resource })).observations;
  assert.deepEqual(
    [first!.session, first!.principal, first!.agent],
    ['s-9', 'ada', { name: 'desk', version: '3' }],
  );
});

test('the outermost agent is the session`s, the innermost the step`s', () => {
  const { observations } = map(
    span(3, 2, tool('t')),
    span(2, 1, agent('inner')),
    span(1, null, agent('outer')),
  );
  const call = observations.find(({ proposal }) => proposal.kind === 'tool.call')!;
  assert.deepEqual([call.agent.name, call.proposal.agent?.name], ['outer', 'inner']);
});

test('only an agent that surely stands outside of others was asked by a user', () => {
  const asked = { ...agent('a'), 'gen_ai.input.messages': '[{"role":"user","content":"hi"}]' };
  const kinds = (...spans: Span[]) => map(...spans).observations.map(({ proposal }) => proposal.kind);
  assert.deepEqual(kinds(span(1, null, asked)), ['input']);
  assert.deepEqual(kinds(span(2, 1, asked), span(1, null, {})), ['input']);
  assert.deepEqual(kinds(span(2, 1, asked)), []);
  assert.deepEqual(kinds(span(2, 1, asked), span(1, null, agent('b'))), ['handoff']);
});

test('a clock set back never puts a result before its call', () => {
  const { observations } = map(span(5, null, tool('t'), { endNs: ns(1) }));
  assert.deepEqual(
    observations.map(({ proposal, time }) => [proposal.kind, time]),
    [
      ['tool.call', Number(BASE) + 5],
      ['tool.result', Number(BASE) + 5],
    ],
  );
});

test('acts of no length keep the order of the tree', () => {
  const at = { startNs: ns(7), endNs: ns(7) };
  const { observations } = map(span(2, 1, tool('inner'), at), span(1, null, tool('outer'), at));
  assert.deepEqual(
    observations.map(({ proposal }) => `${proposal.name} ${proposal.kind}`),
    ['outer tool.call', 'inner tool.call', 'inner tool.result', 'outer tool.result'],
  );
});

test('the same batch gives the same steps, by id', () => {
  const spans = [span(2, 1, tool('t')), span(1, null, agent('a'))];
  const ids = () => map(...spans).observations.map(({ proposal }) => proposal.id);
  assert.deepEqual(ids(), ids());
  assert.deepEqual(ids(), [`${TRACE}/${hex(2)}/tool.call`, `${TRACE}/${hex(2)}/tool.result`]);
});

test('any links between spans, rings and repeats included: every span comes out once, by start', () => {
  const link = fc.record({
    id: fc.nat(12),
    parent: fc.option(fc.nat(12)),
    at: fc.nat(20),
    length: fc.nat(20),
  });
  fc.assert(
    fc.property(fc.array(link, { maxLength: 30 }), (links) => {
      const spans = links.map(({ id, parent, at, length }) =>
        span(id, parent, tool(`t${id}`), { startNs: ns(at), endNs: ns(at + length) }),
      );
      const { spans: mapped, observations } = map(...spans);
      assert.deepEqual(mapped.map(({ spanId }) => spanId).sort(), spans.map(({ spanId }) => spanId).sort());
      const starts = mapped.map(({ startNs }) => startNs);
      assert.deepEqual(starts, starts.toSorted());
      assert.equal(observations.length, spans.length * 2);
      const times = observations.map(({ time }) => time);
      assert.deepEqual(
        times,
        times.toSorted((a, b) => a - b),
      );
    }),
    { numRuns: 300 },
  );
});

test('a chain as long as a batch needs no stack', () => {
  const chain = Array.from({ length: 50_000 }, (_, i) => span(i + 1, i === 0 ? null : i, tool('t')));
  assert.equal(map(...chain).observations.length, 100_000);
});

test('a span of no dialect is kept and shows nothing', () => {
  const { spans, observations } = map(span(1, null, { 'http.request.method': 'GET' }));
  assert.equal(spans[0]!.dialect, 'none');
  assert.deepEqual(observations, []);
});

test('traces that are not heard of are forgotten, the oldest first', () => {
  const memory = traceMemory(2);
  memory.of('a').session = 's-a';
  memory.of('b').session = 's-b';
  memory.of('a');
  memory.of('c');
  assert.equal(memory.size(), 2);
  assert.equal(memory.of('a').session, 's-a');
  assert.equal(memory.of('b').session, undefined);
});
