// Agents on the vendors' own client libraries, through `interlock serve`: a call that is allowed runs, one that is denied never
// arrives, one that is held runs after its approval, and the record says so. Only the address differs from a program of theirs.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  type Agent,
  type AgentOptions,
  anthropic,
  google,
  openaiChat,
  openaiResponses,
  vercel,
} from './agents.ts';
import { type GatewayUnderTest, recordingFetch, startGateway } from './harness.ts';
import { SIGNATURE } from './model/gemini.ts';
import { call, type ScriptedModel, says, startScriptedModel, type Turn } from './scripted-model.ts';

/** In the arguments of the call that is denied, and nowhere else. */
const SECRET = 'ACCOUNT-66613';
const REFUND = { id: 'A-1', amount: 140, note: 'für Zoë 🚂' };
const SCRIPT: readonly Turn[] = [
  {
    parts: [
      { kind: 'text', text: 'Let me look at it.' },
      call('get_order', { id: 'A-1' }),
      call('wire_money', { account: SECRET, amount: 99 }),
    ],
  },
  { parts: [call('refund', REFUND)] },
  { parts: [{ kind: 'reasoning', text: 'It is approved.' }, call('refund', REFUND)] },
  says('I refunded 140 of A-1.'),
];
const ORDER = { id: 'A-1', total: 150 };

const AGENTS: Readonly<Record<string, (options: AgentOptions) => Agent>> = {
  'openai chat': (options) => openaiChat(options, false),
  'openai chat, streamed': (options) => openaiChat(options, true),
  'openai responses': (options) => openaiResponses(options, false),
  'openai responses, streamed': (options) => openaiResponses(options, true),
  'openai responses, kept by the vendor': (options) => openaiResponses(options, false, true),
  'openai responses, kept by the vendor, streamed': (options) => openaiResponses(options, true, true),
  anthropic: (options) => anthropic(options, false),
  'anthropic, streamed': (options) => anthropic(options, true),
  'anthropic, kept by the vendor': (options) => anthropic(options, false, true),
  'anthropic, kept by the vendor, streamed': (options) => anthropic(options, true, true),
  google: (options) => google(options, false),
  'google, streamed': (options) => google(options, true),
  'vercel, chat': (options) => vercel(options, false, 'chat'),
  'vercel, chat, streamed': (options) => vercel(options, true, 'chat'),
  'vercel, responses': (options) => vercel(options, false, 'responses'),
  'vercel, responses, streamed': (options) => vercel(options, true, 'responses'),
};

let model: ScriptedModel;
let gateway: GatewayUnderTest;
let talker: ScriptedModel;
let talking: GatewayUnderTest;
before(async () => {
  talker = await startScriptedModel({ script: [says('Hello!'), says('Fine.'), says('Bye.')] });
  talking = await startGateway({ upstream: talker.url });
  model = await startScriptedModel({
    script: SCRIPT,
    stream: { deltaChars: 3, writes: { seed: 4, maxBytes: 90 } },
  });
  gateway = await startGateway({ upstream: model.url });
});
after(async () => {
  await Promise.all([gateway?.stop(), talking?.stop()]);
  await Promise.all([model?.close(), talker?.close()]);
});

describe('an agent that changed its address and nothing else', () => {
  for (const [name, agentOf] of Object.entries(AGENTS))
    test(name, async () => {
      const who = name.replaceAll(/\W+/g, '-');
      const { fetch, bytes, heads } = recordingFetch();
      const agent = agentOf({
        base: `${gateway.url}/gateway`,
        headers: { 'x-interlock-agent': who },
        fetch,
      });

      const looked = await agent.say(`Refund order A-1, please. I am ${who}.`);
      assert.deepEqual(
        looked.calls.map((one) => [one.name, one.args]),
        [['get_order', { id: 'A-1' }]],
      );
      assert.ok(looked.stoppedForTools);
      assert.match(looked.text, /^Let me look at it\./);
      assert.match(looked.text, /wire_money was denied.*Money is not wired from here.*Refund the order/s);

      const held = await agent.give([{ call: looked.calls[0]!, value: ORDER }]);
      assert.deepEqual(held.calls, []);
      assert.ok(!held.stoppedForTools);
      assert.match(held.text, /refund waits for approval by support-lead/);

      const [session, ...others] = await gateway.sessionsOf(who);
      assert.ok(session !== undefined && others.length === 0, 'one conversation is one session');
      const [hold] = await gateway.pendingHolds(session.id);
      assert.ok(hold !== undefined);
      assert.equal((await gateway.approve(hold.id)).state, 'approved');

      const approved = await agent.say('It is approved. Go on.');
      assert.deepEqual(
        approved.calls.map((one) => [one.name, one.args]),
        [['refund', REFUND]],
      );
      const done = await agent.give([{ call: approved.calls[0]!, value: { ok: true } }]);
      assert.equal(done.text, 'I refunded 140 of A-1.');

      assert.ok(!(await bytes()).includes(SECRET), 'what is denied is not in the bytes');
      for (const head of heads) {
        assert.equal(head.get('x-interlock-session'), session.id);
        assert.equal(head.get('x-interlock-verdict'), 'allow');
      }
      await checkRecord(who);
    });
});

describe('a conversation without tools is one session too', () => {
  for (const [name, agentOf] of Object.entries(AGENTS))
    test(name, async () => {
      const who = `talk-${name.replaceAll(/\W+/g, '-')}`;
      const { fetch } = recordingFetch();
      const headers = { 'x-interlock-agent': who };
      const agent = agentOf({ base: `${talking.url}/gateway`, headers, fetch });
      for (const text of ['Hello.', 'How are you?', 'Good bye.']) await agent.say(text);
      const sessions = await talking.sessionsOf(who);
      assert.equal(sessions.length, 1);
      const steps = await talking.stepsOf(sessions[0]!.id);
      const inputs = steps.filter(({ step }) => step.kind === 'input').map(({ step }) => step.content);
      assert.deepEqual(inputs, ['Hello.', 'How are you?', 'Good bye.']);
    });
});

