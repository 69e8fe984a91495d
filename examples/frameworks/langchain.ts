// LangChain: one middleware, the last of the list.
import { tool } from '@langchain/core/tools';
import { ChatOpenAI } from '@langchain/openai';
import { createAgent } from 'langchain';
import { interlockMiddleware } from '../../src/adapters/langchain.ts';
import { Interlock } from '../../src/sdk/index.ts';
import { INSTRUCTIONS, ORDER_ID, REFUND, type Refund, type Setting, SPEC } from './shop.ts';

export async function main({ baseURL, apiKey, model, ask, shop }: Setting): Promise<string> {
  const interlock = await Interlock.open({ spec: SPEC });
  const session = await interlock.session({ agent: { name: 'refund-desk' } });
  const agent = createAgent({
    model: new ChatOpenAI({ model, apiKey, configuration: { baseURL } }),
    systemPrompt: INSTRUCTIONS,
    tools: [
      tool((args: object) => shop.getOrder(args as { id: string }), {
        name: 'get_order',
        description: 'Reads an order',
        schema: ORDER_ID as never,
      }),
      tool((args: object) => shop.refund(args as Refund), {
        name: 'refund',
        description: 'Refunds part of an order',
        schema: REFUND as never,
      }),
    ],
    middleware: [interlockMiddleware(session)],
  });
  const { messages } = await agent.invoke({ messages: [{ role: 'user', content: ask }] });
  await interlock.close();
  return messages.at(-1)!.text;
}
