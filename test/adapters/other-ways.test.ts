// The ways into a framework that the scenarios do not go: a graph built by hand, and the runners of the vendors' libraries.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import { betaTool } from '@anthropic-ai/sdk/helpers/beta/json-schema';
import { AIMessage, type ToolMessage } from '@langchain/core/messages';
import { tool } from '@langchain/core/tools';
import { ToolNode } from '@langchain/langgraph/prebuilt';
import { Agent, tool as agentTool, OpenAIChatCompletionsModel, run } from '@openai/agents';
import OpenAI from 'openai';
import * as anthropic from '../../src/adapters/anthropic.ts';
import * as langchain from '../../src/adapters/langchain.ts';
import * as openai from '../../src/adapters/openai.ts';
import { guardAgent, guardModel } from '../../src/adapters/openai-agents.ts';
import type { HoldToken, Session } from '../../src/sdk/index.ts';
import { overTransport } from '../../src/sdk/interlock.ts';
import { localTransport } from '../../src/sdk/local.ts';
import { openEngine } from '../../src/sdk/open.ts';
import { loadSpecObject } from '../../src/sdk/spec-files.ts';
import { call, calls, says, startScriptedModel, type Turn } from '../gateway/scripted-model.ts';
import { causeOf } from './stage.ts';

const SPEC = {
  interlock: 1,
  name: 'payments',
  rules: [
    { id: 'small', on: 'call pay', require: 'args.amount < 10.0', because: 'Too much.', repair: 'Pay less.' },
    {
      id: 'asked',
      on: 'call wire',
      hold: true,
      approve: { by: ['lead'], expires: '1h' },
      because: 'Ask first.',
    },
    { id: 'two', on: 'request small-*', limit: { count: 2, per: 'session' }, because: 'Twice is enough.' },
  ],
};
const AMOUNT = { type: 'object' as const, properties: { amount: { type: 'number' as const } } };

type Steps = () => Promise<string[]>;

async function staged(
  turns: readonly Turn[],
  play: (session: Session, url: string, steps: Steps) => Promise<void>,
) {
  const engine = await openEngine({ dataDir: null, specs: [loadSpecObject(SPEC)], withoutSpec: 'deny' });
  const model = await startScriptedModel({ script: turns });
  try {
    const session = await overTransport(localTransport(engine)).session({ agent: { name: 'payer' } });
    await play(session, model.url, async () => {
      const { steps } = await engine.steps(session.id, { from: 0, limit: 100 });
      return steps.map(({ step, decision }) => `${step.kind} ${step.name} ${decision?.verdict}`);
    });
  } finally {
    await model.close();
    await engine.close();
  }
}

