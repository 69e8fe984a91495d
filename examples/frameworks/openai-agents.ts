// OpenAI Agents SDK: one line, `guardAgent`, and the agent, its tools and its hand-offs are decided.
import { Agent, OpenAIChatCompletionsModel, run, tool } from '@openai/agents';
import OpenAI from 'openai';
import { guardAgent } from '../../src/adapters/openai-agents.ts';
import { Interlock } from '../../src/sdk/index.ts';
import { INSTRUCTIONS, ORDER_ID, REFUND, type Refund, type Setting, SPEC } from './shop.ts';

export async function main({ baseURL, apiKey, model, ask, shop }: Setting): Promise<string> {
  const interlock = await Interlock.open({ spec: SPEC });
  const session = await interlock.session({ agent: { name: 'refund-desk' } });
  const agent = new Agent({
    name: 'refund-desk',
    instructions: INSTRUCTIONS,
    model: new OpenAIChatCompletionsModel(new OpenAI({ baseURL, apiKey }) as never, model),
    tools: [
      tool({
        name: 'get_order',
        description: 'Reads an order',
        strict: false,
        parameters: ORDER_ID,
        execute: (args) => shop.getOrder(args as { id: string }),
      }),
      tool({
        name: 'refund',
        description: 'Refunds part of an order',
        strict: false,
        parameters: REFUND,
        execute: (args) => shop.refund(args as Refund),
      }),
    ],
  });
  const { finalOutput } = await run(guardAgent(session, agent), ask, { maxTurns: 8 });
  await interlock.close();
  return String(finalOutput);
}
