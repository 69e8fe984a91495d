// Interlock as an interceptor and resolver, in an agent built on the contract: a real engine, every point, every verdict.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import {
  type AgentRun,
  type ContextOptions,
  createContexts,
  createEmitter,
  type EmitterOptions,
  type InterceptionRecord,
  type InterlockHooksOptions,
  interlockHooks,
  type ModelReply,
  runAgent,
} from '../../src/agent-hooks/index.ts';
import { overTransport } from '../../src/sdk/interlock.ts';
import { localTransport } from '../../src/sdk/local.ts';
import { openEngine } from '../../src/sdk/open.ts';
import { loadSpecObject } from '../../src/sdk/spec-files.ts';
import type { Transport } from '../../src/sdk/transport.ts';
import type { JsonObject } from '../../src/step/types.ts';

const SPEC = {
  interlock: 1,
  name: 'shop',
  applies: { agents: ['shop*'] },
  tools: {
    look: { effect: 'read' },
    refund: { effect: 'write' },
    wipe: { effect: 'write' },
    rename: { effect: 'write' },
  },
  rules: [
    {
      id: 'looked-first',
      on: 'call refund',
      require: 'past.exists("result look")',
      because: 'Look at the order first.',
      repair: 'Call look.',
    },
    { id: 'big', on: 'call refund', mode: 'shadow', deny: 'args.amount > 10', because: 'That is much.' },
    {
      id: 'ask',
      on: 'call wipe',
      hold: true,
      approve: { by: ['reviewer'], expires: '1h' },
      because: 'A person decides.',
    },
    {
      id: 'plain',
      on: 'call rename',
      transform: { set: { 'args.name': '"plain"' } },
      because: 'Names are plain.',
    },
    { id: 'no-secrets', on: 'output', deny: 'content.contains("SECRET")', because: 'Secrets stay.' },
    {
      id: 'short',
      on: 'request',
      deny: 'args.messages.size() > 6',
      because: 'The conversation is too long.',
    },
  ],
};

const reply = (content: string): ModelReply => ({ content, tool_calls: [], finish_reason: 'stop' });
const calls = (...given: [name: string, args: JsonObject][]): ModelReply => ({
  content: null,
  tool_calls: given.map(([name, args], i) => ({ id: `c-${name}-${i}`, name, args })),
  finish_reason: 'tool_calls',
});

interface Given {
  readonly replies: readonly ModelReply[];
  readonly hooks?: InterlockHooksOptions;
  readonly emitter?: Partial<EmitterOptions>;
  readonly more?: JsonObject;
  readonly run?: Partial<AgentRun>;
  readonly agent?: ContextOptions['agent'];
}

async function play(t: TestContext, given: Given) {
  const engine = await openEngine({ dataDir: null, specs: [loadSpecObject(SPEC)], withoutSpec: 'deny' });
  t.after(() => engine.close());
  const transport = localTransport(engine);
  const interlock = overTransport(transport);
  const hooks = interlockHooks(interlock, given.hooks);
  const records: InterceptionRecord[] = [];
  const ran: [string, JsonObject][] = [];
  const asked: (readonly JsonObject[])[] = [];
  const tool = (name: string) => (args: JsonObject) => {
    ran.push([name, args]);
    return { did: name };
  };
  const contexts = createContexts({
    agent: given.agent ?? { id: 'a-1', framework: 'own', name: 'shop', version: '2' },
    session: 's-1',
    more: given.more ?? { actor: { id: 'user:42', kind: 'human' }, tenant: { id: 'acme' } },
  });
  const emitter = createEmitter({
    interceptors: [{ interceptor: hooks, name: 'interlock' }],
    resolver: hooks,
    onRecord: (record) => records.push(record),
    ...given.emitter,
  });
  let turn = 0;
  const running = runAgent({
    emitter,
    contexts,
    modelId: 'm-1',
    model: ({ messages }) => {
      asked.push(messages);
      return Promise.resolve(given.replies[turn++]!);
    },
    tools: Object.fromEntries(['look', 'refund', 'wipe', 'rename'].map((name) => [name, tool(name)])),
    input: { content: 'help' },
    ...given.run,
  });
  return { engine, transport, records, ran, asked, running };
}

