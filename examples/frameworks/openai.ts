// OpenAI SDK with a loop of one's own: `runToolCalls` stands where the program ran its tools.

import OpenAI from 'openai';
import { runToolCalls } from '../../src/adapters/openai.ts';
import { Interlock } from '../../src/sdk/index.ts';
import { INSTRUCTIONS, ORDER_ID, REFUND, type Setting, SPEC } from './shop.ts';

export async function main({ baseURL, apiKey, model, ask, shop }: Setting): Promise<string> {
  const interlock = await Interlock.open({ spec: SPEC });
  const session = await interlock.session({ agent: { name: 'refund-desk' } });
  const client = new OpenAI({ baseURL, apiKey });
  const tools = [
    { type: 'function' as const, function: { name: 'get_order', parameters: ORDER_ID as never } },
    { type: 'function' as const, function: { name: 'refund', parameters: REFUND as never } },
  ];
  const messages: OpenAI.ChatCompletionMessageParam[] = [
    { role: 'system', content: INSTRUCTIONS },
    { role: 'user', content: ask },
  ];
  await session.input(ask);
  for (;;) {
    const { choices } = await client.chat.completions.create({ model, messages, tools });
    const { message } = choices[0]!;
    const results = await runToolCalls(session, message, { get_order: shop.getOrder, refund: shop.refund });
    messages.push(message, ...results);
    if (results.length > 0) continue;
    const text = message.content ?? '';
    await session.output(text);
    await interlock.close();
    return text;
  }
}
