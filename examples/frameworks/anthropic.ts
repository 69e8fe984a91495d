// Anthropic SDK with its tool runner: the tools go through `guardTools`; what is said, through the session.
import Anthropic from '@anthropic-ai/sdk';
import { betaTool } from '@anthropic-ai/sdk/helpers/beta/json-schema';
import { guardTools } from '../../src/adapters/anthropic.ts';
import { Interlock } from '../../src/sdk/index.ts';
import { INSTRUCTIONS, ORDER_ID, REFUND, type Refund, type Setting, SPEC } from './shop.ts';

export async function main({ baseURL, apiKey, model, ask, shop }: Setting): Promise<string> {
  const interlock = await Interlock.open({ spec: SPEC });
  const session = await interlock.session({ agent: { name: 'refund-desk' } });
  await session.input(ask);
  const final = await new Anthropic({ baseURL, apiKey }).beta.messages.toolRunner({
    model,
    max_tokens: 1_000,
    system: INSTRUCTIONS,
    messages: [{ role: 'user', content: ask }],
    max_iterations: 8,
    tools: guardTools(session, [
      betaTool({
        name: 'get_order',
        description: 'Reads an order',
        inputSchema: ORDER_ID,
        run: async (args) => JSON.stringify(await shop.getOrder(args as { id: string })),
      }),
      betaTool({
        name: 'refund',
        description: 'Refunds part of an order',
        inputSchema: REFUND,
        run: async (args) => JSON.stringify(await shop.refund(args as unknown as Refund)),
      }),
    ]),
  });
  const text = final.content.map((part) => (part.type === 'text' ? part.text : '')).join('');
  await session.output(text);
  await interlock.close();
  return text;
}