test('a conversation that Anthropic keeps hears of the calls that were withheld from its client', async () => {
  const wiring = await startScriptedModel({
    script: [{ parts: [call('wire_money', { account: SECRET }, 'toolu_1')] }, says('I see.')],
  });
  const guarded = await startGateway({ upstream: wiring.url });
  try {
    const { fetch } = recordingFetch();
    const agent = anthropic({ base: `${guarded.url}/gateway`, headers: {}, fetch }, false, true);
    await agent.say('Wire it.');
    await agent.say('Why not?');
    const [first] = wiring.requests[1]!.body.messages as { content: Record<string, unknown>[] }[];
    const [result, words] = first!.content;
    assert.deepEqual(
      [result?.type, result?.tool_use_id, result?.is_error, words?.text],
      ['tool_result', 'toolu_1', true, 'Why not?'],
    );
    assert.match(String(result?.content), /Money is not wired from here/);
  } finally {
    await guarded.stop();
    await wiring.close();
  }
});

// OpenAI refuses a thought without the call that followed it, and a reference to what it did not say itself.
test('Responses hears of a withheld call as its model made it, with why it did not run', async () => {
  const conversations = {
    'in full': (options: AgentOptions) => openaiResponses(options, false),
    'in full, streamed': (options: AgentOptions) => openaiResponses(options, true),
    'by reference': (options: AgentOptions) => vercel(options, false, 'responses'),
    'by reference, streamed': (options: AgentOptions) => vercel(options, true, 'responses'),
  };
  const thinker = await startScriptedModel({
    script: [
      { parts: [{ kind: 'reasoning', text: 'Wire it.' }, call('wire_money', { account: SECRET })] },
      says('I see.'),
    ],
  });
  const thinking = await startGateway({ upstream: thinker.url });
  try {
    for (const [how, agentOf] of Object.entries(conversations)) {
      const agent = agentOf({ base: `${thinking.url}/gateway`, headers: {}, fetch });
      await agent.say(`Wire me money, ${how}.`);
      await agent.say('Why not?');
      const input = thinker.requests.at(-1)!.body.input as Record<string, unknown>[];
      const [, thought, called, output] = input;
      assert.ok(String(thought!.id).startsWith('rs_'), how);
      assert.equal(called!.type, 'function_call', how);
      assert.deepEqual([output!.type, output!.call_id], ['function_call_output', called!.call_id], how);
      assert.match(String(output!.output), /Money is not wired/, how);
      assert.equal(input.length, 5, how);
    }
  } finally {
    await thinking.stop();
    await thinker.close();
  }
});

// Gemini refuses a first call without the signature of its thoughts.
test('the call after a withheld one carries its signature, streamed and whole', async () => {
  const signer = await startScriptedModel({
    script: [
      { parts: [call('wire_money', { account: SECRET }), call('get_order', { id: 'A-1' })] },
      says('Done.'),
    ],
  });
  const signing = await startGateway({ upstream: signer.url });
  try {
    for (const stream of [false, true]) {
      const agent = google({ base: `${signing.url}/gateway`, headers: {}, fetch }, stream);
      const { calls } = await agent.say('Look, and wire.');
      await agent.give([{ call: calls[0]!, value: ORDER }]);
      const contents = signer.requests.at(-1)!.body.contents as { parts: Record<string, unknown>[] }[];
      const asked = contents[1]!.parts.filter((part) => part.functionCall !== undefined);
      assert.deepEqual(
        asked.map((part) => part.thoughtSignature),
        [SIGNATURE],
      );
    }
  } finally {
    await signing.stop();
    await signer.close();
  }
});

/** What the store says of the conversation above. */
async function checkRecord(agent: string): Promise<void> {
  const [session, ...others] = await gateway.sessionsOf(agent);
  assert.ok(session !== undefined && others.length === 0);
  const steps = await gateway.endedSteps(session.id);
  const told = steps.map(({ step, decision }) => `${step.kind} ${step.name} ${decision.verdict}`.trim());
  assert.deepEqual(
    told.filter((line) => line.startsWith('tool.') || line.startsWith('approval')),
    [
      'tool.call get_order allow',
      'tool.call wire_money deny',
      'tool.result get_order allow',
      'tool.call refund hold',
      'approval refund allow',
      'tool.call refund allow',
      'tool.result refund allow',
    ],
  );
  assert.equal(told.filter((line) => line.startsWith('model.request')).length, 4);
  assert.equal(told.filter((line) => line.startsWith('model.response')).length, 4);
  assert.deepEqual(
    steps.filter(({ step }) => step.kind === 'input').map(({ step }) => step.content),
    [`Refund order A-1, please. I am ${agent}.`, 'It is approved. Go on.'],
  );
  const denied = steps.find(({ step }) => step.name === 'wire_money')!;
  assert.deepEqual(denied.step.args, { account: SECRET, amount: 99 });
  assert.deepEqual(
    denied.decision.rules.map(({ rule }) => rule),
    ['no-wires'],
  );
  // The result is that of the call, under the arguments that were decided.
  const result = steps.find(({ step }) => step.kind === 'tool.result' && step.name === 'get_order')!;
  const asked = steps.find(({ step }) => step.kind === 'tool.call' && step.name === 'get_order')!;
  assert.equal(result.step.callId, asked.step.callId);
  assert.deepEqual(JSON.parse(result.step.content!), ORDER);
}
