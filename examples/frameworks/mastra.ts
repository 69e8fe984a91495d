// Mastra: the tools go through `guardTools`; what is said goes through the model's middleware.
import { createOpenAI } from '@ai-sdk/openai';
import { Agent } from '@mastra/core/agent';
import { createTool } from '@mastra/core/tools';
import { wrapLanguageModel } from 'ai';
import { interlockMiddleware } from '../../src/adapters/ai-sdk.ts';
import { guardTools } from '../../src/adapters/mastra.ts';
import { Interlock } from '../../src/sdk/index.ts';
import { INSTRUCTIONS, ORDER_ID, REFUND, type Refund, type Setting, SPEC } from './shop.ts';

export async function main({ baseURL, apiKey, model, ask, shop }: Setting): Promise<string> {
  const interlock = await Interlock.open({ spec: SPEC });
  const session = await interlock.session({ agent: { name: 'refund-desk' } });
  const agent = new Agent({
    id: 'refund-desk',
    name: 'refund-desk',
    instructions: INSTRUCTIONS,
    model: wrapLanguageModel({
      model: createOpenAI({ baseURL, apiKey }).chat(model),
      middleware: interlockMiddleware(session),
    }) as never,
    tools: guardTools(session, {
      get_order: createTool({
        id: 'get_order',
        description: 'Reads an order',
        inputSchema: ORDER_ID as never,
        execute: (args) => shop.getOrder(args as { id: string }),
      }),
      refund: createTool({
        id: 'refund',
        description: 'Refunds part of an order',
        inputSchema: REFUND as never,
        execute: (args) => shop.refund(args as Refund),
      }),
    }),
  });
  const { text } = await agent.generate(ask, { maxSteps: 8 });
  await interlock.close();
  return text;
}