const at = (records: readonly InterceptionRecord[], point: string) =>
  records.filter((record) => record.interception_point === point);

test('every point is a step of one session of the agent, its person and tenant', async (t) => {
  const { running, engine, records, ran } = await play(t, {
    replies: [calls(['look', { order: 1 }]), calls(['refund', { amount: 5 }]), reply('done')],
  });
  const result = await running;
  assert.deepEqual([result.outcome, result.output], ['completed', 'done']);
  assert.deepEqual(ran, [
    ['look', { order: 1 }],
    ['refund', { amount: 5 }],
  ]);
  const session = await engine.session('s-1');
  assert.deepEqual(
    [session?.agent, session?.principal, session?.tenant],
    [{ name: 'shop', version: '2' }, 'user:42', 'acme'],
  );
  assert.equal(session?.state, 'ended');
  assert.equal(session?.steps, records.length, 'session.start stands for agent_startup');
  assert.deepEqual(
    records.map(({ interception_point, verdict }) => [interception_point, verdict.decision]),
    [
      'agent_startup',
      'input',
      ...['pre_model_call', 'post_model_call', 'pre_tool_call', 'post_tool_call'],
      ...['pre_model_call', 'post_model_call', 'pre_tool_call', 'post_tool_call'],
      ...['pre_model_call', 'post_model_call', 'output', 'agent_shutdown'],
    ].map((point) => [point, 'allow']),
  );
});

test('a denied call does not run, and the model reads the rule and the repair', async (t) => {
  const { running, ran, asked, records } = await play(t, {
    replies: [calls(['refund', { amount: 5 }]), reply('sorry')],
  });
  assert.equal((await running).outcome, 'completed');
  assert.deepEqual(ran, []);
  assert.match(
    JSON.stringify(asked[1]),
    /blocked: interlock:looked-first: Look at the order first\. Call look\./,
  );
  assert.deepEqual(at(records, 'post_tool_call'), []);
  const [record] = at(records, 'pre_tool_call');
  assert.equal(record!.decided_by, 0);
  assert.match(record!.verdict.evidence!.artefact!, /^sha256:[0-9a-f]{64}$/);
});

test('a rule that only watches is a warning', async (t) => {
  const { running, records } = await play(t, {
    replies: [calls(['look', {}]), calls(['refund', { amount: 50 }]), reply('done')],
  });
  assert.equal((await running).outcome, 'completed');
  const warnings = at(records, 'pre_tool_call')[1]!.verdict.warnings;
  assert.deepEqual(warnings, [{ reason: 'interlock:big', message: 'That is much.' }]);
});

test('a rewritten call runs as the rule wrote it', async (t) => {
  const { running, ran, records } = await play(t, {
    replies: [calls(['rename', { name: 'x', id: 1 }]), reply('done')],
  });
  await running;
  assert.deepEqual(ran, [['rename', { name: 'plain', id: 1 }]]);
  const [record] = at(records, 'pre_tool_call');
  assert.deepEqual(record!.verdict.transform, { path: '$target' });
  assert.notEqual(record!.input_identity, record!.enforced_identity);
});

test('a held call waits for a person, and runs once it is approved', async (t) => {
  const { running, ran, records, transport } = await play(t, {
    replies: [calls(['wipe', { disk: 1 }]), reply('done')],
  });
  const hold = await pending(transport);
  assert.deepEqual(ran, []);
  await transport.answerHold(hold.id, { approve: true, by: 'ann', role: 'reviewer' });
  assert.equal((await running).outcome, 'completed');
  assert.deepEqual(ran, [['wipe', { disk: 1 }]]);
  assert.equal(at(records, 'pre_tool_call')[0]!.resolved_by, 'approval');
  assert.equal((await transport.hold(hold.id))?.state, 'used');
});

