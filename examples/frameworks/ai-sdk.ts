// Vercel AI SDK: the tools go through `guardTools`, the model through `wrapLanguageModel`; the rest is as before.
import { createOpenAI } from '@ai-sdk/openai';
import { generateText, isStepCount, jsonSchema, tool, wrapLanguageModel } from 'ai';
import { guardTools, interlockMiddleware } from '../../src/adapters/ai-sdk.ts';
import { Interlock } from '../../src/sdk/index.ts';
import { INSTRUCTIONS, ORDER_ID, REFUND, type Refund, type Setting, SPEC } from './shop.ts';

export async function main({ baseURL, apiKey, model, ask, shop }: Setting): Promise<string> {
  const interlock = await Interlock.open({ spec: SPEC });
  const session = await interlock.session({ agent: { name: 'refund-desk' } });
  const { text } = await generateText({
    model: wrapLanguageModel({
      model: createOpenAI({ baseURL, apiKey }).chat(model),
      middleware: interlockMiddleware(session),
    }),
    tools: guardTools(session, {
      get_order: tool({ inputSchema: jsonSchema<{ id: string }>(ORDER_ID), execute: shop.getOrder }),
      refund: tool({ inputSchema: jsonSchema<Refund>(REFUND), execute: shop.refund }),
    }),
    instructions: INSTRUCTIONS,
    prompt: ask,
    stopWhen: isStepCount(8),
  });
  await interlock.close();
  return text;
}