describe('other ways in', () => {
  test('LangGraph: guarded tools in a ToolNode', () =>
    staged([], async (session) => {
      const paid: object[] = [];
      const plain = tool(
        (args: object) => {
          paid.push(args);
          return 'paid';
        },
        { name: 'pay', description: 'Pays', schema: AMOUNT as never },
      );
      const node = new ToolNode(langchain.guardTools(session, [plain]));
      const tool_calls = [
        { name: 'pay', args: { amount: 5 }, id: 'c1', type: 'tool_call' as const },
        { name: 'pay', args: { amount: 50 }, id: 'c2', type: 'tool_call' as const },
      ];
      const { messages } = (await node.invoke({
        messages: [new AIMessage({ content: '', tool_calls })],
      })) as { messages: ToolMessage[] };
      assert.deepEqual(paid, [{ amount: 5 }]);
      assert.deepEqual(
        messages.map(({ tool_call_id, status }) => [tool_call_id, status]),
        [
          ['c1', 'success'],
          ['c2', 'error'],
        ],
      );
      assert.match(messages[1]!.text, /Pay less/);
      assert.deepEqual(await plain.invoke({ amount: 500 }), 'paid', 'the tool given is as it was');
    }));

  for (const stream of [false, true]) {
    test(`OpenAI Agents: requests to the model are decided, ${stream ? 'streamed' : 'at once'}`, () =>
      staged(
        [
          calls(call('pay', { amount: 5 }, 'c1')),
          calls(call('pay', { amount: 5 }, 'c2')),
          calls(call('pay', { amount: 5 }, 'c3')),
          says('never'),
        ],
        async (session, url, steps) => {
          const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'k', maxRetries: 0 });
          const paid: object[] = [];
          const plain = new Agent({
            name: 'desk',
            instructions: '',
            model: guardModel(session, new OpenAIChatCompletionsModel(client as never, 'm'), 'small-1'),
            tools: [
              agentTool({
                name: 'pay',
                description: 'Pays',
                strict: false,
                parameters: { ...AMOUNT, required: [], additionalProperties: true },
                execute: (args) => {
                  paid.push(args as object);
                  return 'paid';
                },
              }),
            ],
          });
          const agent = guardAgent(session, plain);
          const running = async () => {
            if (!stream) return run(agent, 'Pay 5, thrice.');
            const streamed = await run(agent, 'Pay 5, thrice.', { stream: true });
            await streamed.completed;
            if (streamed.error) throw streamed.error;
            return streamed;
          };
          await assert.rejects(running(), (error) => causeOf(error)?.code === 'step-denied');
          // Two requests may be made: the third is stopped before it is sent.
          assert.equal(paid.length, 2);
          const kinds = (await steps()).filter((kind) => kind.startsWith('model.'));
          const pair = ['model.request small-1 allow', 'model.response small-1 allow'];
          assert.deepEqual(kinds, [...pair, ...pair, 'model.request small-1 deny']);
        },
      ));
  }

  test('OpenAI: runTools', () =>
    staged(
      [calls(call('pay', { amount: 50 }, 'c1')), calls(call('pay', { amount: 5 }, 'c2')), says('Paid 5.')],
      async (session, url) => {
        const paid: object[] = [];
        const runner = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'k' }).chat.completions.runTools({
          model: 'm',
          messages: [{ role: 'user', content: 'Pay 50.' }],
          tools: openai.guardTools(session, [
            {
              type: 'function',
              function: {
                name: 'pay',
                parameters: AMOUNT,
                parse: JSON.parse,
                function: async (args: object) => {
                  paid.push(args);
                  return 'paid';
                },
              },
            } as never,
          ]) as never,
        });
        assert.equal(await runner.finalContent(), 'Paid 5.');
        assert.deepEqual(paid, [{ amount: 5 }]);
        const told = runner.messages.find((message) => message.role === 'tool');
        assert.match(String(told?.content), /Pay less/);
      },
    ));

  test('Anthropic: a call that waits in the tool runner', () =>
    staged([calls(call('wire', { amount: 5 }, 'c1')), says('It waits.')], async (session, url) => {
      const held: HoldToken[] = [];
      let wired = 0;
      const wire = betaTool({
        name: 'wire',
        description: 'Wires',
        inputSchema: AMOUNT,
        run: () => {
          wired += 1;
          return 'wired';
        },
      });
      const options = { onHold: 'suspend' as const, onHeld: (token: HoldToken) => void held.push(token) };
      const final = await new Anthropic({ baseURL: url, apiKey: 'k' }).beta.messages.toolRunner({
        model: 'm',
        max_tokens: 100,
        messages: [{ role: 'user', content: 'Wire 5.' }],
        tools: anthropic.guardTools(session, [wire], options),
      });
      assert.equal(wired, 0);
      assert.deepEqual(
        final.content.map((part) => (part.type === 'text' ? part.text : part.type)),
        ['It waits.'],
      );
      assert.deepEqual(
        held.map(({ name, callId, args }) => [name, callId, args]),
        [['wire', 'c1', { amount: 5 }]],
      );
    }));
});