test('a refused call does not run; one that nobody answers is unresolved', async (t) => {
  const refused = await play(t, { replies: [calls(['wipe', {}]), reply('done')] });
  const hold = await pending(refused.transport);
  await refused.transport.answerHold(hold.id, { approve: false, by: 'ann', role: 'reviewer' });
  await refused.running;
  assert.deepEqual(refused.ran, []);
  assert.deepEqual(
    [
      at(refused.records, 'pre_tool_call')[0]!.resolved_by,
      at(refused.records, 'pre_tool_call')[0]!.verdict.reason,
    ],
    ['rejection', 'interlock:refused'],
  );
  const alone = await play(t, { replies: [calls(['wipe', {}]), reply('done')], hooks: { approvalMs: 0 } });
  await alone.running;
  assert.deepEqual(alone.ran, []);
  assert.equal(at(alone.records, 'pre_tool_call')[0]!.verdict.reason, 'host_error:approval_unresolved');
});

test('an approval of a context that was cut for the approver lifts nothing', async (t) => {
  const { running, ran, records, transport } = await play(t, {
    replies: [calls(['wipe', { disk: 1 }]), reply('done')],
    hooks: { approvalMs: 5_000 },
    emitter: {
      redact: (context) => ({
        ...context,
        tool_call: { id: 'c-wipe-0', name: 'wipe', args: {} },
        target: {},
      }),
    },
  });
  const hold = await pending(transport);
  await transport.answerHold(hold.id, { approve: true, by: 'ann', role: 'reviewer' });
  await running;
  assert.deepEqual(ran, []);
  assert.equal(at(records, 'pre_tool_call')[0]!.resolved_by, 'rejection');
});

test('a denied output is not said, and the run is blocked', async (t) => {
  const { running, records } = await play(t, { replies: [reply('the SECRET')] });
  const result = await running;
  assert.deepEqual([result.outcome, result.output], ['blocked', null]);
  assert.equal(at(records, 'agent_shutdown').length, 1);
});

test('a denied model request is not sent', async (t) => {
  const look = calls(['look', {}]);
  const { running, asked } = await play(t, { replies: [look, look, look, look] });
  assert.equal((await running).outcome, 'blocked');
  assert.equal(asked.length, 3);
});

test('text goes out under a verdict that covers it; what is withheld is not kept', async (t) => {
  let released = '';
  const { running, engine } = await play(t, {
    replies: [],
    run: {
      release: (text) => {
        released += text;
      },
      model: async function* () {
        yield { t: 'text', text: 'Hello. ' };
        yield { t: 'boundary' };
        yield { t: 'text', text: 'Bye.' };
        yield { t: 'end', tool_calls: [], finish_reason: 'stop' };
      },
    },
  });
  const result = await running;
  assert.deepEqual([result.output, released], ['Hello. Bye.', 'Hello. Bye.']);
  assert.equal((await engine.session('s-1'))?.state, 'ended');
});

test('an engine that cannot decide is an interceptor that failed', async (t) => {
  const { running, records } = await play(t, {
    replies: [],
    emitter: { interceptors: [{ interceptor: interlockHooks(broken()) }] },
  });
  assert.equal((await running).outcome, 'blocked');
  assert.equal(records[0]!.verdict.reason, 'host_error:interceptor_failed');
  assert.equal(records[0]!.verdict.message, 'Error');
  assert.equal(records.length, 2);
});

test('an agent that no spec applies to does nothing', async (t) => {
  const { running, ran } = await play(t, {
    replies: [calls(['look', {}]), reply('done')],
    agent: { id: 'other', framework: 'own' },
  });
  assert.equal((await running).outcome, 'blocked');
  assert.deepEqual(ran, []);
});

test('a session of somebody else is not joined', async (t) => {
  const { running, transport } = await play(t, { replies: [reply('done')] });
  await running;
  const hooks = interlockHooks(overTransport(transport));
  const contexts = createContexts({ agent: { id: 'shop', framework: 'own' }, session: 's-1' });
  await assert.rejects(async () => hooks.intercept(contexts.input('hi')));
});

function broken() {
  const fail = () => Promise.reject(new Error('the disk is full'));
  return { session: fail, holdChange: fail };
}

async function pending(transport: Transport) {
  for (;;) {
    const [hold] = await transport.holds({ state: 'pending' });
    if (hold !== undefined) return hold;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
