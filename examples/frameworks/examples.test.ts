// The examples, run against a model on loopback that asks for too much, reads why it may not, and asks for what it may.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { call, calls, says, startScriptedModel } from '../../test/gateway/scripted-model.ts';
import { openShop, type Setting } from './shop.ts';

const EXAMPLES = ['ai-sdk', 'openai-agents', 'langchain', 'mastra', 'anthropic', 'openai'];

describe('the framework examples', () => {
  for (const name of EXAMPLES) {
    test(name, { timeout: 30_000 }, async () => {
      const model = await startScriptedModel({
        script: [
          calls(call('refund', { id: 'A-1', amount: 90 }, 'c1')),
          calls(call('get_order', { id: 'A-1' }, 'c2')),
          calls(call('refund', { id: 'A-1', amount: 60 }, 'c3')),
          says('Refunded 60.'),
        ],
      });
      const { main } = (await import(`./${name}.ts`)) as { main: (setting: Setting) => Promise<string> };
      const shop = openShop();
      const baseURL = name === 'anthropic' ? model.url : `${model.url}/v1`;
      try {
        const text = await main({ baseURL, apiKey: 'k', model: 'm', ask: 'Refund A-1, all of 90.', shop });
        assert.equal(text, 'Refunded 60.');
        assert.deepEqual(shop.refunds, [{ id: 'A-1', amount: 60 }]);
        const told = model.requests.flatMap(({ outputs }) => outputs).find(({ callId }) => callId === 'c1');
        assert.match(told?.content ?? '', /refund no more than its total/);
      } finally {
        await model.close();
      }
    });
  }
});
