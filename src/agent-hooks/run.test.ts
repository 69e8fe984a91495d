import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { JsonObject } from '../step/types.ts';
import { createContexts, type ModelReply } from './context.ts';
import { createEmitter } from './emitter.ts';
import { type AgentRun, type ModelEvent, runAgent } from './run.ts';
import type { AgentContext, InterceptionRecord, Verdict } from './types.ts';

const allow: Verdict = { decision: 'allow' };
const reply = (content: string): ModelReply => ({ content, tool_calls: [], finish_reason: 'stop' });
const calls = (name: string, args: JsonObject = {}): ModelReply => ({
  content: null,
  tool_calls: [{ id: `c-${name}`, name, args }],
  finish_reason: 'tool_calls',
});

async function play(
  model: AgentRun['model'] | readonly ModelReply[],
  more: Partial<AgentRun> = {},
  intercept: (context: AgentContext) => unknown = () => allow,
) {
  const records: InterceptionRecord[] = [];
  let turn = 0;
  const result = await runAgent({
    emitter: createEmitter({
      interceptors: [{ interceptor: { intercept } }],
      onRecord: (record) => records.push(record),
    }),
    contexts: createContexts({ agent: { id: 'a', framework: 'f' }, session: 's' }),
    modelId: 'm',
    model: typeof model === 'function' ? model : () => Promise.resolve(model[turn++]!),
    tools: {},
    input: { content: 'hi' },
    ...more,
  });
  return { ...result, records, points: records.map((record) => record.interception_point) };
}

async function* streaming(...events: ModelEvent[]): AsyncGenerator<ModelEvent> {
  yield* events;
}
const text = (text: string): ModelEvent => ({ t: 'text', text });
const boundary: ModelEvent = { t: 'boundary' };
const end: ModelEvent = { t: 'end', tool_calls: [], finish_reason: 'stop' };

/** Denies an answer with a secret in it. */
const noSecrets = (context: AgentContext): Verdict =>
  JSON.stringify(context.response ?? '').includes('SECRET') ? { decision: 'deny', reason: 'secret' } : allow;

test('what a tool throws, and a tool that is not there, are results that are errors', async () => {
  const fail = () => {
    throw new Error('no such order');
  };
  const { messages, outcome } = await play([calls('fail'), calls('none'), reply('done')], {
    tools: { fail },
  });
  assert.equal(outcome, 'completed');
  assert.deepEqual(
    messages.filter(({ role }) => role === 'tool').map(({ content }) => content),
    ['no such order', 'there is no tool none'],
  );
});

test('labels are kept with the message they are of, and not for what did not proceed', async () => {
  const intercept = (context: AgentContext): Verdict => {
    switch (context.interception_point) {
      case 'post_tool_call':
        return { ...allow, result_labels: ['customer'] };
      case 'pre_tool_call':
        return { ...allow, result_labels: ['unused'] };
      case 'output':
        return { ...allow, result_labels: ['public'] };
      default:
        return allow;
    }
  };
  const tools = { look: () => 'found' };
  const { messages, labels, outputLabels } = await play([calls('look'), reply('done')], { tools }, intercept);
  assert.deepEqual(labels, [{ message: 2, labels: ['customer'] }]);
  assert.equal(messages[2]!.content, 'found');
  assert.deepEqual(outputLabels, ['public']);
});

test('a model that fails, or never ends, ends the run in error, and the session is closed', async () => {
  const failed = await play(() => Promise.reject(new Error('overloaded')));
  assert.deepEqual(
    [failed.outcome, failed.output, String(failed.error)],
    ['error', null, 'Error: overloaded'],
  );
  assert.equal(failed.points.at(-1), 'agent_shutdown');
  const endless = await play(() => Promise.resolve(calls('look')), { tools: { look: () => 1 }, turnsMax: 3 });
  assert.equal(endless.outcome, 'error');
  assert.equal(endless.points.filter((point) => point === 'pre_model_call').length, 3);
});

test('a stream is put together before it is decided, unless it may go out', async () => {
  const { output, points } = await play(() => streaming(text('a'), boundary, text('b'), end));
  assert.equal(output, 'ab');
  assert.equal(points.filter((point) => point === 'post_model_call').length, 1);
  const broken = await play(() => streaming(text('a')));
  assert.equal(broken.outcome, 'blocked');
  assert.equal(broken.records.at(-2)!.verdict.reason, 'host_error:streaming_unsupported');
  assert.doesNotMatch(JSON.stringify(broken.messages), /"a"/);
});

test('a stream that dies while it goes out is denied, and what no verdict covers is withheld', async () => {
  let released = '';
  const release = (piece: string) => {
    released += piece;
  };
  const dying = async function* (): AsyncGenerator<ModelEvent> {
    yield text('one ');
    yield boundary;
    yield text('two');
    throw new Error('connection reset');
  };
  const { outcome, records, messages } = await play(() => dying(), { release });
  assert.deepEqual([outcome, released], ['blocked', 'one ']);
  assert.equal(records.at(-2)!.verdict.reason, 'host_error:streaming_unsupported');
  assert.doesNotMatch(JSON.stringify(messages), /two/);
});

test('text that is out is not rewritten: the stream ends', async () => {
  let released = '';
  const release = (piece: string) => {
    released += piece;
  };
  const intercept = (context: AgentContext): Verdict => {
    const content = (context.response as { content?: string } | undefined)?.content ?? '';
    return content.includes('two')
      ? { decision: 'transform', transform: { path: '$target.content', value: 'ONE two' } }
      : allow;
  };
  const { outcome } = await play(
    () => streaming(text('one '), boundary, text('two'), end),
    { release },
    intercept,
  );
  assert.deepEqual([outcome, released], ['blocked', 'one ']);
});

test('however a stream is cut into pieces, the same goes out, and nothing denied is in it', async () => {
  const segment = fc.oneof(
    fc.string({ maxLength: 6 }),
    fc.constant('a SECRET '),
    fc.constant('SEC'),
    fc.constant('RET'),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(segment, { maxLength: 6 }),
      fc.array(fc.nat(5), { maxLength: 12 }),
      async (segments, cuts) => {
        const whole = await released(segments, []);
        const cut = await released(segments, cuts);
        assert.deepEqual(cut, whole);
        assert.ok(segments.join('').startsWith(whole.out));
        assert.ok(!whole.out.includes('SECRET'));
        if (segments.join('').includes('SECRET')) assert.equal(whole.outcome, 'blocked');
        else assert.deepEqual(whole, { out: segments.join(''), outcome: 'completed' });
      },
    ),
    { numRuns: 150 },
  );
});

/** Boundaries stand after each segment; the text between them comes in pieces of these lengths. */
async function released(segments: readonly string[], cuts: readonly number[]) {
  const events = segments.flatMap((segment, i): ModelEvent[] => {
    const pieces: ModelEvent[] = [];
    let at = 0;
    for (const length of cuts) {
      if (at >= segment.length) break;
      pieces.push(text(segment.slice(at, at + length)));
      at += length;
    }
    pieces.push(text(segment.slice(at)));
    return i === segments.length - 1 ? pieces : [...pieces, boundary];
  });
  let out = '';
  const release = (piece: string) => {
    out += piece;
  };
  const { outcome } = await play(() => streaming(...events, end), { release }, noSecrets);
  return { out, outcome };
}
