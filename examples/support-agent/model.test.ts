// The chat-completions protocol against an endpoint of our own: what is sent, what is read, what is refused.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { chatCompletions, chooseModel, type Message, scriptedModel } from './model.ts';

interface Asked {
  readonly path: string | undefined;
  readonly key: string | undefined;
  readonly body: { model: string; messages: object[]; tools: object[] };
}

async function withEndpoint(
  answer: object,
  use: (url: string, asked: Asked[]) => Promise<void>,
): Promise<void> {
  const asked: Asked[] = [];
  const server = createServer(async (request, response) => {
    const text = await request.setEncoding('utf8').reduce((all: string, chunk: string) => all + chunk, '');
    asked.push({ path: request.url, key: request.headers.authorization, body: JSON.parse(text) });
    response.setHeader('content-type', 'application/json').end(JSON.stringify(answer));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/`, asked);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

const MESSAGES: Message[] = [
  { role: 'user', content: 'hello' },
  { role: 'assistant', content: '', calls: [{ id: 'c1', name: 'get_order', args: { order_id: 'A' } }] },
  { role: 'tool', callId: 'c1', content: '{"total":1}' },
];
const TOOL = { name: 'refund', description: 'Pay back.', parameters: { type: 'object' } };

test('speaks tool calls both ways', () => {
  const call = { id: 'c2', type: 'function', function: { name: 'refund', arguments: '{"amount":1}' } };
  const answer = { choices: [{ message: { content: null, tool_calls: [call] } }] };
  return withEndpoint(answer, async (url, asked) => {
    const reply = await chatCompletions(url, 'some-model', 'secret').next(MESSAGES, [TOOL]);
    assert.deepEqual(reply, { content: '', calls: [{ id: 'c2', name: 'refund', args: { amount: 1 } }] });
    assert.deepEqual([asked[0]!.path, asked[0]!.key], ['/v1/chat/completions', 'Bearer secret']);
    const { model, messages, tools } = asked[0]!.body;
    assert.equal(model, 'some-model');
    assert.deepEqual(tools, [{ type: 'function', function: TOOL }]);
    const made = {
      id: 'c1',
      type: 'function',
      function: { name: 'get_order', arguments: '{"order_id":"A"}' },
    };
    assert.deepEqual(messages, [
      { role: 'user', content: 'hello' },
      { role: 'assistant', content: '', tool_calls: [made] },
      { role: 'tool', tool_call_id: 'c1', content: '{"total":1}' },
    ]);
  });
});

test('arguments that are no object are an error, not a call', () => {
  const call = { id: 'c2', type: 'function', function: { name: 'refund', arguments: '[1]' } };
  return withEndpoint({ choices: [{ message: { tool_calls: [call] } }] }, async (url) => {
    await assert.rejects(
      chatCompletions(url, 'm', undefined).next(MESSAGES, []),
      /refund: arguments are no object/,
    );
  });
});

test('is the script unless an endpoint is configured', () => {
  assert.equal(chooseModel({}), scriptedModel);
  assert.equal(chooseModel({ OPENAI_BASE_URL: 'http://localhost:1/v1', OPENAI_MODEL: 'm' }).name, 'm');
});
